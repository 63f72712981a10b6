//! Binary forms: the send and receive functions of every type (PostgreSQL 15, section 55.2.3 and pg_type's `typsend`).

mod composite;
mod numeric;
mod reader;
#[cfg(test)]
mod tests;

use super::interval::Interval;
use super::json::{self, Jsonb};
use super::{DataType, Value, datetime, text};
use crate::error::{Error, Result, sqlstate};
use reader::Reader;
use std::rc::Rc;

/// The only version of jsonb's binary form.
const JSONB_VERSION: u8 = 1;

/// How deep arrays and rows may nest in what is read.
const DEPTH_MAX: usize = 32;

/// Seconds that a zone may be away from UTC, excluded.
const ZONE_LIMIT: i32 = 16 * 60 * 60;

/// Appends a value as the type's send function writes it. NULL writes nothing: its callers mark it in ways of their
/// own.
pub fn write(value: &Value, data_type: DataType, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Boolean(value) => out.push(u8::from(*value)),
        Value::SmallInt(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Integer(value) | Value::Date(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::BigInt(value) | Value::Time(value) | Value::Timestamp(value) | Value::Timestamptz(value) => {
            out.extend_from_slice(&value.to_be_bytes());
        }
        Value::Real(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Double(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Numeric(value) => numeric::write(value, out),
        Value::Text(value) if data_type == DataType::InternalChar => out.push(internal_byte(value)),
        Value::Text(value) | Value::Json(value) => out.extend_from_slice(value.as_bytes()),
        Value::Bytea(value) => out.extend_from_slice(value),
        Value::Uuid(value) => out.extend_from_slice(value),
        Value::TimeTz(time, east) => {
            out.extend_from_slice(&time.to_be_bytes());
            // PostgreSQL counts zones west of UTC.
            out.extend_from_slice(&east.wrapping_neg().to_be_bytes());
        }
        Value::Interval(value) => {
            out.extend_from_slice(&value.microseconds.to_be_bytes());
            out.extend_from_slice(&value.days.to_be_bytes());
            out.extend_from_slice(&value.months.to_be_bytes());
        }
        Value::Jsonb(value) => {
            out.push(JSONB_VERSION);
            let mut printed = String::new();
            value.print(&mut printed);
            out.extend_from_slice(printed.as_bytes());
        }
        Value::Oid(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Array(array) => composite::write_array(array, out),
        Value::Record(values) => composite::write_record(values, out),
    }
}

/// Appends a row as a record of fields of these types.
pub fn write_record(values: &[Value], types: &[DataType], out: &mut Vec<u8>) {
    composite::write_fields(values.iter().zip(types.iter().copied()), out);
}

/// Reads a value as the type's receive function does. Fails with 22P03 and 08P01 where the bytes are none of the
/// type's, and as input functions do where the value is out of its range.
pub fn read(bytes: &[u8], data_type: DataType) -> Result<Value> {
    read_nested(bytes, data_type, 0)
}

fn read_nested(bytes: &[u8], data_type: DataType, depth: usize) -> Result<Value> {
    if depth > DEPTH_MAX {
        return Err(Error::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
    }
    let mut reader = Reader::new(bytes);
    let value = match data_type {
        DataType::Boolean => Value::Boolean(reader.array::<1>()?[0] != 0),
        DataType::SmallInt => Value::SmallInt(i16::from_be_bytes(reader.array()?)),
        DataType::Integer => Value::Integer(reader.i32()?),
        DataType::BigInt => Value::BigInt(reader.i64()?),
        DataType::Real => Value::Real(f32::from_be_bytes(reader.array()?)),
        DataType::Double => Value::Double(f64::from_be_bytes(reader.array()?)),
        DataType::Numeric => Value::Numeric(numeric::read(&mut reader)?),
        DataType::Unknown | DataType::Text | DataType::Varchar | DataType::Char => Value::text(reader.text()?),
        // `Values` columns hold it: nothing but the empty text is one.
        DataType::Void => Value::text(""),
        DataType::Name => {
            let name = reader.text()?;
            if name.len() > crate::limits::IDENTIFIER_BYTES {
                return Err(Error::new(sqlstate::NAME_TOO_LONG, "identifier too long").detail(format!(
                    "Identifier must be less than {} characters.",
                    crate::limits::IDENTIFIER_BYTES + 1
                )));
            }
            Value::text(name)
        }
        DataType::InternalChar => match reader.array::<1>()? {
            [0] => Value::text(""),
            [byte] => Value::text(char::from(byte).encode_utf8(&mut [0; 2])),
        },
        DataType::Bytea => Value::Bytea(reader.rest().into()),
        DataType::Uuid => Value::Uuid(reader.array()?),
        DataType::Date => Value::Date(datetime::receive_date(reader.i32()?)?),
        DataType::Time => Value::Time(time(reader.i64()?)?),
        DataType::TimeTz => {
            let time = time(reader.i64()?)?;
            let west = reader.i32()?;
            if west <= -ZONE_LIMIT || west >= ZONE_LIMIT {
                let message = "time zone displacement out of range";
                return Err(Error::new(sqlstate::INVALID_TIME_ZONE_DISPLACEMENT_VALUE, message));
            }
            Value::TimeTz(time, -west)
        }
        DataType::Timestamp => Value::Timestamp(datetime::receive_timestamp(reader.i64()?)?),
        DataType::Timestamptz => Value::Timestamptz(datetime::receive_timestamp(reader.i64()?)?),
        DataType::Interval => {
            let microseconds = reader.i64()?;
            let days = reader.i32()?;
            Value::Interval(Interval { months: reader.i32()?, days, microseconds })
        }
        DataType::Json => {
            let text = reader.text()?;
            json::validate(text)?;
            Value::Json(Rc::from(text))
        }
        DataType::Jsonb => match reader.array::<1>()? {
            [JSONB_VERSION] => Value::Jsonb(Rc::new(Jsonb::parse(reader.text()?)?)),
            [version] => return Err(invalid(format!("unsupported jsonb version number {version}"))),
        },
        DataType::Oid | DataType::Regclass | DataType::Regtype | DataType::Regproc | DataType::Regnamespace => {
            Value::Oid(reader.u32()?)
        }
        DataType::Array(element) => composite::read_array(&mut reader, *element, depth)?,
        DataType::Record => composite::read_record(&mut reader, depth)?,
    };
    if reader.is_empty() { Ok(value) } else { Err(invalid("incorrect binary data format")) }
}

fn time(microseconds: i64) -> Result<i64> {
    if (0..=datetime::DAY).contains(&microseconds) {
        Ok(microseconds)
    } else {
        Err(Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "time out of range"))
    }
}

/// The byte of a "char", whose characters stand for bytes.
fn internal_byte(text: &str) -> u8 {
    match text.chars().next() {
        None => 0,
        Some(character) => u8::try_from(u32::from(character)).unwrap_or(text.as_bytes()[0]),
    }
}

/// The type of a value within a row, where nothing but the value is known.
fn natural_type(value: &Value) -> DataType {
    text::natural_type(value)
}

/// 22P03
fn invalid(message: impl Into<String>) -> Error {
    Error::new(sqlstate::INVALID_BINARY_REPRESENTATION, message)
}
