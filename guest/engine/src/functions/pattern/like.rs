//! LIKE patterns (PostgreSQL 15, section 9.7.1), as operators `~~` and its kin.

use super::cache::Cache;
use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::operators::kernel::{binary, unexpected, validity};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Column, ColumnData, Value};
use std::cell::RefCell;
use std::rc::Rc;

pub static OPERATORS: &[ScalarFunction] = &[
    function("~~", &[TEXT, TEXT], BOOLEAN, like).columns(like_columns),
    function("~~", &[CHAR, TEXT], BOOLEAN, like).columns(like_columns),
    function("!~~", &[TEXT, TEXT], BOOLEAN, not_like).columns(not_like_columns),
    function("!~~", &[CHAR, TEXT], BOOLEAN, not_like).columns(not_like_columns),
    function("~~*", &[TEXT, TEXT], BOOLEAN, like_any_case),
    function("~~*", &[CHAR, TEXT], BOOLEAN, like_any_case),
    function("!~~*", &[TEXT, TEXT], BOOLEAN, not_like_any_case),
    function("!~~*", &[CHAR, TEXT], BOOLEAN, not_like_any_case),
    function("~~", &[BYTEA, BYTEA], BOOLEAN, like_bytes),
    function("!~~", &[BYTEA, BYTEA], BOOLEAN, not_like_bytes),
];

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("like_escape", &[TEXT, TEXT], TEXT, like_escape),
    function("like", &[TEXT, TEXT], BOOLEAN, like).columns(like_columns),
    function("notlike", &[TEXT, TEXT], BOOLEAN, not_like).columns(not_like_columns),
];

/// A pattern, by the shape that its wildcards give it.
#[derive(Debug)]
pub enum LikePattern {
    Exact(Vec<u8>),
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    Contains(Vec<u8>),
    /// Pieces between `%` signs.
    General {
        pieces: Vec<Vec<Element>>,
        anchored_start: bool,
        anchored_end: bool,
    },
    /// The pattern ends with its escape character, which is an error once it is reached with text left: when the text
    /// matches what stands before it and at least one character.
    Broken(Box<LikePattern>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Byte(u8),
    /// `_`: one character
    AnyCharacter,
}

impl LikePattern {
    pub fn compile(pattern: &[u8]) -> LikePattern {
        let mut pieces: Vec<Vec<Element>> = vec![vec![]];
        let mut input = pattern.iter();
        while let Some(&byte) = input.next() {
            match byte {
                b'%' => pieces.push(vec![]),
                b'_' => pieces.last_mut().into_iter().for_each(|piece| piece.push(Element::AnyCharacter)),
                _ => {
                    let byte = match byte {
                        b'\\' => match input.next() {
                            Some(byte) => *byte,
                            None => {
                                let reached = [&pattern[..pattern.len() - 1], b"_%"].concat();
                                return LikePattern::Broken(Box::new(LikePattern::compile(&reached)));
                            }
                        },
                        byte => byte,
                    };
                    pieces.last_mut().into_iter().for_each(|piece| piece.push(Element::Byte(byte)));
                }
            }
        }
        let literal = |piece: &[Element]| -> Option<Vec<u8>> {
            piece
                .iter()
                .map(|element| match element {
                    Element::Byte(byte) => Some(*byte),
                    Element::AnyCharacter => None,
                })
                .collect()
        };
        let shape = match &pieces[..] {
            [only] => literal(only).map(LikePattern::Exact),
            [first, last] if last.is_empty() => literal(first).map(LikePattern::Prefix),
            [first, last] if first.is_empty() => literal(last).map(LikePattern::Suffix),
            [first, middle, last] if first.is_empty() && last.is_empty() => literal(middle).map(LikePattern::Contains),
            _ => None,
        };
        shape.unwrap_or_else(|| {
            let anchored_start = pieces.first().is_some_and(|piece| !piece.is_empty());
            let anchored_end = pieces.last().is_some_and(|piece| !piece.is_empty());
            let single = pieces.len() == 1;
            pieces.retain(|piece| !piece.is_empty());
            LikePattern::General { pieces, anchored_start, anchored_end: anchored_end || single }
        })
    }

