//! RETURNING.

use super::Statement;
use super::constraint::columns_of;
use super::writer::Row;
use crate::error::Result;
use crate::types::Batch;

impl<E> Statement<'_, E> {
    /// Hands on RETURNING's columns of `rows`, which stand for the rows `input_rows` of `input`.
    pub fn return_rows(&mut self, rows: &[&Row], input: &Batch, input_rows: &[u32]) -> Result<()> {
        let Some(returning) = &self.modification.returning else { return Ok(()) };
        if rows.is_empty() {
            return Ok(());
        }
        // A routine that is called here reads and writes the same rows.
        self.writer.flush()?;
        let mut batch = columns_of(self.writer.relation, rows.iter().map(|row| row.values.as_slice()));
        batch.columns.extend(input.take(input_rows).columns);
        let columns = returning.iter().map(|expression| (self.evaluate)(expression, &batch)).collect::<Result<_>>()?;
        (self.sink)(&Batch { columns, rows: rows.len() })
    }
}
