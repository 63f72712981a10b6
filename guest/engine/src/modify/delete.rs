//! DELETE.

use super::Statement;
use super::update::{first_appearances, rows_of};
use crate::error::Result;
use crate::types::Batch;
use hashbrown::HashSet;

impl<E> Statement<'_, E> {
    pub fn delete(&mut self, row_identity: usize, old_row: &[Option<usize>], batches: &[Batch]) -> Result<()> {
        let mut seen = HashSet::new();
        for input in batches {
            let chosen = first_appearances(input, row_identity, &mut seen)?;
            let input = if chosen.len() < input.rows { &input.take(&chosen) } else { input };
            let rows = rows_of(&self.writer, input, row_identity, old_row)?;
            for row in &rows {
                self.writer.delete(row)?;
            }
            self.written += rows.len() as u64;
            let input_rows: Vec<u32> = (0..rows.len() as u32).collect();
            self.return_rows(&rows.iter().collect::<Vec<_>>(), input, &input_rows)?;
        }
        Ok(())
    }
}
