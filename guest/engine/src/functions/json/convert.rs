//! SQL values as JSON (`to_json`, `to_jsonb`; PostgreSQL 15, section 9.16).

use crate::error::{Error, Result, sqlstate};
use crate::functions::Settings;
use crate::types::json::{Jsonb, print_string};
use crate::types::numeric::Numeric;
use crate::types::value::Array;
use crate::types::{Value, text};
use std::rc::Rc;

/// Appends a value as JSON text.
pub fn append_json(value: &Value, settings: &Settings, out: &mut String) -> Result<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::SmallInt(_) | Value::Integer(_) | Value::BigInt(_) => print(value, settings, out),
        Value::Real(number) if number.is_finite() => print(value, settings, out),
        Value::Double(number) if number.is_finite() => print(value, settings, out),
        Value::Numeric(number) if number.is_finite() => print(value, settings, out),
        Value::Json(document) => out.push_str(document),
        Value::Jsonb(document) => document.print(out),
        Value::Array(array) => append_array(array, ",", settings, out)?,
        Value::Record(fields) => {
            out.push('{');
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&format!("\"f{}\":", index + 1));
                append_json(field, settings, out)?;
            }
            out.push('}');
        }
        other => print_string(&scalar_text(other, settings), out),
    }
    Ok(())
}

/// `separator` goes between the elements of the outermost dimension.
pub fn append_array(array: &Array, separator: &str, settings: &Settings, out: &mut String) -> Result<()> {
    append_dimension(array, 0, &mut array.values.iter(), separator, settings, out)
}

fn append_dimension<'a>(
    array: &Array,
    dimension: usize,
    values: &mut impl Iterator<Item = &'a Value>,
    separator: &str,
    settings: &Settings,
    out: &mut String,
) -> Result<()> {
    out.push('[');
    let length = array.dimensions.get(dimension).map_or(0, |(length, _)| *length);
    for index in 0..length {
        if index > 0 {
            out.push_str(separator);
        }
        if dimension + 1 < array.dimensions.len() {
            append_dimension(array, dimension + 1, values, ",", settings, out)?;
        } else {
            append_json(values.next().unwrap_or(&Value::Null), settings, out)?;
        }
    }
    out.push(']');
    Ok(())
}

pub fn to_jsonb(value: &Value, settings: &Settings) -> Result<Jsonb> {
    Ok(match value {
        Value::Null => Jsonb::Null,
        Value::Boolean(value) => Jsonb::Boolean(*value),
        Value::SmallInt(value) => Jsonb::Number(Numeric::from_i64(i64::from(*value))),
        Value::Integer(value) => Jsonb::Number(Numeric::from_i64(i64::from(*value))),
        Value::BigInt(value) => Jsonb::Number(Numeric::from_i64(*value)),
        Value::Real(number) if number.is_finite() => Jsonb::Number(Numeric::parse(&to_text(value, settings))?),
        Value::Double(number) if number.is_finite() => Jsonb::Number(Numeric::parse(&to_text(value, settings))?),
        Value::Numeric(number) if number.is_finite() => Jsonb::Number(number.clone()),
        Value::Json(document) => Jsonb::parse(document)?,
        Value::Jsonb(document) => document.as_ref().clone(),
        Value::Array(array) => array_to_jsonb(array, 0, &mut array.values.iter(), settings)?,
        Value::Record(fields) => {
            let pairs = fields
                .iter()
                .enumerate()
                .map(|(index, field)| Ok((Rc::from(format!("f{}", index + 1)), to_jsonb(field, settings)?)));
            Jsonb::object(pairs.collect::<Result<_>>()?)
        }
        other => Jsonb::String(Rc::from(scalar_text(other, settings))),
    })
}

fn array_to_jsonb<'a>(
    array: &Array,
    dimension: usize,
    values: &mut impl Iterator<Item = &'a Value>,
    settings: &Settings,
) -> Result<Jsonb> {
    let length = array.dimensions.get(dimension).map_or(0, |(length, _)| *length);
    let elements = (0..length).map(|_| {
        if dimension + 1 < array.dimensions.len() {
            array_to_jsonb(array, dimension + 1, values, settings)
        } else {
            to_jsonb(values.next().unwrap_or(&Value::Null), settings)
        }
    });
    Ok(Jsonb::Array(elements.collect::<Result<_>>()?))
}

/// Appends a value as an object's key. Fails with 22023 for what cannot be one.
pub fn append_key(key: &Value, settings: &Settings, out: &mut String) -> Result<()> {
    print_string(&key_text(key, settings)?, out);
    Ok(())
}

pub fn key_text(key: &Value, settings: &Settings) -> Result<String> {
    match key {
        Value::Array(_) | Value::Record(_) | Value::Json(_) | Value::Jsonb(_) => Err(Error::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            "key value must be scalar, not array, composite, or json",
        )),
        Value::Boolean(value) => Ok(if *value { "true" } else { "false" }.into()),
        other => Ok(scalar_text(other, settings)),
    }
}

/// Dates and timestamps as ISO 8601 writes them, everything else as its type prints it.
fn scalar_text(value: &Value, settings: &Settings) -> String {
    match value {
        Value::Date(_) | Value::Timestamp(_) | Value::Timestamptz(_) => {
            let iso = Settings { date_style: "ISO, YMD".into(), ..settings.clone() };
            let printed = to_text(value, &iso);
            let mut printed = printed.replacen(' ', "T", usize::from(!matches!(value, Value::Date(_))));
            if matches!(value, Value::Timestamptz(_)) {
                complete_offset(&mut printed);
            }
            printed
        }
        other => to_text(other, settings),
    }
}

/// `+02` becomes `+02:00`; offsets with minutes stay.
fn complete_offset(timestamp: &mut String) {
    let Some(time) = timestamp.find('T') else { return };
    if let Some(sign) = timestamp[time..].rfind(['+', '-']) {
        let digits_end = time + sign + 3;
        if timestamp.len() == digits_end || timestamp[digits_end..].starts_with(' ') {
            timestamp.insert_str(digits_end, ":00");
        }
    }
}

fn to_text(value: &Value, settings: &Settings) -> String {
    text::to_string(value, text::natural_type(value), settings)
}

fn print(value: &Value, settings: &Settings, out: &mut String) {
    text::print(value, text::natural_type(value), settings, out);
}
