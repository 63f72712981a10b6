//! Arrays (PostgreSQL 15, section 9.19).

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::memory::check_room;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::value::Array;
use crate::types::{DataType, Value, compare, text};
use std::rc::Rc;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("array_length", &[ANY_ARRAY, INTEGER], INTEGER, array_length),
    function("array_ndims", &[ANY_ARRAY], INTEGER, array_ndims),
    function("array_lower", &[ANY_ARRAY, INTEGER], INTEGER, array_lower),
    function("array_upper", &[ANY_ARRAY, INTEGER], INTEGER, array_upper),
    function("array_dims", &[ANY_ARRAY], TEXT, array_dims),
    function("cardinality", &[ANY_ARRAY], INTEGER, cardinality),
    function("array_position", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE], INTEGER, array_position).not_strict(),
    function("array_position", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE, INTEGER], INTEGER, array_position).not_strict(),
    function("array_positions", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE], INTEGER_ARRAY, array_positions).not_strict(),
    function("array_remove", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE], ANY_COMPATIBLE_ARRAY, array_remove).not_strict(),
    function(
        "array_replace",
        &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE, ANY_COMPATIBLE],
        ANY_COMPATIBLE_ARRAY,
        array_replace,
    )
    .not_strict(),
    function("array_fill", &[ANY_ELEMENT, INTEGER_ARRAY], ANY_ARRAY, array_fill).not_strict(),
    function("array_fill", &[ANY_ELEMENT, INTEGER_ARRAY, INTEGER_ARRAY], ANY_ARRAY, array_fill).not_strict(),
    function("trim_array", &[ANY_ARRAY, INTEGER], ANY_ARRAY, trim_array),
    function("array_to_string", &[ANY_ARRAY, TEXT], TEXT, array_to_string).stable(),
    function("array_to_string", &[ANY_ARRAY, TEXT, TEXT], TEXT, array_to_string).not_strict().stable(),
    function("string_to_array", &[TEXT, TEXT], TEXT_ARRAY, string_to_array).not_strict(),
    function("string_to_array", &[TEXT, TEXT, TEXT], TEXT_ARRAY, string_to_array).not_strict(),
];

/// Length and lower bound of a dimension counted from 1.
fn dimension(arguments: &[Value]) -> Result<Option<(usize, i32)>> {
    let number = arguments.integer(1)?;
    let array = arguments.array(0)?;
    Ok(usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1))
        .and_then(|index| array.dimensions.get(index).copied()))
}

fn array_length(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(dimension(arguments)?.map_or(Value::Null, |(length, _)| Value::Integer(length as i32)))
}

fn array_lower(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(dimension(arguments)?.map_or(Value::Null, |(_, lower)| Value::Integer(lower)))
}

fn array_upper(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(dimension(arguments)?
        .map_or(Value::Null, |(length, lower)| Value::Integer((i64::from(lower) + length as i64 - 1) as i32)))
}

fn array_ndims(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let dimensions = arguments.array(0)?.dimensions.len();
    Ok(if dimensions == 0 { Value::Null } else { Value::Integer(dimensions as i32) })
}

fn array_dims(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let dimensions = &arguments.array(0)?.dimensions;
    if dimensions.is_empty() {
        return Ok(Value::Null);
    }
    let spelled =
        dimensions.iter().map(|&(length, lower)| format!("[{lower}:{}]", i64::from(lower) + length as i64 - 1));
    Ok(Value::text(&spelled.collect::<String>()))
}

fn cardinality(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Integer(arguments.array(0)?.values.len() as i32))
}

/// Elements are searched for as IS NOT DISTINCT FROM compares them.
fn same(left: &Value, right: &Value) -> bool {
    match (left.is_null(), right.is_null()) {
        (false, false) => compare::equal(left, right),
        (left, right) => left && right,
    }
}

fn one_dimension(array: &Array, what: &str) -> Result<i32> {
    match array.dimensions[..] {
        [] => Ok(1),
        [(_, lower)] => Ok(lower),
        _ => {
            Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, format!("{what} multidimensional arrays is not supported")))
        }
    }
}

fn array_position(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::Null);
    }
    let array = arguments.array(0)?;
    let lower = one_dimension(array, "searching for elements in")?;
    let skipped = match arguments.get(2) {
        None => 0,
        Some(Value::Null) => {
            return Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "initial position must not be null"));
        }
        Some(_) => (i64::from(arguments.integer(2)?) - i64::from(lower)).max(0) as usize,
    };
    let found = array.values.iter().enumerate().skip(skipped).find(|(_, value)| same(value, &arguments[1]));
    Ok(found.map_or(Value::Null, |(index, _)| Value::Integer(lower.wrapping_add(index as i32))))
}

fn array_positions(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::Null);
    }
    let array = arguments.array(0)?;
    let lower = one_dimension(array, "searching for elements in")?;
    let found = array.values.iter().enumerate().filter(|(_, value)| same(value, &arguments[1]));
    let positions = found.map(|(index, _)| Value::Integer(lower.wrapping_add(index as i32))).collect();
    Ok(Value::Array(Rc::new(Array::from_values(DataType::Integer, positions))))
}

