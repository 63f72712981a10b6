//! What a statement saw when it began, for a statement that reads while it writes.
//!
//! Every part of a statement reads the same snapshot, so that the order in which WITH's parts write cannot be seen
//! (PostgreSQL 15, section 7.8.4). The host's reads see own writes at once; this keeps what they replaced.

use crate::encode::pairs::Pairs;
use crate::error::{Error, Result};
use crate::host::{Environment, Host, KeyRange, Output, OutputColumn, Severity, Transaction};
use crate::plan::Physical;
use hashbrown::HashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The host as the statement's reads see it.
pub struct Snapshot<'a> {
    host: &'a dyn Host,
    /// What each key that the statement has written held before; none: nothing.
    before: RefCell<BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
    /// What open cursors have still to visit.
    cursors: RefCell<HashMap<u32, KeyRange>>,
}

/// The host as the statement's writers see it: what other writers of the same statement did is there, and counts for
/// uniqueness.
pub struct Recorder<'s, 'a>(pub &'s Snapshot<'a>);

/// Whether something may read after something else has written.
pub fn is_needed(physical: &Physical) -> bool {
    physical.writes && (physical.tables > 0 || !physical.subqueries.is_empty())
}

impl<'a> Snapshot<'a> {
    pub fn new(host: &'a dyn Host) -> Snapshot<'a> {
        Snapshot { host, before: RefCell::default(), cursors: RefCell::default() }
    }

    /// The statement has already written this key.
    pub fn is_written(&self, key: &[u8]) -> bool {
        self.before.borrow().contains_key(key)
    }

    fn record(&self, writes: &[u8]) -> Result<()> {
        let mut keys = written_keys(writes).ok_or_else(|| Error::internal("packed writes end early"))?;
        keys.retain(|key| !self.is_written(key));
        let values = self.host.get_many(&keys)?;
        self.before.borrow_mut().extend(keys.into_iter().zip(values));
        Ok(())
    }

    /// The pairs of the part of a range that a host's batch has answered, as they were; all that is left of the range
    /// when the batch is empty. Answers the rest of the range.
    fn restore(&self, batch: &[u8], mut range: KeyRange, out: &mut Vec<u8>) -> Result<KeyRange> {
        let before = self.before.borrow();
        let mut last = None;
        for pair in Pairs::new(batch) {
            last = Some(pair?.0);
        }
        let mut visited = range.clone();
        match (last, range.reverse) {
            (None, _) => range.end.clone_from(&range.start),
            (Some(last), true) => {
                visited.start = last.to_vec();
                range.end = last.to_vec();
            }
            (Some(last), false) => {
                range.start = [last, &[0]].concat();
                visited.end.clone_from(&range.start);
            }
        }
        let mut pairs: Vec<(&[u8], &[u8])> = vec![];
        if visited.start < visited.end {
            let replaced = before.range::<Vec<u8>, _>(&visited.start..&visited.end);
            pairs.extend(replaced.filter_map(|(key, value)| Some((key.as_slice(), value.as_deref()?))));
        }
        for pair in Pairs::new(batch) {
            let (key, value) = pair?;
            if !before.contains_key(key) {
                pairs.push((key, value));
            }
        }
        pairs.sort_unstable_by_key(|(key, _)| *key);
        if range.reverse {
            pairs.reverse();
        }
        for (key, value) in pairs {
            for field in [key, value] {
                out.extend_from_slice(&(field.len() as u32).to_le_bytes());
                out.extend_from_slice(field);
            }
        }
        Ok(range)
    }
}

/// The keys of writes packed as `wit/transaction.wit` says.
fn written_keys(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    fn field<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (field, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        *rest = after;
        Some(field)
    }
    let mut keys = vec![];
    while let Some((put, after)) = rest.split_first() {
        rest = after;
        keys.push(field(&mut rest)?.to_vec());
        if *put == 1 {
            field(&mut rest)?;
        }
    }
    Some(keys)
}

impl Transaction for Snapshot<'_> {
    fn catalog_version(&self) -> u64 {
        self.host.catalog_version()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.before.borrow().get(key) {
            Some(value) => Ok(value.clone()),
            None => self.host.get(key),
        }
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut values = self.host.get_many(keys)?;
        let before = self.before.borrow();
        for (key, value) in keys.iter().zip(&mut values) {
            if let Some(replaced) = before.get(key) {
                value.clone_from(replaced);
            }
        }
        Ok(values)
    }

