//! `length` and its kin.

use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("length", &[TEXT], INTEGER, length),
    function("length", &[CHAR], INTEGER, length_padded),
    function("length", &[BYTEA], INTEGER, octet_length),
    function("char_length", &[TEXT], INTEGER, length),
    function("char_length", &[CHAR], INTEGER, length_padded),
    function("character_length", &[TEXT], INTEGER, length),
    function("character_length", &[CHAR], INTEGER, length_padded),
    function("octet_length", &[TEXT], INTEGER, octet_length),
    function("octet_length", &[CHAR], INTEGER, octet_length),
    function("octet_length", &[BYTEA], INTEGER, octet_length),
    function("bit_length", &[TEXT], INTEGER, bit_length),
    function("bit_length", &[BYTEA], INTEGER, bit_length),
];

fn length(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Integer(arguments.text(0)?.chars().count() as i32))
}

/// char(n): the blanks at the end are padding.
fn length_padded(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Integer(arguments.text(0)?.trim_end_matches(' ').chars().count() as i32))
}

fn octets(arguments: &[Value]) -> Result<i32> {
    Ok(match arguments.first() {
        Some(Value::Bytea(bytes)) => bytes.len(),
        _ => arguments.text(0)?.len(),
    } as i32)
}

fn octet_length(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Integer(octets(arguments)?))
}

fn bit_length(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Integer(octets(arguments)?.saturating_mul(8)))
}
