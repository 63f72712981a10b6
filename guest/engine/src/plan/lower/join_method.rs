//! The nodes that carry out a join.

use super::join::{BUILD, OUTPUT, PAIR, PROBE, equal_sides, joined};
use super::{Columns, Lowering};
use crate::bind::expression::{ColumnId, Expression};
use crate::bind::logical::{JoinKind, Scan};
use crate::error::Result;
use crate::plan::access::{self, Path, Wanted};
use crate::plan::physical::{self, HashMatching, Node, Operation, WholeRead};
use crate::plan::walk;
use crate::types::DataType;

/// What an index join may put into a hash table that nobody planned, in bytes as estimated.
const UNPLANNED_BYTES: f64 = 256e6;
/// Bytes of a value of variable length, and of what stands beside each row in a hash table.
const VARIABLE_BYTES: f64 = 32.0;
const HASHED_ROW_BYTES: f64 = 24.0;

impl Lowering {
    pub(super) fn index_join(
        &mut self,
        kind: JoinKind,
        left: Node,
        (scan, path): (&Scan, &Path),
        own: &[Expression],
        conjuncts: &[Expression],
        rows: f64,
    ) -> Result<Node> {
        let rest = conjuncts.iter().enumerate().filter(|(number, _)| !path.answered.contains(&(own.len() + number)));
        let rest: Vec<Expression> = rest.map(|(_, conjunct)| conjunct.clone()).collect();
        let (physical_scan, right_columns) = self.physical_scan(scan, path, own, &left.columns)?;
        let both: Columns = left.columns.iter().chain(&right_columns).copied().collect();
        let condition = self.optional(walk::conjunction(rest).as_ref(), &both)?;
        let whole_read = self.whole_read(kind, &left.columns, scan, own, conjuncts)?;
        let cost = left.cost + left.rows * path.cost + rows * OUTPUT;
        let columns = joined(kind, &left.columns, &right_columns);
        let join = physical::IndexJoin { kind, left, scan: physical_scan, right_columns, condition, whole_read };
        Ok(self.node(Operation::IndexJoin(Box::new(join)), columns, rows, cost))
    }

    /// The hash join that can take an index join's place while it runs: none without equal keys, with subqueries
    /// (which would be planned twice) or where the table may not fit into memory.
    fn whole_read(
        &mut self,
        kind: JoinKind,
        left: &[(ColumnId, DataType)],
        scan: &Scan,
        own: &[Expression],
        conjuncts: &[Expression],
    ) -> Result<Option<WholeRead>> {
        let unfit = |conjunct: &Expression| walk::has_subquery(conjunct) || walk::is_volatile(conjunct);
        if own.iter().chain(conjuncts).any(unfit) {
            return Ok(None);
        }
        let size = |data_type: DataType| usize::try_from(data_type.size()).map_or(VARIABLE_BYTES, |size| size as f64);
        let row_bytes = scan.columns.iter().map(|(column, _)| size(column.data_type)).sum::<f64>() + HASHED_ROW_BYTES;
        if self.estimates.table(&scan.relation) * row_bytes > UNPLANNED_BYTES {
            return Ok(None);
        }
        let path = access::choose(scan, own, &Wanted::default(), &self.estimates);
        let cost = path.cost + path.rows * BUILD;
        let (scan, right) = self.physical_scan(scan, &path, own, &[])?;
        let matching = self.hash_matching(kind, left, &right, conjuncts)?;
        Ok((!matching.left_keys.is_empty()).then_some(WholeRead { scan, matching, cost }))
    }

    /// Equalities become keys, the other conditions are left to check.
    fn hash_matching(
        &mut self,
        kind: JoinKind,
        left: &[(ColumnId, DataType)],
        right: &[(ColumnId, DataType)],
        conjuncts: &[Expression],
    ) -> Result<HashMatching> {
        let (mut left_keys, mut right_keys, mut rest) = (vec![], vec![], vec![]);
        for conjunct in conjuncts {
            match equal_sides(conjunct, left, right) {
                Some((left_key, right_key)) => {
                    left_keys.push(self.compile(left_key, left)?);
                    right_keys.push(self.compile(right_key, right)?);
                }
                None => rest.push(conjunct.clone()),
            }
        }
        let both: Columns = left.iter().chain(right).copied().collect();
        let condition = self.optional(walk::conjunction(rest).as_ref(), &both)?;
        Ok(HashMatching { kind, left_keys, right_keys, condition })
    }

    pub(super) fn hash_or_loop(
        &mut self,
        kind: JoinKind,
        left: Node,
        right: Node,
        conjuncts: &[Expression],
        rows: f64,
    ) -> Result<Node> {
        let matching = self.hash_matching(kind, &left.columns, &right.columns, conjuncts)?;
        let columns = joined(kind, &left.columns, &right.columns);
        let inputs = left.cost + right.cost + rows * OUTPUT;
        if matching.left_keys.is_empty() {
            let cost = inputs + left.rows * right.rows * PAIR;
            let join = physical::NestedLoop { kind, left, right, condition: matching.condition, lateral: None };
            return Ok(self.node(Operation::NestedLoop(Box::new(join)), columns, rows, cost));
        }
        let cost = inputs + left.rows * PROBE + right.rows * BUILD;
        Ok(self.node(Operation::HashJoin(Box::new(physical::HashJoin { left, right, matching })), columns, rows, cost))
    }
}
