//! Correlated scalar subqueries that aggregate: the aggregate is made for all outer rows at once, grouped by what it
//! is correlated by.

use super::Rewriter;
use super::decorrelate::pull_up;
use crate::bind::expression::{ColumnId, Expression, Subquery, SubqueryKind};
use crate::bind::logical::{Aggregate, Join, JoinKind, Plan, PlanColumn};
use crate::plan::walk;
use crate::types::Value;

impl Rewriter<'_> {
    /// Replaces such subqueries of an expression over a plan by columns that joins add to it.
    pub fn scalars(&mut self, mut plan: Plan, expression: &mut Expression) -> Plan {
        if !walk::has_subquery(expression) {
            return plan;
        }
        // Where it may not be evaluated at all, making it for all rows could fail where the query does not.
        if matches!(expression, Expression::Case { .. } | Expression::Coalesce { .. }) {
            return plan;
        }
        for operand in walk::operands_mut(expression) {
            plan = self.scalars(plan, operand);
        }
        if let Expression::Subquery(subquery) = expression
            && let Some((joined, value)) = self.scalar(&plan, subquery)
        {
            *expression = value;
            return joined;
        }
        plan
    }

    fn scalar(&mut self, plan: &Plan, subquery: &Subquery) -> Option<(Plan, Expression)> {
        if !matches!(subquery.kind, SubqueryKind::Scalar) {
            return None;
        }
        let (aggregate, mut value) = match &subquery.plan {
            Plan::Project { input, outputs } => match (&**input, outputs.as_slice()) {
                (Plan::Aggregate(aggregate), [(_, output)]) => (aggregate, output.clone()),
                _ => return None,
            },
            Plan::Aggregate(aggregate) => match aggregate.aggregates.as_slice() {
                [(column, _)] => (aggregate, walk::column(column)),
                _ => return None,
            },
            _ => return None,
        };
        let outer: Vec<ColumnId> = plan.columns().iter().map(|column| column.id).collect();
        if !is_plain(aggregate) || walk::reads_any(&value, &outer) || calls_read(aggregate, &outer) {
            return None;
        }
        let mut pulled = vec![];
        let input = pull_up(&aggregate.input, &outer, &mut pulled, false)?;
        let input_columns: Vec<ColumnId> = input.columns().iter().map(|column| column.id).collect();
        if pulled.is_empty() || !self.is_worthwhile(plan, &input, &pulled, &input_columns) {
            return None;
        }
        let (mut groups, mut condition) = (vec![], vec![]);
        for conjunct in pulled {
            let Expression::Call { function, arguments, data_type } = &conjunct else { return None };
            let [left, right] = arguments.as_slice() else { return None };
            let inner = |expression: &Expression| {
                walk::reads_any(expression, &input_columns) && !walk::reads_any(expression, &outer)
            };
            let outer_only = |expression: &Expression| !walk::reads_any(expression, &input_columns);
            let (key, left_is_key) = match function.name {
                "=" if inner(left) && outer_only(right) => (left, true),
                "=" if inner(right) && outer_only(left) => (right, false),
                _ => return None,
            };
            let column = PlanColumn::unnamed(self.new_column(), "group", key.data_type());
            let named = walk::column(&column);
            let arguments = match left_is_key {
                true => vec![named, right.clone()],
                false => vec![left.clone(), named],
            };
            groups.push((column, key.clone()));
            condition.push(Expression::Call { function, arguments, data_type: *data_type });
        }
        // Where there are no rows to count, there is no group: the count is zero.
        let counts: Vec<ColumnId> = aggregate
            .aggregates
            .iter()
            .filter(|(_, call)| matches!(call.function.name, "count" | "regr_count"))
            .map(|(column, _)| column.id)
            .collect();
        walk::replace(&mut value, &mut |expression| {
            let Expression::Column { id, data_type } = &*expression else { return };
            if counts.contains(id) {
                let data_type = *data_type;
                let zero = Expression::Literal(Value::BigInt(0), data_type);
                *expression = Expression::Coalesce { arguments: vec![expression.clone(), zero], data_type };
            }
        });
        let right = Plan::Aggregate(Box::new(Aggregate {
            input,
            grouping_sets: vec![(0..groups.len()).collect()],
            groups,
            aggregates: aggregate.aggregates.clone(),
            grouping_calls: vec![],
        }));
        let join = Join {
            kind: JoinKind::Left,
            left: plan.clone(),
            right: self.decorrelate(right),
            condition: walk::conjunction(condition),
            lateral: false,
        };
        Some((Plan::Join(Box::new(join)), value))
    }

    /// Grouping everything is not worth it for few outer rows that an index serves one by one.
    fn is_worthwhile(&self, outer: &Plan, inner: &Plan, pulled: &[Expression], columns: &[ColumnId]) -> bool {
        let (outer_rows, inner_rows) = (self.estimates.rows(outer), self.estimates.rows(inner));
        let matches = inner_rows * self.estimates.all(pulled);
        let indexed = pulled.iter().any(|conjunct| {
            walk::operands(conjunct).into_iter().any(|operand| match operand {
                Expression::Column { id, .. } => columns.contains(id) && self.estimates.is_indexed(*id),
                _ => false,
            })
        });
        let one_by_one = if indexed { outer_rows * (10.0 + 6.0 * matches) } else { outer_rows * inner_rows };
        one_by_one > inner_rows * 1.5
    }
}

/// One group of all rows, of aggregates that are NULL or zero when there are none.
fn is_plain(aggregate: &Aggregate) -> bool {
    let plain = aggregate.aggregates.iter().all(|(_, call)| call.function.direct_arguments.is_none());
    aggregate.groups.is_empty()
        && aggregate.grouping_sets.len() == 1
        && aggregate.grouping_calls.is_empty()
        && !aggregate.aggregates.is_empty()
        && plain
}

fn calls_read(aggregate: &Aggregate, columns: &[ColumnId]) -> bool {
    let reads = |expression: &Expression| walk::reads_any(expression, columns);
    aggregate.aggregates.iter().any(|(_, call)| {
        call.arguments.iter().any(reads)
            || call.filter.iter().any(reads)
            || call.order_by.iter().any(|key| reads(&key.expression))
    })
}
