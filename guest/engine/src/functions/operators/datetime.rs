//! `+ - * /` on dates, times and intervals, and comparisons across zones (PostgreSQL 15, section 9.9).

mod column;

use crate::error::{Error, Result};
use crate::functions::arguments::Arguments;
use crate::functions::datetime::session_zone;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::datetime::arithmetic::*;
use crate::types::datetime::{self, DAY};
use crate::types::{Value, interval::Interval};
use std::cmp::Ordering;

macro_rules! operators {
    ($($symbol:literal $left:ident $right:ident $result:ident $evaluate:ident $($columns:ident)?;)*) => {
        pub static OPERATORS: &[ScalarFunction] =
            &[$(function($symbol, &[$left, $right], $result, $evaluate)$(.columns(column::$columns))?),*];
    };
}

operators! {
    "+" DATE INTEGER DATE date_plus_days plus_days;
    "+" INTEGER DATE DATE date_plus_days plus_days;
    "-" DATE INTEGER DATE date_minus_days minus_days;
    "-" DATE DATE INTEGER date_minus_date difference;
    "+" DATE INTERVAL TIMESTAMP plus_interval plus_interval;
    "+" INTERVAL DATE TIMESTAMP plus_interval plus_interval;
    "-" DATE INTERVAL TIMESTAMP minus_interval minus_interval;
    "+" DATE TIME TIMESTAMP date_plus_time;
    "+" TIME DATE TIMESTAMP date_plus_time;
    "+" DATE TIMETZ TIMESTAMPTZ date_plus_time;
    "+" TIMETZ DATE TIMESTAMPTZ date_plus_time;
    "+" TIME INTERVAL TIME plus_interval;
    "+" INTERVAL TIME TIME plus_interval;
    "-" TIME INTERVAL TIME minus_interval;
    "+" TIMETZ INTERVAL TIMETZ plus_interval;
    "+" INTERVAL TIMETZ TIMETZ plus_interval;
    "-" TIMETZ INTERVAL TIMETZ minus_interval;
    "-" TIME TIME INTERVAL time_minus_time;
    "+" TIMESTAMP INTERVAL TIMESTAMP plus_interval plus_interval;
    "+" INTERVAL TIMESTAMP TIMESTAMP plus_interval plus_interval;
    "-" TIMESTAMP INTERVAL TIMESTAMP minus_interval minus_interval;
    "-" TIMESTAMP TIMESTAMP INTERVAL timestamp_minus_timestamp difference;
    "-" TIMESTAMPTZ TIMESTAMPTZ INTERVAL timestamp_minus_timestamp difference;
    "+" INTERVAL INTERVAL INTERVAL plus_interval;
    "-" INTERVAL INTERVAL INTERVAL minus_interval;
    "*" DOUBLE INTERVAL INTERVAL interval_times_number;
    "*" INTERVAL DOUBLE INTERVAL interval_times_number;
    "/" INTERVAL DOUBLE INTERVAL interval_over_number;
}

/// With the session's zone: a day is as long as it is there.
pub static ZONED_OPERATORS: &[ScalarFunction] = &[
    function("+", &[TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, plus_interval).stable().columns(column::plus_interval),
    function("+", &[INTERVAL, TIMESTAMPTZ], TIMESTAMPTZ, plus_interval).stable().columns(column::plus_interval),
    function("-", &[TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, minus_interval).stable().columns(column::minus_interval),
];

macro_rules! zoned_comparisons {
    ($($symbol:literal $name:ident $test:ident;)*) => {
        pub static ZONED_COMPARISONS: &[ScalarFunction] = &[$(
            function($symbol, &[DATE, TIMESTAMPTZ], BOOLEAN, $name).stable(),
            function($symbol, &[TIMESTAMPTZ, DATE], BOOLEAN, $name).stable(),
            function($symbol, &[TIMESTAMP, TIMESTAMPTZ], BOOLEAN, $name).stable(),
            function($symbol, &[TIMESTAMPTZ, TIMESTAMP], BOOLEAN, $name).stable(),
        )*];

        $(fn $name(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
            Ok(Value::Boolean(compare_instants(context, arguments)?.$test()))
        })*
    };
}

zoned_comparisons! {
    "=" equal is_eq;
    "<>" not_equal is_ne;
    "<" less is_lt;
    "<=" less_or_equal is_le;
    ">" greater is_gt;
    ">=" greater_or_equal is_ge;
}

fn compare_instants(context: &FunctionContext, arguments: &[Value]) -> Result<Ordering> {
    let [left, right] = arguments else { return Err(mismatch(arguments)) };
    let zone = session_zone(context)?;
    // What lies beyond the timestamps' range is on that side of every timestamp.
    let instant = |value: &Value| -> Result<i64> {
        Ok(match value {
            Value::Timestamptz(instant) => *instant,
            Value::Timestamp(local) => datetime::timestamp_to_timestamptz(*local, &zone).unwrap_or(if *local < 0 {
                i64::MIN + 1
            } else {
                i64::MAX - 1
            }),
            Value::Date(date) => datetime::date_to_timestamptz(*date, &zone).unwrap_or(if *date < 0 {
                i64::MIN + 1
            } else {
                i64::MAX - 1
            }),
            _ => return Err(mismatch(arguments)),
        })
    };
    Ok(instant(left)?.cmp(&instant(right)?))
}

fn mismatch(arguments: &[Value]) -> Error {
    Error::internal(format!("dates or times expected, not {arguments:?}"))
}

fn date_plus_days(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Date(date), Value::Integer(days)] | [Value::Integer(days), Value::Date(date)] => {
            add_to_date(*date, i64::from(*days)).map(Value::Date)
        }
        _ => Err(mismatch(arguments)),
    }
}

