//! Angles: in radians, and in degrees with exact results at the multiples of 30 and 45 where they are.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::operators::range_error;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;

/// PostgreSQL divides by it, and multiplies with it: the last digit depends on that.
const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;

macro_rules! angles {
    ($($name:literal $compute:expr;)*) => {
        pub static FUNCTIONS: &[ScalarFunction] = &[
            function("pi", &[], DOUBLE, |_, _| Ok(Value::Double(std::f64::consts::PI))),
            function("atan2", &[DOUBLE, DOUBLE], DOUBLE, atan2),
            function("atan2d", &[DOUBLE, DOUBLE], DOUBLE, atan2d),
            $(function($name, &[DOUBLE], DOUBLE, |_, arguments| {
                let compute: fn(f64) -> Result<f64> = $compute;
                compute(arguments.double(0)?).map(Value::Double)
            }),)*
        ];
    };
}

angles! {
    "degrees" |value| finite(value / RADIANS_PER_DEGREE, value);
    "radians" |value| Ok(value * RADIANS_PER_DEGREE);
    "sin" |value| Ok(not_infinite(value)?.sin());
    "cos" |value| Ok(not_infinite(value)?.cos());
    "tan" |value| Ok(not_infinite(value)?.tan());
    "cot" |value| Ok(1.0 / not_infinite(value)?.tan());
    "asin" |value| Ok(within_one(value)?.asin());
    "acos" |value| Ok(within_one(value)?.acos());
    "atan" |value| Ok(value.atan());
    "sinh" |value| Ok(value.sinh());
    "cosh" |value| Ok(value.cosh());
    "tanh" |value| Ok(value.tanh());
    "asinh" |value| Ok(value.asinh());
    "acosh" |value| if value < 1.0 { Err(out_of_range()) } else { Ok(value.acosh()) };
    "atanh" |value| Ok(within_one(value)?.atanh());
    "sind" |value| Ok(sine(not_infinite(value)?));
    "cosd" |value| Ok(cosine(not_infinite(value)?));
    "tand" |value| Ok(tangent(not_infinite(value)?));
    "cotd" |value| Ok(cotangent(not_infinite(value)?));
    "asind" |value| Ok(arcsine(within_one(value)?));
    "acosd" |value| Ok(90.0 - arcsine(within_one(value)?));
    "atand" |value| Ok(arctangent(value));
}

fn out_of_range() -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}

fn not_infinite(value: f64) -> Result<f64> {
    if value.is_infinite() { Err(out_of_range()) } else { Ok(value) }
}

/// NaN passes.
fn within_one(value: f64) -> Result<f64> {
    if !(-1.0..=1.0).contains(&value) && !value.is_nan() { Err(out_of_range()) } else { Ok(value) }
}

fn finite(result: f64, input: f64) -> Result<f64> {
    if result.is_infinite() && input.is_finite() { Err(range_error::overflow()) } else { Ok(result) }
}

fn atan2(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Double(arguments.double(0)?.atan2(arguments.double(1)?)))
}

fn atan2d(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let (y, x) = (arguments.double(0)?, arguments.double(1)?);
    // Scaled so that the diagonals are exact.
    Ok(Value::Double(y.atan2(x) / 1.0f64.atan() * 45.0))
}

/// sin of 0 to 30 degrees, scaled so that the ends are exact.
fn sine_to_30(degrees: f64) -> f64 {
    degrees.to_radians().sin() / 30.0f64.to_radians().sin() / 2.0
}

/// cos of 0 to 60 degrees, scaled so that the ends are exact.
fn cosine_to_60(degrees: f64) -> f64 {
    1.0 - (1.0 - degrees.to_radians().cos()) / (1.0 - 60.0f64.to_radians().cos()) / 2.0
}

fn sine_of_quadrant(degrees: f64) -> f64 {
    if degrees <= 30.0 { sine_to_30(degrees) } else { cosine_to_60(90.0 - degrees) }
}

fn cosine_of_quadrant(degrees: f64) -> f64 {
    if degrees <= 60.0 { cosine_to_60(degrees) } else { sine_to_30(90.0 - degrees) }
}

fn sine(degrees: f64) -> f64 {
    let mut degrees = degrees % 360.0;
    let mut sign = 1.0;
    if degrees < 0.0 {
        (degrees, sign) = (-degrees, -sign);
    }
    if degrees > 180.0 {
        (degrees, sign) = (360.0 - degrees, -sign);
    }
    if degrees > 90.0 {
        degrees = 180.0 - degrees;
    }
    sign * sine_of_quadrant(degrees)
}

fn cosine(degrees: f64) -> f64 {
    let mut degrees = (degrees % 360.0).abs();
    let mut sign = 1.0;
    if degrees > 180.0 {
        degrees = 360.0 - degrees;
    }
    if degrees > 90.0 {
        (degrees, sign) = (180.0 - degrees, -sign);
    }
    sign * cosine_of_quadrant(degrees)
}

/// Degrees of the first quadrant and the sign that a tangent or cotangent has.
fn to_first_quadrant(degrees: f64) -> (f64, f64) {
    let mut degrees = degrees % 360.0;
    let mut sign = 1.0;
    if degrees < 0.0 {
        (degrees, sign) = (-degrees, -sign);
    }
    if degrees > 180.0 {
        (degrees, sign) = (360.0 - degrees, -sign);
    }
    if degrees > 90.0 {
        (degrees, sign) = (180.0 - degrees, -sign);
    }
    (degrees, sign)
}

fn tangent(degrees: f64) -> f64 {
    let (degrees, sign) = to_first_quadrant(degrees);
    let at_45 = sine_of_quadrant(45.0) / cosine_of_quadrant(45.0);
    let result = sign * (sine_of_quadrant(degrees) / cosine_of_quadrant(degrees) / at_45);
    // No negative zero.
    if result == 0.0 { 0.0 } else { result }
}

fn cotangent(degrees: f64) -> f64 {
    let (degrees, sign) = to_first_quadrant(degrees);
    let at_45 = cosine_of_quadrant(45.0) / sine_of_quadrant(45.0);
    let result = sign * (cosine_of_quadrant(degrees) / sine_of_quadrant(degrees) / at_45);
    if result == 0.0 { 0.0 } else { result }
}

fn arcsine(value: f64) -> f64 {
    let of_positive = |value: f64| {
        if value <= 0.5 { value.asin() / 0.5f64.asin() * 30.0 } else { 90.0 - value.acos() / 0.5f64.acos() * 60.0 }
    };
    if value < 0.0 { -of_positive(-value) } else { of_positive(value) }
}

fn arctangent(value: f64) -> f64 {
    value.atan() / 1.0f64.atan() * 45.0
}
