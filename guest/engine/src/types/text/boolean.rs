//! boolean (PostgreSQL 15, section 8.6).

use super::{invalid_input, is_space};
use crate::error::Result;

/// Reads `true`, `yes`, `on`, `1`, their opposites, and beginnings of them that are not ambiguous, in any case.
pub fn parse(text: &str) -> Result<bool> {
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    let begins = |whole: &str| !word.is_empty() && whole.starts_with(&word);
    if begins("true") || begins("yes") || word == "on" || word == "1" {
        Ok(true)
    } else if begins("false") || begins("no") || word == "off" || word == "of" || word == "0" {
        Ok(false)
    } else {
        Err(invalid_input("boolean", text))
    }
}
