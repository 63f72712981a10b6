//! Reading JSON text (RFC 8259) with PostgreSQL's error messages.

use super::Jsonb;
use crate::error::{Error, Result};

/// Checks that a text is JSON. Fails with 22P02.
pub fn validate(_text: &str) -> Result<()> {
    Err(Error::not_supported("reading json"))
}

impl Jsonb {
    /// Reads JSON text into its normal form. Fails with 22P02.
    pub fn parse(_text: &str) -> Result<Jsonb> {
        Err(Error::not_supported("reading jsonb"))
    }
}
