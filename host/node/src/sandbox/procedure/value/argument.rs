//! PostgreSQL's binary forms to the component model's values.

use wasmtime::component::Val;

use crate::error::{Error, sqlstate};
use crate::sandbox::procedure::description::{Column, Parameter, Row, Scalar, Shape};
use crate::sandbox::procedure::value::{Misfit, Packed, Place, array, fixed, numeric, time};

/// Takes one row of arguments off the packed rows. `bytes_max`: what its values may take as the host holds them.
pub fn arguments(
    routine: &str,
    parameters: &[Parameter],
    packed: &mut Packed<'_>,
    bytes_max: usize,
    values: &mut Vec<Val>,
) -> Result<(), Error> {
    values.clear();
    let before = packed.0.len();
    for parameter in parameters {
        let place = Place::Parameter { routine, parameter: &parameter.name };
        let value = packed
            .value()
            .and_then(|bytes| argument(&parameter.shape, bytes, bytes_max))
            .map_err(|misfit| place.error(misfit))?;
        values.push(value);
    }
    if before - packed.0.len() > bytes_max {
        return Err(Error::new(
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            format!("arguments of function \"{routine}\" are larger than the {bytes_max} bytes that one call may have"),
        )
        .hint("Raise procedures.value_mb in the node's configuration."));
    }
    Ok(())
}

fn argument(shape: &Shape, bytes: Option<&[u8]>, bytes_max: usize) -> Result<Val, Misfit> {
    match shape {
        Shape::Column(column) => column_value(column, bytes, bytes_max),
        Shape::Row { row, nullable } => match bytes {
            None if *nullable => Ok(Val::Option(None)),
            None => Err(Misfit::null()),
            Some(bytes) => {
                let value = row_value(row, bytes, bytes_max)?;
                Ok(if *nullable { Val::Option(Some(Box::new(value))) } else { value })
            }
        },
    }
}

/// A record is a count, and per field the type's OID and the value.
fn row_value(row: &Row, bytes: &[u8], bytes_max: usize) -> Result<Val, Misfit> {
    let mut packed = Packed(bytes);
    let count = packed.number()?;
    if usize::try_from(count) != Ok(row.fields.len()) {
        let message = format!("row has {count} columns where {} are expected", row.fields.len());
        return Err(Misfit::new(sqlstate::DATATYPE_MISMATCH, message));
    }
    let mut values = Vec::with_capacity(row.fields.len());
    for field in &row.fields {
        let in_field = |misfit: Misfit| Misfit { why: format!("field \"{}\": {}", field.name, misfit.why), ..misfit };
        let type_oid = packed.number()?.cast_unsigned();
        let bytes = packed.value()?;
        if bytes.is_some() && type_oid != field.column.type_oid() {
            let message = format!("a value of type {type_oid} where {} is expected", field.column.type_oid());
            return Err(in_field(Misfit::new(sqlstate::DATATYPE_MISMATCH, message)));
        }
        values.push(column_value(&field.column, bytes, bytes_max).map_err(in_field)?);
    }
    if row.is_tuple {
        return Ok(Val::Tuple(values));
    }
    Ok(Val::Record(row.fields.iter().map(|field| field.label.clone()).zip(values).collect()))
}

fn column_value(column: &Column, bytes: Option<&[u8]>, bytes_max: usize) -> Result<Val, Misfit> {
    let Some(bytes) = bytes else {
        return if column.nullable { Ok(Val::Option(None)) } else { Err(Misfit::null()) };
    };
    let value = match column.array {
        None => scalar_value(&column.scalar, bytes, bytes_max)?,
        Some(nullable) => {
            let element = |bytes: Option<&[u8]>| match bytes {
                None if nullable => Ok(Val::Option(None)),
                None => Err(Misfit::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "an element is NULL: its type is no option")),
                Some(bytes) => {
                    let value = scalar_value(&column.scalar, bytes, bytes_max)?;
                    Ok(if nullable { Val::Option(Some(Box::new(value))) } else { value })
                }
            };
            Val::List(array::elements(bytes, bytes_max / size_of::<Val>(), element)?)
        }
    };
    Ok(if column.nullable { Val::Option(Some(Box::new(value))) } else { value })
}

