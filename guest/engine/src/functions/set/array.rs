//! `unnest` and `generate_subscripts`.

use super::{set, single};
use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, Rows, SetFunction};
use crate::types::Value;

pub static FUNCTIONS: &[SetFunction] = &[
    set("unnest", &[ANY_ARRAY], &[("unnest", ANY_ELEMENT)], unnest),
    set("generate_subscripts", &[ANY_ARRAY, INTEGER], &[("generate_subscripts", INTEGER)], generate_subscripts),
    set(
        "generate_subscripts",
        &[ANY_ARRAY, INTEGER, BOOLEAN],
        &[("generate_subscripts", INTEGER)],
        generate_subscripts,
    ),
];

/// All elements, whatever the dimensions.
fn unnest(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    Ok(single(arguments.array(0)?.values.clone().into_iter()))
}

fn generate_subscripts(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    let array = arguments.array(0)?;
    let reverse = arguments.len() > 2 && arguments.boolean(2)?;
    let dimension = usize::try_from(arguments.integer(1)?).ok().and_then(|number| number.checked_sub(1));
    let (length, lower) = dimension.and_then(|index| array.dimensions.get(index).copied()).unwrap_or((0, 1));
    let subscript = move |index: usize| Value::Integer(lower.wrapping_add(index as i32));
    Ok(if reverse { single((0..length).rev().map(subscript)) } else { single((0..length).map(subscript)) })
}
