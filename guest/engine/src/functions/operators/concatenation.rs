//! `||` on strings and bytes, and `^@` (PostgreSQL 15, sections 9.4 and 9.5).

use super::kernel::{binary, unexpected, validity};
use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::column::Strings;
use crate::types::{Column, ColumnData, Value, text};
use std::rc::Rc;

pub static OPERATORS: &[ScalarFunction] = &[
    function("||", &[TEXT, TEXT], TEXT, concatenate).columns(concatenate_columns),
    function("||", &[TEXT, ANY_NON_ARRAY], TEXT, concatenate).stable(),
    function("||", &[ANY_NON_ARRAY, TEXT], TEXT, concatenate).stable(),
    function("||", &[BYTEA, BYTEA], BYTEA, concatenate_bytes),
    function("^@", &[TEXT, TEXT], BOOLEAN, starts_with),
];

/// Values that are not text are converted as CAST does.
fn concatenate(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut joined = String::new();
    for value in arguments {
        match value {
            Value::Boolean(value) => joined.push_str(if *value { "true" } else { "false" }),
            value => text::print(value, text::natural_type(value), context.settings, &mut joined),
        }
    }
    Ok(Value::Text(Rc::from(joined)))
}

fn concatenate_columns(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let (ColumnData::Text(left), ColumnData::Text(right)) = (&left.data, &right.data) else {
        return Err(unexpected(&left.data, &right.data));
    };
    let mut joined = Strings::default();
    joined.bytes.reserve(left.bytes.len() + right.bytes.len());
    for row in 0..left.len() {
        joined.bytes.extend_from_slice(left.get(row).as_bytes());
        joined.push(right.get(row));
    }
    Ok(Column { data: ColumnData::Text(joined), valid: validity(columns) })
}

fn concatenate_bytes(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Bytea([arguments.bytea(0)?, arguments.bytea(1)?].concat().into()))
}

/// Also the function `starts_with`.
pub fn starts_with(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(arguments.text(0)?.starts_with(arguments.text(1)?)))
}
