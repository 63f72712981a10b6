//! SQL's values as a procedure's and back: PostgreSQL's binary forms (PostgreSQL 15, the types' `typsend`) on one side,
//! the component model's values on the other. Types are the reflected ones; nothing is guessed from bytes.

mod argument;
mod array;
mod numeric;
mod raised;
mod result;
pub mod text;
mod time;

pub use argument::arguments;
pub use numeric::{numeric_bytes, numeric_text};
pub use raised::raised;
pub use result::results;
pub use time::{EPOCH_DAYS, EPOCH_MICROSECONDS, days_from_postgres, interval_parts, microseconds_from_postgres};

use std::fmt;

use crate::error::{Error, sqlstate};

/// A value that does not fit its type on the other side.
#[derive(Debug, PartialEq, Eq)]
pub struct Misfit {
    pub sqlstate: &'static str,
    pub why: String,
}

impl Misfit {
    pub fn new(sqlstate: &'static str, why: impl Into<String>) -> Misfit {
        Misfit { sqlstate, why: why.into() }
    }

    /// 22003; `range` such as `u8`.
    pub fn out_of_range(value: impl fmt::Display, range: &str) -> Misfit {
        Misfit::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{value}\" is out of range for {range}"))
    }

    /// 22P03: bytes that are not what the engine promises.
    pub fn malformed(what: &str) -> Misfit {
        Misfit::new(sqlstate::INVALID_BINARY_REPRESENTATION, format!("malformed {what}"))
    }

    /// 22004
    fn null() -> Misfit {
        Misfit::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "NULL is not allowed: its type is no option")
    }

    /// XX000: a value of another type than was reflected.
    fn unexpected(value: &wasmtime::component::Val) -> Misfit {
        let mut shown = format!("{value:?}");
        shown.truncate(shown.floor_char_boundary(80));
        Misfit::new(sqlstate::INTERNAL_ERROR, format!("unexpected value {shown}"))
    }
}

/// Where a value belongs, for messages.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    Parameter { routine: &'a str, parameter: &'a str },
    Result { routine: &'a str, column: &'a str },
}

impl Place<'_> {
    pub fn error(self, misfit: Misfit) -> Error {
        let place = match self {
            Place::Parameter { routine, parameter } => format!("parameter \"{parameter}\" of function \"{routine}\""),
            Place::Result { routine, column } if routine == column => format!("result of function \"{routine}\""),
            Place::Result { routine, column } => format!("column \"{column}\" of the result of function \"{routine}\""),
        };
        Error::new(misfit.sqlstate, format!("{place}: {}", misfit.why))
    }
}

/// Packed values: per value a big-endian i32 length (-1: NULL) and its bytes.
pub struct Packed<'a>(pub &'a [u8]);

impl<'a> Packed<'a> {
    pub fn value(&mut self) -> Result<Option<&'a [u8]>, Misfit> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or_else(|| Misfit::malformed("row"))?;
        let length = i32::from_be_bytes(*length);
        if length < 0 {
            self.0 = rest;
            return Ok(None);
        }
        let (value, rest) =
            rest.split_at_checked(length.unsigned_abs() as usize).ok_or_else(|| Misfit::malformed("row"))?;
        self.0 = rest;
        Ok(Some(value))
    }

    fn number(&mut self) -> Result<i32, Misfit> {
        let (number, rest) = self.0.split_first_chunk::<4>().ok_or_else(|| Misfit::malformed("row"))?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*number))
    }
}

/// Appends a value with its length in front, which `write` leaves to this function.
pub fn push_value<E: From<Misfit>>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out)?;
    let length = i32::try_from(out.len() - start - 4)
        .map_err(|_| Misfit::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "value is longer than 2 GiB"))?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

pub fn push_null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1i32).to_be_bytes());
}

/// The bytes of a value of fixed size.
pub fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Misfit> {
    bytes.try_into().map_err(|_| Misfit::malformed("value"))
}
