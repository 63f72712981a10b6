//! UNION, INTERSECT and EXCEPT (PostgreSQL 15, section 7.4).

use super::distinct::Distinct;
use super::group::{ABSENT, GroupTable};
use super::open::column_types;
use super::{Execution, Operator, Stream};
use crate::bind::logical::SetOperator;
use crate::error::Result;
use crate::plan::physical::Node;
use crate::types::Batch;

pub fn open<'a>(
    operator: SetOperator,
    all: bool,
    left: &'a Node,
    right: &'a Node,
    execution: &Execution<'a>,
) -> Result<Stream<'a>> {
    let types = column_types(left);
    if operator == SetOperator::Union {
        let append = Append { left: execution.open(left)?, right, right_stream: None, left_done: false };
        return Ok(match all {
            true => Box::new(append),
            false => Box::new(Distinct::new(Box::new(append), None, &types)),
        });
    }
    let intersect = operator == SetOperator::Intersect;
    let counted =
        Counted { left: execution.open(left)?, right, intersect, all, table: GroupTable::new(&types), counts: None };
    Ok(match all {
        true => Box::new(counted),
        false => Box::new(Distinct::new(Box::new(counted), None, &types)),
    })
}

/// All rows of the left side, then all of the right side.
struct Append<'a> {
    left: Stream<'a>,
    right: &'a Node,
    right_stream: Option<Stream<'a>>,
    left_done: bool,
}

impl<'a> Operator<'a> for Append<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if !self.left_done {
            if let Some(batch) = self.left.next(execution)? {
                return Ok(Some(batch));
            }
            self.left_done = true;
        }
        let right = match &mut self.right_stream {
            Some(right) => right,
            None => self.right_stream.insert(execution.open(self.right)?),
        };
        right.next(execution)
    }
}

/// Counts the right side's rows, then lets the left side's through: for INTERSECT while the count lasts, for EXCEPT
/// once it is used up. Without ALL, counts do not go down.
struct Counted<'a> {
    left: Stream<'a>,
    right: &'a Node,
    intersect: bool,
    all: bool,
    table: GroupTable,
    counts: Option<Vec<u64>>,
}

impl<'a> Operator<'a> for Counted<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let mut groups = vec![];
        let counts = match &mut self.counts {
            Some(counts) => counts,
            None => {
                let mut counts = vec![];
                let mut right = execution.open(self.right)?;
                while let Some(batch) = right.next(execution)? {
                    self.table.insert(&batch.columns, batch.rows, &mut groups);
                    counts.resize(self.table.len(), 0);
                    groups.iter().for_each(|group| counts[*group as usize] += 1);
                }
                self.counts.insert(counts)
            }
        };
        while let Some(batch) = self.left.next(execution)? {
            self.table.find(&batch.columns, batch.rows, &mut groups);
            let mut kept = vec![];
            for (row, &group) in (0u32..).zip(&groups) {
                let counted = group != ABSENT && counts[group as usize] > 0;
                if counted && self.all {
                    counts[group as usize] -= 1;
                }
                if counted == self.intersect {
                    kept.push(row);
                }
            }
            if !kept.is_empty() {
                return Ok(Some(batch.take(&kept)));
            }
        }
        Ok(None)
    }
}
