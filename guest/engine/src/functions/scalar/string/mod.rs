//! Strings and bytes (PostgreSQL 15, sections 9.4 and 9.5). Positions and lengths of text are in characters; with the
//! C collation only ASCII letters have a case.

pub mod change;
pub mod code;
pub mod digest;
pub mod format;
pub mod identifier;
pub mod join;
pub mod length;
pub mod quote;
pub mod slice;
pub mod trim;

use crate::error::{Error, Result, sqlstate};
use crate::functions::memory::check_room;

/// The largest value that PostgreSQL makes, in bytes.
const MAX_BYTES: usize = 0x3fff_ffff;

/// Fails with 54000 for a result that would be too large, and with 53200 for one that there is no memory for.
fn check_size(bytes: usize) -> Result<()> {
    if bytes > MAX_BYTES {
        return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "requested length too large"));
    }
    // The text is built and then copied into a value.
    check_room(bytes.saturating_mul(2))
}

/// The byte offset of the character with this number, the end of the text for all beyond.
fn offset(text: &str, characters: usize) -> usize {
    if text.is_ascii() {
        return characters.min(text.len());
    }
    text.char_indices().nth(characters).map_or(text.len(), |(offset, _)| offset)
}
