//! Step 5, decide: first committer wins. Pure: time comes in, nothing goes out but the decision.
//!
//! Optimistic concurrency control with backward validation (Kung and Robinson, 1981): a transaction is checked
//! against what has been committed since its snapshot, which is kept in memory for as long as a transaction may live.

use crate::error::{Error, Result};
use crate::packed::Writes;
use crate::store::{IndexPrefix, index_prefix};
use crate::transaction::{Reads, is_catalog};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

pub struct Certifier {
    /// Key → timestamp of its newest commit.
    recent: BTreeMap<Arc<[u8]>, u64>,
    /// What each commit wrote, oldest first.
    commits: VecDeque<(u64, Vec<Arc<[u8]>>)>,
    /// Timestamp of the newest commit that wrote to an index.
    newest: HashMap<IndexPrefix, u64>,
    /// Snapshots before this cannot be certified: what was committed after them is forgotten.
    floor: u64,
    last: u64,
    max_keys: usize,
    keys: usize,
}

impl Certifier {
    /// `last`: the newest timestamp given so far.
    pub fn new(last: u64, max_keys: usize) -> Certifier {
        Certifier {
            recent: BTreeMap::new(),
            commits: VecDeque::new(),
            newest: HashMap::new(),
            floor: last,
            last,
            max_keys,
            keys: 0,
        }
    }

    /// Remembers a commit that was decided before, in the order of timestamps.
    pub fn replay(&mut self, timestamp: u64, writes: &[u8]) -> Result<()> {
        self.last = self.last.max(timestamp);
        self.remember(timestamp, writes)
    }

    /// Timestamps up to this one have been given.
    pub fn advance(&mut self, timestamp: u64) {
        self.last = self.last.max(timestamp);
    }

    /// Keys remembered.
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// Decides about a transaction and, when it may commit, remembers its writes under the timestamp it gets:
    /// `max(now, last + 1)`.
    pub fn certify(&mut self, snapshot: u64, writes: &[u8], reads: &Reads, now: u64) -> Result<u64> {
        if snapshot < self.floor {
            return Err(Error::snapshot_too_old());
        }
        self.check(snapshot, writes, reads)?;
        let timestamp = now.max(self.last + 1);
        self.last = timestamp;
        self.remember(timestamp, writes)?;
        Ok(timestamp)
    }

    fn check(&self, snapshot: u64, writes: &[u8], reads: &Reads) -> Result<()> {
        // A changed catalog is the more useful answer, so all of it is checked before anything else.
        let mut conflict = false;
        for write in Writes(writes) {
            conflict |= self.check_key(write?.0, snapshot)?;
        }
        for key in &reads.keys {
            conflict |= match index_prefix(key) {
                // The prefix alone stands for the whole index.
                Some(prefix) if prefix.len() == key.len() && !is_catalog(key) => {
                    self.newest.get(&prefix).is_some_and(|newest| *newest > snapshot)
                }
                _ => self.check_key(key, snapshot)?,
            };
        }
        for (start, end) in &reads.ranges {
            conflict |= self.check_range(start, end, snapshot)?;
        }
        if conflict { Err(Error::conflict()) } else { Ok(()) }
    }

    /// Whether a key was written after the snapshot.
    fn check_key(&self, key: &[u8], snapshot: u64) -> Result<bool> {
        // Mostly nobody has written to its index at all.
        if index_prefix(key).is_some_and(|prefix| self.newest.get(&prefix).is_none_or(|newest| *newest <= snapshot)) {
            return Ok(false);
        }
        let conflict = self.recent.get(key).is_some_and(|timestamp| *timestamp > snapshot);
        if conflict && is_catalog(key) {
            return Err(Error::schema_conflict());
        }
        Ok(conflict)
    }

    fn check_range(&self, start: &[u8], end: &[u8], snapshot: u64) -> Result<bool> {
        // Most ranges lie in one index, and most of those have not been written to.
        if let (Some(prefix), Some(end_prefix)) = (index_prefix(start), index_prefix(end))
            && (prefix == end_prefix || is_next(&prefix, end))
            && self.newest.get(&prefix).is_none_or(|newest| *newest <= snapshot)
        {
            return Ok(false);
        }
        if start >= end {
            return Ok(false);
        }
        let range = (Bound::Included(start), Bound::Excluded(end));
        let written = self.recent.range::<[u8], _>(range).find(|(_, timestamp)| **timestamp > snapshot);
        match written {
            Some((key, _)) if is_catalog(key) => Err(Error::schema_conflict()),
            written => Ok(written.is_some()),
        }
    }

    fn remember(&mut self, timestamp: u64, writes: &[u8]) -> Result<()> {
        let mut keys = Vec::new();
        for write in Writes(writes) {
            let key: Arc<[u8]> = write?.0.into();
            if let Some(prefix) = index_prefix(&key) {
                self.newest.insert(prefix, timestamp);
            }
            self.recent.insert(key.clone(), timestamp);
            keys.push(key);
        }
        self.keys += keys.len();
        self.commits.push_back((timestamp, keys));
        while self.keys > self.max_keys {
            self.forget_oldest();
        }
        Ok(())
    }

    /// Forgets the commits at or before `horizon`: no open transaction is older.
    pub fn forget(&mut self, horizon: u64) {
        while self.commits.front().is_some_and(|(timestamp, _)| *timestamp <= horizon) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((timestamp, keys)) = self.commits.pop_front() else { return };
        self.floor = timestamp;
        self.keys -= keys.len();
        for key in keys {
            if self.recent.get(&key) == Some(&timestamp) {
                self.recent.remove(&key);
            }
            if let Some(prefix) = index_prefix(&key)
                && self.newest.get(&prefix).is_some_and(|newest| *newest <= timestamp)
            {
                self.newest.remove(&prefix);
            }
        }
    }
}

