//! `width_bucket`.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::operators::range_error;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, compare, numeric::Numeric};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("width_bucket", &[DOUBLE, DOUBLE, DOUBLE, INTEGER], INTEGER, of_doubles),
    function("width_bucket", &[NUMERIC, NUMERIC, NUMERIC, INTEGER], INTEGER, of_numerics),
    function("width_bucket", &[ANY_COMPATIBLE, ANY_COMPATIBLE_ARRAY], INTEGER, of_thresholds),
];

fn invalid(message: &str) -> Error {
    Error::new(sqlstate::INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, message)
}

fn check_count(count: i32) -> Result<i32> {
    if count <= 0 { Err(invalid("count must be greater than zero")) } else { Ok(count) }
}

fn of_doubles(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (operand, low, high) = (arguments.double(0)?, arguments.double(1)?, arguments.double(2)?);
    let count = check_count(arguments.integer(3)?)?;
    if operand.is_nan() || low.is_nan() || high.is_nan() {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(invalid("lower and upper bounds must be finite"));
    }
    let beyond = || count.checked_add(1).ok_or_else(range_error::integer);
    let bucket = |distance: f64, width: f64| ((f64::from(count) * (distance / width)) as i32).min(count - 1) + 1;
    Ok(Value::Integer(if low < high {
        match operand {
            _ if operand < low => 0,
            _ if operand >= high => beyond()?,
            _ => bucket(operand - low, high - low),
        }
    } else if low > high {
        match operand {
            _ if operand > low => 0,
            _ if operand <= high => beyond()?,
            _ => bucket(low - operand, low - high),
        }
    } else {
        return Err(invalid("lower bound cannot equal upper bound"));
    }))
}

fn of_numerics(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (operand, low, high) = (arguments.numeric(0)?, arguments.numeric(1)?, arguments.numeric(2)?);
    let count = check_count(arguments.integer(3)?)?;
    if operand.is_nan() || low.is_nan() || high.is_nan() {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(invalid("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    let ascending = low < high;
    let (below, beyond) = if ascending { (operand < low, operand >= high) } else { (operand > low, operand <= high) };
    Ok(Value::Integer(if below {
        0
    } else if beyond {
        count.checked_add(1).ok_or_else(range_error::integer)?
    } else {
        let product = operand.sub(low)?.mul(&Numeric::from_i64(i64::from(count)))?;
        let bucket = product.div_trunc(&high.sub(low)?)?.to_i64().unwrap_or(0) + 1;
        i32::try_from(bucket).map_err(|_| range_error::integer())?
    }))
}

/// How many of the ascending thresholds are not greater than the operand.
fn of_thresholds(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let thresholds = arguments.array(1)?;
    if thresholds.dimensions.len() > 1 {
        return Err(Error::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, "thresholds must be one-dimensional array"));
    }
    if thresholds.values.iter().any(Value::is_null) {
        return Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs"));
    }
    let position = thresholds.values.partition_point(|threshold| compare::compare(threshold, &arguments[0]).is_le());
    Ok(Value::Integer(position as i32))
}
