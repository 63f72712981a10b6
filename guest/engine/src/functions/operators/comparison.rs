//! `= <> < <= > >=` (PostgreSQL 15, section 9.2), across types where PostgreSQL compares them without a cast.

use crate::error::{Error, Result};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Column, DataType, Value, compare};
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
            let $ordering = compare(left, right);
            Ok(Value::Boolean($test))
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

/// The order of two values, also of the pairs of types that compare without a cast.
fn compare(left: &Value, right: &Value) -> Ordering {
    use Value::*;
    match (left, right) {
        (SmallInt(left), Integer(right)) => i32::from(*left).cmp(right),
        (Integer(left), SmallInt(right)) => left.cmp(&i32::from(*right)),
        (SmallInt(left), BigInt(right)) => i64::from(*left).cmp(right),
        (BigInt(left), SmallInt(right)) => left.cmp(&i64::from(*right)),
        (Integer(left), BigInt(right)) => i64::from(*left).cmp(right),
        (BigInt(left), Integer(right)) => left.cmp(&i64::from(*right)),
        (Real(left), Double(right)) => compare::compare_floats(f64::from(*left), *right),
        (Double(left), Real(right)) => compare::compare_floats(*left, f64::from(*right)),
        (Date(left), Timestamp(right)) => date_as_timestamp(*left).cmp(&i128::from(*right)),
        (Timestamp(left), Date(right)) => i128::from(*left).cmp(&date_as_timestamp(*right)),
        _ => compare::compare(left, right),
    }
}

/// Microseconds; wide, because dates reach further than timestamps. Infinite dates are as far as infinite timestamps.
fn date_as_timestamp(days: i32) -> i128 {
    match days {
        i32::MIN => i128::from(i64::MIN),
        i32::MAX => i128::from(i64::MAX),
        _ => i128::from(days) * 86_400_000_000,
    }
}

fn padded(left: &Value, right: &Value) -> Ordering {
    compare::compare_as(DataType::Char, left, right)
}

macro_rules! padded_comparison {
    ($($symbol:literal $row:ident $columns:ident $ordering:ident => $test:expr;)*) => {
        /// char(n): blanks at the end do not count.
        pub static PADDED_OPERATORS: &[ScalarFunction] = &[$(
            function($symbol, &[CHAR, CHAR], BOOLEAN, $row).columns($columns),
        )*];

        $(
            fn $row(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
                let $ordering = padded(&arguments[0], &arguments[1]);
                Ok(Value::Boolean($test))
            }

            fn $columns(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
                column::padded(columns, |$ordering| $test)
            }
        )*
    };
}

padded_comparison! {
    "=" equal_padded equal_padded_columns ordering => ordering.is_eq();
    "<>" not_equal_padded not_equal_padded_columns ordering => ordering.is_ne();
    "<" less_padded less_padded_columns ordering => ordering.is_lt();
    "<=" less_or_equal_padded less_or_equal_padded_columns ordering => ordering.is_le();
    ">" greater_padded greater_padded_columns ordering => ordering.is_gt();
    ">=" greater_or_equal_padded greater_or_equal_padded_columns ordering => ordering.is_ge();
}

/// Comparison by bytes, whatever the collation: with the C collation the same as the plain operators.
pub static PATTERN_OPERATORS: &[ScalarFunction] = &[
    function("~<~", &[TEXT, TEXT], BOOLEAN, less).columns(column::less),
    function("~<=~", &[TEXT, TEXT], BOOLEAN, less_or_equal).columns(column::less_or_equal),
    function("~>~", &[TEXT, TEXT], BOOLEAN, greater).columns(column::greater),
    function("~>=~", &[TEXT, TEXT], BOOLEAN, greater_or_equal).columns(column::greater_or_equal),
];
