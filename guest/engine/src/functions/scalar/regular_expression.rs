//! `regexp_…` functions (PostgreSQL 15, section 9.7.3). Positions are in characters.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::pattern::regular_expression::{Flags, Groups, compiled};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::value::Array;
use crate::types::{DataType, Value};
use std::rc::Rc;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("substring", &[TEXT, TEXT], TEXT, substring),
    function("regexp_match", &[TEXT, TEXT], TEXT_ARRAY, regexp_match),
    function("regexp_match", &[TEXT, TEXT, TEXT], TEXT_ARRAY, regexp_match),
    function("regexp_like", &[TEXT, TEXT], BOOLEAN, regexp_like),
    function("regexp_like", &[TEXT, TEXT, TEXT], BOOLEAN, regexp_like),
    function("regexp_replace", &[TEXT, TEXT, TEXT], TEXT, regexp_replace),
    function("regexp_replace", &[TEXT, TEXT, TEXT, TEXT], TEXT, regexp_replace),
    function("regexp_replace", &[TEXT, TEXT, TEXT, INTEGER], TEXT, regexp_replace_from),
    function("regexp_replace", &[TEXT, TEXT, TEXT, INTEGER, INTEGER], TEXT, regexp_replace_from),
    function("regexp_replace", &[TEXT, TEXT, TEXT, INTEGER, INTEGER, TEXT], TEXT, regexp_replace_from),
    function("regexp_split_to_array", &[TEXT, TEXT], TEXT_ARRAY, regexp_split_to_array),
    function("regexp_split_to_array", &[TEXT, TEXT, TEXT], TEXT_ARRAY, regexp_split_to_array),
    function("regexp_count", &[TEXT, TEXT], INTEGER, regexp_count),
    function("regexp_count", &[TEXT, TEXT, INTEGER], INTEGER, regexp_count),
    function("regexp_count", &[TEXT, TEXT, INTEGER, TEXT], INTEGER, regexp_count),
    function("regexp_substr", &[TEXT, TEXT], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INTEGER], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INTEGER, INTEGER], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INTEGER, INTEGER, TEXT], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INTEGER, INTEGER, TEXT, INTEGER], TEXT, regexp_substr),
    function("regexp_instr", &[TEXT, TEXT], INTEGER, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INTEGER], INTEGER, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INTEGER, INTEGER], INTEGER, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INTEGER, INTEGER, INTEGER], INTEGER, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INTEGER, INTEGER, INTEGER, TEXT], INTEGER, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INTEGER, INTEGER, INTEGER, TEXT, INTEGER], INTEGER, regexp_instr),
];

fn optional_flags(arguments: &[Value], index: usize) -> Result<Flags> {
    if arguments.len() > index { Flags::parse(arguments.text(index)?) } else { Ok(Flags::default()) }
}

/// Fails when the global flag is given to a function that has no use for it.
fn flags_without_global(arguments: &[Value], index: usize, function: &str) -> Result<Flags> {
    let flags = optional_flags(arguments, index)?;
    if flags.global {
        return Err(Error::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("{function}() does not support the \"global\" option"),
        ));
    }
    Ok(flags)
}

/// An integer argument with a least value; 1 or 0 when it is missing.
fn optional_integer(arguments: &[Value], index: usize, missing: i32, least: i32, name: &str) -> Result<i32> {
    if arguments.len() <= index {
        return Ok(missing);
    }
    let value = arguments.integer(index)?;
    if value < least {
        return Err(Error::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"{name}\": {value}"),
        ));
    }
    Ok(value)
}

/// The byte offset of a start position, which counts characters from 1; one past the end means no match.
fn start_offset(text: &str, arguments: &[Value], index: usize) -> Result<usize> {
    let start = optional_integer(arguments, index, 1, 1, "start")? as usize - 1;
    let mut offsets = text.char_indices().map(|(offset, _)| offset).chain([text.len()]);
    Ok(offsets.nth(start).unwrap_or(text.len() + 1))
}

fn piece(text: &str, group: Option<(usize, usize)>) -> Value {
    group.map_or(Value::Null, |(start, end)| Value::text(&text[start..end]))
}

/// The match's groups, or the whole of it when there are none.
pub fn groups_to_array(text: &str, groups: &Groups) -> Value {
    let wanted = if groups.len() > 1 { &groups[1..] } else { &groups[..] };
    let values = wanted.iter().map(|group| piece(text, *group)).collect();
    Value::Array(Rc::new(Array::from_values(DataType::Text, values)))
}

fn substring(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let found = compiled(arguments.text(1)?, Flags::default().options)?.find_at(text, 0)?;
    Ok(found.map_or(Value::Null, |groups| piece(text, *groups.get(1).unwrap_or(&groups[0]))))
}

fn regexp_match(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let flags = flags_without_global(arguments, 2, "regexp_match").map_err(|error| {
        match error.message().contains("global") {
            true => error.hint("Use the regexp_matches function instead."),
            false => error,
        }
    })?;
    let text = arguments.text(0)?;
    let found = compiled(arguments.text(1)?, flags.options)?.find_at(text, 0)?;
    Ok(found.map_or(Value::Null, |groups| groups_to_array(text, &groups)))
}

