//! Prefix `+ - @` on numbers and intervals (PostgreSQL 15, section 9.3).

use super::range_error;
use crate::error::{Error, Result};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, interval::Interval};

macro_rules! signs {
    ($($type:ident)*) => {
        pub static OPERATORS: &[ScalarFunction] = &[
            $(
                function("+", &[$type], $type, same),
                function("-", &[$type], $type, negate),
                function("@", &[$type], $type, absolute),
            )*
            function("-", &[INTERVAL], INTERVAL, negate),
        ];
    };
}

signs!(SMALLINT INTEGER BIGINT REAL DOUBLE NUMERIC);

fn same(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    arguments.first().cloned().ok_or_else(not_a_number)
}

pub fn negate(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(match arguments {
        [Value::SmallInt(value)] => Value::SmallInt(value.checked_neg().ok_or_else(range_error::smallint)?),
        [Value::Integer(value)] => Value::Integer(value.checked_neg().ok_or_else(range_error::integer)?),
        [Value::BigInt(value)] => Value::BigInt(value.checked_neg().ok_or_else(range_error::bigint)?),
        [Value::Real(value)] => Value::Real(-value),
        [Value::Double(value)] => Value::Double(-value),
        [Value::Numeric(value)] => Value::Numeric(value.neg()),
        [Value::Interval(value)] => Value::Interval(Interval {
            months: value.months.checked_neg().ok_or_else(range_error::interval)?,
            days: value.days.checked_neg().ok_or_else(range_error::interval)?,
            microseconds: value.microseconds.checked_neg().ok_or_else(range_error::interval)?,
        }),
        _ => return Err(not_a_number()),
    })
}

/// Also the function `abs`.
pub fn absolute(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(match arguments {
        [Value::SmallInt(value)] => Value::SmallInt(value.checked_abs().ok_or_else(range_error::smallint)?),
        [Value::Integer(value)] => Value::Integer(value.checked_abs().ok_or_else(range_error::integer)?),
        [Value::BigInt(value)] => Value::BigInt(value.checked_abs().ok_or_else(range_error::bigint)?),
        [Value::Real(value)] => Value::Real(value.abs()),
        [Value::Double(value)] => Value::Double(value.abs()),
        [Value::Numeric(value)] => Value::Numeric(value.abs()),
        _ => return Err(not_a_number()),
    })
}

fn not_a_number() -> Error {
    Error::internal("a sign operator takes a number")
}
