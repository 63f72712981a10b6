//! Operators (PostgreSQL 15, chapter 9): their tables, and the kernels that evaluate them over whole columns.

pub mod arithmetic;
pub mod array;
mod bitwise;
pub mod comparison;
pub mod concatenation;
mod jsonb;
pub mod kernel;
pub mod range_error;
mod regular_expression;
pub mod sign;

use super::ScalarFunction;
use super::pattern::like;

pub fn tables() -> Vec<&'static [ScalarFunction]> {
    vec![
        comparison::OPERATORS,
        comparison::PADDED_OPERATORS,
        comparison::PATTERN_OPERATORS,
        arithmetic::OPERATORS,
        sign::OPERATORS,
        bitwise::OPERATORS,
        concatenation::OPERATORS,
        like::OPERATORS,
        regular_expression::OPERATORS,
        array::OPERATORS,
        jsonb::OPERATORS,
    ]
}
