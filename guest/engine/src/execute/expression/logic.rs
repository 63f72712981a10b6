//! Three-valued logic (PostgreSQL 15, sections 9.1 and 9.2).

use super::Compiled;
use super::evaluate::{cannot_fail, evaluate, narrow};
use crate::error::Result;
use crate::execute::columns::{booleans, truth};
use crate::execute::{Execution, equality};
use crate::types::{Batch, Column, ColumnData};
use std::rc::Rc;

/// AND (`conjunction`) or OR: an operand that equals `!conjunction` decides a row.
pub fn connect(execution: &Execution, operands: &[Compiled], conjunction: bool, batch: &Batch) -> Result<Rc<Column>> {
    // Per row: none is NULL, and a row is decided once it differs from `conjunction` and is not NULL.
    let mut result: Vec<Option<bool>> = vec![Some(conjunction); batch.rows];
    let mut first = true;
    for operand in operands {
        let combine = |before: Option<bool>, value: Option<bool>| match (before, value) {
            (Some(before), _) if before != conjunction => Some(before),
            (_, Some(value)) if value != conjunction => Some(value),
            (None, _) | (_, None) => None,
            _ => Some(conjunction),
        };
        if first || cannot_fail(operand) {
            let column = evaluate(execution, operand, batch)?;
            for (row, result) in result.iter_mut().enumerate() {
                *result = combine(*result, truth(&column, row));
            }
        } else {
            let undecided = |row: &u32| result[*row as usize] != Some(!conjunction);
            let rows: Vec<u32> = (0..batch.rows as u32).filter(undecided).collect();
            if rows.is_empty() {
                break;
            }
            let column = evaluate(execution, operand, &narrow(batch, &rows, &[operand]))?;
            for (index, &row) in rows.iter().enumerate() {
                result[row as usize] = combine(result[row as usize], truth(&column, index));
            }
        }
        first = false;
    }
    Ok(Rc::new(from_truths(&result)))
}

/// A boolean column of three-valued results.
pub fn from_truths(truths: &[Option<bool>]) -> Column {
    let mut column = booleans(truths.iter().map(|truth| *truth == Some(true)).collect());
    if truths.contains(&None) {
        column.valid = Some(truths.iter().map(Option::is_some).collect());
    }
    column
}

pub fn not(execution: &Execution, input: &Compiled, batch: &Batch) -> Result<Rc<Column>> {
    let column = evaluate(execution, input, batch)?;
    Ok(match &column.data {
        ColumnData::Boolean(values) => Rc::new(Column {
            data: ColumnData::Boolean(values.iter().map(|value| !value).collect()),
            valid: column.valid.clone(),
        }),
        _ => column,
    })
}

pub fn is_null(execution: &Execution, input: &Compiled, negated: bool, batch: &Batch) -> Result<Rc<Column>> {
    // A row is NULL when all its fields are, and NOT NULL when none is (section 9.2).
    if let Compiled::Row { fields } = input {
        let mut result = vec![true; batch.rows];
        for field in fields {
            let column = evaluate(execution, field, batch)?;
            for (row, result) in result.iter_mut().enumerate() {
                *result &= column.is_null(row) != negated;
            }
        }
        return Ok(Rc::new(booleans(result)));
    }
    let column = evaluate(execution, input, batch)?;
    Ok(Rc::new(booleans(match &column.valid {
        None => vec![negated; batch.rows],
        Some(valid) => valid.iter().map(|valid| *valid == negated).collect(),
    })))
}

pub fn is_boolean(
    execution: &Execution,
    input: &Compiled,
    value: Option<bool>,
    negated: bool,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let column = evaluate(execution, input, batch)?;
    let is = |row| (truth(&column, row) == value) != negated;
    Ok(Rc::new(booleans((0..batch.rows).map(is).collect())))
}

pub fn is_distinct(
    execution: &Execution,
    left: &Compiled,
    right: &Compiled,
    negated: bool,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let data_type = left.data_type();
    let left = evaluate(execution, left, batch)?;
    let right = evaluate(execution, right, batch)?;
    let equal = |row| equality::equal_rows(data_type, &left, row, &right, row);
    Ok(Rc::new(booleans((0..batch.rows).map(|row| equal(row) == negated).collect())))
}
