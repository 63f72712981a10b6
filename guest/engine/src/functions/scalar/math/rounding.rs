//! Rounding, signs and scales.

use crate::error::{Error, Result};
use crate::functions::arguments::Arguments;
use crate::functions::operators::sign::absolute;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, numeric::Numeric};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("abs", &[SMALLINT], SMALLINT, absolute),
    function("abs", &[INTEGER], INTEGER, absolute),
    function("abs", &[BIGINT], BIGINT, absolute),
    function("abs", &[REAL], REAL, absolute),
    function("abs", &[DOUBLE], DOUBLE, absolute),
    function("abs", &[NUMERIC], NUMERIC, absolute),
    function("ceil", &[DOUBLE], DOUBLE, ceil),
    function("ceil", &[NUMERIC], NUMERIC, ceil),
    function("ceiling", &[DOUBLE], DOUBLE, ceil),
    function("ceiling", &[NUMERIC], NUMERIC, ceil),
    function("floor", &[DOUBLE], DOUBLE, floor),
    function("floor", &[NUMERIC], NUMERIC, floor),
    function("round", &[DOUBLE], DOUBLE, round),
    function("round", &[NUMERIC], NUMERIC, round),
    function("round", &[NUMERIC, INTEGER], NUMERIC, round),
    function("trunc", &[DOUBLE], DOUBLE, trunc),
    function("trunc", &[NUMERIC], NUMERIC, trunc),
    function("trunc", &[NUMERIC, INTEGER], NUMERIC, trunc),
    function("sign", &[DOUBLE], DOUBLE, sign),
    function("sign", &[NUMERIC], NUMERIC, sign),
    function("scale", &[NUMERIC], INTEGER, scale),
    function("min_scale", &[NUMERIC], INTEGER, min_scale),
    function("trim_scale", &[NUMERIC], NUMERIC, trim_scale),
];

fn not_a_number(arguments: &[Value]) -> Error {
    Error::internal(format!("a number expected, not {arguments:?}"))
}

fn ceil(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(value.ceil())),
        [Value::Numeric(value)] => Ok(Value::Numeric(value.ceil())),
        _ => Err(not_a_number(arguments)),
    }
}

fn floor(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(value.floor())),
        [Value::Numeric(value)] => Ok(Value::Numeric(value.floor())),
        _ => Err(not_a_number(arguments)),
    }
}

/// Halves of doubles go to the even neighbour, those of numerics away from zero.
fn round(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(value.round_ties_even())),
        [Value::Numeric(value)] => Ok(Value::Numeric(value.round(0))),
        [Value::Numeric(value), Value::Integer(digits)] => Ok(Value::Numeric(value.round(*digits))),
        _ => Err(not_a_number(arguments)),
    }
}

fn trunc(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(value.trunc())),
        [Value::Numeric(value)] => Ok(Value::Numeric(value.trunc(0))),
        [Value::Numeric(value), Value::Integer(digits)] => Ok(Value::Numeric(value.trunc(*digits))),
        _ => Err(not_a_number(arguments)),
    }
}

fn sign(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] if *value == 0.0 || value.is_nan() => Ok(Value::Double(0.0)),
        [Value::Double(value)] => Ok(Value::Double(value.signum())),
        [Value::Numeric(Numeric::NaN)] => Ok(Value::Numeric(Numeric::NaN)),
        [Value::Numeric(value)] => Ok(Value::Numeric(Numeric::from_i64(i64::from(value.signum())))),
        _ => Err(not_a_number(arguments)),
    }
}

fn scale(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let value = arguments.numeric(0)?;
    Ok(if value.is_finite() { Value::Integer(i32::from(value.scale())) } else { Value::Null })
}

fn min_scale(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let value = arguments.numeric(0)?;
    Ok(if value.is_finite() { Value::Integer(i32::from(value.min_scale())) } else { Value::Null })
}

fn trim_scale(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Numeric(arguments.numeric(0)?.trim_scale()))
}
