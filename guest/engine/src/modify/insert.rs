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
            let proposed = self.proposed(values, input)?;
            let stop = constraint::first_violation(&self.writer, self.modification, self.evaluate, &proposed)?;
            let rows = Insertion { writer: &mut self.writer }.insert(&proposed, stop)?;
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

impl Insertion<'_, '_> {
    /// Inserts a batch's rows. `stop` is the first row that must not be, with its error: a duplicate key before it is
    /// reported first, as if rows were inserted one by one.
    pub fn insert(self, proposed: &Batch, stop: Option<(usize, Error)>) -> Result<Vec<Row>> {
        let count = stop.as_ref().map_or(proposed.rows, |(row, _)| *row);
        let mut rows = Vec::with_capacity(count);
        for row in 0..count {
            rows.push(self.writer.new_row(row_values(self.writer, proposed, row))?);
        }
        self.check_unique(&rows)?;
        if let Some((_, error)) = stop {
            return Err(error);
        }
        for row in &rows {
            self.writer.insert(row)?;
        }
        Ok(rows)
    }

    fn check_unique(&self, rows: &[Row]) -> Result<()> {
        if !self.writer.relation.indexes.iter().any(|index| index.unique || index.primary) {
            return Ok(());
        }
        let keys = rows.iter().map(|row| self.writer.unique_keys(row)).collect::<Result<Vec<_>>>()?;
        let mut holders = KeyHolders::read(self.writer, keys.iter().flatten())?;
        for (row, keys) in rows.iter().zip(keys) {
            for unique in keys {
                if holders.holder(&unique.key).is_some() {
                    return Err(violation(self.writer, unique.index, &row.values));
                }
                holders.take(unique.key, &row.key);
            }
        }
        Ok(())
    }
}

/// A row of a batch of the table's columns, with NULL for dropped ones.
pub fn row_values(writer: &TableWriter, batch: &Batch, row: usize) -> Vec<Value> {
    let columns = writer.relation.columns.iter().zip(&batch.columns);
    columns.map(|(column, values)| if column.dropped { Value::Null } else { values.value(row) }).collect()
}
