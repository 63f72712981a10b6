//! Operators (PostgreSQL 15, chapter 9): their tables, and the kernels that evaluate them over whole columns.

pub mod arithmetic;
pub mod array;
mod bitwise;
pub mod comparison;
pub mod concatenation;
mod datetime;
mod jsonb;
pub mod kernel;
mod power;
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
        power::OPERATORS,
        bitwise::OPERATORS,
        concatenation::OPERATORS,
        like::OPERATORS,
        regular_expression::OPERATORS,
        datetime::OPERATORS,
        datetime::ZONED_OPERATORS,
        datetime::ZONED_COMPARISONS,
        array::OPERATORS,
        jsonb::OPERATORS,
    ]
}
