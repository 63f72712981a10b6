//! Operators (PostgreSQL 15, chapter 9): their tables, and the kernels that evaluate them over whole columns.

pub mod arithmetic;
pub mod comparison;
mod kernel;
pub mod range_error;

use super::ScalarFunction;

pub fn tables() -> Vec<&'static [ScalarFunction]> {
    vec![comparison::OPERATORS, arithmetic::OPERATORS]
}
