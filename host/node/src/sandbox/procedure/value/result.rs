//! The component model's values to PostgreSQL's binary forms.

use serde::de::IgnoredAny;
use wasmtime::component::Val;

use crate::error::{Error, sqlstate};
use crate::sandbox::procedure::description::{Column, Returns, Routine, Row, Scalar};
use crate::sandbox::procedure::value::{Misfit, Place, array, numeric, push_null, push_value, raised, time};

/// Appends the rows that one call has answered, and returns how many; an error that the function has answered is
/// raised.
pub fn results(routine: &Routine, values: &[Val], out: &mut Vec<u8>) -> Result<u32, Error> {
    let value = match values {
        [Val::Result(Ok(value))] if routine.fallible => value.as_deref(),
        [Val::Result(Err(value))] if routine.fallible => return Err(raised(&routine.name, value.as_deref())),
        values => values.first(),
    };
    let name = routine.name.as_str();
    match (&routine.returns, value) {
        // A row without columns: the engine makes SQL's void of it.
        (Returns::Nothing, None) => Ok(1),
        (Returns::Value(column), Some(value)) => {
            push_column(column, value, out)
                .map_err(|misfit| Place::Result { routine: name, column: name }.error(misfit))?;
            Ok(1)
        }
        (Returns::Row(row), Some(value)) => {
            push_row(name, row, value, out)?;
            Ok(1)
        }
        (Returns::Rows(row), Some(Val::List(values))) => {
            values.iter().try_for_each(|value| push_row(name, row, value, out))?;
            u32::try_from(values.len()).map_err(|_| Error::internal("too many rows"))
        }
        _ => Err(Error::internal(format!("function \"{name}\" has answered a value of another type"))),
    }
}

fn push_row(routine: &str, row: &Row, value: &Val, out: &mut Vec<u8>) -> Result<(), Error> {
    let column = |field: &crate::sandbox::procedure::description::Field, value: &Val, out: &mut Vec<u8>| {
        push_column(&field.column, value, out)
            .map_err(|misfit| Place::Result { routine, column: &field.name }.error(misfit))
    };
    match value {
        Val::Record(values) if values.len() == row.fields.len() => {
            row.fields.iter().zip(values).try_for_each(|(field, (_, value))| column(field, value, out))
        }
        Val::Tuple(values) if values.len() == row.fields.len() => {
            row.fields.iter().zip(values).try_for_each(|(field, value)| column(field, value, out))
        }
        _ => Err(Error::internal(format!("function \"{routine}\" has answered a row of another type"))),
    }
}

/// Appends one packed value.
fn push_column(column: &Column, value: &Val, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let Some(value) = some(column.nullable, value) else {
        push_null(out);
        return Ok(());
    };
    let Some(nullable) = column.array else {
        return push_value(out, |out| push_scalar(&column.scalar, value, out));
    };
    let Val::List(values) = value else { return Err(Misfit::unexpected(value)) };
    let has_nulls = nullable && values.iter().any(|value| matches!(value, Val::Option(None)));
    push_value(out, |out| {
        array::push_array(out, values, has_nulls, column.scalar.oids().0, |out, value| match some(nullable, value) {
            Some(value) => push_value(out, |out| push_scalar(&column.scalar, value, out)),
            None => {
                push_null(out);
                Ok(())
            }
        })
    })
}

/// What is inside an option, where there is one.
fn some(nullable: bool, value: &Val) -> Option<&Val> {
    match value {
        Val::Option(inner) if nullable => inner.as_deref(),
        value => Some(value),
    }
}

fn push_scalar(scalar: &Scalar, value: &Val, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match (scalar, value) {
        (Scalar::Bool, Val::Bool(value)) => out.push(u8::from(*value)),
        (Scalar::S8, Val::S8(value)) => out.extend_from_slice(&i16::from(*value).to_be_bytes()),
        (Scalar::U8, Val::U8(value)) => out.extend_from_slice(&i16::from(*value).to_be_bytes()),
        (Scalar::S16, Val::S16(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Scalar::U16, Val::U16(value)) => out.extend_from_slice(&i32::from(*value).to_be_bytes()),
        (Scalar::S32, Val::S32(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Scalar::U32, Val::U32(value)) => out.extend_from_slice(&i64::from(*value).to_be_bytes()),
        (Scalar::S64, Val::S64(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Scalar::U64, Val::U64(value)) => numeric::numeric_bytes(&value.to_string(), out)?,
        (Scalar::F32, Val::Float32(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Scalar::F64, Val::Float64(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Scalar::Char, Val::Char(value)) => push_text(value.encode_utf8(&mut [0; 4]), out)?,
        (Scalar::String, Val::String(value)) => push_text(value, out)?,
        (Scalar::Bytes, Val::List(values)) => {
            out.reserve(values.len());
            for value in values {
                let Val::U8(byte) = value else { return Err(Misfit::unexpected(value)) };
                out.push(*byte);
            }
        }
        (Scalar::Enum(_), Val::Enum(label)) => push_text(label, out)?,
        (_, Val::Record(fields)) => push_record(scalar, value, fields, out)?,
        (_, value) => return Err(Misfit::unexpected(value)),
    }
    Ok(())
}

/// The types of `isobar:procedure/types`.
fn push_record(scalar: &Scalar, value: &Val, fields: &[(String, Val)], out: &mut Vec<u8>) -> Result<(), Misfit> {
    match (scalar, fields) {
        (Scalar::Numeric, [(_, Val::String(text))]) => numeric::numeric_bytes(text, out)?,
        (Scalar::Json, [(_, Val::String(text))]) => {
            if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
                let why = format!("invalid input syntax for type json: {error}");
                return Err(Misfit::new(sqlstate::INVALID_TEXT_REPRESENTATION, why));
            }
            out.push(1);
            push_text(text, out)?;
        }
        (Scalar::Date, [(_, Val::S32(days))]) => out.extend_from_slice(&time::days_to_postgres(*days)?),
        (Scalar::Time, [(_, Val::S64(time))]) => out.extend_from_slice(&time::time_to_postgres(*time)?),
        (Scalar::Timestamp | Scalar::Timestamptz, [(_, Val::S64(time))]) => {
            out.extend_from_slice(&time::microseconds_to_postgres(*time)?);
        }
        (Scalar::Interval, [(_, Val::S32(months)), (_, Val::S32(days)), (_, Val::S64(microseconds))]) => {
            time::push_interval(out, *microseconds, *days, *months);
        }
        (Scalar::Uuid, [(_, Val::U64(high)), (_, Val::U64(low))]) => {
            out.extend_from_slice(&high.to_be_bytes());
            out.extend_from_slice(&low.to_be_bytes());
        }
        _ => return Err(Misfit::unexpected(value)),
    }
    Ok(())
}

fn push_text(text: &str, out: &mut Vec<u8>) -> Result<(), Misfit> {
    if text.bytes().any(|byte| byte == 0) {
        return Err(Misfit::new(
            sqlstate::CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"UTF8\": 0x00",
        ));
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}