/// Whether `end` is the first key after the index.
fn is_next(prefix: &IndexPrefix, end: &[u8]) -> bool {
    let mut next = *prefix;
    for byte in next.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return end == next;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::push_write;
    use proptest::prelude::*;

    const INDEX: IndexPrefix = [1, 0, 0, 0, 1, 0, 0, 0, 0];

    fn key(name: u8) -> Vec<u8> {
        [&INDEX, [name].as_slice()].concat()
    }

    fn pack_key(key: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        push_write(&mut packed, key, Some(b"row"));
        packed
    }

    fn pack(names: &[u8]) -> Vec<u8> {
        names.iter().flat_map(|name| pack_key(&key(*name))).collect()
    }

    #[derive(Clone, Debug)]
    struct Attempt {
        /// How many commits before the last one the snapshot is.
        age: usize,
        writes: Vec<u8>,
        keys: Vec<u8>,
        ranges: Vec<(u8, u8)>,
    }

    fn attempt() -> impl Strategy<Value = Attempt> {
        let names = || proptest::collection::vec(0..20u8, 0..3);
        let ranges = proptest::collection::vec((0..20u8, 0..20u8), 0..2);
        (0..5usize, proptest::collection::vec(0..20u8, 1..3), names(), ranges)
            .prop_map(|(age, writes, keys, ranges)| Attempt { age, writes, keys, ranges })
    }

    proptest! {
        /// Decides as one would who looks through all commits.
        #[test]
        fn decides_as_the_definition_does(attempts in proptest::collection::vec(attempt(), 1..40)) {
            let mut certifier = Certifier::new(0, 1000);
            let mut commits: Vec<(u64, Vec<u8>)> = Vec::new();
            for Attempt { age, writes, keys, ranges } in attempts {
                let snapshot = commits.iter().rev().nth(age).map_or(0, |(timestamp, _)| *timestamp);
                let conflicts = commits.iter().filter(|(timestamp, _)| *timestamp > snapshot).any(|(_, written)| {
                    written.iter().any(|name| {
                        writes.contains(name)
                            || keys.contains(name)
                            || ranges.iter().any(|(start, end)| start <= name && name < end)
                    })
                });
                let reads = Reads {
                    keys: keys.iter().map(|name| key(*name).into()).collect(),
                    ranges: ranges.iter().map(|(start, end)| (key(*start), key(*end))).collect(),
                };
                let decision = certifier.certify(snapshot, &pack(&writes), &reads, 0);
                prop_assert_eq!(decision.is_err(), conflicts);
                if let Ok(timestamp) = decision {
                    commits.push((timestamp, writes));
                }
            }
        }
    }

    #[test]
    fn timestamps_grow_whatever_the_clock_does() {
        let mut certifier = Certifier::new(10, 1000);
        let mut commit = |now| certifier.certify(u64::MAX >> 1, &pack(&[1]), &Reads::default(), now).unwrap();
        assert_eq!([commit(5), commit(20), commit(20), commit(7)], [11, 20, 21, 22]);
    }

    #[test]
    fn a_range_of_a_whole_index_sees_its_writes_only() {
        let mut certifier = Certifier::new(0, 1000);
        certifier.certify(0, &pack(&[1]), &Reads::default(), 100).unwrap();
        let mut other = INDEX;
        other[8] = 1;
        let mut after = INDEX;
        after[8] = 2;
        let mut decide = |start: &[u8], end: &[u8]| {
            let reads = Reads { keys: Vec::new(), ranges: vec![(start.to_vec(), end.to_vec())] };
            certifier.certify(50, &pack(&[200]), &reads, 0).map(|_| ())
        };
        assert_eq!(decide(&INDEX, &other), Err(Error::conflict()));
        assert_eq!(decide(&other, &after), Ok(()));
    }

    #[test]
    fn what_is_forgotten_is_refused_not_guessed() {
        let mut certifier = Certifier::new(0, 1000);
        let none = Reads::default();
        let first = certifier.certify(0, &pack(&[1]), &none, 100).unwrap();
        let second = certifier.certify(first, &pack(&[2]), &none, 200).unwrap();
        certifier.forget(150);
        assert_eq!(certifier.keys(), 1);
        assert_eq!(certifier.certify(0, &pack(&[9]), &none, 300), Err(Error::snapshot_too_old()));
        assert_eq!(certifier.certify(first, &pack(&[2]), &none, 300), Err(Error::conflict()));
        assert!(certifier.certify(second, &pack(&[2]), &none, 300).is_ok());
    }

    #[test]
    fn a_guarded_index_prefix_stands_for_its_keys() {
        let row = |table: u8| [&[1, 0, 0, 0, table, 0, 0, 0, 0][..], &[1, 7]].concat();
        let guard = |table: u8| Reads { keys: vec![row(table)[..9].into()], ranges: vec![] };
        let mut certifier = Certifier::new(0, 1000);
        certifier.certify(0, &pack_key(&row(1)), &Reads { keys: vec![], ranges: vec![] }, 10).unwrap();
        assert!(certifier.certify(5, &pack_key(b"\0definition"), &guard(1), 20).is_err());
        assert!(certifier.certify(5, &pack_key(b"\0definition"), &guard(2), 20).is_ok());
        assert!(certifier.certify(10, &pack_key(b"\0definition 2"), &guard(1), 30).is_ok());
    }
}
