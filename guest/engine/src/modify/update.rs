//! UPDATE.

use super::insert::rows_of as table_rows;
use super::unique::{KeyHolders, violation};
use super::writer::Row;
use super::{Statement, constraint};
use crate::catalog::TableColumn;
use crate::error::{Error, Result};
use crate::types::{Batch, Column, Value};
use hashbrown::HashSet;
use std::rc::Rc;

impl<E> Statement<'_, E> {
    pub fn update(
        &mut self,
        row_identity: usize,
        old_row: &[Option<usize>],
        assignments: &[(usize, E)],
        batches: &[Batch],
    ) -> Result<()> {
        // A row that the input has more than once is changed once.
        let mut seen = HashSet::new();
        for input in batches {
            let chosen = first_appearances(input, row_identity, &mut seen)?;
            let input = if chosen.len() < input.rows { &input.take(&chosen) } else { input };
            let old = rows_of(&self.writer, input, row_identity, old_row)?;
            let mut columns = stored_columns(&self.writer, input, old_row);
            // A routine that an assignment calls is to find what earlier batches wrote.
            self.writer.flush()?;
            for (position, expression) in assignments {
                columns[*position] = (self.evaluate)(expression, input)?;
            }
            let proposed = Batch { columns, rows: input.rows };
            let new = self.replace_rows(&old, table_rows(&self.writer, &proposed))?;
            let input_rows: Vec<u32> = (0..new.len() as u32).collect();
            self.return_rows(&new.iter().collect::<Vec<_>>(), input, &input_rows)?;
        }
        Ok(())
    }

    /// Checks new rows, and writes them in place of the old ones, row by row as far as uniqueness goes.
    pub fn replace_rows(&mut self, old: &[Row], mut proposed: Vec<Vec<Value>>) -> Result<Vec<Row>> {
        let stop = constraint::first_violation(&self.writer, &self.modification.checks, self.evaluate, &proposed)?;
        let count = stop.as_ref().map_or(proposed.len(), |stop| stop.row);
        proposed.truncate(count);
        let rows = old.iter().zip(proposed);
        let new = rows.map(|(old, values)| self.writer.changed_row(old, values)).collect::<Result<Vec<_>>>()?;
        self.check_unique(&old[..count], &new)?;
        if let Some(stop) = stop {
            return Err(stop.error);
        }
        for (old, new) in old.iter().zip(&new) {
            self.writer.replace(old, new)?;
        }
        self.written += new.len() as u64;
        Ok(new)
    }

    fn check_unique(&mut self, old: &[Row], new: &[Row]) -> Result<()> {
        self.writer.flush()?;
        let old_keys = old.iter().map(|row| self.writer.unique_keys(row)).collect::<Result<Vec<_>>>()?;
        let new_keys = new.iter().map(|row| self.writer.unique_keys(row)).collect::<Result<Vec<_>>>()?;
        let is_kept = |row: usize, key: &[u8]| old_keys[row].iter().any(|unique| unique.key == key);
        let rows = new_keys.iter().enumerate();
        let changed = rows.flat_map(|(row, keys)| keys.iter().filter(move |unique| !is_kept(row, &unique.key)));
        let mut holders = KeyHolders::read(&self.writer, changed)?;
        for (row, keys) in new_keys.iter().enumerate() {
            for unique in keys.iter().filter(|unique| !is_kept(row, &unique.key)) {
                if holders.holder(&unique.key).is_some() {
                    return Err(violation(&self.writer, unique.index, &new[row].values));
                }
            }
            for unique in &old_keys[row] {
                holders.release(unique.key.clone());
            }
            for unique in keys {
                holders.take(unique.key.clone(), &new[row].key);
            }
        }
        Ok(())
    }
}

/// The rows of a batch whose identity has not been seen before.
pub fn first_appearances(input: &Batch, row_identity: usize, seen: &mut HashSet<Rc<[u8]>>) -> Result<Vec<u32>> {
    let mut chosen = vec![];
    for row in 0..input.rows {
        if seen.insert(identity(input, row_identity, row)?) {
            chosen.push(row as u32);
        }
    }
    Ok(chosen)
}

/// The stored rows that a batch stands for.
pub fn rows_of(
    writer: &super::writer::TableWriter,
    input: &Batch,
    row_identity: usize,
    old_row: &[Option<usize>],
) -> Result<Vec<Row>> {
    let old = table_rows(writer, &Batch { columns: stored_columns(writer, input, old_row), rows: input.rows });
    let row = |(row, values)| Ok(Row { key: identity(input, row_identity, row)?.to_vec(), values });
    old.into_iter().enumerate().map(row).collect()
}

/// The columns of the relation that a batch has, and NULLs for the dropped ones.
fn stored_columns(writer: &super::writer::TableWriter, input: &Batch, old_row: &[Option<usize>]) -> Vec<Rc<Column>> {
    let column = |(position, column): (&Option<usize>, &TableColumn)| match position {
        Some(position) => input.columns[*position].clone(),
        None => Rc::new(Column::constant(&Value::Null, column.data_type, input.rows)),
    };
    old_row.iter().zip(&writer.relation.columns).map(column).collect()
}

fn identity(input: &Batch, row_identity: usize, row: usize) -> Result<Rc<[u8]>> {
    match input.columns[row_identity].value(row) {
        Value::Bytea(key) => Ok(key),
        _ => Err(Error::internal("a row to change has no identity")),
    }
}
