//! `age` and the `justify_…` functions.

use crate::error::{Error, Result};
use crate::functions::arguments::Arguments;
use crate::functions::datetime::{from_unix, session_zone};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use crate::types::datetime::{DAY, arithmetic, local_time};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("age", &[TIMESTAMP, TIMESTAMP], INTERVAL, age),
    function("age", &[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, age).stable(),
    function("age", &[TIMESTAMP], INTERVAL, age_today).stable(),
    function("age", &[TIMESTAMPTZ], INTERVAL, age_today).stable(),
    function("justify_hours", &[INTERVAL], INTERVAL, |_, arguments| {
        arithmetic::justify_hours(&arguments.interval(0)?).map(Value::Interval)
    }),
    function("justify_days", &[INTERVAL], INTERVAL, |_, arguments| {
        arithmetic::justify_days(&arguments.interval(0)?).map(Value::Interval)
    }),
    function("justify_interval", &[INTERVAL], INTERVAL, |_, arguments| {
        arithmetic::justify_interval(&arguments.interval(0)?).map(Value::Interval)
    }),
];

/// A timestamp as the session's local time.
fn local(context: &FunctionContext, value: &Value) -> Result<i64> {
    match value {
        Value::Timestamp(local) => Ok(*local),
        Value::Timestamptz(instant) => local_time(*instant, &session_zone(context)?),
        other => Err(Error::internal(format!("age takes timestamps, not {other:?}"))),
    }
}

fn age(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    arithmetic::age(local(context, &arguments[0])?, local(context, &arguments[1])?).map(Value::Interval)
}

/// Counted from midnight of the transaction's day.
fn age_today(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let now = local_time(from_unix(context.environment.transaction_time()), &session_zone(context)?)?;
    let midnight = now - now.rem_euclid(DAY);
    arithmetic::age(midnight, local(context, &arguments[0])?).map(Value::Interval)
}
