//! IN lists and comparisons with the elements of an array (PostgreSQL 15, sections 9.24 and 9.25).

use super::Compiled;
use super::call::apply;
use super::evaluate::{cannot_fail, evaluate, is_constant, narrow};
use super::logic::from_truths;
use crate::error::Result;
use crate::execute::columns::{constant, truth};
use crate::execute::group::GroupTable;
use crate::execute::{Execution, equality};
use crate::functions::ScalarFunction;
use crate::types::{Batch, Column, ColumnBuilder, DataType, Value};
use std::rc::Rc;

/// Lists of constants longer than this are looked up by hash.
const HASHED_LIST: usize = 8;

pub fn in_list(
    execution: &Execution,
    input: &Compiled,
    list: &[Compiled],
    negated: bool,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let data_type = input.data_type();
    let column = evaluate(execution, input, batch)?;
    let mut truths = if list.len() > HASHED_LIST && batch.rows > 1 && list.iter().all(is_constant) {
        in_constants(execution, data_type, &column, list, batch)?
    } else {
        in_operands(execution, data_type, &column, list, batch)?
    };
    if negated {
        truths.iter_mut().for_each(|truth| *truth = truth.map(|truth| !truth));
    }
    Ok(Rc::new(from_truths(&truths)))
}

fn in_constants(
    execution: &Execution,
    data_type: DataType,
    column: &Rc<Column>,
    list: &[Compiled],
    batch: &Batch,
) -> Result<Vec<Option<bool>>> {
    let mut members = ColumnBuilder::new(data_type);
    let mut has_null = false;
    for operand in list {
        match super::evaluate_constant(execution, operand)? {
            Value::Null => has_null = true,
            value => members.push(&value),
        }
    }
    let members = members.finish();
    let mut table = GroupTable::new(&[data_type]);
    let rows = members.len();
    table.insert(&[Rc::new(members)], rows, &mut vec![]);
    let mut found = vec![];
    table.find(std::slice::from_ref(column), batch.rows, &mut found);
    let truth = |(row, found): (usize, &u32)| match found {
        _ if column.is_null(row) => None,
        &u32::MAX if has_null => None,
        found => Some(*found != u32::MAX),
    };
    Ok(found.iter().enumerate().map(truth).collect())
}

fn in_operands(
    execution: &Execution,
    data_type: DataType,
    column: &Rc<Column>,
    list: &[Compiled],
    batch: &Batch,
) -> Result<Vec<Option<bool>>> {
    let start = |row| if column.is_null(row) { None } else { Some(false) };
    let mut truths: Vec<Option<bool>> = (0..batch.rows).map(start).collect();
    for operand in list {
        // Rows that are found already do not evaluate what follows.
        let rows: Vec<u32> = (0..batch.rows as u32).filter(|row| truths[*row as usize] != Some(true)).collect();
        let members = match cannot_fail(operand) || rows.len() == batch.rows {
            true => evaluate(execution, operand, batch)?.take(&rows),
            false => evaluate(execution, operand, &narrow(batch, &rows, &[operand]))?.as_ref().clone(),
        };
        for (index, &row) in rows.iter().enumerate() {
            let row = row as usize;
            if column.is_null(row) || members.is_null(index) {
                truths[row] = None;
            } else if equality::equal_rows(data_type, column, row, &members, index) {
                truths[row] = Some(true);
            }
        }
    }
    Ok(truths)
}

/// `left operator ANY (array)`, or ALL.
pub fn any_array(
    execution: &Execution,
    left: &Compiled,
    operator: &'static ScalarFunction,
    array: &Compiled,
    all: bool,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let data_type = left.data_type();
    let element_type = array.data_type().element().unwrap_or(DataType::Unknown);
    let left = evaluate(execution, left, batch)?;
    let fixed = is_constant(array);
    let unit = Batch { columns: vec![], rows: 1 };
    let arrays = evaluate(execution, array, if fixed { &unit } else { batch })?;
    // `= ANY` of a long constant array is a hash lookup.
    if fixed
        && operator.name == "="
        && !all
        && data_type == element_type
        && batch.rows > 1
        && let Value::Array(array) = arrays.value(0)
        && array.values.len() > HASHED_LIST
    {
        let list: Vec<Compiled> =
            array.values.iter().map(|value| Compiled::Literal(value.clone(), data_type)).collect();
        return Ok(Rc::new(from_truths(&in_constants(execution, data_type, &left, &list, batch)?)));
    }
    let mut truths = Vec::with_capacity(batch.rows);
    for row in 0..batch.rows {
        let Value::Array(array) = arrays.value(if fixed { 0 } else { row }) else {
            truths.push(None);
            continue;
        };
        let elements = Rc::new(Column::from_values(element_type, &array.values));
        let operand = Rc::new(constant(&left.value(row), data_type, elements.len()));
        truths.push(quantify(execution, &[operator], &[operand], &[elements], array.values.len(), all)?);
    }
    Ok(Rc::new(from_truths(&truths)))
}

/// ANY (or ALL) of the rows on the right, compared column by column with the row on the left.
pub fn quantify(
    execution: &Execution,
    operators: &[&'static ScalarFunction],
    left: &[Rc<Column>],
    right: &[Rc<Column>],
    rows: usize,
    all: bool,
) -> Result<Option<bool>> {
    if rows == 0 {
        return Ok(Some(all));
    }
    let mut compared: Vec<Rc<Column>> = vec![];
    for ((operator, left), right) in operators.iter().zip(left).zip(right) {
        let arguments = [left.clone(), right.clone()];
        compared.push(apply(execution, operator, &arguments, DataType::Boolean, rows)?);
    }
    let mut result = Some(all);
    for row in 0..rows {
        let of_row = compared.iter().try_fold(true, |so_far, column| match truth(column, row) {
            Some(false) => Err(Some(false)),
            Some(true) => Ok(so_far),
            None => Ok(false),
        });
        // Fields that are all true make the row true, one that is false makes it false, NULL otherwise.
        let of_row = match of_row {
            Ok(true) => Some(true),
            Ok(false) => None,
            Err(decided) => decided,
        };
        match of_row {
            Some(value) if value != all => return Ok(Some(value)),
            None => result = None,
            _ => {}
        }
    }
    Ok(result)
}
