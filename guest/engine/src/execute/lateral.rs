//! Joins whose right side depends on the left row: it runs once for each.

use super::columns::concatenate;
use super::expression;
use super::hash_join::beside;
use super::nested_loop::finish;
use super::open::column_types;
use super::{Execution, Operator, Stream};
use crate::bind::logical::JoinKind;
use crate::error::Result;
use crate::plan::physical;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, DataType};

pub struct Lateral<'a> {
    join: &'a physical::NestedLoop,
    /// Left positions and the slots that they fill.
    bindings: &'a [(usize, usize)],
    left: Stream<'a>,
    current: Option<Current<'a>>,
    types: Vec<DataType>,
}

/// The left batch at work.
struct Current<'a> {
    batch: Batch,
    row: usize,
    /// The right side of the row, while it runs.
    right: Option<Stream<'a>>,
    matched: Vec<bool>,
}

impl<'a> Lateral<'a> {
    pub fn new(join: &'a physical::NestedLoop, bindings: &'a [(usize, usize)], left: Stream<'a>) -> Lateral<'a> {
        let types = column_types(&join.left).into_iter().chain(column_types(&join.right)).collect();
        Lateral { join, bindings, left, current: None, types }
    }

    /// Pairs of the current left batch, about a batch of them; none when it has no more.
    fn pairs(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let only_existence = matches!(self.join.kind, JoinKind::Semi | JoinKind::Anti);
        let mut made = vec![];
        let mut rows = 0;
        while rows < BATCH_ROWS && current.row < current.batch.rows {
            for (position, slot) in self.bindings {
                execution.set_slot(*slot, current.batch.columns[*position].value(current.row));
            }
            let right = match &mut current.right {
                Some(right) => right,
                None => current.right.insert(execution.open(&self.join.right)?),
            };
            let batch = if only_existence && current.matched[current.row] { None } else { right.next(execution)? };
            let Some(batch) = batch else {
                current.right = None;
                current.row += 1;
                continue;
            };
            let left = current.batch.take(&vec![current.row as u32; batch.rows]);
            let mut pairs = beside(left, batch);
            if let Some(condition) = &self.join.condition
                && let Some(selected) = expression::select(execution, condition, &pairs)?
            {
                pairs = pairs.take(&selected);
            }
            if pairs.rows > 0 {
                current.matched[current.row] = true;
                rows += pairs.rows;
                made.push(pairs);
            }
        }
        Ok((rows > 0 && !only_existence).then(|| concatenate(&made, &self.types)))
    }
}

impl<'a> Operator<'a> for Lateral<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        loop {
            let Some(current) = &self.current else {
                let Some(batch) = self.left.next(execution)? else { return Ok(None) };
                let matched = vec![false; batch.rows];
                self.current = Some(Current { batch, row: 0, right: None, matched });
                continue;
            };
            let batch = if current.row < current.batch.rows {
                self.pairs(execution)?
            } else {
                let (kind, types) = (self.join.kind, column_types(&self.join.right));
                self.current.take().and_then(|current| finish(kind, current.batch, &current.matched, &types))
            };
            if batch.is_some() {
                return Ok(batch);
            }
        }
    }
}
