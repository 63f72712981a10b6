//! varchar, char(n), name and "char" (PostgreSQL 15, section 8.3). Lengths count characters.

use crate::error::{Error, Result, sqlstate};
use std::rc::Rc;

/// Longest name, in bytes.
const NAME_BYTES: usize = 63;

/// The length that a modifier of varchar or char sets.
fn limit(modifier: i32) -> Option<usize> {
    (modifier >= 4).then_some((modifier - 4) as usize)
}

/// The byte length of the first `characters` characters; none when there are not more than that.
fn cut(text: &str, characters: usize) -> Option<usize> {
    if text.len() <= characters {
        return None;
    }
    text.char_indices().nth(characters).map(|(position, _)| position)
}

/// The text within the limit. What is cut off must be blanks, unless `explicit` (a cast) cuts silently.
fn limited<'a>(text: &'a str, limit: usize, explicit: bool, name: &str) -> Result<&'a str> {
    match cut(text, limit) {
        Some(end) if explicit || text[end..].bytes().all(|byte| byte == b' ') => Ok(&text[..end]),
        Some(_) => {
            Err(Error::new(sqlstate::STRING_DATA_RIGHT_TRUNCATION, format!("value too long for type {name}({limit})")))
        }
        None => Ok(text),
    }
}

/// varchar(n)
pub fn varying(text: &str, modifier: i32, explicit: bool) -> Result<&str> {
    match limit(modifier) {
        Some(limit) => limited(text, limit, explicit, "character varying"),
        None => Ok(text),
    }
}

/// char(n), padded with blanks to its length
pub fn padded(text: &str, modifier: i32, explicit: bool) -> Result<Rc<str>> {
    let Some(limit) = limit(modifier) else { return Ok(Rc::from(text)) };
    let text = limited(text, limit, explicit, "character")?;
    let missing = limit.saturating_sub(text.chars().count());
    if missing == 0 {
        return Ok(Rc::from(text));
    }
    let mut padded = String::with_capacity(text.len() + missing);
    padded.push_str(text);
    padded.extend(std::iter::repeat_n(' ', missing));
    Ok(Rc::from(padded))
}

/// name: cut to 63 bytes, at a character's start
pub fn name(text: &str) -> &str {
    let mut end = text.len().min(NAME_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// "char": the first character, or one byte as `\ooo`
pub fn internal(text: &str) -> String {
    let octal = |byte: u8| matches!(byte, b'0'..=b'7');
    if let [b'\\', first @ b'0'..=b'3', second, third] = text.as_bytes()
        && octal(*second)
        && octal(*third)
    {
        let code = (first - b'0') * 64 + (second - b'0') * 8 + (third - b'0');
        return if code == 0 { String::new() } else { char::from(code).to_string() };
    }
    text.chars().next().map(String::from).unwrap_or_default()
}
