//! Powers, roots, exponentials and logarithms.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::operators::range_error;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("power", &[DOUBLE, DOUBLE], DOUBLE, power),
    function("power", &[NUMERIC, NUMERIC], NUMERIC, power),
    function("pow", &[DOUBLE, DOUBLE], DOUBLE, power),
    function("pow", &[NUMERIC, NUMERIC], NUMERIC, power),
    function("sqrt", &[DOUBLE], DOUBLE, sqrt),
    function("sqrt", &[NUMERIC], NUMERIC, sqrt),
    function("cbrt", &[DOUBLE], DOUBLE, cbrt),
    function("exp", &[DOUBLE], DOUBLE, exp),
    function("exp", &[NUMERIC], NUMERIC, exp),
    function("ln", &[DOUBLE], DOUBLE, ln),
    function("ln", &[NUMERIC], NUMERIC, ln),
    function("log", &[DOUBLE], DOUBLE, log10),
    function("log", &[NUMERIC], NUMERIC, log10),
    function("log", &[NUMERIC, NUMERIC], NUMERIC, log),
    function("log10", &[DOUBLE], DOUBLE, log10),
    function("log10", &[NUMERIC], NUMERIC, log10),
];

fn logarithm_error(what: &str) -> Error {
    Error::new(sqlstate::INVALID_ARGUMENT_FOR_LOGARITHM, format!("cannot take logarithm of {what}"))
}

/// Fails with 2201F where the result is not a real number, with 22003 where it is out of range.
pub fn power(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(base), Value::Double(exponent)] => double_power(*base, *exponent).map(Value::Double),
        _ => arguments.numeric(0)?.power(arguments.numeric(1)?).map(Value::Numeric),
    }
}

fn double_power(base: f64, exponent: f64) -> Result<f64> {
    if base == 1.0 || exponent == 0.0 {
        return Ok(1.0);
    }
    if base.is_nan() || exponent.is_nan() {
        return Ok(f64::NAN);
    }
    let invalid = |message: &str| Error::new(sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION, message);
    if base == 0.0 && exponent < 0.0 {
        return Err(invalid("zero raised to a negative power is undefined"));
    }
    if base < 0.0 && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(invalid("a negative number raised to a non-integer power yields a complex result"));
    }
    let result = base.powf(exponent);
    if base.is_finite() && exponent.is_finite() {
        if result.is_infinite() {
            return Err(range_error::overflow());
        }
        if result == 0.0 && base != 0.0 {
            return Err(range_error::underflow());
        }
    }
    Ok(result)
}

/// Fails with 2201F for negative numbers.
pub fn sqrt(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] if *value < 0.0 => Err(Error::new(
            sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "cannot take square root of a negative number",
        )),
        [Value::Double(value)] => Ok(Value::Double(value.sqrt())),
        _ => arguments.numeric(0)?.sqrt().map(Value::Numeric),
    }
}

pub fn cbrt(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Double(arguments.double(0)?.cbrt()))
}

fn exp(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let [Value::Double(value)] = arguments else {
        return arguments.numeric(0)?.exp().map(Value::Numeric);
    };
    let result = value.exp();
    if value.is_finite() && result.is_infinite() {
        return Err(range_error::overflow());
    }
    if value.is_finite() && result == 0.0 {
        return Err(range_error::underflow());
    }
    Ok(Value::Double(result))
}

fn check_logarithm(value: f64) -> Result<f64> {
    if value == 0.0 {
        return Err(logarithm_error("zero"));
    }
    if value < 0.0 {
        return Err(logarithm_error("a negative number"));
    }
    Ok(value)
}

fn ln(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(check_logarithm(*value)?.ln())),
        _ => arguments.numeric(0)?.ln().map(Value::Numeric),
    }
}

fn log10(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(check_logarithm(*value)?.log10())),
        _ => arguments.numeric(0)?.log10().map(Value::Numeric),
    }
}

/// The base comes first.
fn log(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    arguments.numeric(1)?.log(arguments.numeric(0)?).map(Value::Numeric)
}
