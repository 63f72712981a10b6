//! `concat` and `concat_ws`.

use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, text};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("concat", &[ANY], TEXT, concat).variadic().not_strict().stable(),
    function("concat_ws", &[TEXT, ANY], TEXT, concat_ws).variadic().not_strict().stable(),
];

fn concat(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut joined = String::new();
    for value in arguments {
        text::print(value, text::natural_type(value), context.settings, &mut joined);
    }
    Ok(Value::text(&joined))
}

/// NULLs are left out, together with their separator.
fn concat_ws(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::Null);
    }
    let separator = arguments.text(0)?;
    let present = arguments[1..].iter().filter(|value| !value.is_null());
    let parts = present.map(|value| text::to_string(value, text::natural_type(value), context.settings));
    Ok(Value::text(&parts.collect::<Vec<_>>().join(separator)))
}
