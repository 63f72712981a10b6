//! Scans of tables, and filters.

use super::early::early_filter;
use super::{Columns, Lowered, Lowering};
use crate::bind::Plan;
use crate::bind::expression::{ColumnId, Expression};
use crate::bind::logical::{JoinKind, PlanColumn, Scan};
use crate::catalog::RelationKind;
use crate::encode::index::IndexDecoder;
use crate::encode::row::RowDecoder;
use crate::error::{Error, Result};
use crate::plan::access::{self, Equal, Path, Wanted};
use crate::plan::physical::{self, Access, Decoder, KeyBound, KeyEqual, Operation};
use crate::plan::walk;
use crate::types::DataType;

impl Lowering {
    pub(super) fn scan(&mut self, scan: &Scan, conjuncts: &[Expression], wanted: &Wanted) -> Result<Lowered> {
        let path = access::choose(scan, conjuncts, wanted, &self.estimates);
        let (rows, cost, ordering) = (path.rows, path.cost, path.ordering.clone());
        let (scan, columns) = self.physical_scan(scan, &path, conjuncts, &[])?;
        let node = self.node(Operation::Scan(Box::new(scan)), columns, rows, cost);
        Ok(Lowered { node, ordering })
    }

    /// Whether the best path to a filtered scan gives an order.
    pub(super) fn is_ordered_by_index(&self, plan: &Plan, wanted: &Wanted) -> bool {
        let Some((scan, conjuncts)) = filtered_scan(plan) else { return false };
        let path = access::choose(scan, &conjuncts, wanted, &self.estimates);
        path.index.is_some() && path.ordering.satisfies(&wanted.order)
    }

    /// A scan along a path, whose key expressions are over `key_columns` and whose own conditions are the first of
    /// those that the path was chosen for; answers what it produces too.
    pub(super) fn physical_scan(
        &mut self,
        scan: &Scan,
        path: &Path,
        own: &[Expression],
        key_columns: &[(ColumnId, DataType)],
    ) -> Result<(physical::Scan, Columns)> {
        let (for_filter, outputs): (Vec<_>, Vec<_>) =
            scan.columns.iter().partition(|(column, _)| self.filter_only.contains(&column.id));
        let rest: Vec<Expression> = own
            .iter()
            .enumerate()
            .filter(|(number, _)| !path.answered.contains(number))
            .map(|(_, conjunct)| conjunct.clone())
            .collect();
        // What the keys answer need not be decoded.
        let read = |(column, _): &&&(PlanColumn, usize)| rest.iter().any(|rest| walk::reads_any(rest, &[column.id]));
        let for_filter: Vec<_> = for_filter.iter().filter(read).copied().collect();
        let decoded: Vec<&(PlanColumn, usize)> = outputs.iter().copied().chain(for_filter).collect();
        let layout: Columns = decoded.iter().map(|(column, _)| (column.id, column.data_type)).collect();
        let positions: Vec<usize> = decoded.iter().map(|(_, position)| *position).collect();
        let mut columns: Columns = layout[..outputs.len()].to_vec();
        columns.extend(scan.row_identity.map(|id| (id, DataType::Bytea)));
        let filter = self.optional(walk::conjunction(rest).as_ref(), &layout)?;
        let relation = scan.relation.clone();
        let decoder = match path.index.filter(|_| path.index_only) {
            _ if relation.kind != RelationKind::Table || positions.is_empty() => Decoder::Nothing,
            Some(index) => IndexDecoder::new(&relation, &relation.indexes[index], &positions)
                .map(Decoder::Entry)
                .ok_or_else(|| Error::internal("an index-only scan of a column that the index lacks"))?,
            None => Decoder::Row(RowDecoder::new(&relation, &positions)?),
        };
        // What is read are the rows themselves, and no entries that lead to them.
        let reads_rows = path.index.is_none_or(|index| relation.indexes[index].primary);
        let early = match (&filter, &decoder) {
            (Some(filter), Decoder::Row(_)) if reads_rows => early_filter(filter, positions.len()),
            _ => None,
        };
        let access = self.access(path, key_columns)?;
        let scan = physical::Scan {
            relation,
            alias: scan.alias.clone(),
            columns: positions,
            outputs: outputs.len(),
            row_identity: scan.row_identity.is_some(),
            access,
            reverse: path.reverse,
            filter,
            early,
            expected_rows: path.expected_rows,
            decoder,
        };
        Ok((scan, columns))
    }

    fn access(&mut self, path: &Path, columns: &[(ColumnId, DataType)]) -> Result<Access> {
        let mut equal = vec![];
        for condition in &path.equal {
            equal.push(match condition {
                Equal::One(value) => KeyEqual::One(self.compile(value, columns)?),
                Equal::Null => KeyEqual::Null,
                Equal::Any(values) => KeyEqual::Any(self.compile_all(values, columns)?),
                Equal::AnyArray(array) => KeyEqual::AnyArray(self.compile(array, columns)?),
            });
        }
        let mut bound = |bound: &Option<(Expression, bool)>| -> Result<Option<KeyBound>> {
            let compile = |(value, inclusive): &(Expression, bool)| {
                Ok(KeyBound { value: self.compile(value, columns)?, inclusive: *inclusive })
            };
            bound.as_ref().map(compile).transpose()
        };
        let (lower, upper) = (bound(&path.lower)?, bound(&path.upper)?);
        Ok(Access { index: path.index, equal, lower, upper, unique: path.unique, index_only: path.index_only })
    }

    pub(super) fn filter(&mut self, plan: &Plan, wanted: &Wanted) -> Result<Lowered> {
        if let Some((scan, conjuncts)) = filtered_scan(plan) {
            return self.scan(scan, &conjuncts, wanted);
        }
        let Plan::Filter { input, predicate } = plan else { return self.lower(plan, wanted) };
        if let Plan::Join(join) = &**input
            && join.kind == JoinKind::Inner
            && !join.lateral
        {
            return self.inner_joins(plan, wanted);
        }
        let selectivity = self.estimates.selectivity(predicate);
        let rows = wanted.rows.map(|rows| rows / selectivity.max(0.0001));
        let Lowered { node: input, ordering } = self.lower(input, &Wanted { order: wanted.order.clone(), rows })?;
        self.filter_over(input, ordering, predicate)
    }

    pub(super) fn filter_over(
        &mut self,
        input: physical::Node,
        ordering: access::Ordering,
        predicate: &Expression,
    ) -> Result<Lowered> {
        let selectivity = self.estimates.selectivity(predicate);
        let compiled = self.compile(predicate, &input.columns)?;
        let (columns, rows) = (input.columns.clone(), input.rows * selectivity);
        let cost = input.cost + input.rows * 0.2;
        let operation = Operation::Filter { input: Box::new(input), predicate: compiled };
        Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering })
    }
}

/// A scan and the conditions on it, if a plan is nothing else.
pub fn filtered_scan(plan: &Plan) -> Option<(&Scan, Vec<Expression>)> {
    match plan {
        Plan::Scan(scan) => Some((scan, vec![])),
        Plan::Filter { input, predicate } => {
            let (scan, mut conjuncts) = filtered_scan(input)?;
            conjuncts.extend(walk::conjuncts(predicate.clone()));
            Some((scan, conjuncts))
        }
        _ => None,
    }
}
