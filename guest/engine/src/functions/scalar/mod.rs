//! Scalar functions by section of PostgreSQL 15's chapter 9.

pub mod array;
mod conditional;
mod datetime;
mod formatting;
mod json;
pub mod math;
pub mod regular_expression;
mod string;
mod system;

use super::ScalarFunction;
use super::operators;
use super::pattern::{like, similar};

pub fn tables() -> Vec<&'static [ScalarFunction]> {
    let mut tables = vec![
        string::length::FUNCTIONS,
        string::slice::FUNCTIONS,
        string::change::FUNCTIONS,
        string::trim::FUNCTIONS,
        string::join::FUNCTIONS,
        string::format::FUNCTIONS,
        string::quote::FUNCTIONS,
        string::identifier::FUNCTIONS,
        string::code::FUNCTIONS,
        string::digest::FUNCTIONS,
        like::FUNCTIONS,
        similar::FUNCTIONS,
        regular_expression::FUNCTIONS,
        array::FUNCTIONS,
        operators::array::FUNCTIONS,
        json::build::FUNCTIONS,
        json::read::FUNCTIONS,
        json::write::FUNCTIONS,
        conditional::FUNCTIONS,
        system::FUNCTIONS,
        crate::catalog::functions::FUNCTIONS,
        crate::catalog::privileges::FUNCTIONS,
        formatting::FUNCTIONS,
    ];
    tables.extend(math::tables());
    tables.extend(datetime::tables());
    tables
}
