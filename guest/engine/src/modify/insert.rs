//! INSERT without ON CONFLICT.

use super::unique::{KeyHolders, violation};
use super::writer::{Row, TableWriter};
use super::{Statement, constraint};
use crate::error::{Error, Result};
use crate::types::{Batch, Column, Value};
use std::rc::Rc;

impl<E> Statement<'_, E> {
    pub fn insert(&mut self, values: &[E], batches: &[Batch]) -> Result<()> {
        for input in batches {
            // A routine that the values call is to find what earlier batches wrote.
            self.writer.flush()?;
            let proposed = rows_of(&self.writer, &self.proposed(values, input)?);
            let stop = constraint::first_violation(&self.writer, &self.modification.checks, self.evaluate, &proposed)?;
            let rows = Insertion { writer: &mut self.writer }.insert(proposed, stop).map_err(Error::from)?;
            self.written += rows.len() as u64;
            let input_rows: Vec<u32> = (0..rows.len() as u32).collect();
            self.return_rows(&rows.iter().collect::<Vec<_>>(), input, &input_rows)?;
        }
        Ok(())
    }

    /// The proposed rows: a column per column of the relation.
    pub fn proposed(&self, values: &[E], input: &Batch) -> Result<Batch> {
        let columns = values.iter().map(|value| (self.evaluate)(value, input)).collect::<Result<Vec<Rc<Column>>>>()?;
        Ok(Batch { columns, rows: input.rows })
    }
}

/// Inserts batches of rows whose constraints have been checked.
pub struct Insertion<'w, 'a> {
    pub writer: &'w mut TableWriter<'a>,
}

/// An error, and the row of the batch that it is about.
pub struct RowError {
    pub row: usize,
    pub error: Error,
}

impl From<RowError> for Error {
    fn from(failed: RowError) -> Error {
        failed.error
    }
}

impl Insertion<'_, '_> {
    /// Inserts a batch's rows. `stop` is the first row that must not be, with its error: a duplicate key before it is
    /// reported first, as if rows were inserted one by one.
    pub fn insert(self, mut proposed: Vec<Vec<Value>>, stop: Option<RowError>) -> Result<Vec<Row>, RowError> {
        proposed.truncate(stop.as_ref().map_or(proposed.len(), |stop| stop.row));
        // What earlier batches wrote is to be found.
        self.writer.flush().map_err(|error| RowError { row: 0, error })?;
        let mut rows = Vec::with_capacity(proposed.len());
        for (row, values) in proposed.into_iter().enumerate() {
            rows.push(self.writer.new_row(values).map_err(|error| RowError { row, error })?);
        }
        self.check_unique(&rows)?;
        if let Some(stop) = stop {
            return Err(stop);
        }
        for (number, row) in rows.iter().enumerate() {
            self.writer.insert(row).map_err(|error| RowError { row: number, error })?;
        }
        Ok(rows)
    }

    fn check_unique(&self, rows: &[Row]) -> Result<(), RowError> {
        if !self.writer.relation.indexes.iter().any(|index| index.unique || index.primary) {
            return Ok(());
        }
        let at = |row: usize| move |error: Error| RowError { row, error };
        let keys = rows.iter().enumerate().map(|(row, new)| self.writer.unique_keys(new).map_err(at(row)));
        let keys = keys.collect::<Result<Vec<_>, RowError>>()?;
        let mut holders = KeyHolders::read(self.writer, keys.iter().flatten()).map_err(at(0))?;
        for (row, keys) in keys.into_iter().enumerate() {
            for unique in keys {
                if holders.holder(&unique.key).is_some() {
                    return Err(at(row)(violation(self.writer, unique.index, &rows[row].values)));
                }
                holders.take(unique.key, &rows[row].key);
            }
        }
        Ok(())
    }
}

/// The rows of a batch of the table's columns.
pub fn rows_of(writer: &TableWriter, batch: &Batch) -> Vec<Vec<Value>> {
    (0..batch.rows).map(|row| row_values(writer, batch, row)).collect()
}

/// A row of a batch of the table's columns, with NULL for dropped ones.
fn row_values(writer: &TableWriter, batch: &Batch, row: usize) -> Vec<Value> {
    let columns = writer.relation.columns.iter().zip(&batch.columns);
    columns.map(|(column, values)| if column.dropped { Value::Null } else { values.value(row) }).collect()
}
