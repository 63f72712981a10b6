//! The parts of JSON text, as slices of it. The text was validated when it became a json value.

use super::navigate::Kind;
use crate::error::Result;
use crate::types::json::Jsonb;
use std::rc::Rc;

pub fn kind(text: &str) -> Kind {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

pub fn elements(text: &str) -> Vec<&str> {
    match kind(text) {
        Kind::Array => parts(text, b',').into_iter().map(|(_, part)| part).collect(),
        _ => vec![],
    }
}

/// Keys (with their quotes) and values.
pub fn members(text: &str) -> Vec<(&str, &str)> {
    match kind(text) {
        Kind::Object => parts(text, b':'),
        _ => vec![],
    }
}

/// The characters of a JSON string.
pub fn unquote(text: &str) -> Result<Rc<str>> {
    let inner = text.trim().trim_start_matches('"');
    if !inner.contains('\\') {
        return Ok(Rc::from(inner.strip_suffix('"').unwrap_or(inner)));
    }
    Ok(match Jsonb::parse(text)? {
        Jsonb::String(text) => text,
        _ => Rc::from(text),
    })
}

/// The comma-separated parts between the outermost brackets, each cut at the first `separator` of its own level. Where
/// that is a comma there is nothing before the cut.
fn parts(text: &str, separator: u8) -> Vec<(&str, &str)> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let mut found = vec![];
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut start = 1;
    let mut cut = None;
    for (position, &byte) in bytes.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        let ends_part = depth == 1 && matches!(byte, b',' | b']' | b'}');
        if ends_part && start <= position {
            let value_start = cut.map_or(start, |cut: usize| cut + 1);
            let key = cut.map_or("", |cut| text[start..cut].trim());
            let value = text[value_start..position].trim();
            if !value.is_empty() {
                found.push((key, value));
            }
            start = position + 1;
            cut = None;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ if byte == separator && separator != b',' && depth == 1 && cut.is_none() => cut = Some(position),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_and_objects_fall_into_parts() {
        assert_eq!(
            elements(" [1, [2, 3] ,{\"a\": [4]}, \"x,]\\\"\" ]"),
            ["1", "[2, 3]", "{\"a\": [4]}", "\"x,]\\\"\""]
        );
        assert_eq!(elements("[]"), Vec::<&str>::new());
        assert_eq!(members("{\"a\" : 1, \"b:,\":{\"c\":2}}"), [("\"a\"", "1"), ("\"b:,\"", "{\"c\":2}")]);
        assert_eq!(members("{ }"), vec![]);
    }
}
