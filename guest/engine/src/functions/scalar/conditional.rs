//! `num_nulls` and `num_nonnulls` (PostgreSQL 15, section 9.2).

use crate::functions::ScalarFunction;
use crate::functions::signature::*;
use crate::types::Value;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("num_nulls", &[ANY], INTEGER, |_, arguments| Ok(count(arguments, true))).variadic().not_strict(),
    function("num_nonnulls", &[ANY], INTEGER, |_, arguments| Ok(count(arguments, false))).variadic().not_strict(),
];

fn count(arguments: &[Value], null: bool) -> Value {
    Value::Integer(arguments.iter().filter(|value| value.is_null() == null).count() as i32)
}
