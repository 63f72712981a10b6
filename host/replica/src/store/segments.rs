//! Stretches of indexes as packed pairs, kept in memory for the scans that come again: copying one costs a tenth of
//! walking redb's pages. A commit drops the segments that it writes into.

use super::{IndexPrefix, index_prefix};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// Consecutive keys of one index with their newest versions.
struct Segment {
    /// First key after it.
    end: Vec<u8>,
    pairs: Arc<Vec<u8>>,
    /// Timestamp of its newest version, tombstones included: older snapshots must not use it.
    newest: u64,
    /// Since the last time that room was needed.
    used: bool,
}

#[derive(Default)]
struct Index {
    /// Timestamp of the newest commit that wrote to it.
    written: u64,
    segments: BTreeMap<Arc<[u8]>, Segment>,
}

#[derive(Default)]
struct State {
    /// What was read in a state before this one is of a store that has been replaced.
    floor: u64,
    indexes: HashMap<IndexPrefix, Index>,
    /// Candidates for eviction, next one first; some are gone already.
    order: VecDeque<Arc<[u8]>>,
    bytes: usize,
    count: usize,
}

pub struct Segments {
    state: Mutex<State>,
    limit: usize,
}

/// Pairs from memory.
pub struct Found {
    pub pairs: Arc<Vec<u8>>,
    /// They start at the key that was asked for, not before it.
    pub whole: bool,
    /// First key after them.
    pub end: Vec<u8>,
}

/// First key after an index, none for the last one.
fn index_end(prefix: &IndexPrefix) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(byte) = end.pop() {
        if byte < u8::MAX {
            end.push(byte + 1);
            return Some(end);
        }
    }
    None
}

impl Segments {
    pub fn new(limit: usize) -> Segments {
        Segments { state: Mutex::default(), limit }
    }

    /// The segment that holds `position`, as far as `snapshot` may use it.
    pub fn get(&self, position: &[u8], snapshot: u64) -> Option<Found> {
        let mut state = self.state.lock();
        let index = state.indexes.get_mut(&index_prefix(position)?)?;
        let up_to = (Bound::Unbounded, Bound::Included(position));
        let (start, segment) = index.segments.range_mut::<[u8], _>(up_to).next_back()?;
        if segment.end.as_slice() <= position || segment.newest > snapshot {
            return None;
        }
        segment.used = true;
        Some(Found { pairs: segment.pairs.clone(), whole: **start == *position, end: segment.end.clone() })
    }

    /// Whether `get` would find something.
    pub fn has(&self, position: &[u8], snapshot: u64) -> bool {
        self.get(position, snapshot).is_some()
    }

    /// Remembers all pairs from `start` to before `end`, as read in the state of `timestamp`.
    pub fn insert(&self, start: &[u8], end: &[u8], pairs: &[u8], newest: u64, timestamp: u64) {
        let Some(prefix) = index_prefix(start) else { return };
        let end = match index_end(&prefix) {
            Some(index_end) if index_end.as_slice() < end => index_end,
            _ => end.to_vec(),
        };
        let mut state = self.state.lock();
        if timestamp < state.floor || !state.make_room(pairs.len(), self.limit) {
            return;
        }
        let index = state.indexes.entry(prefix).or_default();
        // What was written since may be missing here, and what lies there already is as good.
        let before = (Bound::Unbounded, Bound::Excluded(end.as_slice()));
        let overlaps = index.segments.range::<[u8], _>(before).next_back();
        if index.written > timestamp || overlaps.is_some_and(|(_, segment)| segment.end.as_slice() > start) {
            return;
        }
        let start: Arc<[u8]> = start.into();
        let segment = Segment { end, pairs: Arc::new(pairs.to_vec()), newest, used: true };
        index.segments.insert(start.clone(), segment);
        state.order.push_back(start);
        state.bytes += pairs.len();
        state.count += 1;
    }

