//! A procedure's values as a statement's parameters, in binary form. A value that is not what the statement wants is
//! sent as what it is, and SQL's own casts decide.

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::procedure::bindings::isobar::procedure::types::Value;
use crate::sandbox::procedure::imports::types::oid;
use crate::sandbox::procedure::value::{EPOCH_DAYS, EPOCH_MICROSECONDS, Misfit, numeric_bytes, push_null, push_value};

/// Values packed as `wit/statement.wit` wants them, with their types.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pub packed: Vec<u8>,
    pub types: Vec<u32>,
}

/// Packs values for parameters of these types; 0 or missing: unknown.
pub fn pack(values: &[Value], wanted: &[u32]) -> Result<Parameters> {
    let mut parameters = Parameters::default();
    for (index, value) in values.iter().enumerate() {
        let wanted = wanted.get(index).copied().unwrap_or(0);
        if matches!(value, Value::Null) {
            push_null(&mut parameters.packed);
            parameters.types.push(wanted);
            continue;
        }
        let type_oid = fitting(value, wanted);
        parameters.types.push(type_oid);
        push_value(&mut parameters.packed, |out| push(value, type_oid, out)).map_err(|misfit: Misfit| {
            Error::new(misfit.sqlstate, format!("parameter ${}: {}", index + 1, misfit.why))
        })?;
    }
    Ok(parameters)
}

/// The type that a value is sent as: the wanted one where it has a form for it.
fn fitting(value: &Value, wanted: u32) -> u32 {
    let (own, others): (u32, &[u32]) = match value {
        Value::Null => (0, &[]),
        Value::Boolean(_) => (oid::BOOL, &[]),
        Value::Smallint(_) => (oid::INT2, &[oid::INT4, oid::INT8, oid::NUMERIC, oid::FLOAT4, oid::FLOAT8]),
        Value::Integer(_) => (oid::INT4, &[oid::INT2, oid::INT8, oid::NUMERIC, oid::FLOAT4, oid::FLOAT8]),
        Value::Bigint(_) => (oid::INT8, &[oid::INT2, oid::INT4, oid::NUMERIC, oid::FLOAT4, oid::FLOAT8]),
        Value::Real(_) => (oid::FLOAT4, &[oid::FLOAT8]),
        Value::Double(_) => (oid::FLOAT8, &[oid::FLOAT4]),
        Value::Numeric(_) => (oid::NUMERIC, &[]),
        Value::Text(_) => {
            (oid::TEXT, &[oid::VARCHAR, oid::BPCHAR, oid::NAME, oid::JSON, oid::JSONB, oid::NUMERIC, oid::UUID])
        }
        Value::Bytea(_) => (oid::BYTEA, &[]),
        Value::Date(_) => (oid::DATE, &[]),
        Value::Time(_) => (oid::TIME, &[]),
        Value::Timestamp(_) => (oid::TIMESTAMP, &[]),
        Value::Timestamptz(_) => (oid::TIMESTAMPTZ, &[]),
        Value::Interval(_) => (oid::INTERVAL, &[]),
        Value::Uuid(_) => (oid::UUID, &[]),
        Value::Json(_) => (oid::JSONB, &[oid::JSON]),
        // Its text is all that is known: a cast in the statement says what of.
        Value::Other(_) => (oid::TEXT, &[oid::VARCHAR, oid::BPCHAR, oid::NAME]),
    };
    if others.contains(&wanted) { wanted } else { own }
}

