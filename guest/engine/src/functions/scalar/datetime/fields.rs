//! `extract`, `date_part`, `date_trunc`, `date_bin`, `isfinite`.

use crate::error::{Error, Result};
use crate::functions::arguments::Arguments;
use crate::functions::datetime::session_zone;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::datetime::zone::Zone;
use crate::types::datetime::{arithmetic, date_to_timestamp, extract, is_finite_date, is_finite_timestamp, truncate};
use crate::types::{Value, numeric::Numeric};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("extract", &[TEXT, DATE], NUMERIC, extract_field),
    function("extract", &[TEXT, TIME], NUMERIC, extract_field),
    function("extract", &[TEXT, TIMETZ], NUMERIC, extract_field),
    function("extract", &[TEXT, TIMESTAMP], NUMERIC, extract_field),
    function("extract", &[TEXT, TIMESTAMPTZ], NUMERIC, extract_field).stable(),
    function("extract", &[TEXT, INTERVAL], NUMERIC, extract_field),
    function("date_part", &[TEXT, DATE], DOUBLE, date_part),
    function("date_part", &[TEXT, TIME], DOUBLE, date_part),
    function("date_part", &[TEXT, TIMETZ], DOUBLE, date_part),
    function("date_part", &[TEXT, TIMESTAMP], DOUBLE, date_part),
    function("date_part", &[TEXT, TIMESTAMPTZ], DOUBLE, date_part).stable(),
    function("date_part", &[TEXT, INTERVAL], DOUBLE, date_part),
    function("date_trunc", &[TEXT, TIMESTAMP], TIMESTAMP, date_trunc),
    function("date_trunc", &[TEXT, TIMESTAMPTZ], TIMESTAMPTZ, date_trunc).stable(),
    function("date_trunc", &[TEXT, TIMESTAMPTZ, TEXT], TIMESTAMPTZ, date_trunc).stable(),
    function("date_trunc", &[TEXT, INTERVAL], INTERVAL, date_trunc),
    function("date_bin", &[INTERVAL, TIMESTAMP, TIMESTAMP], TIMESTAMP, date_bin),
    function("date_bin", &[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ], TIMESTAMPTZ, date_bin),
    function("isfinite", &[DATE], BOOLEAN, isfinite),
    function("isfinite", &[TIMESTAMP], BOOLEAN, isfinite),
    function("isfinite", &[TIMESTAMPTZ], BOOLEAN, isfinite),
    function("isfinite", &[INTERVAL], BOOLEAN, isfinite),
];

fn field(context: &FunctionContext, arguments: &[Value]) -> Result<Option<Numeric>> {
    let name = arguments.text(0)?;
    match &arguments[1] {
        Value::Date(date) => extract::from_date(name, *date),
        Value::Time(time) => extract::from_time(name, *time),
        Value::TimeTz(time, offset) => extract::from_timetz(name, *time, *offset),
        Value::Timestamp(local) => extract::from_timestamp(name, *local),
        Value::Timestamptz(instant) => extract::from_timestamptz(name, *instant, &session_zone(context)?),
        Value::Interval(interval) => extract::from_interval(name, interval),
        other => Err(Error::internal(format!("extract takes a date or time, not {other:?}"))),
    }
}

fn extract_field(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(field(context, arguments)?.map_or(Value::Null, Value::Numeric))
}

/// Dates are taken as timestamps here: they have an hour, unlike for `extract`.
fn date_part(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if let [name, Value::Date(date)] = arguments {
        return date_part(context, &[name.clone(), Value::Timestamp(date_to_timestamp(*date)?)]);
    }
    Ok(field(context, arguments)?.map_or(Value::Null, |value| Value::Double(value.to_f64())))
}

fn date_trunc(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let name = arguments.text(0)?;
    match &arguments[1] {
        Value::Timestamp(local) => truncate::timestamp(name, *local).map(Value::Timestamp),
        Value::Timestamptz(instant) => {
            let zone =
                if arguments.len() > 2 { Zone::for_expression(arguments.text(2)?)? } else { session_zone(context)? };
            truncate::timestamptz(name, *instant, &zone).map(Value::Timestamptz)
        }
        Value::Interval(interval) => truncate::interval(name, interval).map(Value::Interval),
        other => Err(Error::internal(format!("date_trunc takes a timestamp or interval, not {other:?}"))),
    }
}

fn date_bin(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let stride = arguments.interval(0)?;
    match arguments {
        [_, Value::Timestamp(timestamp), Value::Timestamp(origin)] => {
            arithmetic::bin(&stride, *timestamp, *origin).map(Value::Timestamp)
        }
        [_, Value::Timestamptz(timestamp), Value::Timestamptz(origin)] => {
            arithmetic::bin(&stride, *timestamp, *origin).map(Value::Timestamptz)
        }
        _ => Err(Error::internal("date_bin takes timestamps")),
    }
}

fn isfinite(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(match &arguments[0] {
        Value::Date(date) => is_finite_date(*date),
        Value::Timestamp(timestamp) | Value::Timestamptz(timestamp) => is_finite_timestamp(*timestamp),
        _ => true,
    }))
}
