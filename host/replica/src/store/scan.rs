//! Long forward scans, which use and leave behind segments.

use super::encoding::split_version;
use super::segments::Segments;
use super::view::{Bytes, View};
use super::{failed, index_prefix};
use crate::error::{Error, Result};
use crate::packed::{Pieces, push_pair};
use std::sync::Arc;

/// Bytes of pairs in a segment, about.
const SEGMENT: usize = 64 << 10;

pub struct SegmentScan {
    view: Arc<View>,
    segments: Arc<Segments>,
    snapshot: u64,
    /// First key not read yet.
    position: Vec<u8>,
    end: Vec<u8>,
    /// redb's own position, where it is the same.
    range: Option<redb::Range<'static, Bytes, Bytes>>,
}

impl SegmentScan {
    pub fn new(view: Arc<View>, segments: Arc<Segments>, snapshot: u64, start: &[u8], end: &[u8]) -> SegmentScan {
        SegmentScan { view, segments, snapshot, position: start.to_vec(), end: end.to_vec(), range: None }
    }

    /// Whether the next pairs are in memory.
    pub fn is_in_memory(&self) -> bool {
        self.segments.has(&self.position, self.snapshot)
    }

    /// The next pairs, where they are all of a segment in memory, which is not copied.
    pub fn take_segment(&mut self) -> Option<Arc<Vec<u8>>> {
        while self.position < self.end {
            let found = self.segments.get(&self.position, self.snapshot)?;
            if !found.whole || found.end > self.end {
                return None;
            }
            self.range = None;
            self.position = found.end;
            // It is empty where all of its rows have been deleted.
            if !found.pairs.is_empty() {
                return Some(found.pairs);
            }
        }
        None
    }

    /// Appends packed pairs until there are `max_bytes` of them; answers whether the end is reached.
    pub fn fill(&mut self, out: &mut Vec<u8>, max_bytes: usize) -> Result<bool> {
        while self.position < self.end {
            if out.len() >= max_bytes {
                return Ok(false);
            }
            let Some(found) = self.segments.get(&self.position, self.snapshot) else {
                self.read_segment(out)?;
                continue;
            };
            self.range = None;
            if found.whole && found.end <= self.end {
                out.extend_from_slice(&found.pairs);
                self.position = found.end;
            } else {
                let mut pieces = Pieces(&found.pairs);
                while let Some(key) = pieces.next() {
                    let (key, value) = (key?, pieces.next().unwrap_or(Err(Error::malformed("segment")))?);
                    if self.position.as_slice() <= key && key < self.end.as_slice() {
                        push_pair(out, key, value);
                    }
                }
                self.position = found.end.min(self.end.clone());
            }
        }
        Ok(true)
    }

    fn read_segment(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let range = match &mut self.range {
            Some(range) => range,
            none => none.insert(self.view.latest_range(&self.position, &self.end)?),
        };
        let (from, mut newest, mut last, mut ended) = (out.len(), 0, None, false);
        while out.len() - from < SEGMENT {
            let Some(entry) = range.next() else {
                ended = true;
                break;
            };
            let (key_guard, version) = entry.map_err(failed)?;
            let key = key_guard.value();
            let (header, row) = split_version(version.value())?;
            newest = newest.max(header.timestamp);
            if header.timestamp > self.snapshot {
                self.view.get_old(key, self.snapshot, &mut |row| push_pair(out, key, row))?;
            } else if !header.tombstone {
                push_pair(out, key, row);
            }
            last = Some(key_guard);
        }
        let Some(last) = last else {
            self.position.clone_from(&self.end);
            return Ok(());
        };
        let last = last.value();
        let next = if ended { self.end.clone() } else { [last, &[0]].concat() };
        let start = std::mem::replace(&mut self.position, next);
        let one_index = index_prefix(&start).is_some_and(|prefix| last.starts_with(&prefix));
        if newest <= self.snapshot && one_index {
            self.segments.insert(&start, &self.position, &out[from..], newest, self.view.timestamp);
        }
        Ok(())
    }
}
