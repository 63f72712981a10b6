//! What PostgreSQL's parser says when it cannot go on.

use crate::error::{Error, sqlstate};
use sqlparser::tokenizer::{Location, TokenWithSpan};

/// `syntax error at or near "…"` with the token as it stands in the text; none is the text's end.
pub fn near(sql: &str, token: Option<&TokenWithSpan>) -> Error {
    let start = token.map_or(0, |token| token.span.start.column);
    match token {
        Some(token) if start > 0 && token.span.end.column > start => {
            let text = slice(sql, start, token.span.end.column);
            if text.is_empty() {
                return at_end(sql);
            }
            Error::new(sqlstate::SYNTAX_ERROR, format!("syntax error at or near \"{text}\"")).at(Some(start as u32))
        }
        _ => at_end(sql),
    }
}

fn at_end(sql: &str) -> Error {
    let end = sql.chars().count() as u32 + 1;
    Error::new(sqlstate::SYNTAX_ERROR, "syntax error at end of input").at(Some(end))
}

/// A text whose tokens cannot be told apart: a quote or a comment that never ends, a stray character.
pub fn unreadable(sql: &str, message: &str, location: Location) -> Error {
    let what = if message.contains("dollar-quoted") {
        "unterminated dollar-quoted string"
    } else if message.contains("string literal") || message.contains("encoded string") {
        "unterminated quoted string"
    } else if message.contains("close delimiter") {
        "unterminated quoted identifier"
    } else if message.contains("comment") {
        "unterminated /* comment"
    } else {
        "syntax error"
    };
    let rest = slice(sql, location.column, u64::MAX);
    Error::new(sqlstate::SYNTAX_ERROR, format!("{what} at or near \"{rest}\"")).at(Some(location.column.max(1) as u32))
}

/// The column that a message of sqlparser ends with.
pub fn position(message: &str) -> Option<u64> {
    let (_, column) = message.rsplit_once("Column: ")?;
    let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|&column| column > 0)
}

/// Characters from position `start` up to before `end`; the first position is 1.
fn slice(sql: &str, start: u64, end: u64) -> String {
    let skipped = start.saturating_sub(1) as usize;
    sql.chars().skip(skipped).take(end.saturating_sub(start) as usize).collect()
}
