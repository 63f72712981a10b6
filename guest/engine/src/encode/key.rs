//! Order-preserving keys: comparing them as bytes compares the values as PostgreSQL's btree does.
//!
//! A column is a marker byte, which places NULLs, and the value's form, inverted where the order descends.

use crate::error::{Error, Result, sqlstate};
use crate::limits;
use crate::types::{DataType, Value, interval::Interval, numeric::Numeric, value::Array};

/// The space of rows and index entries.
pub const ROW_SPACE: u8 = 1;

/// Bytes that name an index: space, table id, index id.
pub const PREFIX_LENGTH: usize = 9;

const NULL_FIRST: u8 = 0;
/// What a column that is not NULL begins with; NULLs begin with less or more.
pub const NOT_NULL: u8 = 1;
const NULL_LAST: u8 = 2;

/// The first bytes of every key of an index; index 0 is the table's rows.
pub fn index_prefix(table: u32, index: u32) -> [u8; PREFIX_LENGTH] {
    let mut prefix = [ROW_SPACE; PREFIX_LENGTH];
    prefix[1..5].copy_from_slice(&table.to_be_bytes());
    prefix[5..9].copy_from_slice(&index.to_be_bytes());
    prefix
}

/// The first key after all keys that start with `prefix`; empty when there is none such.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// Appends one column.
pub fn append(
    key: &mut Vec<u8>,
    value: &Value,
    data_type: DataType,
    descending: bool,
    nulls_first: bool,
) -> Result<()> {
    if value.is_null() {
        key.push(if nulls_first { NULL_FIRST } else { NULL_LAST });
        return Ok(());
    }
    key.push(NOT_NULL);
    let start = key.len();
    append_value(key, value, data_type)?;
    if descending {
        key[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

/// Whether columns of a type can be part of a key.
pub fn is_orderable(data_type: DataType) -> bool {
    match data_type {
        DataType::Json | DataType::Jsonb | DataType::Record | DataType::Void | DataType::Unknown => false,
        DataType::Array(element) => is_orderable(*element),
        _ => true,
    }
}

/// 54000 when the columns of a key, after its prefix, are longer than stores like it.
pub fn check_length(key: &[u8]) -> Result<()> {
    if key.len() > PREFIX_LENGTH + limits::KEY_BYTES {
        return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "key size too large"));
    }
    Ok(())
}

fn append_value(key: &mut Vec<u8>, value: &Value, data_type: DataType) -> Result<()> {
    match value {
        Value::Boolean(value) => key.push(*value as u8),
        Value::SmallInt(value) => key.extend_from_slice(&(value ^ i16::MIN).to_be_bytes()),
        Value::Integer(value) | Value::Date(value) => append_i32(key, *value),
        Value::BigInt(value) | Value::Time(value) | Value::Timestamp(value) | Value::Timestamptz(value) => {
            append_i64(key, *value)
        }
        Value::Real(value) => append_f32(key, *value),
        Value::Double(value) => append_f64(key, *value),
        Value::Numeric(value) => append_numeric(key, value),
        // char(n) compares without its padding.
        Value::Text(text) if data_type == DataType::Char => append_bytes(key, text.trim_end_matches(' ').as_bytes()),
        Value::Text(text) => append_bytes(key, text.as_bytes()),
        Value::Bytea(bytes) => append_bytes(key, bytes),
        Value::Uuid(bytes) => key.extend_from_slice(bytes),
        Value::TimeTz(microseconds, offset) => {
            append_i64(key, microseconds.wrapping_sub(i64::from(*offset) * 1_000_000));
            append_i32(key, offset.wrapping_neg());
        }
        Value::Interval(interval) => key.extend_from_slice(&(linear(interval) ^ i128::MIN).to_be_bytes()),
        Value::Oid(value) => key.extend_from_slice(&value.to_be_bytes()),
        Value::Array(array) => append_array(key, array)?,
        Value::Null | Value::Json(_) | Value::Jsonb(_) | Value::Record(_) => {
            return Err(Error::not_supported(format!("a key with a value of type {}", data_type.name())));
        }
    }
    Ok(())
}

fn append_i32(key: &mut Vec<u8>, value: i32) {
    key.extend_from_slice(&(value ^ i32::MIN).to_be_bytes());
}

fn append_i64(key: &mut Vec<u8>, value: i64) {
    key.extend_from_slice(&(value ^ i64::MIN).to_be_bytes());
}

/// IEEE 754 bits in total order, with one zero, and one NaN above infinity.
fn append_f32(key: &mut Vec<u8>, value: f32) {
    let value = if value.is_nan() { f32::NAN.abs() } else { value + 0.0 };
    let bits = value.to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    key.extend_from_slice(&ordered.to_be_bytes());
}

fn append_f64(key: &mut Vec<u8>, value: f64) {
    let value = if value.is_nan() { f64::NAN.abs() } else { value + 0.0 };
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    key.extend_from_slice(&ordered.to_be_bytes());
}

/// Zero bytes become 00 FF, and 00 00 ends: a prefix sorts before what it begins.
fn append_bytes(key: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
    key.extend_from_slice(&[0, 0]);
}

const NUMERIC_NEGATIVE_INFINITY: u8 = 0;
const NUMERIC_NEGATIVE: u8 = 1;
const NUMERIC_ZERO: u8 = 2;
const NUMERIC_POSITIVE: u8 = 3;
const NUMERIC_INFINITY: u8 = 4;
const NUMERIC_NAN: u8 = 5;

fn append_numeric(key: &mut Vec<u8>, value: &Numeric) {
    match value {
        Numeric::NegativeInfinity => key.push(NUMERIC_NEGATIVE_INFINITY),
        Numeric::Infinity => key.push(NUMERIC_INFINITY),
        Numeric::NaN => key.push(NUMERIC_NAN),
        Numeric::Small { mantissa, scale } => {
            let digits = mantissa.unsigned_abs().to_string();
            append_decimal(key, *mantissa < 0, digits.as_bytes(), i64::from(*scale));
        }
        Numeric::Big(decimal) => {
            let (mantissa, scale) = decimal.as_bigint_and_exponent();
            let digits = mantissa.to_string();
            let magnitude = digits.trim_start_matches('-');
            append_decimal(key, magnitude.len() < digits.len(), magnitude.as_bytes(), scale);
        }
    }
}

/// A sign, the decimal exponent of 0.d1d2d3…, and the digits in pairs (1 to 100) up to the last one that is not zero.
fn append_decimal(key: &mut Vec<u8>, negative: bool, digits: &[u8], scale: i64) {
    let Some(first) = digits.iter().position(|&digit| digit != b'0') else {
        key.push(NUMERIC_ZERO);
        return;
    };
    let last = digits.iter().rposition(|&digit| digit != b'0').unwrap_or(first);
    let exponent = (digits.len() - first) as i64 - scale;
    key.push(if negative { NUMERIC_NEGATIVE } else { NUMERIC_POSITIVE });
    let start = key.len();
    append_i32(key, exponent.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32);
    for pair in digits[first..=last].chunks(2) {
        let low = pair.get(1).map_or(0, |digit| digit - b'0');
        key.push((pair[0] - b'0') * 10 + low + 1);
    }
    key.push(0);
    if negative {
        key[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// Microseconds with months of 30 days, by which PostgreSQL compares intervals.
fn linear(interval: &Interval) -> i128 {
    let days = i128::from(interval.months) * 30 + i128::from(interval.days);
    days * 86_400_000_000 + i128::from(interval.microseconds)
}

/// Elements in order, NULLs after the others, then the end, below every element; then what tells arrays of the same
/// elements apart: dimensions.
fn append_array(key: &mut Vec<u8>, array: &Array) -> Result<()> {
    for value in &array.values {
        append(key, value, array.element_type, false, false)?;
    }
    key.push(0);
    key.push(array.dimensions.len() as u8);
    for (length, lower_bound) in &array.dimensions {
        append_i32(key, *length as i32);
        append_i32(key, *lower_bound);
    }
    Ok(())
}