fn scalar_value(scalar: &Scalar, bytes: &[u8], bytes_max: usize) -> Result<Val, Misfit> {
    Ok(match scalar {
        Scalar::Bool => Val::Bool(fixed::<1>(bytes)? != [0]),
        Scalar::S8 => Val::S8(narrow(i16::from_be_bytes(fixed(bytes)?), "s8")?),
        Scalar::U8 => Val::U8(narrow(i16::from_be_bytes(fixed(bytes)?), "u8")?),
        Scalar::S16 => Val::S16(i16::from_be_bytes(fixed(bytes)?)),
        Scalar::U16 => Val::U16(narrow(i32::from_be_bytes(fixed(bytes)?), "u16")?),
        Scalar::S32 => Val::S32(i32::from_be_bytes(fixed(bytes)?)),
        Scalar::U32 => Val::U32(narrow(i64::from_be_bytes(fixed(bytes)?), "u32")?),
        Scalar::S64 => Val::S64(i64::from_be_bytes(fixed(bytes)?)),
        Scalar::U64 => {
            let text = numeric::numeric_text(bytes)?;
            let whole = text.split_once('.').map_or(text.as_str(), |(whole, fraction)| {
                if fraction.bytes().all(|digit| digit == b'0') { whole } else { &text }
            });
            Val::U64(whole.parse().map_err(|_| Misfit::out_of_range(&text, "u64"))?)
        }
        Scalar::F32 => Val::Float32(f32::from_be_bytes(fixed(bytes)?)),
        Scalar::F64 => Val::Float64(f64::from_be_bytes(fixed(bytes)?)),
        Scalar::Char => {
            let text = text(bytes)?;
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => Val::Char(character),
                _ => {
                    let why = format!("text of {} characters where one is expected", text.chars().count());
                    return Err(Misfit::new(sqlstate::INVALID_TEXT_REPRESENTATION, why));
                }
            }
        }
        Scalar::String => Val::String(text(bytes)?.to_owned()),
        Scalar::Bytes => {
            if bytes.len() > bytes_max / size_of::<Val>() {
                let why = format!("bytea of {} bytes is larger than one call may have", bytes.len());
                return Err(Misfit::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, why));
            }
            Val::List(bytes.iter().map(|byte| Val::U8(*byte)).collect())
        }
        Scalar::Numeric => record([("text", Val::String(numeric::numeric_text(bytes)?))]),
        Scalar::Json => {
            let [1, json @ ..] = bytes else { return Err(Misfit::malformed("jsonb")) };
            record([("text", Val::String(text(json)?.to_owned()))])
        }
        Scalar::Date => record([("days", Val::S32(time::days_from_postgres(fixed(bytes)?)?))]),
        Scalar::Time => record([("microseconds", Val::S64(i64::from_be_bytes(fixed(bytes)?)))]),
        Scalar::Timestamp | Scalar::Timestamptz => {
            record([("microseconds", Val::S64(time::microseconds_from_postgres(fixed(bytes)?)?))])
        }
        Scalar::Interval => {
            let (microseconds, days, months) = time::interval_parts(bytes)?;
            record([("months", Val::S32(months)), ("days", Val::S32(days)), ("microseconds", Val::S64(microseconds))])
        }
        Scalar::Uuid => {
            let bits = u128::from_be_bytes(fixed(bytes)?);
            record([("high", Val::U64((bits >> 64) as u64)), ("low", Val::U64(bits as u64))])
        }
        Scalar::Enum(labels) => {
            let text = text(bytes)?;
            if !labels.iter().any(|label| label == text) {
                let why = format!("\"{text}\" is none of its labels: {}", labels.join(", "));
                return Err(Misfit::new(sqlstate::INVALID_TEXT_REPRESENTATION, why));
            }
            Val::Enum(text.to_owned())
        }
    })
}

fn record<const N: usize>(fields: [(&str, Val); N]) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn narrow<From: Copy + std::fmt::Display, To: TryFrom<From>>(number: From, range: &str) -> Result<To, Misfit> {
    To::try_from(number).map_err(|_| Misfit::out_of_range(number, range))
}

fn text(bytes: &[u8]) -> Result<&str, Misfit> {
    std::str::from_utf8(bytes).map_err(|_| Misfit::malformed("text"))
}
