//! `btrim`, `ltrim`, `rtrim`: TRIM in all its forms.

use crate::error::Result;
use crate::functions::ScalarFunction;
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::types::Value;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("btrim", &[TEXT], TEXT, |_, arguments| trim(arguments, true, true)),
    function("btrim", &[TEXT, TEXT], TEXT, |_, arguments| trim(arguments, true, true)),
    function("btrim", &[BYTEA, BYTEA], BYTEA, |_, arguments| trim(arguments, true, true)),
    function("ltrim", &[TEXT], TEXT, |_, arguments| trim(arguments, true, false)),
    function("ltrim", &[TEXT, TEXT], TEXT, |_, arguments| trim(arguments, true, false)),
    function("ltrim", &[BYTEA, BYTEA], BYTEA, |_, arguments| trim(arguments, true, false)),
    function("rtrim", &[TEXT], TEXT, |_, arguments| trim(arguments, false, true)),
    function("rtrim", &[TEXT, TEXT], TEXT, |_, arguments| trim(arguments, false, true)),
    function("rtrim", &[BYTEA, BYTEA], BYTEA, |_, arguments| trim(arguments, false, true)),
];

/// Without the characters of the second argument (blanks, if there is none) at the ends.
fn trim(arguments: &[Value], start: bool, end: bool) -> Result<Value> {
    if let [Value::Bytea(bytes), Value::Bytea(unwanted)] = arguments {
        let mut kept = &bytes[..];
        while let (true, Some((first, rest))) = (start, kept.split_first())
            && unwanted.contains(first)
        {
            kept = rest;
        }
        while let (true, Some((last, rest))) = (end, kept.split_last())
            && unwanted.contains(last)
        {
            kept = rest;
        }
        return Ok(Value::Bytea(kept.into()));
    }
    let unwanted = if arguments.len() > 1 { arguments.text(1)? } else { " " };
    let mut kept = arguments.text(0)?;
    if start {
        kept = kept.trim_start_matches(|character| unwanted.contains(character));
    }
    if end {
        kept = kept.trim_end_matches(|character| unwanted.contains(character));
    }
    Ok(Value::text(kept))
}