    /// A commit of `timestamp` has written these keys, which come in order.
    pub fn forget<'k>(&self, keys: impl Iterator<Item = &'k [u8]>, timestamp: u64) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let mut last: Option<(IndexPrefix, bool)> = None;
        for key in keys {
            let Some(prefix) = index_prefix(key) else { continue };
            if last == Some((prefix, false)) {
                continue;
            }
            let index = state.indexes.entry(prefix).or_default();
            index.written = timestamp;
            let up_to = (Bound::Unbounded, Bound::Included(key));
            if let Some((start, segment)) = index.segments.range::<[u8], _>(up_to).next_back()
                && segment.end.as_slice() > key
            {
                state.bytes -= segment.pairs.len();
                state.count -= 1;
                let start = start.clone();
                index.segments.remove(&start);
            }
            last = Some((prefix, !index.segments.is_empty()));
        }
    }

    /// The store has been replaced by one of `timestamp`: what was read before is of another one.
    pub fn clear(&self, timestamp: u64) {
        *self.state.lock() = State { floor: timestamp, ..State::default() };
    }
}

impl State {
    /// Whether there is room now. What was used lately stays: a scan of more than fits must not drive out all else.
    fn make_room(&mut self, bytes: usize, limit: usize) -> bool {
        if self.order.len() > 2 * self.count + 1000 {
            let indexes = &self.indexes;
            self.order.retain(|start| {
                index_prefix(start)
                    .and_then(|prefix| indexes.get(&prefix))
                    .is_some_and(|index| index.segments.contains_key(start))
            });
        }
        while self.bytes + bytes > limit {
            let Some(start) = self.order.pop_front() else { return false };
            let index = index_prefix(&start).and_then(|prefix| self.indexes.get_mut(&prefix));
            let Some(index) = index else { continue };
            let Some(segment) = index.segments.get_mut(&start) else { continue };
            if segment.used {
                segment.used = false;
                self.order.push_back(start);
                return false;
            }
            self.bytes -= segment.pairs.len();
            self.count -= 1;
            index.segments.remove(&start);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Vec<u8> {
        [&[1, 0, 0, 0, 1, 0, 0, 0, 0], name.as_bytes()].concat()
    }

    fn segments() -> Segments {
        let segments = Segments::new(100);
        segments.insert(&key("a"), &key("m"), b"a to m", 5, 10);
        segments.insert(&key("m"), &[2], b"m to end", 7, 10);
        segments
    }

    #[test]
    fn a_segment_answers_for_its_keys_and_snapshots() {
        let segments = segments();
        let found = segments.get(&key("a"), 5).unwrap();
        assert_eq!((found.pairs.as_slice(), found.whole, found.end), (&b"a to m"[..], true, key("m")));
        assert!(!segments.get(&key("b"), 5).unwrap().whole);
        assert!(segments.get(&key("a"), 4).is_none(), "older than its newest version");
        assert!(segments.get(&key(""), 9).is_none());
        // It ends with its index, whatever the scan's end was.
        assert_eq!(segments.get(&key("z"), 9).unwrap().end, [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    }

    #[test]
    fn a_commit_drops_what_it_writes_into_and_what_was_read_before_it() {
        let segments = segments();
        segments.forget([key("b")].iter().map(Vec::as_slice), 20);
        assert!(segments.get(&key("a"), 30).is_none());
        assert!(segments.get(&key("m"), 30).is_some());
        segments.insert(&key("a"), &key("m"), b"stale", 5, 19);
        assert!(segments.get(&key("a"), 30).is_none());
        segments.insert(&key("a"), &key("m"), b"fresh", 20, 20);
        assert_eq!(segments.get(&key("a"), 30).unwrap().pairs.as_slice(), b"fresh");
    }

    #[test]
    fn nothing_of_a_store_that_was_replaced_comes_back() {
        let segments = segments();
        segments.clear(20);
        assert!(segments.get(&key("a"), 30).is_none());
        // A scan of the old store ends only now.
        segments.insert(&key("a"), &key("m"), b"old", 5, 19);
        assert!(segments.get(&key("a"), 30).is_none());
        segments.insert(&key("a"), &key("m"), b"new", 5, 20);
        assert_eq!(segments.get(&key("a"), 30).unwrap().pairs.as_slice(), b"new");
    }

    #[test]
    fn what_is_used_stays_when_room_is_short() {
        let segments = segments();
        for step in 0..50 {
            let (start, end) = (key(&format!("x{step:02}")), key(&format!("x{step:02}~")));
            segments.forget([start.as_slice()].into_iter(), 10);
            segments.insert(&start, &end, &[0; 30], 5, 10);
            assert!(segments.get(&key("a"), 9).is_some());
            assert!(segments.state.lock().bytes <= 100);
        }
    }
}
