//! `parse_ident` and `unistr`: texts as SQL's lexer reads them.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::value::Array;
use crate::types::{DataType, Value};
use std::rc::Rc;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("parse_ident", &[TEXT], TEXT_ARRAY, parse_ident),
    function("parse_ident", &[TEXT, BOOLEAN], TEXT_ARRAY, parse_ident),
    function("unistr", &[TEXT], TEXT, unistr),
];

/// The parts of a qualified name. Unless the second argument is false, nothing may follow them.
fn parse_ident(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let source = arguments.text(0)?;
    let strict = arguments.len() < 2 || arguments.boolean(1)?;
    let invalid =
        || Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("string is not a valid identifier: \"{source}\""));
    let mut parts = vec![];
    let mut rest = source.trim_start();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                quoted_name(quoted).ok_or_else(|| invalid().detail("String has unclosed double quotes."))?
            }
            None => plain_name(rest),
        };
        if part.is_empty() {
            return Err(invalid());
        }
        parts.push(Value::text(&part));
        rest = after.trim_start();
        match rest.strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() || !strict => break,
            None => return Err(invalid()),
        }
    }
    Ok(Value::Array(Rc::new(Array::from_values(DataType::Text, parts))))
}

/// A name between quotes, the first of which was read; none when it does not end.
fn quoted_name(quoted: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('"')?;
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// A name without quotes, in lower case; empty when there is none.
fn plain_name(text: &str) -> (String, &str) {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || !first.is_ascii());
    if !starts {
        return (String::new(), text);
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$') || !letter.is_ascii();
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    (text[..end].to_ascii_lowercase(), &text[end..])
}

/// Replaces `\\XXXX`, `\\+XXXXXX`, `\\uXXXX` and `\\UXXXXXXXX` by the characters with these numbers.
fn unistr(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let escape_error = || {
        Error::new(sqlstate::SYNTAX_ERROR, "invalid Unicode escape")
            .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
    };
    let surrogate_error = || Error::new(sqlstate::SYNTAX_ERROR, "invalid Unicode surrogate pair");
    let mut decoded = String::new();
    let mut rest = arguments.text(0)?;
    let mut high: Option<u32> = None;
    while let Some((before, after)) = rest.split_once('\\') {
        if high.is_some() && !before.is_empty() {
            return Err(surrogate_error());
        }
        decoded.push_str(before);
        if let Some(more) = after.strip_prefix('\\') {
            if high.is_some() {
                return Err(surrogate_error());
            }
            decoded.push('\\');
            rest = more;
            continue;
        }
        let (skipped, digits) = match after.as_bytes().first() {
            Some(b'+') => (1, 6),
            Some(b'u') => (1, 4),
            Some(b'U') => (1, 8),
            _ => (0, 4),
        };
        let code =
            after.get(skipped..skipped + digits).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok()).ok_or_else(escape_error)?;
        rest = &after[skipped + digits..];
        let code = match (high.take(), code) {
            (None, 0xd800..=0xdbff) => {
                high = Some(code);
                continue;
            }
            (Some(high), 0xdc00..=0xdfff) => 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00),
            (Some(_), _) | (None, 0xdc00..=0xdfff) => return Err(surrogate_error()),
            (None, code) => code,
        };
        let character = char::from_u32(code).filter(|character| *character != '\0');
        decoded.push(character.ok_or_else(|| {
            Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("invalid Unicode code point: {code:04X}"))
        })?);
    }
    if high.is_some() {
        return Err(surrogate_error());
    }
    decoded.push_str(rest);
    Ok(Value::text(&decoded))
}