    /// Fails with 22025 when the pattern ends with its escape character, and the text reaches that.
    pub fn matches(&self, text: &[u8]) -> Result<bool> {
        Ok(match self {
            LikePattern::Exact(wanted) => text == wanted,
            LikePattern::Prefix(wanted) => text.starts_with(wanted),
            LikePattern::Suffix(wanted) => text.ends_with(wanted),
            LikePattern::Contains(wanted) => contains(text, wanted),
            LikePattern::General { pieces, anchored_start, anchored_end } => {
                matches_pieces(text, pieces, *anchored_start, *anchored_end)
            }
            LikePattern::Broken(reached) if reached.matches(text)? => return Err(escape_at_end()),
            LikePattern::Broken(_) => false,
        })
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    let Some((&first, rest)) = wanted.split_first() else { return true };
    let Some(last_start) = text.len().checked_sub(wanted.len()) else { return false };
    let mut start = 0;
    while start <= last_start {
        match text[start..=last_start].iter().position(|&byte| byte == first) {
            None => return false,
            Some(offset) => {
                start += offset + 1;
                if text[start..].starts_with(rest) {
                    return true;
                }
            }
        }
    }
    false
}

/// Each piece at its first place after the one before is as good as any; only the last one, when it is anchored, must
/// end with the text.
fn matches_pieces(text: &[u8], pieces: &[Vec<Element>], anchored_start: bool, anchored_end: bool) -> bool {
    let mut position = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let is_last = index + 1 == pieces.len();
        if index == 0 && anchored_start {
            match match_here(text, piece) {
                Some(_) if is_last && anchored_end => return match_here(text, piece) == Some(text.len()),
                Some(end) => position = end,
                None => return false,
            }
            continue;
        }
        let mut start = position;
        loop {
            match text.get(start..).and_then(|rest| match_here(rest, piece)) {
                Some(length) if !(is_last && anchored_end) || start + length == text.len() => {
                    position = start + length;
                    break;
                }
                _ if start >= text.len() => return false,
                _ => start += character_length(text[start]),
            }
        }
    }
    true
}

/// How many bytes of `text` the piece takes at its start.
fn match_here(text: &[u8], piece: &[Element]) -> Option<usize> {
    let mut position = 0;
    for element in piece {
        let byte = *text.get(position)?;
        match element {
            Element::Byte(wanted) if *wanted == byte => position += 1,
            Element::Byte(_) => return None,
            Element::AnyCharacter => position += character_length(byte),
        }
    }
    (position <= text.len()).then_some(position)
}

fn character_length(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    }
}

fn escape_at_end() -> Error {
    Error::new(sqlstate::INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
}

fn compiled(pattern: &str) -> Result<Rc<LikePattern>> {
    thread_local! {
        static PATTERNS: RefCell<Cache<String, LikePattern>> = RefCell::default();
    }
    PATTERNS.with_borrow_mut(|patterns| patterns.get(pattern, || Ok(LikePattern::compile(pattern.as_bytes()))))
}

fn like(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(compiled(arguments.text(1)?)?.matches(arguments.text(0)?.as_bytes())?))
}

fn not_like(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    negate(like(context, arguments)?)
}

/// With the C collation only ASCII letters have a case.
fn like_any_case(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let pattern = compiled(&arguments.text(1)?.to_ascii_lowercase())?;
    Ok(Value::Boolean(pattern.matches(arguments.text(0)?.to_ascii_lowercase().as_bytes())?))
}

fn not_like_any_case(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    negate(like_any_case(context, arguments)?)
}

fn like_bytes(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    // A byte is matched as the character of the same number, so that `_` takes just one.
    let widen = |bytes: &[u8]| bytes.iter().map(|&byte| char::from(byte)).collect::<String>();
    let pattern = LikePattern::compile(widen(arguments.bytea(1)?).as_bytes());
    Ok(Value::Boolean(pattern.matches(widen(arguments.bytea(0)?).as_bytes())?))
}

