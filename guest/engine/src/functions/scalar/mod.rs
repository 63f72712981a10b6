//! Scalar functions by section of PostgreSQL 15's chapter 9.

use super::ScalarFunction;

pub fn tables() -> Vec<&'static [ScalarFunction]> {
    vec![]
}