fn regexp_like(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let flags = flags_without_global(arguments, 2, "regexp_like")?;
    Ok(Value::Boolean(compiled(arguments.text(1)?, flags.options)?.is_match(arguments.text(0)?)))
}

fn regexp_replace(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let flags = match arguments.get(3) {
        // A digit is what the form with a start position was probably meant by.
        Some(Value::Text(flags)) if flags.starts_with(|first: char| first.is_ascii_digit()) => {
            let letter = flags.chars().next().unwrap_or('0');
            return Err(Error::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("invalid regular expression option: \"{letter}\""),
            )
            .hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
        }
        _ => optional_flags(arguments, 3)?,
    };
    let occurrence = if flags.global { 0 } else { 1 };
    replace(arguments, flags, 0, occurrence)
}

fn regexp_replace_from(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let start = start_offset(arguments.text(0)?, arguments, 3)?;
    let flags = optional_flags(arguments, 5)?;
    let missing = if flags.global { 0 } else { 1 };
    let occurrence = optional_integer(arguments, 4, missing, 0, "n")?;
    replace(arguments, flags, start, occurrence as usize)
}

/// Replaces one occurrence, or all when its number is 0.
fn replace(arguments: &[Value], flags: Flags, start: usize, occurrence: usize) -> Result<Value> {
    let (text, replacement) = (arguments.text(0)?, arguments.text(2)?);
    let limit = if occurrence == 0 { usize::MAX } else { occurrence };
    let matches = compiled(arguments.text(1)?, flags.options)?.find_all(text, start, limit)?;
    let mut replaced = String::new();
    let mut copied = 0;
    for (index, groups) in matches.iter().enumerate() {
        if occurrence != 0 && index + 1 != occurrence {
            continue;
        }
        let Some(Some((match_start, match_end))) = groups.first().copied() else { continue };
        replaced.push_str(&text[copied..match_start]);
        append_replacement(text, groups, replacement, &mut replaced);
        copied = match_end;
    }
    replaced.push_str(&text[copied..]);
    Ok(Value::text(&replaced))
}

/// `\1` to `\9` and `\&` stand for groups and the whole match.
fn append_replacement(text: &str, groups: &Groups, replacement: &str, out: &mut String) {
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        let group = match (character, characters.peek()) {
            ('\\', Some('&')) => 0,
            ('\\', Some(digit @ '1'..='9')) => *digit as usize - '0' as usize,
            ('\\', Some('\\')) => {
                characters.next();
                out.push('\\');
                continue;
            }
            _ => {
                out.push(character);
                continue;
            }
        };
        characters.next();
        if let Some(Some((start, end))) = groups.get(group) {
            out.push_str(&text[*start..*end]);
        }
    }
}

/// The parts between matches. Empty matches at the ends or right after another match do not split.
pub fn split(arguments: &[Value], function: &str) -> Result<Vec<Value>> {
    let flags = flags_without_global(arguments, 2, function)?;
    let text = arguments.text(0)?;
    let mut parts = vec![];
    let mut part_start = 0;
    let mut previous_end = 0;
    for groups in compiled(arguments.text(1)?, flags.options)?.find_all(text, 0, usize::MAX)? {
        let Some(Some((start, end))) = groups.first().copied() else { continue };
        if start < text.len() && end > previous_end {
            parts.push(Value::text(&text[part_start..start]));
            part_start = end;
        }
        previous_end = end;
    }
    parts.push(Value::text(&text[part_start..]));
    Ok(parts)
}

fn regexp_split_to_array(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let parts = split(arguments, "regexp_split_to_array")?;
    Ok(Value::Array(Rc::new(Array::from_values(DataType::Text, parts))))
}

fn regexp_count(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let start = start_offset(text, arguments, 2)?;
    let flags = flags_without_global(arguments, 3, "regexp_count")?;
    let matches = compiled(arguments.text(1)?, flags.options)?.find_all(text, start, usize::MAX)?;
    Ok(Value::Integer(matches.len() as i32))
}

/// The n-th match's group with the number that argument `group` says.
fn nth_group(arguments: &[Value], flags: Flags, group: usize) -> Result<Option<(usize, usize)>> {
    let text = arguments.text(0)?;
    let start = start_offset(text, arguments, 2)?;
    let occurrence = optional_integer(arguments, 3, 1, 1, "n")? as usize;
    let group = optional_integer(arguments, group, 0, 0, "subexpr")? as usize;
    let matches = compiled(arguments.text(1)?, flags.options)?.find_all(text, start, occurrence)?;
    Ok(matches.get(occurrence - 1).and_then(|groups| groups.get(group).copied().flatten()))
}

fn regexp_substr(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let flags = flags_without_global(arguments, 4, "regexp_substr")?;
    Ok(piece(arguments.text(0)?, nth_group(arguments, flags, 5)?))
}

fn regexp_instr(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let end = optional_integer(arguments, 4, 0, 0, "endoption")?;
    if end > 1 {
        return Err(Error::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"endoption\": {end}"),
        ));
    }
    let flags = flags_without_global(arguments, 5, "regexp_instr")?;
    let text = arguments.text(0)?;
    let position = nth_group(arguments, flags, 6)?
        .map_or(0, |(start, stop)| text[..if end == 1 { stop } else { start }].chars().count() as i32 + 1);
    Ok(Value::Integer(position))
}
