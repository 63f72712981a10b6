//! A component by its content, and where the store keeps it.

use std::fmt;

use isobar_replica::Transaction;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result, sqlstate};

/// SHA-256 of a component's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    pub fn of(component: &[u8]) -> Digest {
        Digest(Sha256::digest(component).into())
    }
}

/// In hexadecimal.
impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The host's own key space: components in chunks, by digest and the chunk's number.
const PREFIX: [u8; 9] = [2, 0, 0, 0, 0, 0, 0, 0, 2];

/// Bytes of every chunk but the last.
pub const CHUNK_BYTES: usize = 1 << 20;

/// The key of a component's chunk.
pub fn chunk_key(digest: Digest, number: u32) -> Vec<u8> {
    [&PREFIX[..], &digest.0, &number.to_be_bytes()].concat()
}

/// Where a component comes from that no cache has.
pub trait ComponentSource: Send {
    /// The component's bytes; XX001 when they are not there.
    fn component(&mut self, digest: Digest, bytes_max: usize) -> Result<Vec<u8>>;
}

/// A transaction sees the components of its snapshot's procedures.
impl ComponentSource for Transaction {
    fn component(&mut self, digest: Digest, bytes_max: usize) -> Result<Vec<u8>> {
        let mut component = Vec::new();
        for number in 0.. {
            let Some(chunk) = self.get(&chunk_key(digest, number))? else { break };
            component.extend_from_slice(&chunk);
            if component.len() > bytes_max {
                return Err(Error::new(
                    sqlstate::PROGRAM_LIMIT_EXCEEDED,
                    format!("the stored component {digest} is larger than the {bytes_max} bytes that this node allows"),
                )
                .hint("Raise procedures.component_mb in the node's configuration."));
            }
            if chunk.len() < CHUNK_BYTES {
                break;
            }
        }
        if Digest::of(&component) == digest {
            return Ok(component);
        }
        Err(Error::new(
            sqlstate::DATA_CORRUPTED,
            format!("the component {digest} is not in the store as it was deployed"),
        ))
    }
}
