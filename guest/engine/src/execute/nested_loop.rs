//! Joins by any condition: every left row meets every right row.

use super::columns::concatenate;
use super::expression;
use super::hash_join::{beside, null_rows};
use super::lateral::Lateral;
use super::open::column_types;
use super::{Execution, Operator, Stream};
use crate::bind::logical::JoinKind;
use crate::error::Result;
use crate::plan::physical;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, DataType};

pub fn open<'a>(join: &'a physical::NestedLoop, execution: &Execution<'a>) -> Result<Stream<'a>> {
    let left = execution.open(&join.left)?;
    Ok(match &join.lateral {
        Some(bindings) => Box::new(Lateral::new(join, bindings, left)),
        None => Box::new(NestedLoop {
            join,
            left,
            left_types: column_types(&join.left),
            right: None,
            right_matched: vec![],
            current: None,
            left_done: false,
            unmatched: 0,
        }),
    })
}

struct NestedLoop<'a> {
    join: &'a physical::NestedLoop,
    left: Stream<'a>,
    left_types: Vec<DataType>,
    /// All rows of the right side.
    right: Option<Batch>,
    /// For joins that keep right rows without partner.
    right_matched: Vec<bool>,
    current: Option<Current>,
    left_done: bool,
    /// Next right row to be handed on without partner.
    unmatched: usize,
}

/// The left batch at work, and the next pair to try.
struct Current {
    batch: Batch,
    left: usize,
    right: usize,
    matched: Vec<bool>,
}

impl<'a> NestedLoop<'a> {
    fn right(&mut self, execution: &Execution<'a>) -> Result<Batch> {
        if let Some(right) = &self.right {
            return Ok(right.clone());
        }
        let mut stream = execution.open(&self.join.right)?;
        let mut batches = vec![];
        while let Some(batch) = stream.next(execution)? {
            batches.push(batch);
        }
        let right = concatenate(&batches, &column_types(&self.join.right));
        if matches!(self.join.kind, JoinKind::Right | JoinKind::Full) {
            self.right_matched = vec![false; right.rows];
        }
        Ok(self.right.insert(right).clone())
    }

    /// Tries up to a batch of pairs.
    fn pairs(&mut self, execution: &Execution<'a>, right: &Batch) -> Result<Option<Batch>> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let only_existence = matches!(self.join.kind, JoinKind::Semi | JoinKind::Anti);
        let (mut left_rows, mut right_rows) = (vec![], vec![]);
        while left_rows.len() < BATCH_ROWS && current.left < current.batch.rows {
            if current.right == right.rows || (only_existence && current.matched[current.left]) {
                current.left += 1;
                current.right = 0;
                continue;
            }
            left_rows.push(current.left as u32);
            right_rows.push(current.right as u32);
            current.right += 1;
        }
        let mut batch = beside(current.batch.take(&left_rows), right.take(&right_rows));
        if let Some(condition) = &self.join.condition
            && let Some(selected) = expression::select(execution, condition, &batch)?
        {
            batch = batch.take(&selected);
            left_rows = selected.iter().map(|row| left_rows[*row as usize]).collect();
            right_rows = selected.iter().map(|row| right_rows[*row as usize]).collect();
        }
        left_rows.iter().for_each(|row| current.matched[*row as usize] = true);
        if !self.right_matched.is_empty() {
            right_rows.iter().for_each(|row| self.right_matched[*row as usize] = true);
        }
        Ok((batch.rows > 0 && !only_existence).then_some(batch))
    }

    /// Right rows without partner.
    fn rest_of_right(&mut self) -> Option<Batch> {
        let right = self.right.as_ref()?;
        let mut rows = vec![];
        while rows.len() < BATCH_ROWS && self.unmatched < self.right_matched.len() {
            if !self.right_matched[self.unmatched] {
                rows.push(self.unmatched as u32);
            }
            self.unmatched += 1;
        }
        (!rows.is_empty()).then(|| beside(null_rows(&self.left_types, rows.len()), right.take(&rows)))
    }
}

impl<'a> Operator<'a> for NestedLoop<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        loop {
            if let Some(current) = &self.current {
                let batch = if current.left < current.batch.rows {
                    let right = self.right(execution)?;
                    self.pairs(execution, &right)?
                } else {
                    let (kind, join) = (self.join.kind, self.join);
                    self.current
                        .take()
                        .and_then(|current| finish(kind, current.batch, &current.matched, &column_types(&join.right)))
                };
                if batch.is_some() {
                    return Ok(batch);
                }
                continue;
            }
            let batch = if self.left_done { None } else { self.left.next(execution)? };
            let Some(batch) = batch else {
                self.left_done = true;
                self.right(execution)?;
                return Ok(self.rest_of_right());
            };
            self.right(execution)?;
            let matched = vec![false; batch.rows];
            self.current = Some(Current { batch, left: 0, right: 0, matched });
        }
    }
}

/// What a left batch adds once all its pairs are known: rows with a match for semi joins, and rows without one, filled
/// up with NULLs, for outer ones.
pub fn finish(kind: JoinKind, batch: Batch, matched: &[bool], right_types: &[DataType]) -> Option<Batch> {
    let wanted = match kind {
        JoinKind::Semi => true,
        JoinKind::Left | JoinKind::Full | JoinKind::Anti => false,
        JoinKind::Inner | JoinKind::Right => return None,
    };
    let rows: Vec<u32> = (0..batch.rows as u32).filter(|row| matched[*row as usize] == wanted).collect();
    if rows.is_empty() {
        return None;
    }
    let batch = if rows.len() == batch.rows { batch } else { batch.take(&rows) };
    Some(match kind {
        JoinKind::Left | JoinKind::Full => beside(batch, null_rows(right_types, rows.len())),
        _ => batch,
    })
}
