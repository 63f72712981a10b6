//! Functions, casts, and the constructors and subscripts of arrays and rows.

use super::evaluate::{evaluate, evaluate_constant, is_constant};
use super::{Compiled, CompiledSubscript};
use crate::error::{Error, Result, sqlstate};
use crate::execute::{Execution, columns};
use crate::functions::{ScalarFunction, Volatility};
use crate::types::cast::cast_column;
use crate::types::value::Array;
use crate::types::{Batch, Column, ColumnBuilder, DataType, Value};
use std::rc::Rc;

/// Calls a function for every row; once when its arguments are constants.
pub fn function(
    execution: &Execution,
    function: &'static ScalarFunction,
    arguments: &[Compiled],
    data_type: DataType,
    batch: &Batch,
) -> Result<Rc<Column>> {
    if function.volatility != Volatility::Volatile && batch.rows > 1 && arguments.iter().all(is_constant) {
        let arguments = arguments.iter().map(|argument| evaluate_constant(execution, argument));
        let value = call(execution, function, &arguments.collect::<Result<Vec<_>>>()?)?;
        return Ok(Rc::new(columns::constant(&value, data_type, batch.rows)));
    }
    let arguments =
        arguments.iter().map(|argument| evaluate(execution, argument, batch)).collect::<Result<Vec<_>>>()?;
    apply(execution, function, &arguments, data_type, batch.rows)
}

/// Calls a function for every row of its arguments' columns.
pub fn apply(
    execution: &Execution,
    function: &'static ScalarFunction,
    arguments: &[Rc<Column>],
    data_type: DataType,
    rows: usize,
) -> Result<Rc<Column>> {
    if let Some(kernel) = function.evaluate_columns
        && !arguments.is_empty()
    {
        let arguments: Vec<&Column> = arguments.iter().map(|argument| &**argument).collect();
        return Ok(Rc::new(kernel(&execution.context.functions, &arguments)?));
    }
    let mut result = ColumnBuilder::new(data_type);
    let mut values = Vec::with_capacity(arguments.len());
    for row in 0..rows {
        values.clear();
        values.extend(arguments.iter().map(|argument| argument.value(row)));
        result.push(&call(execution, function, &values)?);
    }
    Ok(Rc::new(result.finish()))
}

/// Calls a function once.
pub fn call(execution: &Execution, function: &'static ScalarFunction, arguments: &[Value]) -> Result<Value> {
    if function.strict && arguments.iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    (function.evaluate)(&execution.context.functions, arguments)
}

pub fn cast(
    execution: &Execution,
    input: &Compiled,
    (to, modifier, explicit): (DataType, i32, bool),
    batch: &Batch,
) -> Result<Rc<Column>> {
    let from = input.data_type();
    let column = evaluate(execution, input, batch)?;
    let same = from == to || (from == DataType::Varchar && to == DataType::Text);
    if same && modifier < 0 {
        return Ok(column);
    }
    if batch.rows > 1 && is_constant(input) {
        let column = cast_column(&column.take(&[0]), from, to, modifier, explicit, &execution.context.functions)?;
        return Ok(Rc::new(columns::constant(&column.value(0), to, batch.rows)));
    }
    Ok(Rc::new(cast_column(&column, from, to, modifier, explicit, &execution.context.functions)?))
}

/// ARRAY[…]; elements that are arrays themselves become its inner dimensions.
pub fn array(execution: &Execution, elements: &[Compiled], data_type: DataType, batch: &Batch) -> Result<Rc<Column>> {
    let columns = elements.iter().map(|element| evaluate(execution, element, batch)).collect::<Result<Vec<_>>>()?;
    let element_type = data_type.element().unwrap_or(DataType::Unknown);
    let nested = elements.iter().any(|element| element.data_type().element().is_some());
    let mut result = ColumnBuilder::new(data_type);
    for row in 0..batch.rows {
        let values = columns.iter().map(|column| column.value(row)).collect();
        let array = if nested { nest(element_type, values)? } else { Array::from_values(element_type, values) };
        result.push(&Value::Array(Rc::new(array)));
    }
    Ok(Rc::new(result.finish()))
}

/// An array of arrays, which must all have the same dimensions.
pub fn nest(element_type: DataType, arrays: Vec<Value>) -> Result<Array> {
    let count = arrays.len();
    let mut inner: Option<Vec<(usize, i32)>> = None;
    let mut values = vec![];
    for array in arrays {
        let (dimensions, elements) = match &array {
            Value::Array(array) => (array.dimensions.clone(), array.values.clone()),
            _ => (vec![], vec![]),
        };
        if inner.as_ref().is_some_and(|inner| *inner != dimensions) {
            let message = "multidimensional arrays must have array expressions with matching dimensions";
            return Err(Error::new("2202E", message));
        }
        inner = Some(dimensions);
        values.extend(elements);
    }
    let inner = inner.unwrap_or_default();
    if values.is_empty() {
        return Ok(Array::from_values(element_type, vec![]));
    }
    if inner.len() >= 6 {
        return Err(Error::new(
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            "number of array dimensions (7) exceeds the maximum allowed (6)",
        ));
    }
    let dimensions = std::iter::once((count, 1)).chain(inner).collect();
    Ok(Array { element_type, dimensions, values })
}

