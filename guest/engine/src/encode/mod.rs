//! How keys, rows and index entries are bytes.

mod columns;
pub mod data_row;
pub mod index;
pub mod key;
pub mod pairs;
pub mod row;
pub mod value;
pub mod writes;

#[cfg(test)]
mod tests;

use crate::error::{Error, sqlstate};

/// XX001: stored bytes that this engine cannot have written.
pub(crate) fn corrupted(what: &str) -> Error {
    Error::new(sqlstate::DATA_CORRUPTED, format!("stored data is damaged: {what}"))
}
