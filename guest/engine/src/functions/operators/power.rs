//! `^`, `|/` and `||/` (PostgreSQL 15, section 9.3).

use crate::functions::ScalarFunction;
use crate::functions::scalar::math::power::{cbrt, power, sqrt};
use crate::functions::signature::*;

pub static OPERATORS: &[ScalarFunction] = &[
    function("^", &[DOUBLE, DOUBLE], DOUBLE, power),
    function("^", &[NUMERIC, NUMERIC], NUMERIC, power),
    function("|/", &[DOUBLE], DOUBLE, sqrt),
    function("||/", &[DOUBLE], DOUBLE, cbrt),
];
