//! Reads at a snapshot.

use super::encoding::{history_key, split_version};
use super::{HISTORY, LATEST, OUTCOMES, failed};
use crate::error::Result;
use crate::packed::push_pair;
use redb::{ReadOnlyTable, ReadTransaction};
use std::sync::Arc;
use ulid::Ulid;

pub(super) type Bytes = &'static [u8];

/// One consistent state of the store, shared by the statements that run on it. It holds any snapshot that was open
/// when it was made.
pub struct View {
    latest: ReadOnlyTable<Bytes, Bytes>,
    history: ReadOnlyTable<Bytes, Bytes>,
    outcomes: ReadOnlyTable<Bytes, Bytes>,
    /// Everything committed up to here is in it.
    pub(super) timestamp: u64,
}

impl View {
    pub(super) fn open(transaction: &ReadTransaction, timestamp: u64) -> Result<View> {
        Ok(View {
            latest: transaction.open_table(LATEST).map_err(failed)?,
            history: transaction.open_table(HISTORY).map_err(failed)?,
            outcomes: transaction.open_table(OUTCOMES).map_err(failed)?,
            timestamp,
        })
    }

    /// Calls `found` with the row that `key` had at `snapshot`, if it had one, and answers whether it did.
    pub fn get(&self, key: &[u8], snapshot: u64, found: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let Some(version) = self.latest.get(key).map_err(failed)? else {
            return Ok(false);
        };
        let (header, row) = split_version(version.value())?;
        if header.timestamp > snapshot {
            return self.get_old(key, snapshot, found);
        }
        if !header.tombstone {
            found(row);
        }
        Ok(!header.tombstone)
    }

    pub(super) fn get_old(&self, key: &[u8], snapshot: u64, found: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let (first, last) = (history_key(key, snapshot), history_key(key, 0));
        let mut versions = self.history.range::<&[u8]>(first.as_slice()..=last.as_slice()).map_err(failed)?;
        let Some(version) = versions.next() else {
            return Ok(false);
        };
        let (_, version) = version.map_err(failed)?;
        let (header, row) = split_version(version.value())?;
        if !header.tombstone {
            found(row);
        }
        Ok(!header.tombstone)
    }

    /// Timestamp of a commit, if it happened.
    pub fn outcome(&self, id: Ulid) -> Result<Option<u64>> {
        let Some(timestamp) = self.outcomes.get(id.to_bytes().as_slice()).map_err(failed)? else {
            return Ok(None);
        };
        super::encoding::leading_timestamp(timestamp.value()).map(Some)
    }

    pub(super) fn latest_range(&self, start: &[u8], end: &[u8]) -> Result<redb::Range<'static, Bytes, Bytes>> {
        self.latest.range::<&[u8]>(start..end).map_err(failed)
    }

    /// Reads a range at a snapshot, from its end when `reverse`.
    pub fn range(self: &Arc<View>, start: &[u8], end: &[u8], reverse: bool, snapshot: u64) -> Result<RangeReader> {
        Ok(RangeReader { range: self.latest_range(start, end)?, view: self.clone(), reverse, snapshot })
    }
}

pub struct RangeReader {
    range: redb::Range<'static, Bytes, Bytes>,
    view: Arc<View>,
    reverse: bool,
    snapshot: u64,
}

impl RangeReader {
    /// Appends packed pairs until there are `max_bytes` or `max_rows` of them; answers whether the end is reached.
    pub fn fill(&mut self, out: &mut Vec<u8>, max_bytes: usize, max_rows: usize) -> Result<bool> {
        for _ in 0..max_rows {
            if out.len() >= max_bytes {
                return Ok(false);
            }
            let entry = if self.reverse { self.range.next_back() } else { self.range.next() };
            let Some(entry) = entry else {
                return Ok(true);
            };
            let (key, version) = entry.map_err(failed)?;
            let (key, version) = (key.value(), version.value());
            let (header, row) = split_version(version)?;
            if header.timestamp > self.snapshot {
                self.view.get_old(key, self.snapshot, &mut |row| push_pair(out, key, row))?;
            } else if !header.tombstone {
                push_pair(out, key, row);
            }
        }
        Ok(false)
    }
}
