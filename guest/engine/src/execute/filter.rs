//! WHERE, and select lists.

use super::expression::{self, Compiled};
use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::types::Batch;

/// Rows for which the predicate is true.
pub struct Filter<'a> {
    node: usize,
    input: Stream<'a>,
    predicate: &'a Compiled,
}

impl<'a> Filter<'a> {
    pub fn new(node: usize, input: Stream<'a>, predicate: &'a Compiled) -> Filter<'a> {
        Filter { node, input, predicate }
    }
}

impl<'a> Operator<'a> for Filter<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        while let Some(batch) = self.input.next(execution)? {
            match expression::select(execution, self.predicate, &batch)? {
                None => return Ok(Some(batch)),
                Some(selected) => {
                    execution.count_removed(self.node, batch.rows - selected.len());
                    if !selected.is_empty() {
                        return Ok(Some(batch.take(&selected)));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// Each row's outputs.
pub struct Project<'a> {
    input: Stream<'a>,
    outputs: &'a [Compiled],
}

impl<'a> Project<'a> {
    pub fn new(input: Stream<'a>, outputs: &'a [Compiled]) -> Project<'a> {
        Project { input, outputs }
    }
}

impl<'a> Operator<'a> for Project<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let Some(batch) = self.input.next(execution)? else { return Ok(None) };
        let columns = self.outputs.iter().map(|output| expression::evaluate(execution, output, &batch));
        Ok(Some(Batch { columns: columns.collect::<Result<_>>()?, rows: batch.rows }))
    }
}
