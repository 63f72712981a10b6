//! Conversions among numbers, with PostgreSQL's rounding: floats to integers round halves to even, numerics away
//! from zero.

use crate::error::{Error, Result, sqlstate};
use crate::types::numeric::Numeric;
use crate::types::{DataType, Value};

/// 22003 `integer out of range`
pub fn out_of_range(data_type: DataType) -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", data_type.name()))
}

/// The conversion when both types are numbers, boolean or oids; none otherwise.
pub(super) fn cast(value: &Value, to: DataType) -> Option<Result<Value>> {
    Some(match (value, to) {
        (Value::Integer(value), DataType::Boolean) => Ok(Value::Boolean(*value != 0)),
        (Value::Integer(value), DataType::InternalChar) => to_internal_char(*value),
        // Negative numbers wrap around, which they do not from bigint.
        (Value::SmallInt(value), _) if is_oid(to) => Ok(Value::Oid(i32::from(*value) as u32)),
        (Value::Integer(value), _) if is_oid(to) => Ok(Value::Oid(*value as u32)),
        (Value::SmallInt(value), _) => return from_i64(i64::from(*value), to),
        (Value::Integer(value), _) => return from_i64(i64::from(*value), to),
        (Value::BigInt(value), _) => return from_i64(*value, to),
        (Value::Real(value), DataType::Double) => Ok(Value::Double(f64::from(*value))),
        (Value::Real(value), DataType::Numeric) => Ok(Value::Numeric(Numeric::from_f32(*value))),
        (Value::Real(value), _) => return from_f64(f64::from(*value), to),
        (Value::Double(value), DataType::Real) => double_to_real(*value).map(Value::Real),
        (Value::Double(value), DataType::Numeric) => Ok(Value::Numeric(Numeric::from_f64(*value))),
        (Value::Double(value), _) => return from_f64(*value, to),
        (Value::Numeric(value), DataType::Double) => numeric_to_double(value).map(Value::Double),
        (Value::Numeric(value), DataType::Real) => numeric_to_real(value).map(Value::Real),
        (Value::Numeric(value), _) if to.is_integer() => {
            numeric_to_i64(value, to).and_then(|value| from_i64(value, to).unwrap_or_else(|| Err(out_of_range(to))))
        }
        (Value::Boolean(value), DataType::Integer) => Ok(Value::Integer(i32::from(*value))),
        (Value::Oid(value), DataType::Integer) => Ok(Value::Integer(*value as i32)),
        (Value::Oid(value), DataType::BigInt) => Ok(Value::BigInt(i64::from(*value))),
        (Value::Oid(_), _) if is_oid(to) => Ok(value.clone()),
        _ => return None,
    })
}

fn is_oid(data_type: DataType) -> bool {
    use DataType::{Oid, Regclass, Regnamespace, Regproc, Regtype};
    matches!(data_type, Oid | Regclass | Regtype | Regproc | Regnamespace)
}

fn from_i64(value: i64, to: DataType) -> Option<Result<Value>> {
    let converted = match to {
        DataType::SmallInt => i16::try_from(value).ok().map(Value::SmallInt),
        DataType::Integer => i32::try_from(value).ok().map(Value::Integer),
        DataType::BigInt => Some(Value::BigInt(value)),
        DataType::Real => Some(Value::Real(value as f32)),
        DataType::Double => Some(Value::Double(value as f64)),
        DataType::Numeric => Some(Value::Numeric(Numeric::from_i64(value))),
        _ if is_oid(to) => {
            let oid = u32::try_from(value).map(Value::Oid);
            let out_of_range = |_| Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "OID out of range");
            return Some(oid.map_err(out_of_range));
        }
        _ => return None,
    };
    Some(converted.ok_or_else(|| out_of_range(to)))
}

fn from_f64(value: f64, to: DataType) -> Option<Result<Value>> {
    Some(match to {
        DataType::SmallInt => double_to_i64(value, to, -32768.0, 32768.0).map(|value| Value::SmallInt(value as i16)),
        DataType::Integer => {
            double_to_i64(value, to, -2147483648.0, 2147483648.0).map(|value| Value::Integer(value as i32))
        }
        DataType::BigInt => double_to_i64(value, to, -9223372036854775808.0, 9223372036854775808.0).map(Value::BigInt),
        _ => return None,
    })
}

/// Rounds halves to even; the result is at least `least` and below `bound`.
fn double_to_i64(value: f64, to: DataType, least: f64, bound: f64) -> Result<i64> {
    let rounded = value.round_ties_even();
    if rounded >= least && rounded < bound { Ok(rounded as i64) } else { Err(out_of_range(to)) }
}

pub fn double_to_real(value: f64) -> Result<f32> {
    let narrow = value as f32;
    if narrow.is_infinite() && !value.is_infinite() {
        return Err(Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
    }
    if narrow == 0.0 && value != 0.0 {
        return Err(Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow"));
    }
    Ok(narrow)
}

pub fn numeric_to_i64(value: &Numeric, to: DataType) -> Result<i64> {
    if !value.is_finite() {
        let what = if value.is_nan() { "NaN" } else { "infinity" };
        return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, format!("cannot convert {what} to {}", to.name())));
    }
    value.to_i64().ok_or_else(|| out_of_range(to))
}

pub fn numeric_to_double(value: &Numeric) -> Result<f64> {
    let double = value.to_f64();
    if value.is_finite() && (double.is_infinite() || double == 0.0 && !value.is_zero()) {
        return Err(Error::new(
            sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("\"{value}\" is out of range for type double precision"),
        ));
    }
    Ok(double)
}

pub fn numeric_to_real(value: &Numeric) -> Result<f32> {
    let real = value.to_f32();
    if value.is_finite() && (real.is_infinite() || real == 0.0 && !value.is_zero()) {
        return Err(Error::new(
            sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("\"{value}\" is out of range for type real"),
        ));
    }
    Ok(real)
}

fn to_internal_char(value: i32) -> Result<Value> {
    match i8::try_from(value) {
        Ok(0) => Ok(Value::text("")),
        Ok(code) => Ok(Value::text(&char::from(code as u8).to_string())),
        Err(_) => Err(Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "\"char\" out of range")),
    }
}
