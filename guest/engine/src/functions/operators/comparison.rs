//! `= <> < <= > >=` (PostgreSQL 15, section 9.2), across types where PostgreSQL compares them without a cast.

use crate::error::{Error, Result};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, interval::Interval};
use std::cmp::Ordering;

mod column;

macro_rules! comparisons {
    ($($left:ident $right:ident;)*) => {
        &[$(
            function("=", &[$left, $right], BOOLEAN, equal).columns(column::equal),
            function("<>", &[$left, $right], BOOLEAN, not_equal).columns(column::not_equal),
            function("<", &[$left, $right], BOOLEAN, less).columns(column::less),
            function("<=", &[$left, $right], BOOLEAN, less_or_equal).columns(column::less_or_equal),
            function(">", &[$left, $right], BOOLEAN, greater).columns(column::greater),
            function(">=", &[$left, $right], BOOLEAN, greater_or_equal).columns(column::greater_or_equal),
        )*]
    };
}

pub static OPERATORS: &[ScalarFunction] = comparisons! {
    BOOLEAN BOOLEAN;
    SMALLINT SMALLINT;
    SMALLINT INTEGER;
    SMALLINT BIGINT;
    INTEGER SMALLINT;
    INTEGER INTEGER;
    INTEGER BIGINT;
    BIGINT SMALLINT;
    BIGINT INTEGER;
    BIGINT BIGINT;
    REAL REAL;
    REAL DOUBLE;
    DOUBLE REAL;
    DOUBLE DOUBLE;
    NUMERIC NUMERIC;
    TEXT TEXT;
    NAME NAME;
    NAME TEXT;
    TEXT NAME;
    INTERNAL_CHAR INTERNAL_CHAR;
    BYTEA BYTEA;
    UUID UUID;
    DATE DATE;
    DATE TIMESTAMP;
    TIMESTAMP DATE;
    TIME TIME;
    TIMETZ TIMETZ;
    TIMESTAMP TIMESTAMP;
    TIMESTAMPTZ TIMESTAMPTZ;
    INTERVAL INTERVAL;
    JSONB JSONB;
    OID OID;
    RECORD RECORD;
    ANY_ARRAY ANY_ARRAY;
};

macro_rules! comparison {
    ($($name:ident $ordering:ident => $test:expr;)*) => {
        $(pub fn $name(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
            let [left, right] = arguments else { return Err(Error::internal("a comparison takes two arguments")) };
            Ok(match compare(left, right)? {
                Some($ordering) => Value::Boolean($test),
                None => Value::Null,
            })
        })*
    };
}

comparison! {
    equal ordering => ordering.is_eq();
    not_equal ordering => ordering.is_ne();
    less ordering => ordering.is_lt();
    less_or_equal ordering => ordering.is_le();
    greater ordering => ordering.is_gt();
    greater_or_equal ordering => ordering.is_ge();
}

/// None where the answer is NULL.
pub fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>> {
    use Value::*;
    Ok(Some(match (left, right) {
        (Boolean(left), Boolean(right)) => left.cmp(right),
        (SmallInt(left), SmallInt(right)) => left.cmp(right),
        (Integer(left), Integer(right)) => left.cmp(right),
        (BigInt(left), BigInt(right)) => left.cmp(right),
        (SmallInt(left), Integer(right)) => i32::from(*left).cmp(right),
        (Integer(left), SmallInt(right)) => left.cmp(&i32::from(*right)),
        (SmallInt(left), BigInt(right)) => i64::from(*left).cmp(right),
        (BigInt(left), SmallInt(right)) => left.cmp(&i64::from(*right)),
        (Integer(left), BigInt(right)) => i64::from(*left).cmp(right),
        (BigInt(left), Integer(right)) => left.cmp(&i64::from(*right)),
        (Real(left), Real(right)) => compare_floats(f64::from(*left), f64::from(*right)),
        (Real(left), Double(right)) => compare_floats(f64::from(*left), *right),
        (Double(left), Real(right)) => compare_floats(*left, f64::from(*right)),
        (Double(left), Double(right)) => compare_floats(*left, *right),
        (Text(left), Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Bytea(left), Bytea(right)) => left.cmp(right),
        (Uuid(left), Uuid(right)) => left.cmp(right),
        (Date(left), Date(right)) => left.cmp(right),
        (Time(left), Time(right)) | (Timestamp(left), Timestamp(right)) | (Timestamptz(left), Timestamptz(right)) => {
            left.cmp(right)
        }
        (Date(left), Timestamp(right)) => date_as_timestamp(*left).cmp(&i128::from(*right)),
        (Timestamp(left), Date(right)) => i128::from(*left).cmp(&date_as_timestamp(*right)),
        (Interval(left), Interval(right)) => interval_length(left).cmp(&interval_length(right)),
        (Oid(left), Oid(right)) => left.cmp(right),
        _ => return Err(Error::not_supported("comparison of these types")),
    }))
}

/// NaN is equal to itself and greater than all else.
pub fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// Microseconds; wide, because dates reach further than timestamps. Infinite dates are as far as infinite timestamps.
pub fn date_as_timestamp(days: i32) -> i128 {
    match days {
        i32::MIN => i128::from(i64::MIN),
        i32::MAX => i128::from(i64::MAX),
        _ => i128::from(days) * 86_400_000_000,
    }
}

/// Microseconds, a month taken for 30 days and a day for 24 hours.
pub fn interval_length(interval: &Interval) -> i128 {
    let days = i128::from(interval.months) * 30 + i128::from(interval.days);
    days * 86_400_000_000 + i128::from(interval.microseconds)
}
