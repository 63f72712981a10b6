//! Division with remainder, divisors and factorials.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::operators::arithmetic::{Pair, pair, remainder};
use crate::functions::operators::range_error;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, numeric::Numeric};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("mod", &[SMALLINT, SMALLINT], SMALLINT, remainder),
    function("mod", &[INTEGER, INTEGER], INTEGER, remainder),
    function("mod", &[BIGINT, BIGINT], BIGINT, remainder),
    function("mod", &[NUMERIC, NUMERIC], NUMERIC, remainder),
    function("div", &[NUMERIC, NUMERIC], NUMERIC, div),
    function("gcd", &[INTEGER, INTEGER], INTEGER, gcd),
    function("gcd", &[BIGINT, BIGINT], BIGINT, gcd),
    function("gcd", &[NUMERIC, NUMERIC], NUMERIC, gcd),
    function("lcm", &[INTEGER, INTEGER], INTEGER, lcm),
    function("lcm", &[BIGINT, BIGINT], BIGINT, lcm),
    function("lcm", &[NUMERIC, NUMERIC], NUMERIC, lcm),
    function("factorial", &[BIGINT], NUMERIC, factorial),
];

fn div(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    arguments.numeric(0)?.div_trunc(arguments.numeric(1)?).map(Value::Numeric)
}

fn gcd_of_integers(left: i64, right: i64) -> u64 {
    let (mut left, mut right) = (left.unsigned_abs(), right.unsigned_abs());
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

fn gcd_of_numerics(left: &Numeric, right: &Numeric) -> Result<Numeric> {
    if !left.is_finite() || !right.is_finite() {
        return Ok(Numeric::NaN);
    }
    // With the larger scale of the two, as a sum has.
    let scale = i32::from(left.scale().max(right.scale()));
    let (mut left, mut right) = (left.abs(), right.abs());
    while !right.is_zero() {
        let rest = left.rem(&right)?;
        (left, right) = (right, rest);
    }
    Ok(left.round(scale))
}

fn gcd(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(match pair(arguments)? {
        Pair::Integer(left, right) => {
            let divisor = gcd_of_integers(i64::from(left), i64::from(right));
            Value::Integer(i32::try_from(divisor).map_err(|_| range_error::integer())?)
        }
        Pair::BigInt(left, right) => {
            Value::BigInt(i64::try_from(gcd_of_integers(left, right)).map_err(|_| range_error::bigint())?)
        }
        Pair::Numeric(left, right) => Value::Numeric(gcd_of_numerics(left, right)?),
        _ => return Err(Error::internal("gcd takes integers or numerics")),
    })
}

fn lcm(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let multiple = |left: i64, right: i64| -> Option<u64> {
        match gcd_of_integers(left, right) {
            0 => Some(0),
            divisor => (left.unsigned_abs() / divisor).checked_mul(right.unsigned_abs()),
        }
    };
    Ok(match pair(arguments)? {
        Pair::Integer(left, right) => {
            let found = multiple(i64::from(left), i64::from(right)).and_then(|found| i32::try_from(found).ok());
            Value::Integer(found.ok_or_else(range_error::integer)?)
        }
        Pair::BigInt(left, right) => {
            let found = multiple(left, right).and_then(|found| i64::try_from(found).ok());
            Value::BigInt(found.ok_or_else(range_error::bigint)?)
        }
        Pair::Numeric(left, right) => {
            let divisor = gcd_of_numerics(left, right)?;
            let scale = i32::from(left.scale().max(right.scale()));
            if divisor.is_zero() || divisor.is_nan() {
                return Ok(Value::Numeric(divisor));
            }
            Value::Numeric(left.div_trunc(&divisor)?.mul(right)?.abs().round(scale))
        }
        _ => return Err(Error::internal("lcm takes integers or numerics")),
    })
}

fn factorial(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let number = arguments.bigint(0)?;
    let out_of_range = |message: &str| Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, message);
    if number < 0 {
        return Err(out_of_range("factorial of a negative number is undefined"));
    }
    // 32178! has more digits than a numeric can.
    if number > 32_177 {
        return Err(out_of_range("value overflows numeric format"));
    }
    let mut product = Numeric::ONE;
    for factor in 2..=number {
        product = product.mul(&Numeric::from_i64(factor))?;
    }
    Ok(Value::Numeric(product))
}
