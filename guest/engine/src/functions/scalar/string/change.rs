//! Changed copies of strings: case, padding, replacement.

use super::{check_size, offset};
use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::operators::concatenation::starts_with;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::column::Strings;
use crate::types::{Column, ColumnData, Value};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("lower", &[TEXT], TEXT, lower).columns(lower_columns),
    function("upper", &[TEXT], TEXT, upper).columns(upper_columns),
    function("initcap", &[TEXT], TEXT, initcap),
    function("reverse", &[TEXT], TEXT, reverse),
    function("repeat", &[TEXT, INTEGER], TEXT, repeat),
    function("replace", &[TEXT, TEXT, TEXT], TEXT, replace),
    function("translate", &[TEXT, TEXT, TEXT], TEXT, translate),
    function("lpad", &[TEXT, INTEGER], TEXT, lpad),
    function("lpad", &[TEXT, INTEGER, TEXT], TEXT, lpad),
    function("rpad", &[TEXT, INTEGER], TEXT, rpad),
    function("rpad", &[TEXT, INTEGER, TEXT], TEXT, rpad),
    function("starts_with", &[TEXT, TEXT], BOOLEAN, starts_with),
];

fn lower(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::text(&arguments.text(0)?.to_ascii_lowercase()))
}

fn upper(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::text(&arguments.text(0)?.to_ascii_uppercase()))
}

fn lower_columns(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    map_bytes(columns, |bytes| bytes.make_ascii_lowercase())
}

fn upper_columns(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    map_bytes(columns, |bytes| bytes.make_ascii_uppercase())
}

/// Changes all strings of a column at once, in place: the lengths stay.
fn map_bytes(columns: &[&Column], change: impl Fn(&mut [u8])) -> Result<Column> {
    match columns {
        [Column { data: ColumnData::Text(strings), valid }] => {
            let mut bytes = strings.bytes.clone();
            change(&mut bytes);
            let strings = Strings { offsets: strings.offsets.clone(), bytes };
            Ok(Column { data: ColumnData::Text(strings), valid: valid.clone() })
        }
        _ => Err(crate::error::Error::internal("a column of strings expected")),
    }
}

fn initcap(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut in_word = false;
    let changed = arguments.text(0)?.chars().map(|character| {
        let changed = if in_word { character.to_ascii_lowercase() } else { character.to_ascii_uppercase() };
        in_word = character.is_ascii_alphanumeric();
        changed
    });
    Ok(Value::text(&changed.collect::<String>()))
}

fn reverse(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::text(&arguments.text(0)?.chars().rev().collect::<String>()))
}

fn repeat(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let count = arguments.integer(1)?.max(0) as usize;
    check_size(text.len().saturating_mul(count))?;
    Ok(Value::text(&text.repeat(count)))
}

fn replace(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (text, from, to) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    if from.is_empty() {
        return Ok(arguments[0].clone());
    }
    Ok(Value::text(&text.replace(from, to)))
}

/// Characters of the second string become those at the same place of the third; where it has none they go.
fn translate(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let from: Vec<char> = arguments.text(1)?.chars().collect();
    let to: Vec<char> = arguments.text(2)?.chars().collect();
    let changed = arguments.text(0)?.chars().filter_map(|character| {
        match from.iter().position(|&candidate| candidate == character) {
            None => Some(character),
            Some(index) => to.get(index).copied(),
        }
    });
    Ok(Value::text(&changed.collect::<String>()))
}

/// The text cut to `length` characters, and the fill that it lacks.
fn pad(arguments: &[Value]) -> Result<(&str, String)> {
    let text = arguments.text(0)?;
    let length = arguments.integer(1)?.max(0) as usize;
    let fill = if arguments.len() > 2 { arguments.text(2)? } else { " " };
    check_size(length.saturating_mul(4))?;
    let present = text.chars().count();
    let missing = length.saturating_sub(present);
    Ok((&text[..offset(text, length)], fill.chars().cycle().take(missing).collect()))
}

fn lpad(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (text, fill) = pad(arguments)?;
    Ok(Value::text(&(fill + text)))
}

fn rpad(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (text, fill) = pad(arguments)?;
    Ok(Value::text(&(text.to_string() + &fill)))
}
