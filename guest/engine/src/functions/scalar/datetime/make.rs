//! Dates and times from their parts.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::datetime::{from_unix, session_zone};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use crate::types::datetime::zone::Zone;
use crate::types::datetime::{make, timestamp_to_timestamptz};
use crate::types::text::float::significant_digits;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("make_date", &[INTEGER, INTEGER, INTEGER], DATE, make_date),
    function("make_time", &[INTEGER, INTEGER, DOUBLE], TIME, make_time),
    function("make_timestamp", &[INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE], TIMESTAMP, make_timestamp),
    function("make_timestamptz", &[INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE], TIMESTAMPTZ, make_timestamptz)
        .stable(),
    function(
        "make_timestamptz",
        &[INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE, TEXT],
        TIMESTAMPTZ,
        make_timestamptz,
    )
    .stable(),
    function("make_interval", &[], INTERVAL, make_interval),
    function("make_interval", &[INTEGER], INTERVAL, make_interval),
    function("make_interval", &[INTEGER, INTEGER], INTERVAL, make_interval),
    function("make_interval", &[INTEGER, INTEGER, INTEGER], INTERVAL, make_interval),
    function("make_interval", &[INTEGER, INTEGER, INTEGER, INTEGER], INTERVAL, make_interval),
    function("make_interval", &[INTEGER, INTEGER, INTEGER, INTEGER, INTEGER], INTERVAL, make_interval),
    function("make_interval", &[INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER], INTERVAL, make_interval),
    function("make_interval", &[INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE], INTERVAL, make_interval),
    function("to_timestamp", &[DOUBLE], TIMESTAMPTZ, to_timestamp),
];

fn make_date(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    make::date(arguments.integer(0)?, arguments.integer(1)?, arguments.integer(2)?).map(Value::Date)
}

fn make_time(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    make::time(arguments.integer(0)?, arguments.integer(1)?, arguments.double(2)?).map(Value::Time)
}

fn local(arguments: &[Value]) -> Result<i64> {
    make::timestamp(
        arguments.integer(0)?,
        arguments.integer(1)?,
        arguments.integer(2)?,
        arguments.integer(3)?,
        arguments.integer(4)?,
        arguments.double(5)?,
    )
}

fn make_timestamp(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    local(arguments).map(Value::Timestamp)
}

fn make_timestamptz(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let zone = if arguments.len() > 6 { Zone::for_expression(arguments.text(6)?)? } else { session_zone(context)? };
    timestamp_to_timestamptz(local(arguments)?, &zone).map(Value::Timestamptz)
}

/// Parts that are left out at the end are 0.
fn make_interval(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut parts = [0; 6];
    for (index, part) in parts.iter_mut().enumerate().take(arguments.len()) {
        *part = arguments.integer(index)?;
    }
    let seconds = if arguments.len() > 6 { arguments.double(6)? } else { 0.0 };
    make::interval(parts, seconds).map(Value::Interval)
}

/// Of seconds since 1970-01-01 UTC.
fn to_timestamp(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let seconds = arguments.double(0)?;
    if seconds.is_nan() {
        return Err(Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "timestamp cannot be NaN"));
    }
    if seconds.is_infinite() {
        return Ok(Value::Timestamptz(if seconds > 0.0 { i64::MAX } else { i64::MIN }));
    }
    let shifted = seconds + from_unix(0) as f64 / 1_000_000.0;
    let microseconds = (shifted * 1_000_000.0).round_ties_even();
    // From 4714 BC to the end of the year 294276.
    if !(-211_813_488_000_000_000.0..9_223_371_331_200_000_000.0).contains(&microseconds) {
        let spelled = significant_digits(seconds, 6).replacen('e', "e+", 1);
        return Err(Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("timestamp out of range: \"{spelled}\"")));
    }
    Ok(Value::Timestamptz(microseconds as i64))
}
