//! Parts of strings: `substr`, `left`, `overlay`, `strpos`, `split_part`.

use super::offset;
use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("substr", &[TEXT, INTEGER], TEXT, substring),
    function("substr", &[TEXT, INTEGER, INTEGER], TEXT, substring),
    function("substr", &[BYTEA, INTEGER], BYTEA, substring),
    function("substr", &[BYTEA, INTEGER, INTEGER], BYTEA, substring),
    function("substring", &[TEXT, INTEGER], TEXT, substring),
    function("substring", &[TEXT, INTEGER, INTEGER], TEXT, substring),
    function("substring", &[BYTEA, INTEGER], BYTEA, substring),
    function("substring", &[BYTEA, INTEGER, INTEGER], BYTEA, substring),
    function("left", &[TEXT, INTEGER], TEXT, left),
    function("right", &[TEXT, INTEGER], TEXT, right),
    function("overlay", &[TEXT, TEXT, INTEGER], TEXT, overlay),
    function("overlay", &[TEXT, TEXT, INTEGER, INTEGER], TEXT, overlay),
    function("overlay", &[BYTEA, BYTEA, INTEGER], BYTEA, overlay),
    function("overlay", &[BYTEA, BYTEA, INTEGER, INTEGER], BYTEA, overlay),
    function("strpos", &[TEXT, TEXT], INTEGER, position),
    function("position", &[TEXT, TEXT], INTEGER, position),
    function("position", &[BYTEA, BYTEA], INTEGER, position),
    function("split_part", &[TEXT, TEXT, INTEGER], TEXT, split_part),
    function("get_byte", &[BYTEA, INTEGER], INTEGER, get_byte),
    function("bit_count", &[BYTEA], BIGINT, bit_count),
    function("set_byte", &[BYTEA, INTEGER, INTEGER], BYTEA, set_byte),
];

/// Character positions [start, end) of `substring`, counted from 0 and cut to what a string can have.
fn bounds(start: i32, length: Option<i32>) -> Result<(usize, usize)> {
    let start = i64::from(start) - 1;
    let end = match length {
        None => i64::MAX,
        Some(length) if length < 0 => {
            return Err(Error::new(sqlstate::SUBSTRING_ERROR, "negative substring length not allowed"));
        }
        Some(length) => start + i64::from(length),
    };
    let start = start.max(0) as usize;
    Ok((start, (end.max(0) as usize).max(start)))
}

fn slice(value: &Value, start: usize, end: usize) -> Result<Value> {
    Ok(match value {
        Value::Bytea(bytes) => {
            let start = start.min(bytes.len());
            Value::Bytea(bytes[start..end.min(bytes.len())].into())
        }
        Value::Text(text) => {
            let from = offset(text, start);
            Value::text(&text[from..from + offset(&text[from..], end - start)])
        }
        _ => return Err(Error::internal("substring takes a string")),
    })
}

fn substring(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let length = if arguments.len() > 2 { Some(arguments.integer(2)?) } else { None };
    let (start, end) = bounds(arguments.integer(1)?, length)?;
    slice(&arguments[0], start, end)
}

/// A negative count leaves out that many characters at the end.
fn left(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let count = i64::from(arguments.integer(1)?);
    let kept = if count < 0 { text.chars().count() as i64 + count } else { count };
    Ok(Value::text(&text[..offset(text, kept.max(0) as usize)]))
}

/// A negative count leaves out that many characters at the start.
fn right(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let count = i64::from(arguments.integer(1)?);
    let skipped = if count < 0 { -count } else { text.chars().count() as i64 - count };
    Ok(Value::text(&text[offset(text, skipped.max(0) as usize)..]))
}

fn overlay(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let start = arguments.integer(2)?;
    if start <= 0 {
        return Err(Error::new(sqlstate::SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let replaced = if arguments.len() > 3 {
        arguments.integer(3)?
    } else {
        match &arguments[1] {
            Value::Bytea(bytes) => bytes.len() as i32,
            _ => arguments.text(1)?.chars().count() as i32,
        }
    };
    let end = start.checked_add(replaced).ok_or_else(crate::functions::operators::range_error::integer)?;
    let before = slice(&arguments[0], 0, start as usize - 1)?;
    let after = slice(&arguments[0], (end.max(1) - 1) as usize, usize::MAX)?;
    Ok(match (&before, &arguments[1], &after) {
        (Value::Bytea(before), Value::Bytea(middle), Value::Bytea(after)) => {
            Value::Bytea([&before[..], middle, after].concat().into())
        }
        (Value::Text(before), Value::Text(middle), Value::Text(after)) => {
            Value::text(&[&before[..], middle, after].concat())
        }
        _ => return Err(Error::internal("overlay takes strings")),
    })
}

fn position(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if let [Value::Bytea(bytes), Value::Bytea(wanted)] = arguments {
        let found = if wanted.is_empty() {
            Some(0)
        } else {
            bytes.windows(wanted.len()).position(|window| window == &wanted[..])
        };
        return Ok(Value::Integer(found.map_or(0, |position| position as i32 + 1)));
    }
    let text = arguments.text(0)?;
    let found = text.find(arguments.text(1)?);
    Ok(Value::Integer(found.map_or(0, |offset| text[..offset].chars().count() as i32 + 1)))
}

/// Negative fields count from the end.
fn split_part(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (text, delimiter, field) = (arguments.text(0)?, arguments.text(1)?, arguments.integer(2)?);
    if field == 0 {
        return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "field position must not be zero"));
    }
    let part = if text.is_empty() {
        None
    } else if delimiter.is_empty() {
        (field == 1 || field == -1).then_some(text)
    } else if field > 0 {
        text.split(delimiter).nth(field as usize - 1)
    } else {
        let parts: Vec<&str> = text.split(delimiter).collect();
        parts.len().checked_sub(field.unsigned_abs() as usize).map(|index| parts[index])
    };
    Ok(Value::text(part.unwrap_or("")))
}

fn check_byte(bytes: &[u8], index: i32) -> Result<usize> {
    usize::try_from(index).ok().filter(|&index| index < bytes.len()).ok_or_else(|| {
        Error::new(
            sqlstate::ARRAY_SUBSCRIPT_ERROR,
            format!("index {index} out of valid range, 0..{}", bytes.len() as i64 - 1),
        )
    })
}

fn bit_count(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::BigInt(arguments.bytea(0)?.iter().map(|byte| i64::from(byte.count_ones())).sum()))
}

fn get_byte(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let bytes = arguments.bytea(0)?;
    Ok(Value::Integer(i32::from(bytes[check_byte(bytes, arguments.integer(1)?)?])))
}

fn set_byte(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut bytes = arguments.bytea(0)?.to_vec();
    let index = check_byte(&bytes, arguments.integer(1)?)?;
    bytes[index] = arguments.integer(2)? as u8;
    Ok(Value::Bytea(bytes.into()))
}
