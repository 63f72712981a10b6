//! FOR UPDATE and its like: the commit fails if another transaction writes these rows.

use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::types::{Batch, Value};

pub struct Lock<'a> {
    input: Stream<'a>,
    /// Input positions of row keys.
    identities: &'a [usize],
}

impl<'a> Lock<'a> {
    pub fn new(input: Stream<'a>, identities: &'a [usize]) -> Lock<'a> {
        Lock { input, identities }
    }
}

impl<'a> Operator<'a> for Lock<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let Some(batch) = self.input.next(execution)? else { return Ok(None) };
        for position in self.identities {
            for row in 0..batch.rows {
                // Rows that an outer join filled up have no key.
                if let Value::Bytea(key) = batch.columns[*position].value(row) {
                    execution.context.host.guard(&key)?;
                }
            }
        }
        Ok(Some(batch))
    }
}
