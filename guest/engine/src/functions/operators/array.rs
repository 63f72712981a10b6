//! `@> <@ && ||` on arrays (PostgreSQL 15, section 9.19).

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::value::Array;
use crate::types::{DataType, Value, compare};
use std::rc::Rc;

pub static OPERATORS: &[ScalarFunction] = &[
    function("@>", &[ANY_ARRAY, ANY_ARRAY], BOOLEAN, contains),
    function("<@", &[ANY_ARRAY, ANY_ARRAY], BOOLEAN, contained),
    function("&&", &[ANY_ARRAY, ANY_ARRAY], BOOLEAN, overlaps),
    function("||", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE_ARRAY], ANY_COMPATIBLE_ARRAY, concatenate).not_strict(),
    function("||", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE], ANY_COMPATIBLE_ARRAY, append).not_strict(),
    function("||", &[ANY_COMPATIBLE, ANY_COMPATIBLE_ARRAY], ANY_COMPATIBLE_ARRAY, prepend).not_strict(),
];

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("array_cat", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE_ARRAY], ANY_COMPATIBLE_ARRAY, concatenate)
        .not_strict(),
    function("array_append", &[ANY_COMPATIBLE_ARRAY, ANY_COMPATIBLE], ANY_COMPATIBLE_ARRAY, append).not_strict(),
    function("array_prepend", &[ANY_COMPATIBLE, ANY_COMPATIBLE_ARRAY], ANY_COMPATIBLE_ARRAY, prepend).not_strict(),
];

/// NULL elements are equal to nothing.
fn holds(values: &[Value], wanted: &Value) -> bool {
    !wanted.is_null() && values.iter().any(|value| !value.is_null() && compare::equal(value, wanted))
}

fn contains(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    Ok(Value::Boolean(right.values.iter().all(|wanted| holds(&left.values, wanted))))
}

fn contained(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    Ok(Value::Boolean(left.values.iter().all(|wanted| holds(&right.values, wanted))))
}

fn overlaps(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    Ok(Value::Boolean(left.values.iter().any(|wanted| holds(&right.values, wanted))))
}

fn concatenate(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (left, right) = match arguments {
        [Value::Null, other] | [other, Value::Null] => return Ok(other.clone()),
        _ => (arguments.array(0)?, arguments.array(1)?),
    };
    if left.dimensions.is_empty() {
        return Ok(Value::Array(right.clone()));
    }
    if right.dimensions.is_empty() {
        return Ok(Value::Array(left.clone()));
    }
    let incompatible = |detail: String| {
        Err(Error::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays").detail(detail))
    };
    let (left_depth, right_depth) = (left.dimensions.len(), right.dimensions.len());
    // Either both have the same shape but for the outermost length, or one is an element of the other.
    let (mut dimensions, inner_left, inner_right) = match left_depth.abs_diff(right_depth) {
        0 => {
            let mut dimensions = left.dimensions.clone();
            dimensions[0].0 += right.dimensions[0].0;
            (dimensions, &left.dimensions[1..], &right.dimensions[1..])
        }
        1 => {
            let (outer, inner) = if left_depth > right_depth { (left, right) } else { (right, left) };
            let mut dimensions = outer.dimensions.clone();
            dimensions[0].0 += 1;
            (dimensions, &outer.dimensions[1..], &inner.dimensions[..])
        }
        _ => {
            return incompatible(format!(
                "Arrays of {left_depth} and {right_depth} dimensions are not compatible for concatenation."
            ));
        }
    };
    let lengths = |dimensions: &[(usize, i32)]| dimensions.iter().map(|(length, _)| *length).collect::<Vec<_>>();
    if lengths(inner_left) != lengths(inner_right) {
        return incompatible(if left_depth == right_depth {
            "Arrays with differing element dimensions are not compatible for concatenation.".into()
        } else {
            "Arrays with differing dimensions are not compatible for concatenation.".into()
        });
    }
    if left_depth < right_depth {
        dimensions[0].1 = right.dimensions[0].1;
    }
    let values = left.values.iter().chain(&right.values).cloned().collect();
    Ok(Value::Array(Rc::new(Array { element_type: left.element_type, dimensions, values })))
}

fn append(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    insert(arguments.first(), arguments.get(1), true)
}

fn prepend(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    insert(arguments.get(1), arguments.first(), false)
}

/// Puts an element at an end of an array of at most one dimension; a NULL array counts as an empty one.
fn insert(array: Option<&Value>, element: Option<&Value>, at_end: bool) -> Result<Value> {
    let element = element.cloned().unwrap_or(Value::Null);
    let empty;
    let array = match array {
        Some(Value::Array(array)) => array.as_ref(),
        _ => {
            empty = Array::from_values(element_type(&element), vec![]);
            &empty
        }
    };
    let lower = match array.dimensions[..] {
        [] => 1,
        [(_, lower)] => lower,
        _ => {
            return Err(Error::new(sqlstate::DATA_EXCEPTION, "argument must be empty or one-dimensional array"));
        }
    };
    let mut values = Vec::with_capacity(array.values.len() + 1);
    if at_end {
        values.extend_from_slice(&array.values);
        values.push(element);
    } else {
        values.push(element);
        values.extend_from_slice(&array.values);
    }
    let dimensions = vec![(values.len(), lower)];
    Ok(Value::Array(Rc::new(Array { element_type: array.element_type, dimensions, values })))
}

/// The element type of a new array of this value.
pub fn element_type(value: &Value) -> DataType {
    match crate::types::text::natural_type(value) {
        DataType::Unknown => DataType::Text,
        data_type => data_type,
    }
}
