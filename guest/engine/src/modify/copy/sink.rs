//! Rows of a query on their way into a table: CREATE TABLE AS.

use super::super::insert::{Insertion, RowError, rows_of};
use super::super::writer::TableWriter;
use crate::catalog::Relation;
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::host::Host;
use crate::types::Batch;

/// Inserts batches whose columns are a table's. The query must not read that table.
pub struct RowSink<'a> {
    writer: TableWriter<'a>,
    count: u64,
}

impl<'a> RowSink<'a> {
    pub fn new(host: &'a dyn Host, context: &'a FunctionContext<'a>, relation: &'a Relation) -> Result<RowSink<'a>> {
        Ok(RowSink { writer: TableWriter::new(host, context, relation)?, count: 0 })
    }

    pub fn insert(&mut self, batch: &Batch) -> Result<()> {
        let rows = rows_of(&self.writer, batch);
        let inserted =
            Insertion { writer: &mut self.writer }.insert(rows, None).map_err(|RowError { error, .. }| error);
        self.count += inserted?.len() as u64;
        Ok(())
    }

    /// Answers how many rows there were.
    pub fn finish(mut self) -> Result<u64> {
        self.writer.flush()?;
        Ok(self.count)
    }
}
