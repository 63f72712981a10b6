//! RETURNING.

use super::Statement;
use super::writer::Row;
use crate::error::Result;
use crate::types::{Batch, Column, Value};
use std::rc::Rc;

impl<E> Statement<'_, E> {
    /// Hands on RETURNING's columns of `rows`, which stand for the rows `input_rows` of `input`.
    pub fn return_rows(&mut self, rows: &[&Row], input: &Batch, input_rows: &[u32]) -> Result<()> {
        let Some(returning) = &self.modification.returning else { return Ok(()) };
        if rows.is_empty() {
            return Ok(());
        }
        let mut columns = self.columns_of(rows.iter().map(|row| row.values.as_slice()));
        columns.extend(input.take(input_rows).columns);
        let batch = Batch { columns, rows: rows.len() };
        let columns = returning.iter().map(|expression| (self.evaluate)(expression, &batch)).collect::<Result<_>>()?;
        (self.sink)(&Batch { columns, rows: rows.len() })
    }

    /// The table's columns of rows given as values.
    pub fn columns_of<'v>(&self, rows: impl Iterator<Item = &'v [Value]> + Clone) -> Vec<Rc<Column>> {
        let columns = self.modification.relation.columns.iter().enumerate();
        let column = |(position, column): (usize, &crate::catalog::TableColumn)| {
            Rc::new(Column::from_values(column.data_type, rows.clone().map(|row| &row[position])))
        };
        columns.map(column).collect()
    }
}
