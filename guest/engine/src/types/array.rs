//! Arrays in text: `{1,2,NULL}`, `[0:1]={a,"b c"}` (PostgreSQL 15, section 8.15).

use super::DataType;
use super::value::Array;
use crate::error::{Error, Result};
use crate::functions::{FunctionContext, Settings};

pub fn parse(_text: &str, element: DataType, _modifier: i32, _context: &FunctionContext) -> Result<Array> {
    Err(Error::not_supported(format!("reading {}[]", element.name())))
}

pub fn print(_array: &Array, _settings: &Settings, _out: &mut String) {}