fn push(value: &Value, type_oid: u32, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Null => {}
        Value::Boolean(value) => out.push(u8::from(*value)),
        Value::Smallint(value) => push_integer(i64::from(*value), type_oid, out)?,
        Value::Integer(value) => push_integer(i64::from(*value), type_oid, out)?,
        Value::Bigint(value) => push_integer(*value, type_oid, out)?,
        Value::Real(value) if type_oid == oid::FLOAT8 => out.extend_from_slice(&f64::from(*value).to_be_bytes()),
        Value::Real(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Double(value) if type_oid == oid::FLOAT4 => {
            let single = *value as f32;
            if single.is_infinite() && value.is_finite() {
                return Err(Misfit::out_of_range(value, "real"));
            }
            out.extend_from_slice(&single.to_be_bytes());
        }
        Value::Double(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Numeric(value) => numeric_bytes(&value.text, out)?,
        Value::Text(text) => match type_oid {
            oid::NUMERIC => numeric_bytes(text, out)?,
            oid::UUID => out.extend_from_slice(&uuid_bytes(text)?),
            type_oid => push_text(text, type_oid, out)?,
        },
        Value::Json(json) => push_text(&json.text, type_oid, out)?,
        Value::Other(other) => push_text(&other.text, type_oid, out)?,
        Value::Bytea(bytes) => out.extend_from_slice(bytes),
        Value::Date(date) => {
            let days = match date.days {
                infinite @ (i32::MIN | i32::MAX) => infinite,
                days => days.checked_sub(EPOCH_DAYS).ok_or_else(|| Misfit::out_of_range(days, "date"))?,
            };
            out.extend_from_slice(&days.to_be_bytes());
        }
        Value::Time(time) => out.extend_from_slice(&time.microseconds.to_be_bytes()),
        Value::Timestamp(time) => push_timestamp(time.microseconds, out)?,
        Value::Timestamptz(time) => push_timestamp(time.microseconds, out)?,
        Value::Interval(interval) => {
            out.extend_from_slice(&interval.microseconds.to_be_bytes());
            out.extend_from_slice(&interval.days.to_be_bytes());
            out.extend_from_slice(&interval.months.to_be_bytes());
        }
        Value::Uuid(uuid) => {
            out.extend_from_slice(&uuid.high.to_be_bytes());
            out.extend_from_slice(&uuid.low.to_be_bytes());
        }
    }
    Ok(())
}

fn push_integer(value: i64, type_oid: u32, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match type_oid {
        oid::INT2 => {
            let value = i16::try_from(value).map_err(|_| Misfit::out_of_range(value, "smallint"))?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        oid::INT4 => {
            let value = i32::try_from(value).map_err(|_| Misfit::out_of_range(value, "integer"))?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        oid::NUMERIC => numeric_bytes(&value.to_string(), out)?,
        oid::FLOAT4 => out.extend_from_slice(&(value as f32).to_be_bytes()),
        oid::FLOAT8 => out.extend_from_slice(&(value as f64).to_be_bytes()),
        _ => out.extend_from_slice(&value.to_be_bytes()),
    }
    Ok(())
}

fn push_timestamp(time: i64, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let time = match time {
        infinite @ (i64::MIN | i64::MAX) => infinite,
        time => time.checked_sub(EPOCH_MICROSECONDS).ok_or_else(|| Misfit::out_of_range(time, "timestamp"))?,
    };
    out.extend_from_slice(&time.to_be_bytes());
    Ok(())
}

fn push_text(text: &str, type_oid: u32, out: &mut Vec<u8>) -> Result<(), Misfit> {
    if text.contains('\0') {
        return Err(Misfit {
            sqlstate: sqlstate::CHARACTER_NOT_IN_REPERTOIRE,
            why: "invalid byte sequence for encoding \"UTF8\": 0x00".into(),
        });
    }
    if type_oid == oid::JSONB {
        out.push(1);
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// 32 hexadecimal digits, with hyphens anywhere between fours and braces around it, as PostgreSQL reads it.
fn uuid_bytes(text: &str) -> Result<[u8; 16], Misfit> {
    let digits: String = text.trim().trim_start_matches('{').trim_end_matches('}').replace('-', "");
    match u128::from_str_radix(&digits, 16) {
        Ok(bits) if digits.len() == 32 && !digits.starts_with('+') => Ok(bits.to_be_bytes()),
        _ => Err(Misfit {
            sqlstate: sqlstate::INVALID_TEXT_REPRESENTATION,
            why: format!("invalid input syntax for type uuid: \"{text}\""),
        }),
    }
}