pub fn row(execution: &Execution, fields: &[Compiled], batch: &Batch) -> Result<Rc<Column>> {
    let columns = fields.iter().map(|field| evaluate(execution, field, batch)).collect::<Result<Vec<_>>>()?;
    let mut result = ColumnBuilder::new(DataType::Record);
    for row in 0..batch.rows {
        result.push(&Value::Record(columns.iter().map(|column| column.value(row)).collect()));
    }
    Ok(Rc::new(result.finish()))
}

/// One bound of a subscript per row: none was left out, and NULL makes the result NULL.
type Bounds = (Option<Rc<Column>>, Option<Rc<Column>>, bool);

pub fn subscript(
    execution: &Execution,
    input: &Compiled,
    subscripts: &[CompiledSubscript],
    data_type: DataType,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let arrays = evaluate(execution, input, batch)?;
    let bound = |bound: &Option<Compiled>| -> Result<Option<Rc<Column>>> {
        bound.as_ref().map(|bound| evaluate(execution, bound, batch)).transpose()
    };
    let bounds = subscripts
        .iter()
        .map(|subscript| match subscript {
            CompiledSubscript::Index(index) => Ok((None, Some(evaluate(execution, index, batch)?), false)),
            CompiledSubscript::Slice(lower, upper) => Ok((bound(lower)?, bound(upper)?, true)),
        })
        .collect::<Result<Vec<Bounds>>>()?;
    let slicing = bounds.iter().any(|(_, _, slice)| *slice);
    let mut result = ColumnBuilder::new(data_type);
    for row in 0..batch.rows {
        let value = match arrays.value(row) {
            Value::Array(array) if slicing => slice(&array, &bounds, row),
            Value::Array(array) => element(&array, &bounds, row),
            _ => None,
        };
        result.push(&value.unwrap_or(Value::Null));
    }
    Ok(Rc::new(result.finish()))
}

fn integer(column: &Column, row: usize) -> Option<i64> {
    match column.value(row) {
        Value::Integer(value) => Some(i64::from(value)),
        Value::SmallInt(value) => Some(i64::from(value)),
        Value::BigInt(value) => Some(value),
        _ => None,
    }
}

fn element(array: &Array, bounds: &[Bounds], row: usize) -> Option<Value> {
    if bounds.len() != array.dimensions.len() {
        return None;
    }
    let mut place = 0;
    for ((_, index, _), (length, lower)) in bounds.iter().zip(&array.dimensions) {
        let offset = usize::try_from(integer(index.as_ref()?, row)? - i64::from(*lower)).ok()?;
        if offset >= *length {
            return None;
        }
        place = place * length + offset;
    }
    array.values.get(place).cloned()
}

/// A slice's lower bounds become 1; an index among slices means 1:index (section 8.15.3).
fn slice(array: &Array, bounds: &[Bounds], row: usize) -> Option<Value> {
    let nothing = || Some(Value::Array(Rc::new(Array::from_values(array.element_type, vec![]))));
    let mut ranges = vec![];
    for (number, (length, first)) in array.dimensions.iter().enumerate() {
        let (first, length) = (i64::from(*first), *length as i64);
        let (mut lower, mut upper) = (first, first + length - 1);
        if let Some((low, high, is_slice)) = bounds.get(number) {
            match low {
                Some(low) => lower = lower.max(integer(low, row)?),
                None if !is_slice => lower = lower.max(1),
                None => {}
            }
            if let Some(high) = high {
                upper = upper.min(integer(high, row)?);
            }
        }
        ranges.push((lower - first, upper - first + 1));
    }
    if bounds.len() > array.dimensions.len() || ranges.iter().any(|(start, end)| start >= end) {
        return nothing();
    }
    let mut places = vec![0usize];
    for ((start, end), (length, _)) in ranges.iter().zip(&array.dimensions) {
        let inner = |place: &usize| {
            let base = place * length;
            (*start as usize..*end as usize).map(move |offset| base + offset)
        };
        places = places.iter().flat_map(inner).collect();
    }
    let dimensions = ranges.iter().map(|(start, end)| ((end - start) as usize, 1)).collect();
    let values = places.into_iter().map(|place| array.values[place].clone()).collect();
    Some(Value::Array(Rc::new(Array { element_type: array.element_type, dimensions, values })))
}
