//! Matches and parts of strings.

use super::{set, single};
use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::pattern::regular_expression::{Flags, compiled};
use crate::functions::scalar::{array, regular_expression};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, Rows, SetFunction};
use crate::types::Value;

pub static FUNCTIONS: &[SetFunction] = &[
    set("regexp_matches", &[TEXT, TEXT], &[("regexp_matches", TEXT_ARRAY)], regexp_matches),
    set("regexp_matches", &[TEXT, TEXT, TEXT], &[("regexp_matches", TEXT_ARRAY)], regexp_matches),
    set("regexp_split_to_table", &[TEXT, TEXT], &[("regexp_split_to_table", TEXT)], regexp_split_to_table),
    set("regexp_split_to_table", &[TEXT, TEXT, TEXT], &[("regexp_split_to_table", TEXT)], regexp_split_to_table),
    SetFunction {
        strict: false,
        ..set("string_to_table", &[TEXT, TEXT], &[("string_to_table", TEXT)], string_to_table)
    },
    SetFunction {
        strict: false,
        ..set("string_to_table", &[TEXT, TEXT, TEXT], &[("string_to_table", TEXT)], string_to_table)
    },
];

/// The first match, or all with flag g.
fn regexp_matches(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    let flags = if arguments.len() > 2 { Flags::parse(arguments.text(2)?)? } else { Flags::default() };
    let text = arguments.text(0)?;
    let limit = if flags.global { usize::MAX } else { 1 };
    let matches = compiled(arguments.text(1)?, flags.options)?.find_all(text, 0, limit)?;
    let arrays: Vec<Value> = matches.iter().map(|groups| regular_expression::groups_to_array(text, groups)).collect();
    Ok(single(arrays.into_iter()))
}

fn regexp_split_to_table(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    Ok(single(regular_expression::split(arguments, "regexp_split_to_table")?.into_iter()))
}

fn string_to_table(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    Ok(single(array::split(arguments)?.unwrap_or_default().into_iter()))
}