fn not_like_bytes(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    negate(like_bytes(context, arguments)?)
}

fn negate(value: Value) -> Result<Value> {
    Ok(match value {
        Value::Boolean(value) => Value::Boolean(!value),
        other => other,
    })
}

fn like_columns(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    match_columns(columns, false)
}

fn not_like_columns(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    match_columns(columns, true)
}

fn match_columns(columns: &[&Column], negated: bool) -> Result<Column> {
    let (texts, patterns) = binary(columns)?;
    let (ColumnData::Text(texts), ColumnData::Text(patterns)) = (&texts.data, &patterns.data) else {
        return Err(unexpected(&texts.data, &patterns.data));
    };
    let valid = validity(columns);
    let mut results = vec![false; texts.len()];
    let mut current: Option<(&str, Rc<LikePattern>)> = None;
    for row in 0..texts.len() {
        if valid.as_ref().is_some_and(|valid| !valid[row]) {
            continue;
        }
        let source = patterns.get(row);
        let pattern = match &current {
            Some((known, pattern)) if *known == source => pattern,
            _ => &current.insert((source, compiled(source)?)).1,
        };
        results[row] = pattern.matches(texts.get(row).as_bytes())? != negated;
    }
    Ok(Column { data: ColumnData::Boolean(results), valid })
}

/// LIKE … ESCAPE: the pattern with its escape character replaced by a backslash.
fn like_escape(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut escape = arguments.text(1)?.chars();
    let (first, more) = (escape.next(), escape.next());
    if more.is_some() {
        return Err(Error::new(sqlstate::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let mut converted = String::new();
    let mut escaped = false;
    for character in arguments.text(0)?.chars() {
        if !escaped && Some(character) == first {
            converted.push('\\');
            escaped = true;
        } else if character == '\\' && (first.is_none() || !escaped || first != Some('\\')) {
            converted.push_str("\\\\");
            escaped = false;
        } else {
            converted.push(character);
            escaped = false;
        }
    }
    Ok(Value::text(&converted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_postgresql() {
        let cases: &[(&str, &str, bool)] = &[
            ("abc", "abc", true),
            ("abc", "a%", true),
            ("abc", "_b_", true),
            ("abc", "c", false),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "%", true),
            ("", "%", true),
            ("", "", true),
            ("", "_", false),
            ("abc", "a_", false),
            ("abcabc", "a%c", true),
            ("abcabd", "a%c", false),
            ("abcabc", "%ab_", true),
            ("xaybzc", "%a%b%c", true),
            ("xaybzcd", "%a%b%c", false),
            ("aab", "%_b", true),
            ("a", "%a_", false),
            ("aa", "a%a", true),
            ("a", "a%a", false),
            ("50%", "50\\%", true),
            ("50x", "50\\%", false),
            ("äb", "_b", true),
            ("aä", "%_", true),
            ("日本", "__", true),
            ("日本", "_", false),
            ("abc", "%%b%%", true),
            ("hello world", "h%o%d", true),
            ("mississippi", "%iss%ip%", true),
        ];
        for (text, pattern, expected) in cases {
            let compiled = LikePattern::compile(pattern.as_bytes());
            assert_eq!(compiled.matches(text.as_bytes()).ok(), Some(*expected), "{text} LIKE {pattern}: {compiled:?}");
        }
    }

    #[test]
    fn a_text_must_not_reach_an_escape_character_at_the_pattern_s_end() {
        let cases: &[(&str, &str, Option<bool>)] = &[
            ("abc", "abc\\", Some(false)),
            ("abcd", "abc\\", None),
            ("xbc", "abc\\", Some(false)),
            ("", "%\\", Some(false)),
            ("a", "%\\", None),
            ("ab", "%b\\", Some(false)),
            ("aba", "%b\\", None),
        ];
        for (text, pattern, expected) in cases {
            let found = LikePattern::compile(pattern.as_bytes()).matches(text.as_bytes());
            assert_eq!(found.ok(), *expected, "{text} LIKE {pattern}");
        }
    }
}
