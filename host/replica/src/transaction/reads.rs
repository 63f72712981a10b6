//! What a transaction depends on beside its writes: guarded keys, and under serializable all that it has read.

use super::overlay::Mark;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reads {
    /// Keys read or guarded.
    #[serde(with = "shared_keys")]
    pub keys: Vec<Arc<[u8]>>,
    /// Ranges scanned: first key that belongs to it, first key after it.
    pub ranges: Vec<(Vec<u8>, Vec<u8>)>,
}

mod shared_keys {
    use super::*;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(keys: &[Arc<[u8]>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(keys.iter().map(|key| &**key))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<[u8]>>, D::Error> {
        let keys = Vec::<Vec<u8>>::deserialize(deserializer)?;
        Ok(keys.into_iter().map(Arc::from).collect())
    }
}

/// The dependencies of an open transaction.
#[derive(Default)]
pub struct ReadSet {
    guards: BTreeSet<Arc<[u8]>>,
    /// Guards in the order in which they were asked for.
    guard_log: Vec<Arc<[u8]>>,
    keys: BTreeSet<Arc<[u8]>>,
    ranges: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

impl ReadSet {
    pub fn guard_mark(&self) -> Mark {
        self.guard_log.len() as Mark
    }

    pub fn undo_guards(&mut self, mark: Mark) {
        for key in self.guard_log.drain(mark as usize..) {
            self.bytes = self.bytes.saturating_sub(key.len());
            self.guards.remove(&key);
        }
    }

    pub fn guard(&mut self, key: &[u8], limit: usize) -> Result<()> {
        if !self.guards.contains(key) {
            self.charge(key.len(), limit)?;
            let key: Arc<[u8]> = key.into();
            self.guard_log.push(key.clone());
            self.guards.insert(key);
        }
        Ok(())
    }

    pub fn read(&mut self, key: &[u8], limit: usize) -> Result<()> {
        if !self.keys.contains(key) {
            self.charge(key.len(), limit)?;
            self.keys.insert(key.into());
        }
        Ok(())
    }

    pub fn scanned(&mut self, start: Vec<u8>, end: Vec<u8>, limit: usize) -> Result<()> {
        if self.ranges.last().is_some_and(|(last_start, last_end)| *last_start == start && *last_end == end) {
            return Ok(());
        }
        self.charge(start.len() + end.len(), limit)?;
        self.ranges.push((start, end));
        Ok(())
    }

    fn charge(&mut self, bytes: usize, limit: usize) -> Result<()> {
        self.bytes += bytes;
        if self.bytes > limit {
            return Err(Error::too_large(format!("{limit} bytes of reads")));
        }
        Ok(())
    }

    pub fn take(&mut self) -> Reads {
        let mut keys = std::mem::take(&mut self.guards);
        keys.append(&mut self.keys);
        Reads { keys: keys.into_iter().collect(), ranges: std::mem::take(&mut self.ranges) }
    }
}
