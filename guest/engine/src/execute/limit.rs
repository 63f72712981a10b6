//! LIMIT, OFFSET and FETCH … WITH TIES (PostgreSQL 15, section 7.6).

use super::columns::slice;
use super::equality;
use super::expression::{self, Compiled, CompiledSortKey};
use super::{Execution, Operator, Stream};
use crate::error::{Error, Result, sqlstate};
use crate::types::{Batch, Column, Value};
use std::rc::Rc;

/// Rows to skip, and rows to hand on (none: all).
pub fn evaluate(
    execution: &Execution,
    limit: Option<&Compiled>,
    offset: Option<&Compiled>,
) -> Result<(u64, Option<u64>)> {
    let count = |expression: Option<&Compiled>, name: &str, sqlstate: &str| -> Result<Option<u64>> {
        let Some(expression) = expression else { return Ok(None) };
        let value = match expression::evaluate_constant(execution, expression)? {
            Value::BigInt(value) => value,
            Value::Integer(value) => i64::from(value),
            Value::SmallInt(value) => i64::from(value),
            _ => return Ok(None),
        };
        let negative = || Error::new(sqlstate, format!("{name} must not be negative"));
        u64::try_from(value).map(Some).map_err(|_| negative())
    };
    let skip = count(offset, "OFFSET", sqlstate::INVALID_ROW_COUNT_IN_OFFSET_CLAUSE)?.unwrap_or(0);
    Ok((skip, count(limit, "LIMIT", sqlstate::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE)?))
}

/// How many rows of its input a limit needs; none: all of them.
pub fn wanted(execution: &Execution, limit: Option<&Compiled>, offset: Option<&Compiled>) -> Result<Option<u64>> {
    if limit.is_none() {
        return Ok(None);
    }
    let (skip, count) = evaluate(execution, limit, offset)?;
    Ok(count.map(|count| count.saturating_add(skip)))
}

pub struct Limit<'a> {
    input: Stream<'a>,
    skip: u64,
    rest: Option<u64>,
    with_ties: &'a [CompiledSortKey],
    /// The sort keys of the last row within the limit: rows like it are handed on too.
    last: Option<Vec<Rc<Column>>>,
    done: bool,
}

impl<'a> Limit<'a> {
    pub fn new(input: Stream<'a>, skip: u64, count: Option<u64>, with_ties: &'a [CompiledSortKey]) -> Limit<'a> {
        Limit { input, skip, rest: count, with_ties, last: None, done: count == Some(0) }
    }

    fn keys(&self, execution: &Execution, batch: &Batch) -> Result<Vec<Rc<Column>>> {
        self.with_ties.iter().map(|key| expression::evaluate(execution, &key.expression, batch)).collect()
    }

    /// How many rows at the start of a batch that follows the limit are ties of its last row.
    fn ties(&self, keys: &[Rc<Column>], last: &[Rc<Column>], start: usize, rows: usize) -> usize {
        let tie = |row: &usize| {
            let mut all = self.with_ties.iter().zip(keys).zip(last);
            all.all(|((key, column), last)| equality::equal_rows(key.expression.data_type(), column, *row, last, 0))
        };
        (start..rows).take_while(tie).count()
    }
}

impl<'a> Operator<'a> for Limit<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        while !self.done {
            let Some(mut batch) = self.input.next(execution)? else { break };
            if let Some(last) = &self.last {
                let ties = self.ties(&self.keys(execution, &batch)?, last, 0, batch.rows);
                self.done = ties < batch.rows;
                return Ok((ties > 0).then(|| slice(&batch, 0, ties)));
            }
            let skipped = self.skip.min(batch.rows as u64);
            self.skip -= skipped;
            if skipped == batch.rows as u64 {
                continue;
            }
            batch = slice(&batch, skipped as usize, batch.rows);
            let Some(rest) = self.rest else { return Ok(Some(batch)) };
            if (batch.rows as u64) < rest {
                self.rest = Some(rest - batch.rows as u64);
                return Ok(Some(batch));
            }
            let mut end = rest as usize;
            if self.with_ties.is_empty() {
                self.done = true;
            } else {
                let keys = self.keys(execution, &batch)?;
                let last: Vec<_> = keys.iter().map(|key| Rc::new(key.take(&[end as u32 - 1]))).collect();
                end += self.ties(&keys, &last, end, batch.rows);
                self.done = end < batch.rows;
                self.last = Some(last);
            }
            return Ok(Some(slice(&batch, 0, end)));
        }
        Ok(None)
    }
}
