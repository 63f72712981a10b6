//! DISTINCT and DISTINCT ON: the first row of each kind, in the input's order.

use super::expression::{self, Compiled};
use super::group::GroupTable;
use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::types::{Batch, DataType};

pub struct Distinct<'a> {
    input: Stream<'a>,
    on: Option<&'a [Compiled]>,
    table: GroupTable,
    groups: Vec<u32>,
}

impl<'a> Distinct<'a> {
    pub fn new(input: Stream<'a>, on: Option<&'a [Compiled]>, columns: &[DataType]) -> Distinct<'a> {
        let types = match on {
            Some(on) => on.iter().map(Compiled::data_type).collect(),
            None => columns.to_vec(),
        };
        Distinct { input, on, table: GroupTable::new(&types), groups: vec![] }
    }
}

impl<'a> Operator<'a> for Distinct<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        while let Some(batch) = self.input.next(execution)? {
            let keys = match self.on {
                None => batch.columns.clone(),
                Some(on) => {
                    on.iter().map(|key| expression::evaluate(execution, key, &batch)).collect::<Result<Vec<_>>>()?
                }
            };
            let mut known = self.table.len() as u32;
            self.table.insert(&keys, batch.rows, &mut self.groups);
            // A row is new when its group has the next number.
            let is_new = |&row: &u32| {
                let new = self.groups[row as usize] == known;
                known += u32::from(new);
                new
            };
            let fresh: Vec<u32> = (0..batch.rows as u32).filter(is_new).collect();
            if fresh.len() == batch.rows {
                return Ok(Some(batch));
            }
            if !fresh.is_empty() {
                return Ok(Some(batch.take(&fresh)));
            }
        }
        Ok(None)
    }
}
