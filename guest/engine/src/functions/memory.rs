//! Room for large results.

use crate::error::{Error, Result, sqlstate};

/// Results below this many bytes are not asked for.
const ALWAYS_ALLOWED: usize = 1 << 20;

/// Fails with 53200 when the engine cannot have this many bytes more: running out of memory is a trap.
pub fn check_room(bytes: usize) -> Result<()> {
    if bytes < ALWAYS_ALLOWED {
        return Ok(());
    }
    let mut probe: Vec<u8> = Vec::new();
    probe.try_reserve_exact(bytes).map_err(|_| Error::new(sqlstate::OUT_OF_MEMORY, "out of memory"))
}
