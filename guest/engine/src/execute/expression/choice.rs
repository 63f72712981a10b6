//! CASE, COALESCE, NULLIF, GREATEST and LEAST (PostgreSQL 15, section 9.18).

use super::Compiled;
use super::evaluate::{evaluate, narrow};
use crate::error::Result;
use crate::execute::columns::{scatter, true_rows};
use crate::execute::expression::call;
use crate::execute::{Execution, equality};
use crate::functions::ScalarFunction;
use crate::types::{Batch, Column, ColumnBuilder, DataType, Value};
use std::cmp::Ordering;
use std::rc::Rc;

pub fn case(
    execution: &Execution,
    branches: &[(Compiled, Compiled)],
    otherwise: Option<&Compiled>,
    data_type: DataType,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let mut pieces = vec![];
    let mut rest: Vec<u32> = (0..batch.rows as u32).collect();
    for (condition, result) in branches {
        if rest.is_empty() {
            break;
        }
        let chosen = true_rows(&*evaluate_some(execution, condition, batch, &rest)?);
        if chosen.is_empty() {
            continue;
        }
        let mut chosen = chosen.into_iter().peekable();
        let mut taken = vec![];
        let mut left = vec![];
        for (index, row) in (0u32..).zip(rest) {
            match chosen.next_if_eq(&index) {
                Some(_) => taken.push(row),
                None => left.push(row),
            }
        }
        rest = left;
        pieces.push((evaluate_some(execution, result, batch, &taken)?, taken));
    }
    if let Some(otherwise) = otherwise
        && !rest.is_empty()
    {
        pieces.push((evaluate_some(execution, otherwise, batch, &rest)?, rest));
    }
    Ok(scatter(data_type, batch.rows, &pieces))
}

fn evaluate_some(execution: &Execution, expression: &Compiled, batch: &Batch, rows: &[u32]) -> Result<Rc<Column>> {
    if rows.len() == batch.rows {
        return evaluate(execution, expression, batch);
    }
    evaluate(execution, expression, &narrow(batch, rows, &[expression]))
}

pub fn coalesce(
    execution: &Execution,
    arguments: &[Compiled],
    data_type: DataType,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let mut pieces: Vec<(Rc<Column>, Vec<u32>)> = vec![];
    let mut rest: Vec<u32> = (0..batch.rows as u32).collect();
    for argument in arguments {
        if rest.is_empty() {
            break;
        }
        let column = evaluate_some(execution, argument, batch, &rest)?;
        if column.valid.is_none() {
            pieces.push((column, std::mem::take(&mut rest)));
            break;
        }
        let (found, missing): (Vec<u32>, Vec<u32>) =
            (0..rest.len() as u32).partition(|&index| !column.is_null(index as usize));
        let rows = found.iter().map(|&index| rest[index as usize]).collect();
        pieces.push((Rc::new(column.take(&found)), rows));
        rest = missing.into_iter().map(|index| rest[index as usize]).collect();
    }
    Ok(scatter(data_type, batch.rows, &pieces))
}

pub fn null_if(
    execution: &Execution,
    (left, right): (&Compiled, &Compiled),
    equal: &'static ScalarFunction,
    data_type: DataType,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let left = evaluate(execution, left, batch)?;
    let right = evaluate(execution, right, batch)?;
    let equal = call::apply(execution, equal, &[left.clone(), right], DataType::Boolean, batch.rows)?;
    let mut is_equal = true_rows(&equal).into_iter().peekable();
    let kept: Vec<u32> = (0..batch.rows as u32).filter(|row| is_equal.next_if_eq(row).is_none()).collect();
    if kept.len() == batch.rows {
        return Ok(left);
    }
    Ok(scatter(data_type, batch.rows, &[(Rc::new(left.take(&kept)), kept)]))
}

pub fn extreme(
    execution: &Execution,
    arguments: &[Compiled],
    greatest: bool,
    data_type: DataType,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let columns = arguments.iter().map(|argument| evaluate(execution, argument, batch)).collect::<Result<Vec<_>>>()?;
    let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
    let mut result = ColumnBuilder::new(data_type);
    for row in 0..batch.rows {
        let mut best: Option<&Rc<Column>> = None;
        for column in columns.iter().filter(|column| !column.is_null(row)) {
            let better = |best: &Rc<Column>| equality::compare(data_type, column, row, best, row) == wanted;
            if best.is_none_or(better) {
                best = Some(column);
            }
        }
        result.push(&best.map_or(Value::Null, |column| column.value(row)));
    }
    Ok(Rc::new(result.finish()))
}
