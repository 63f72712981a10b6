//! How versions and their keys are written.

use crate::error::{Error, Result};

/// In front of every version: its commit's timestamp, u64 little-endian; the top bit says that the key was deleted.
pub const HEADER: usize = 8;

const TOMBSTONE: u64 = 1 << 63;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub timestamp: u64,
    pub tombstone: bool,
}

impl Header {
    pub fn encode(self) -> [u8; HEADER] {
        (self.timestamp | if self.tombstone { TOMBSTONE } else { 0 }).to_le_bytes()
    }
}

/// Splits a stored version into its header and its row.
#[inline]
pub fn split_version(version: &[u8]) -> Result<(Header, &[u8])> {
    let Some((header, row)) = version.split_first_chunk::<HEADER>() else {
        return Err(Error::corrupted("a version without header"));
    };
    let header = u64::from_le_bytes(*header);
    Ok((Header { timestamp: header & !TOMBSTONE, tombstone: header & TOMBSTONE != 0 }, row))
}

/// A key of `history`. The key's length comes first, so that no key's versions lie between another's; newest first.
pub fn history_key(key: &[u8], timestamp: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 12);
    out.extend_from_slice(&(key.len() as u32).to_be_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(&(!timestamp).to_be_bytes());
    out
}

/// A key of `superseded`: chunk after chunk of a commit.
pub fn superseded_key(timestamp: u64, chunk: u32) -> [u8; 12] {
    let mut out = [0; 12];
    out[..8].copy_from_slice(&timestamp.to_be_bytes());
    out[8..].copy_from_slice(&chunk.to_be_bytes());
    out
}

/// The timestamp in a key of `superseded` or `outcome_order`.
pub fn leading_timestamp(key: &[u8]) -> Result<u64> {
    match key.first_chunk::<8>() {
        Some(timestamp) => Ok(u64::from_be_bytes(*timestamp)),
        None => Err(Error::corrupted("a timestamp is cut short")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_key_are_neighbours_newest_first() {
        let mut keys =
            [history_key(b"a", 1), history_key(b"a\0\0\0\0\0\0\0\0", 5), history_key(b"a", 7), history_key(b"b", 3)];
        keys.sort();
        assert_eq!(keys[0], history_key(b"a", 7));
        assert_eq!(keys[1], history_key(b"a", 1));
        assert_eq!(keys[2], history_key(b"b", 3));
    }

    #[test]
    fn a_header_keeps_both_halves() {
        for tombstone in [false, true] {
            let header = Header { timestamp: 1_700_000_000_000_000, tombstone };
            let mut version = header.encode().to_vec();
            version.extend_from_slice(b"row");
            assert_eq!(split_version(&version).unwrap(), (header, b"row".as_slice()));
        }
        assert_eq!(split_version(b"short").unwrap_err().sqlstate, "XX001");
    }
}
