//! SIMILAR TO (PostgreSQL 15, section 9.7.2): its patterns become advanced regular expressions.

use super::regular_expression::compiled;
use super::translate::Options;
use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("similar_to_escape", &[TEXT], TEXT, similar_to_escape),
    function("similar_to_escape", &[TEXT, TEXT], TEXT, similar_to_escape),
    function("similar_escape", &[TEXT, TEXT], TEXT, similar_to_escape).not_strict(),
    // substring(text SIMILAR pattern ESCAPE escape)
    function("substring", &[TEXT, TEXT, TEXT], TEXT, substring),
];

fn similar_to_escape(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::Null);
    }
    let escape = if arguments.is_null(1) { "\\" } else { arguments.text(1)? };
    Ok(Value::text(&to_regular_expression(arguments.text(0)?, escape)?))
}

fn substring(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let pattern = to_regular_expression(arguments.text(1)?, arguments.text(2)?)?;
    let text = arguments.text(0)?;
    let groups = compiled(&pattern, Options::default())?.find_at(text, 0)?;
    let Some(groups) = groups else { return Ok(Value::Null) };
    // The part between the separators, or all of it where there are none.
    let part = if groups.len() > 1 { groups[1] } else { groups[0] };
    Ok(part.map_or(Value::Null, |(start, end)| Value::text(&text[start..end])))
}

/// Fails with 22025 for an escape of several characters.
fn to_regular_expression(pattern: &str, escape: &str) -> Result<String> {
    let mut characters = escape.chars();
    let escape = characters.next();
    if characters.next().is_some() {
        return Err(Error::new(sqlstate::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let mut converted = String::from("^(?:");
    let mut after_escape = false;
    let mut in_brackets = false;
    let mut separators = 0;
    for character in pattern.chars() {
        if after_escape {
            if character == '"' && !in_brackets {
                match separators {
                    0 => converted.push_str("){1,1}?("),
                    1 => converted.push_str("){1,1}(?:"),
                    _ => {
                        return Err(Error::new(
                            sqlstate::INVALID_USE_OF_ESCAPE_CHARACTER,
                            "SQL regular expression may not contain more than two escape-double-quote separators",
                        ));
                    }
                }
                separators += 1;
            } else {
                converted.push('\\');
                converted.push(character);
            }
            after_escape = false;
        } else if Some(character) == escape {
            after_escape = true;
        } else if in_brackets {
            if character == '\\' {
                converted.push('\\');
            }
            converted.push(character);
            in_brackets = character != ']';
        } else {
            match character {
                '[' => {
                    converted.push('[');
                    in_brackets = true;
                }
                '%' => converted.push_str(".*"),
                '_' => converted.push('.'),
                '(' => converted.push_str("(?:"),
                '\\' | '.' | '^' | '$' => {
                    converted.push('\\');
                    converted.push(character);
                }
                other => converted.push(other),
            }
        }
    }
    converted.push_str(")$");
    Ok(converted)
}
