//! Rows that are not read from anywhere.

use super::expression::{self, Compiled};
use super::{Execution, Operator};
use crate::error::Result;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, ColumnBuilder, DataType};
use std::rc::Rc;

/// One row without columns.
#[derive(Default)]
pub struct Unit {
    done: bool,
}

impl<'a> Operator<'a> for Unit {
    fn next(&mut self, _execution: &Execution<'a>) -> Result<Option<Batch>> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        Ok(Some(Batch { columns: vec![], rows: 1 }))
    }
}

/// No rows.
pub struct Empty;

impl<'a> Operator<'a> for Empty {
    fn next(&mut self, _execution: &Execution<'a>) -> Result<Option<Batch>> {
        Ok(None)
    }
}

/// VALUES lists.
pub struct Values<'a> {
    rest: &'a [Vec<Compiled>],
    types: Vec<DataType>,
}

impl<'a> Values<'a> {
    pub fn new(rows: &'a [Vec<Compiled>], types: Vec<DataType>) -> Values<'a> {
        Values { rest: rows, types }
    }
}

impl<'a> Operator<'a> for Values<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let (rows, rest) = self.rest.split_at(self.rest.len().min(BATCH_ROWS));
        self.rest = rest;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut builders: Vec<_> = self.types.iter().map(|data_type| ColumnBuilder::new(*data_type)).collect();
        for row in rows {
            for (builder, value) in builders.iter_mut().zip(row) {
                builder.push(&expression::evaluate_constant(execution, value)?);
            }
        }
        let columns = builders.into_iter().map(|builder| Rc::new(builder.finish())).collect();
        Ok(Some(Batch { columns, rows: rows.len() }))
    }
}
