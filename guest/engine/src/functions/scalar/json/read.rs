//! What a document holds.

use crate::error::{Error, Result, sqlstate};
use crate::functions::json::navigate::{Kind, Part};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("json_typeof", &[JSON], TEXT, type_of),
    function("jsonb_typeof", &[JSONB], TEXT, type_of),
    function("json_array_length", &[JSON], INTEGER, array_length),
    function("jsonb_array_length", &[JSONB], INTEGER, array_length),
    function("json_extract_path", &[JSON, TEXT], JSON, extract_path).variadic(),
    function("jsonb_extract_path", &[JSONB, TEXT], JSONB, extract_path).variadic(),
    function("json_extract_path_text", &[JSON, TEXT], TEXT, extract_path_text).variadic(),
    function("jsonb_extract_path_text", &[JSONB, TEXT], TEXT, extract_path_text).variadic(),
];

fn type_of(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::text(Part::of(&arguments[0])?.kind().name()))
}

fn array_length(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let document = Part::of(&arguments[0])?;
    match document.kind() {
        Kind::Array => Ok(Value::Integer(document.elements().len() as i32)),
        Kind::Object => Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "cannot get array length of a non-array")),
        _ => Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "cannot get array length of a scalar")),
    }
}

fn extract_path(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let found = Part::of(&arguments[0])?.follow(&arguments[1..])?;
    Ok(found.map_or(Value::Null, Part::to_value))
}

fn extract_path_text(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let found = Part::of(&arguments[0])?.follow(&arguments[1..])?;
    found.map_or(Ok(Value::Null), Part::to_text)
}
