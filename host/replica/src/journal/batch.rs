//! The commits of one journal entry, as bytes: (identifier 16 bytes, timestamp u64 LE, length u32 LE, packed writes)*.

use crate::error::{Error, Result};
use ulid::Ulid;

/// Collects commits.
#[derive(Default)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    commits: usize,
}

impl BatchBuilder {
    pub fn push(&mut self, id: Ulid, timestamp: u64, writes: &[u8]) {
        self.bytes.reserve(28 + writes.len());
        self.bytes.extend_from_slice(&id.to_bytes());
        self.bytes.extend_from_slice(&timestamp.to_le_bytes());
        self.bytes.extend_from_slice(&(writes.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(writes);
        self.commits += 1;
    }

    pub fn commits(&self) -> usize {
        self.commits
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

pub struct BatchCommit<'a> {
    pub id: Ulid,
    pub timestamp: u64,
    pub writes: &'a [u8],
}

/// The commits of an entry in their order.
pub struct BatchReader<'a>(pub &'a [u8]);

impl<'a> BatchReader<'a> {
    fn split(bytes: &'a [u8]) -> Option<(BatchCommit<'a>, &'a [u8])> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (timestamp, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (writes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let commit = BatchCommit { id: Ulid::from_bytes(*id), timestamp: u64::from_le_bytes(*timestamp), writes };
        Some((commit, rest))
    }
}

impl<'a> Iterator for BatchReader<'a> {
    type Item = Result<BatchCommit<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((commit, rest)) = BatchReader::split(self.0) else {
            self.0 = &[];
            return Some(Err(Error::corrupted("a journal entry is cut short")));
        };
        self.0 = rest;
        Some(Ok(commit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_come_back_in_order() {
        let mut builder = BatchBuilder::default();
        for timestamp in [5, 6, 9] {
            builder.push(Ulid::from_parts(timestamp, 1), timestamp, &vec![7; timestamp as usize]);
        }
        let bytes = builder.finish();
        let commits: Vec<_> = BatchReader(&bytes)
            .map(|commit| commit.map(|c| (c.timestamp, c.writes.len())))
            .collect::<Result<_>>()
            .unwrap();
        assert_eq!(commits, [(5, 5), (6, 6), (9, 9)]);
        assert_eq!(BatchReader(&bytes[..bytes.len() - 1]).last().unwrap().err().unwrap().sqlstate, "XX001");
    }
}