fn array_remove(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::Null);
    }
    let array = arguments.array(0)?;
    let lower = one_dimension(array, "removing elements from")?;
    let values: Vec<Value> = array.values.iter().filter(|value| !same(value, &arguments[1])).cloned().collect();
    let dimensions = if values.is_empty() { vec![] } else { vec![(values.len(), lower)] };
    Ok(Value::Array(Rc::new(Array { element_type: array.element_type, dimensions, values })))
}

fn array_replace(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::Null);
    }
    let mut array = arguments.array(0)?.as_ref().clone();
    for value in &mut array.values {
        if same(value, &arguments[1]) {
            *value = arguments[2].clone();
        }
    }
    Ok(Value::Array(Rc::new(array)))
}

fn array_fill(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let null_dimensions =
        || Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "dimension array or low bound array cannot be null");
    let integers = |value: &Value| -> Result<Vec<i32>> {
        let Value::Array(array) = value else { return Err(null_dimensions()) };
        let numbers = array.values.iter().map(|value| match value {
            Value::Integer(number) => Ok(*number),
            _ => Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null")),
        });
        numbers.collect()
    };
    let lengths = integers(&arguments[1])?;
    let lowers = match arguments.get(2) {
        Some(value) => integers(value)?,
        None => vec![1; lengths.len()],
    };
    if lowers.len() != lengths.len() {
        return Err(Error::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail("Low bound array has different size than dimensions array."));
    }
    const MAX_DIMENSIONS: usize = 6;
    const MAX_ELEMENTS: usize = 0x7ff_ffff;
    if lengths.len() > MAX_DIMENSIONS {
        return Err(Error::new(
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            format!("number of array dimensions ({}) exceeds the maximum allowed ({MAX_DIMENSIONS})", lengths.len()),
        ));
    }
    let count = lengths.iter().try_fold(1usize, |count, &length| {
        usize::try_from(length).ok().and_then(|length| count.checked_mul(length)).filter(|count| *count <= MAX_ELEMENTS)
    });
    let count = count.ok_or_else(|| {
        Error::new(
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            format!("array size exceeds the maximum allowed ({})", MAX_ELEMENTS),
        )
    })?;
    check_room(count.saturating_mul(size_of::<Value>()))?;
    let dimensions = if count == 0 || lengths.is_empty() {
        vec![]
    } else {
        lengths.iter().map(|&length| length as usize).zip(lowers).collect()
    };
    let element_type = crate::functions::operators::array::element_type(&arguments[0]);
    let values = vec![arguments[0].clone(); if lengths.is_empty() { 0 } else { count }];
    Ok(Value::Array(Rc::new(Array { element_type, dimensions, values })))
}

/// Without that many elements at the end of the first dimension.
fn trim_array(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let array = arguments.array(0)?;
    let length = array.dimensions.first().map_or(0, |(length, _)| *length);
    let count = usize::try_from(arguments.integer(1)?).ok().filter(|count| *count <= length).ok_or_else(|| {
        Error::new(
            sqlstate::ARRAY_SUBSCRIPT_ERROR,
            format!("number of elements to trim must be between 0 and {length}"),
        )
    })?;
    let mut trimmed = array.as_ref().clone();
    let kept = length - count;
    let row = array.values.len().checked_div(length).unwrap_or(0);
    trimmed.values.truncate(kept * row);
    match trimmed.dimensions.first_mut() {
        Some(first) if kept > 0 => first.0 = kept,
        _ => trimmed.dimensions.clear(),
    }
    Ok(Value::Array(Rc::new(trimmed)))
}

/// NULL elements are left out unless a third argument says what stands for them.
fn array_to_string(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) || arguments.is_null(1) {
        return Ok(Value::Null);
    }
    let null_text = if arguments.is_null(2) { None } else { Some(arguments.text(2)?.to_string()) };
    let array = arguments.array(0)?;
    let parts: Vec<String> = array
        .values
        .iter()
        .filter_map(|value| match value {
            Value::Null => null_text.clone(),
            value => Some(text::to_string(value, array.element_type, context.settings)),
        })
        .collect();
    Ok(Value::text(&parts.join(arguments.text(1)?)))
}

/// The parts of a string: split at each delimiter; at each character when it is NULL; not at all when it is empty.
pub fn split(arguments: &[Value]) -> Result<Option<Vec<Value>>> {
    if arguments.is_null(0) {
        return Ok(None);
    }
    let text = arguments.text(0)?;
    let null_text = if arguments.is_null(2) { None } else { Some(arguments.text(2)?) };
    let part = |part: &str| if Some(part) == null_text { Value::Null } else { Value::text(part) };
    Ok(Some(if text.is_empty() {
        vec![]
    } else if arguments.is_null(1) {
        text.chars().map(|character| part(character.encode_utf8(&mut [0; 4]))).collect()
    } else if arguments.text(1)?.is_empty() {
        vec![part(text)]
    } else {
        text.split(arguments.text(1)?).map(part).collect()
    }))
}

fn string_to_array(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let parts = split(arguments)?;
    Ok(parts.map_or(Value::Null, |parts| Value::Array(Rc::new(Array::from_values(DataType::Text, parts)))))
}