fn date_minus_days(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    add_to_date(arguments.date(0)?, -i64::from(arguments.integer(1)?)).map(Value::Date)
}

fn date_minus_date(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    date_difference(arguments.date(0)?, arguments.date(1)?).map(Value::Integer)
}

fn plus_interval(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Interval(left), Value::Interval(right)] => add_intervals(left, right).map(Value::Interval),
        [moved, Value::Interval(interval)] | [Value::Interval(interval), moved] => add(context, moved, interval),
        _ => Err(mismatch(arguments)),
    }
}

fn minus_interval(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Interval(left), Value::Interval(right)] => subtract_intervals(left, right).map(Value::Interval),
        [moved, Value::Interval(interval)] => add(context, moved, &negate_interval(interval)?),
        _ => Err(mismatch(arguments)),
    }
}

fn add(context: &FunctionContext, moved: &Value, interval: &Interval) -> Result<Value> {
    match moved {
        Value::Date(date) => add_to_timestamp(datetime::date_to_timestamp(*date)?, interval).map(Value::Timestamp),
        Value::Time(time) => Ok(Value::Time(add_to_time(*time, interval))),
        Value::TimeTz(time, offset) => Ok(Value::TimeTz(add_to_time(*time, interval), *offset)),
        Value::Timestamp(timestamp) => add_to_timestamp(*timestamp, interval).map(Value::Timestamp),
        Value::Timestamptz(instant) => {
            add_to_timestamptz(*instant, interval, &session_zone(context)?).map(Value::Timestamptz)
        }
        other => Err(mismatch(std::slice::from_ref(other))),
    }
}

fn date_plus_time(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (date, time) = match arguments {
        [Value::Date(date), time] | [time, Value::Date(date)] => (*date, time),
        _ => return Err(mismatch(arguments)),
    };
    let midnight = datetime::date_to_timestamp(date)?;
    let plus = |microseconds: i64| -> Result<i64> {
        if !datetime::is_finite_timestamp(midnight) {
            return Ok(midnight);
        }
        // A time and its zone's offset are less than three days.
        add_to_timestamp(midnight, &Interval { months: 0, days: 0, microseconds })
    };
    match time {
        Value::Time(time) => plus(*time).map(Value::Timestamp),
        Value::TimeTz(time, offset) => plus(time - i64::from(*offset) * datetime::SECOND).map(Value::Timestamptz),
        _ => Err(mismatch(arguments)),
    }
}

fn time_minus_time(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let microseconds = arguments.time(0)? - arguments.time(1)?;
    debug_assert!(microseconds.abs() <= DAY);
    Ok(Value::Interval(Interval { months: 0, days: 0, microseconds }))
}

fn timestamp_minus_timestamp(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Timestamp(left), Value::Timestamp(right)] | [Value::Timestamptz(left), Value::Timestamptz(right)] => {
            timestamp_difference(*left, *right).map(Value::Interval)
        }
        _ => Err(mismatch(arguments)),
    }
}

fn interval_times_number(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Interval(interval), Value::Double(factor)] | [Value::Double(factor), Value::Interval(interval)] => {
            multiply_interval(interval, *factor).map(Value::Interval)
        }
        _ => Err(mismatch(arguments)),
    }
}

fn interval_over_number(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    divide_interval(&arguments.interval(0)?, arguments.double(1)?).map(Value::Interval)
}
