//! What time it is.

use crate::error::Result;
use crate::functions::datetime::{from_unix, session_zone};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use crate::types::datetime::{DAY, SECOND, local_time, timestamp_to_date};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("now", &[], TIMESTAMPTZ, transaction_timestamp).stable(),
    function("transaction_timestamp", &[], TIMESTAMPTZ, transaction_timestamp).stable(),
    function("current_timestamp", &[], TIMESTAMPTZ, transaction_timestamp).stable(),
    function("statement_timestamp", &[], TIMESTAMPTZ, statement_timestamp).stable(),
    function("clock_timestamp", &[], TIMESTAMPTZ, clock_timestamp).volatile(),
    function("current_date", &[], DATE, current_date).stable(),
    function("current_time", &[], TIMETZ, current_time).stable(),
    function("localtime", &[], TIME, localtime).stable(),
    function("localtimestamp", &[], TIMESTAMP, localtimestamp).stable(),
];

fn transaction_instant(context: &FunctionContext) -> i64 {
    from_unix(context.environment.transaction_time())
}

fn transaction_timestamp(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Timestamptz(transaction_instant(context)))
}

fn statement_timestamp(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Timestamptz(from_unix(context.environment.statement_time())))
}

fn clock_timestamp(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Timestamptz(from_unix(context.environment.clock_time())))
}

fn local_now(context: &FunctionContext) -> Result<i64> {
    local_time(transaction_instant(context), &session_zone(context)?)
}

fn current_date(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Date(timestamp_to_date(local_now(context)?)))
}

fn current_time(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    let local = local_now(context)?;
    let offset = (local - transaction_instant(context)) / SECOND;
    Ok(Value::TimeTz(local.rem_euclid(DAY), offset as i32))
}

fn localtime(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Time(local_now(context)?.rem_euclid(DAY)))
}

fn localtimestamp(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Timestamp(local_now(context)?))
}