    fn scan(&self, range: &KeyRange) -> Result<u32> {
        let cursor = self.host.scan(range)?;
        self.cursors.borrow_mut().insert(cursor, range.clone());
        Ok(cursor)
    }

    fn next_batch(&self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>> {
        let mut out = vec![];
        while out.is_empty() {
            let rest = self.cursors.borrow().get(&cursor).cloned();
            let rest = rest.ok_or_else(|| Error::internal(format!("there is no cursor {cursor}")))?;
            if rest.start >= rest.end {
                break;
            }
            let batch = self.host.next_batch(cursor, max_bytes)?;
            let rest = self.restore(&batch, rest, &mut out)?;
            self.cursors.borrow_mut().insert(cursor, rest);
        }
        Ok(out)
    }

    fn close_cursor(&self, cursor: u32) {
        self.cursors.borrow_mut().remove(&cursor);
        self.host.close_cursor(cursor);
    }

    fn write(&self, writes: &[u8]) -> Result<()> {
        self.record(writes)?;
        self.host.write(writes)
    }

    fn guard(&self, key: &[u8]) -> Result<()> {
        self.host.guard(key)
    }

    fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        self.host.estimate_count(index_prefix)
    }
}

impl Transaction for Recorder<'_, '_> {
    fn catalog_version(&self) -> u64 {
        self.0.host.catalog_version()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.0.host.get(key)
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        self.0.host.get_many(keys)
    }

    fn scan(&self, range: &KeyRange) -> Result<u32> {
        self.0.host.scan(range)
    }

    fn next_batch(&self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>> {
        self.0.host.next_batch(cursor, max_bytes)
    }

    fn close_cursor(&self, cursor: u32) {
        self.0.host.close_cursor(cursor);
    }

    fn write(&self, writes: &[u8]) -> Result<()> {
        self.0.write(writes)
    }

    fn guard(&self, key: &[u8]) -> Result<()> {
        self.0.host.guard(key)
    }

    fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        self.0.host.estimate_count(index_prefix)
    }
}

impl Environment for Snapshot<'_> {
    fn transaction_time(&self) -> i64 {
        self.host.transaction_time()
    }

    fn statement_time(&self) -> i64 {
        self.host.statement_time()
    }

    fn clock_time(&self) -> i64 {
        self.host.clock_time()
    }

    fn random(&self, buffer: &mut [u8]) {
        self.host.random(buffer);
    }
}

impl Environment for Recorder<'_, '_> {
    fn transaction_time(&self) -> i64 {
        self.0.transaction_time()
    }

    fn statement_time(&self) -> i64 {
        self.0.statement_time()
    }

    fn clock_time(&self) -> i64 {
        self.0.clock_time()
    }

    fn random(&self, buffer: &mut [u8]) {
        self.0.random(buffer);
    }
}

impl Output for Snapshot<'_> {
    fn describe(&self, columns: &[OutputColumn]) -> Result<()> {
        self.host.describe(columns)
    }

    fn rows(&self, batch: &[u8], count: u32) -> Result<()> {
        self.host.rows(batch, count)
    }

    fn notice(&self, severity: Severity, sqlstate: &str, message: &str) {
        self.host.notice(severity, sqlstate, message);
    }
}

impl Output for Recorder<'_, '_> {
    fn describe(&self, columns: &[OutputColumn]) -> Result<()> {
        self.0.describe(columns)
    }

    fn rows(&self, batch: &[u8], count: u32) -> Result<()> {
        self.0.rows(batch, count)
    }

    fn notice(&self, severity: Severity, sqlstate: &str, message: &str) {
        self.0.notice(severity, sqlstate, message);
    }
}
