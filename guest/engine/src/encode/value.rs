//! Single values as bytes, for what has no fixed width in a row.

use super::corrupted;
use crate::error::{Error, Result};
use crate::types::json::Jsonb;
use crate::types::{DataType, Value, interval::Interval, numeric::Numeric, value::Array};
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use std::rc::Rc;

/// How deep stored jsonb may nest; its parser allows less.
const JSON_DEPTH: usize = 10_000;

/// Bytes of a type whose values all have the same length; none when they vary.
pub fn width(data_type: DataType) -> Option<usize> {
    match data_type {
        DataType::Boolean => Some(1),
        DataType::SmallInt => Some(2),
        DataType::Integer | DataType::Date | DataType::Real => Some(4),
        DataType::Oid | DataType::Regclass | DataType::Regtype | DataType::Regproc | DataType::Regnamespace => Some(4),
        DataType::BigInt | DataType::Double | DataType::Time | DataType::Timestamp | DataType::Timestamptz => Some(8),
        DataType::TimeTz => Some(12),
        DataType::Uuid | DataType::Interval => Some(16),
        _ => None,
    }
}

/// Appends a value that is not NULL.
pub fn encode(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Boolean(value) => out.push(*value as u8),
        Value::SmallInt(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Integer(value) | Value::Date(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::BigInt(value) | Value::Time(value) | Value::Timestamp(value) | Value::Timestamptz(value) => {
            out.extend_from_slice(&value.to_le_bytes())
        }
        Value::Real(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Double(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Numeric(value) => encode_numeric(value, out),
        Value::Text(text) | Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytea(bytes) => out.extend_from_slice(bytes),
        Value::Uuid(bytes) => out.extend_from_slice(bytes),
        Value::TimeTz(microseconds, offset) => {
            out.extend_from_slice(&microseconds.to_le_bytes());
            out.extend_from_slice(&offset.to_le_bytes());
        }
        Value::Interval(interval) => {
            out.extend_from_slice(&interval.microseconds.to_le_bytes());
            out.extend_from_slice(&interval.days.to_le_bytes());
            out.extend_from_slice(&interval.months.to_le_bytes());
        }
        Value::Oid(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Jsonb(value) => encode_jsonb(value, out, 0)?,
        Value::Array(array) => encode_array(array, out)?,
        Value::Null | Value::Record(_) => return Err(Error::internal("a row cannot hold this value")),
    }
    Ok(())
}

/// Reads a value of this type back.
pub fn decode(bytes: &[u8], data_type: DataType) -> Result<Value> {
    let value = match data_type {
        DataType::Boolean => Value::Boolean(fixed::<1>(bytes)?[0] != 0),
        DataType::SmallInt => Value::SmallInt(i16::from_le_bytes(fixed(bytes)?)),
        DataType::Integer => Value::Integer(i32::from_le_bytes(fixed(bytes)?)),
        DataType::Date => Value::Date(i32::from_le_bytes(fixed(bytes)?)),
        DataType::BigInt => Value::BigInt(i64::from_le_bytes(fixed(bytes)?)),
        DataType::Time => Value::Time(i64::from_le_bytes(fixed(bytes)?)),
        DataType::Timestamp => Value::Timestamp(i64::from_le_bytes(fixed(bytes)?)),
        DataType::Timestamptz => Value::Timestamptz(i64::from_le_bytes(fixed(bytes)?)),
        DataType::Real => Value::Real(f32::from_le_bytes(fixed(bytes)?)),
        DataType::Double => Value::Double(f64::from_le_bytes(fixed(bytes)?)),
        DataType::Numeric => Value::Numeric(decode_numeric(bytes)?),
        DataType::Text
        | DataType::Varchar
        | DataType::Char
        | DataType::Name
        | DataType::InternalChar
        | DataType::Unknown => Value::Text(Rc::from(text(bytes)?)),
        DataType::Json => Value::Json(Rc::from(text(bytes)?)),
        DataType::Bytea => Value::Bytea(Rc::from(bytes)),
        DataType::Uuid => Value::Uuid(fixed(bytes)?),
        DataType::TimeTz => {
            let bytes = fixed::<12>(bytes)?;
            Value::TimeTz(i64::from_le_bytes(fixed(&bytes[..8])?), i32::from_le_bytes(fixed(&bytes[8..])?))
        }
        DataType::Interval => Value::Interval(decode_interval(bytes)?),
        DataType::Oid | DataType::Regclass | DataType::Regtype | DataType::Regproc | DataType::Regnamespace => {
            Value::Oid(u32::from_le_bytes(fixed(bytes)?))
        }
        DataType::Jsonb => {
            let mut reader = Reader { rest: bytes };
            let value = decode_jsonb(&mut reader, 0)?;
            Value::Jsonb(Rc::new(value))
        }
        DataType::Array(element) => Value::Array(Rc::new(decode_array(bytes, *element)?)),
        DataType::Void | DataType::Record => return Err(corrupted("a column of a pseudo-type")),
    };
    Ok(value)
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str> {
    // All at once, which the compiler turns into vector instructions; the library stops at each word.
    if bytes.iter().fold(0, |seen, byte| seen | byte) < 0x80 {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).map_err(|_| corrupted("a text is not UTF-8"))
}

pub(crate) fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| corrupted("a value has a wrong length"))
}

pub(crate) fn decode_interval(bytes: &[u8]) -> Result<Interval> {
    let bytes = fixed::<16>(bytes)?;
    Ok(Interval {
        microseconds: i64::from_le_bytes(fixed(&bytes[..8])?),
        days: i32::from_le_bytes(fixed(&bytes[8..12])?),
        months: i32::from_le_bytes(fixed(&bytes[12..])?),
    })
}

const SMALL: u8 = 0;
const BIG: u8 = 1;
const NAN: u8 = 2;
const INFINITY: u8 = 3;
const NEGATIVE_INFINITY: u8 = 4;

/// A kind, and for numbers the scale and the mantissa in as few little-endian bytes as hold it and its sign.
fn encode_numeric(value: &Numeric, out: &mut Vec<u8>) {
    match value {
        Numeric::Small { mantissa, scale } => {
            out.push(SMALL);
            out.extend_from_slice(&scale.to_le_bytes());
            let bytes = mantissa.to_le_bytes();
            let sign_bits = if *mantissa < 0 { mantissa.leading_ones() } else { mantissa.leading_zeros() };
            out.extend_from_slice(&bytes[..((128 - sign_bits) / 8 + 1) as usize]);
        }
        Numeric::Big(decimal) => {
            let (mantissa, scale) = decimal.as_bigint_and_exponent();
            out.push(BIG);
            out.extend_from_slice(&scale.to_le_bytes());
            out.extend_from_slice(&mantissa.to_signed_bytes_le());
        }
        Numeric::NaN => out.push(NAN),
        Numeric::Infinity => out.push(INFINITY),
        Numeric::NegativeInfinity => out.push(NEGATIVE_INFINITY),
    }
}

pub(crate) fn decode_numeric(bytes: &[u8]) -> Result<Numeric> {
    let mut reader = Reader { rest: bytes };
    match reader.byte()? {
        SMALL => {
            let scale = u16::from_le_bytes(fixed(reader.take(2)?)?);
            let mantissa = reader.rest;
            if mantissa.is_empty() || mantissa.len() > 16 {
                return Err(corrupted("a numeric has a wrong length"));
            }
            let fill = if mantissa[mantissa.len() - 1] >= 0x80 { 0xff } else { 0 };
            let mut padded = [fill; 16];
            padded[..mantissa.len()].copy_from_slice(mantissa);
            Ok(Numeric::Small { mantissa: i128::from_le_bytes(padded), scale })
        }
        BIG => {
            let scale = i64::from_le_bytes(fixed(reader.take(8)?)?);
            if scale.unsigned_abs() > 1 << 20 {
                return Err(corrupted("a numeric has an impossible scale"));
            }
            Ok(Numeric::Big(Rc::new(BigDecimal::new(BigInt::from_signed_bytes_le(reader.rest), scale))))
        }
        NAN => Ok(Numeric::NaN),
        INFINITY => Ok(Numeric::Infinity),
        NEGATIVE_INFINITY => Ok(Numeric::NegativeInfinity),
        _ => Err(corrupted("a numeric of an unknown kind")),
    }
}

/// Dimensions (their number as a byte; length and lower bound of each), then per element a length (all ones: NULL) and
/// its bytes.
fn encode_array(array: &Array, out: &mut Vec<u8>) -> Result<()> {
    out.push(array.dimensions.len() as u8);
    for (length, lower_bound) in &array.dimensions {
        out.extend_from_slice(&(*length as u32).to_le_bytes());
        out.extend_from_slice(&lower_bound.to_le_bytes());
    }
    for value in &array.values {
        if value.is_null() {
            out.extend_from_slice(&u32::MAX.to_le_bytes());
        } else {
            encode_sized(out, |out| encode(value, out))?;
        }
    }
    Ok(())
}

fn decode_array(bytes: &[u8], element_type: DataType) -> Result<Array> {
    let mut reader = Reader { rest: bytes };
    let mut dimensions = vec![];
    for _ in 0..reader.byte()? {
        let length = reader.u32()? as usize;
        dimensions.push((length, reader.u32()? as i32));
    }
    let mut values = vec![];
    while !reader.rest.is_empty() {
        let length = reader.u32()?;
        values.push(match length {
            u32::MAX => Value::Null,
            length => decode(reader.take(length as usize)?, element_type)?,
        });
    }
    let count = dimensions.iter().try_fold(1usize, |count, (length, _)| count.checked_mul(*length));
    let expected = if dimensions.is_empty() { Some(0) } else { count };
    if expected != Some(values.len()) {
        return Err(corrupted("an array has a wrong number of elements"));
    }
    Ok(Array { element_type, dimensions, values })
}

const JSON_NULL: u8 = 0;
const JSON_FALSE: u8 = 1;
const JSON_TRUE: u8 = 2;
const JSON_NUMBER: u8 = 3;
const JSON_STRING: u8 = 4;
const JSON_ARRAY: u8 = 5;
const JSON_OBJECT: u8 = 6;

fn encode_jsonb(value: &Jsonb, out: &mut Vec<u8>, depth: usize) -> Result<()> {
    if depth > JSON_DEPTH {
        return Err(Error::internal("a jsonb value nests too deeply"));
    }
    match value {
        Jsonb::Null => out.push(JSON_NULL),
        Jsonb::Boolean(value) => out.push(if *value { JSON_TRUE } else { JSON_FALSE }),
        Jsonb::Number(number) => {
            out.push(JSON_NUMBER);
            encode_sized(out, |out| {
                encode_numeric(number, out);
                Ok(())
            })?;
        }
        Jsonb::String(text) => {
            out.push(JSON_STRING);
            encode_text(text, out);
        }
        Jsonb::Array(values) => {
            out.push(JSON_ARRAY);
            out.extend_from_slice(&(values.len() as u32).to_le_bytes());
            for value in values {
                encode_jsonb(value, out, depth + 1)?;
            }
        }
        Jsonb::Object(members) => {
            out.push(JSON_OBJECT);
            out.extend_from_slice(&(members.len() as u32).to_le_bytes());
            for (name, value) in members {
                encode_text(name, out);
                encode_jsonb(value, out, depth + 1)?;
            }
        }
    }
    Ok(())
}

fn decode_jsonb(reader: &mut Reader, depth: usize) -> Result<Jsonb> {
    if depth > JSON_DEPTH {
        return Err(corrupted("a jsonb value nests too deeply"));
    }
    Ok(match reader.byte()? {
        JSON_NULL => Jsonb::Null,
        JSON_FALSE => Jsonb::Boolean(false),
        JSON_TRUE => Jsonb::Boolean(true),
        JSON_NUMBER => Jsonb::Number(decode_numeric(reader.sized()?)?),
        JSON_STRING => Jsonb::String(Rc::from(text(reader.sized()?)?)),
        JSON_ARRAY => {
            let count = reader.u32()?;
            let mut values = vec![];
            for _ in 0..count {
                values.push(decode_jsonb(reader, depth + 1)?);
            }
            Jsonb::Array(values)
        }
        JSON_OBJECT => {
            let count = reader.u32()?;
            let mut members = vec![];
            for _ in 0..count {
                let name = Rc::from(text(reader.sized()?)?);
                members.push((name, decode_jsonb(reader, depth + 1)?));
            }
            Jsonb::Object(members)
        }
        _ => return Err(corrupted("a jsonb value of an unknown kind")),
    })
}

fn encode_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Puts the length of what `write` appends before it.
fn encode_sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out)?;
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| corrupted("a value ends early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(fixed(self.take(4)?)?))
    }

    fn sized(&mut self) -> Result<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }
}
