//! Conversions between types (PostgreSQL 15, section 4.2.9 and chapter 10).

mod column;
pub mod number;
mod table;

pub use column::cast_column;
pub use table::{CastContext, castable, is_binary_coercible};

use super::numeric;
use super::text::{self, character};
use super::value::Array;
use super::{DataType, Value, datetime, json};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use std::rc::Rc;

/// Converts a value. `explicit` is for CAST, which cuts strings silently where assignment fails. The caller has asked
/// `castable`; pairs that do not convert fail with 42846.
pub fn cast(
    value: &Value,
    from: DataType,
    to: DataType,
    modifier: i32,
    explicit: bool,
    context: &FunctionContext,
) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let converted = if from == to { value.clone() } else { convert(value, from, to, modifier, explicit, context)? };
    if modifier < 0 { Ok(converted) } else { apply_modifier(&converted, to, modifier, explicit) }
}

fn convert(
    value: &Value,
    from: DataType,
    to: DataType,
    modifier: i32,
    explicit: bool,
    context: &FunctionContext,
) -> Result<Value> {
    if let Some(converted) = number::cast(value, to) {
        return converted;
    }
    match (value, to) {
        (Value::Text(value), _) if from.is_text() || from == DataType::InternalChar => {
            return from_text(value, from, to, modifier, context);
        }
        (Value::Boolean(value), DataType::Text | DataType::Varchar | DataType::Char) => {
            return Ok(Value::text(if *value { "true" } else { "false" }));
        }
        (Value::Json(value), DataType::Jsonb) => {
            return Ok(Value::Jsonb(Rc::new(json::Jsonb::parse(value)?)));
        }
        (Value::Jsonb(value), DataType::Json) => {
            let mut printed = String::new();
            value.print(&mut printed);
            return Ok(Value::Json(Rc::from(printed)));
        }
        (Value::Jsonb(value), _) if to.is_number() || to == DataType::Boolean => return from_jsonb(value, to),
        (Value::Array(array), DataType::Array(element)) => {
            return cast_elements(array, *element, modifier, explicit, context);
        }
        _ => {}
    }
    if let Some(converted) = datetime::cast(value, to, context) {
        return converted;
    }
    if matches!(to, DataType::Text | DataType::Varchar | DataType::Char | DataType::Name) {
        let printed = text::to_string_in(value, from, context);
        return Ok(Value::text(if to == DataType::Name { character::name(&printed) } else { &printed }));
    }
    Err(Error::new(sqlstate::CANNOT_COERCE, format!("cannot cast type {} to {}", from.name(), to.name())))
}

/// From one of the string types: among themselves as they are, to the others through the input function.
fn from_text(value: &Rc<str>, from: DataType, to: DataType, modifier: i32, context: &FunctionContext) -> Result<Value> {
    match (from, to) {
        // Blanks at the end of a char(n) mean nothing.
        (DataType::Char, DataType::Text | DataType::Varchar) => Ok(Value::text(value.trim_end_matches(' '))),
        (DataType::Char, DataType::Name) => Ok(Value::text(character::name(value.trim_end_matches(' ')))),
        (_, DataType::Text | DataType::Varchar | DataType::Char | DataType::Unknown) => Ok(Value::Text(value.clone())),
        (DataType::InternalChar, DataType::Integer) => {
            Ok(Value::Integer(value.chars().next().map_or(0, |c| i32::from(u32::from(c) as u8 as i8))))
        }
        // Only interval's input function looks at its modifier; the others leave it to the length coercion.
        (_, DataType::Interval) => text::parse(value, to, modifier, context),
        _ => text::parse(value, to, -1, context),
    }
}

fn from_jsonb(value: &json::Jsonb, to: DataType) -> Result<Value> {
    match value {
        json::Jsonb::Boolean(value) if to == DataType::Boolean => Ok(Value::Boolean(*value)),
        json::Jsonb::Number(value) if to == DataType::Numeric => Ok(Value::Numeric(value.clone())),
        json::Jsonb::Number(value) if to != DataType::Boolean => number::cast(&Value::Numeric(value.clone()), to)
            .unwrap_or_else(|| Err(Error::internal("jsonb number cast to something that is not a number"))),
        _ => {
            let kind = match value {
                json::Jsonb::Number(_) => "numeric",
                other => other.type_name(),
            };
            Err(Error::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("cannot cast jsonb {kind} to type {}", to.name()),
            ))
        }
    }
}

fn cast_elements(
    array: &Array,
    element: DataType,
    modifier: i32,
    explicit: bool,
    context: &FunctionContext,
) -> Result<Value> {
    let values = array.values.iter().map(|value| cast(value, array.element_type, element, modifier, explicit, context));
    Ok(Value::Array(Rc::new(Array {
        element_type: element,
        dimensions: array.dimensions.clone(),
        values: values.collect::<Result<_>>()?,
    })))
}

/// Fits a value to its type's modifier: varchar(n) is cut or fails, char(n) is padded too, numeric(p, s) and the
/// seconds of times are rounded. Arrays apply it to their elements.
pub fn apply_modifier(value: &Value, data_type: DataType, modifier: i32, explicit: bool) -> Result<Value> {
    if modifier < 0 {
        return Ok(value.clone());
    }
    Ok(match (value, data_type) {
        (Value::Text(text), DataType::Varchar) => {
            let fitting = character::varying(text, modifier, explicit)?;
            if fitting.len() == text.len() { value.clone() } else { Value::text(fitting) }
        }
        (Value::Text(text), DataType::Char) => Value::Text(character::padded(text, modifier, explicit)?),
        (Value::Numeric(value), DataType::Numeric) => Value::Numeric(numeric::apply_modifier(value, modifier)?),
        (Value::Array(array), DataType::Array(element)) => {
            let values = array.values.iter().map(|value| apply_modifier(value, *element, modifier, explicit));
            Value::Array(Rc::new(Array {
                element_type: array.element_type,
                dimensions: array.dimensions.clone(),
                values: values.collect::<Result<_>>()?,
            }))
        }
        (value, _) => datetime::apply_modifier(value, modifier)?,
    })
}
