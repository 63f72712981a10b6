//! Text forms: the input and output functions of every type.

pub mod boolean;
pub mod bytea;
pub mod character;
pub mod float;
pub mod integer;
pub mod registered;
pub mod uuid;

use super::json::Jsonb;
use super::numeric::{self, Numeric};
use super::{DataType, Value, array, datetime, json, record};
use crate::catalog::functions::registered_name;
use crate::error::{Error, Result, sqlstate};
use crate::functions::{FunctionContext, Settings};
use std::fmt::Write;
use std::rc::Rc;

/// Reads a value as the type's input function does. `modifier` is -1 for none. Fails mostly with 22P02, 22003, 22007
/// and 22008.
pub fn parse(text: &str, data_type: DataType, modifier: i32, context: &FunctionContext) -> Result<Value> {
    Ok(match data_type {
        DataType::Unknown | DataType::Text | DataType::Void => Value::text(text),
        DataType::Varchar => Value::text(character::varying(text, modifier, false)?),
        DataType::Char => Value::Text(character::padded(text, modifier, false)?),
        DataType::Name => Value::text(character::name(text)),
        DataType::InternalChar => Value::text(&character::internal(text)),
        DataType::Boolean => Value::Boolean(boolean::parse(text)?),
        DataType::SmallInt => Value::SmallInt(integer::parse(text, data_type)?),
        DataType::Integer => Value::Integer(integer::parse(text, data_type)?),
        DataType::BigInt => Value::BigInt(integer::parse(text, data_type)?),
        DataType::Real => Value::Real(float::parse_f32(text)?),
        DataType::Double => Value::Double(float::parse_f64(text)?),
        DataType::Numeric => {
            let value = Numeric::parse(text)?;
            Value::Numeric(numeric::apply_modifier(&value, modifier)?)
        }
        DataType::Bytea => Value::Bytea(bytea::parse(text)?.into()),
        DataType::Uuid => Value::Uuid(uuid::parse(text)?),
        DataType::Date
        | DataType::Time
        | DataType::TimeTz
        | DataType::Timestamp
        | DataType::Timestamptz
        | DataType::Interval => datetime::parse(text, data_type, modifier, context)?,
        DataType::Json => {
            json::validate(text)?;
            Value::Json(Rc::from(text))
        }
        DataType::Jsonb => Value::Jsonb(Rc::new(Jsonb::parse(text)?)),
        DataType::Oid | DataType::Regclass | DataType::Regtype | DataType::Regproc | DataType::Regnamespace => {
            Value::Oid(registered::parse(text, data_type)?)
        }
        DataType::Record => {
            return Err(Error::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "input of anonymous composite types is not implemented",
            ));
        }
        DataType::Array(element) => Value::Array(Rc::new(array::parse(text, *element, modifier, context)?)),
    })
}

/// Appends a value as the type's output function prints it. NULL prints nothing: its callers mark it in ways of
/// their own.
pub fn print(value: &Value, data_type: DataType, settings: &Settings, out: &mut String) {
    match value {
        Value::Null => {}
        Value::Boolean(value) => out.push(if *value { 't' } else { 'f' }),
        Value::SmallInt(value) => integer::print(i64::from(*value), out),
        Value::Integer(value) => integer::print(i64::from(*value), out),
        Value::BigInt(value) => integer::print(*value, out),
        Value::Real(value) => float::print_f32(*value, settings.extra_float_digits, out),
        Value::Double(value) => float::print_f64(*value, settings.extra_float_digits, out),
        // Writing to a string does not fail.
        Value::Numeric(value) => write!(out, "{value}").unwrap_or_default(),
        Value::Text(value) => out.push_str(value),
        Value::Bytea(value) => bytea::print(value, &settings.bytea_output, out),
        Value::Uuid(value) => uuid::print(value, out),
        Value::Date(_)
        | Value::Time(_)
        | Value::TimeTz(..)
        | Value::Timestamp(_)
        | Value::Timestamptz(_)
        | Value::Interval(_) => datetime::print(value, settings, out),
        Value::Json(value) => out.push_str(value),
        Value::Jsonb(value) => value.print(out),
        Value::Oid(value) => registered::print(*value, data_type, out),
        Value::Array(value) => array::print(value, settings, out),
        Value::Record(values) => record::print(values, settings, out),
    }
}

/// The text of a value as a string of its own.
pub fn to_string(value: &Value, data_type: DataType, settings: &Settings) -> String {
    let mut out = String::new();
    print(value, data_type, settings, &mut out);
    out
}

/// The same where the catalog is at hand, which knows the names behind oids.
pub fn to_string_in(value: &Value, data_type: DataType, context: &FunctionContext) -> String {
    let name = match value {
        Value::Oid(oid) => registered_name(context, *oid, data_type),
        _ => None,
    };
    name.unwrap_or_else(|| to_string(value, data_type, context.settings))
}

/// The type to print a value as where only the value is known: within rows.
pub fn natural_type(value: &Value) -> DataType {
    match value {
        Value::Null => DataType::Unknown,
        Value::Boolean(_) => DataType::Boolean,
        Value::SmallInt(_) => DataType::SmallInt,
        Value::Integer(_) => DataType::Integer,
        Value::BigInt(_) => DataType::BigInt,
        Value::Real(_) => DataType::Real,
        Value::Double(_) => DataType::Double,
        Value::Numeric(_) => DataType::Numeric,
        Value::Text(_) => DataType::Text,
        Value::Bytea(_) => DataType::Bytea,
        Value::Uuid(_) => DataType::Uuid,
        Value::Date(_) => DataType::Date,
        Value::Time(_) => DataType::Time,
        Value::TimeTz(..) => DataType::TimeTz,
        Value::Timestamp(_) => DataType::Timestamp,
        Value::Timestamptz(_) => DataType::Timestamptz,
        Value::Interval(_) => DataType::Interval,
        Value::Json(_) => DataType::Json,
        Value::Jsonb(_) => DataType::Jsonb,
        Value::Oid(_) => DataType::Oid,
        Value::Array(array) => array.element_type.array_of(),
        Value::Record(_) => DataType::Record,
    }
}

/// What C's isspace() skips.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// 22P02 `invalid input syntax for type integer: "x"`
pub(super) fn invalid_input(data_type: &str, text: &str) -> Error {
    Error::new(sqlstate::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type {data_type}: \"{text}\""))
}

/// 22003 `value "99999999999" is out of range for type integer`
fn value_out_of_range(data_type: &str, text: &str) -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {data_type}"))
}
