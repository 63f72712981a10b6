//! Set-returning functions (PostgreSQL 15, sections 9.25, 9.16, 9.19 and 9.7).

mod array;
mod json;
mod series;
mod text;

use super::{FunctionContext, Rows, SetFunction, Signature};
use crate::error::Result;
use crate::types::Value;

pub fn tables() -> Vec<&'static [SetFunction]> {
    vec![series::FUNCTIONS, array::FUNCTIONS, json::FUNCTIONS, text::FUNCTIONS]
}

/// A strict function.
const fn set(
    name: &'static str,
    arguments: &'static [Signature],
    columns: &'static [(&'static str, Signature)],
    evaluate: fn(&FunctionContext, &[Value]) -> Result<Rows>,
) -> SetFunction {
    SetFunction { name, arguments, variadic: false, columns, strict: true, evaluate }
}

/// Rows of one column.
fn single(values: impl Iterator<Item = Value> + 'static) -> Rows {
    Box::new(values.map(|value| Ok(vec![value])))
}
