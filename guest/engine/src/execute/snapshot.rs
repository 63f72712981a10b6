//! What a statement saw when it began, for a statement that reads while it writes.
//!
//! Every part of a statement reads the same snapshot, so that the order in which WITH's parts write cannot be seen
//! (PostgreSQL 15, section 7.8.4). The host's reads see own writes at once; this keeps what they replaced.

use crate::encode::pairs::{Pairs, push_field};
use crate::encode::writes::Writes;
use crate::error::{Error, Result};
use crate::host::{
    Access, Authorization, Environment, Host, KeyRange, LogEntry, Output, OutputColumn, RoutineAnswer, Routines,
    Severity, Target, Transaction, Usage,
};
use crate::plan::Physical;
use hashbrown::{HashMap, HashSet};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a statement's reads and writes share.
pub struct Snapshot<'a> {
    host: &'a dyn Host,
    /// What each key that the statement has written held before; none: nothing.
    before: RefCell<BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
    /// Keys that routines' statements have written.
    foreign: RefCell<HashSet<Vec<u8>>>,
    /// What open cursors have still to visit.
    cursors: RefCell<HashMap<u32, KeyRange>>,
}

/// The host, either as the statement's reads see it, or as its writers do: for them, what other writers of the same
/// statement did is there, and counts for uniqueness.
pub struct View<'s, 'a> {
    snapshot: &'s Snapshot<'a>,
    is_past: bool,
}

/// Whether something may read after something else has written. The statements of a routine may write anything.
pub fn is_needed(physical: &Physical) -> bool {
    let reads_twice = physical.tables > 0 || !physical.subqueries.is_empty();
    physical.writes && reads_twice || physical.calls_routines && physical.uses_relations
}

impl<'a> Snapshot<'a> {
    pub fn new(host: &'a dyn Host) -> Snapshot<'a> {
        Snapshot { host, before: RefCell::default(), foreign: RefCell::default(), cursors: RefCell::default() }
    }

    /// What was there when the statement began.
    pub fn past(&self) -> View<'_, 'a> {
        View { snapshot: self, is_past: true }
    }

    /// What is there now.
    pub fn present(&self) -> View<'_, 'a> {
        View { snapshot: self, is_past: false }
    }

    /// The statement has already written this key.
    pub fn is_written(&self, key: &[u8]) -> bool {
        self.before.borrow().contains_key(key)
    }

    /// A routine that the statement called has written something.
    pub fn has_foreign(&self) -> bool {
        !self.foreign.borrow().is_empty()
    }

    /// A routine that the statement called has written this key.
    /// How many keys that begin so a routine's statements have written.
    pub fn foreign_in(&self, prefix: &[u8]) -> usize {
        self.foreign.borrow().iter().filter(|key| key.starts_with(prefix)).count()
    }

    pub fn is_foreign(&self, key: &[u8]) -> bool {
        self.foreign.borrow().contains(key)
    }

    fn record(&self, writes: &[u8]) -> Result<()> {
        let mut keys = vec![];
        for write in Writes(writes) {
            let (key, _) = write?;
            if !self.is_written(key) {
                keys.push(key.to_vec());
            }
        }
        let values = self.host.get_many(&keys)?;
        self.before.borrow_mut().extend(keys.into_iter().zip(values));
        Ok(())
    }

    /// Takes note of what a routine's statements have replaced.
    fn record_replaced(&self, replaced: &[u8]) -> Result<()> {
        let mut before = self.before.borrow_mut();
        let mut foreign = self.foreign.borrow_mut();
        for write in Writes(replaced) {
            let (key, value) = write?;
            foreign.insert(key.to_vec());
            before.entry(key.to_vec()).or_insert_with(|| value.map(<[u8]>::to_vec));
        }
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
            push_field(out, key);
            push_field(out, value);
        }
        Ok(range)
    }
}

impl Transaction for View<'_, '_> {
    fn catalog_version(&self) -> u64 {
        self.snapshot.host.catalog_version()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.snapshot.before.borrow().get(key) {
            Some(value) if self.is_past => Ok(value.clone()),
            _ => self.snapshot.host.get(key),
        }
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut values = self.snapshot.host.get_many(keys)?;
        if self.is_past {
            let before = self.snapshot.before.borrow();
            for (key, value) in keys.iter().zip(&mut values) {
                if let Some(replaced) = before.get(key) {
                    value.clone_from(replaced);
                }
            }
        }
        Ok(values)
    }

    fn scan(&self, range: &KeyRange) -> Result<u32> {
        let cursor = self.snapshot.host.scan(range)?;
        if self.is_past {
            self.snapshot.cursors.borrow_mut().insert(cursor, range.clone());
        }
        Ok(cursor)
    }

    fn next_batch(&self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>> {
        let Snapshot { host, cursors, .. } = self.snapshot;
        if !self.is_past {
            return host.next_batch(cursor, max_bytes);
        }
        let mut out = vec![];
        while out.is_empty() {
            let rest = cursors.borrow().get(&cursor).cloned();
            let rest = rest.ok_or_else(|| Error::internal(format!("there is no cursor {cursor}")))?;
            if rest.start >= rest.end {
                break;
            }
            let batch = host.next_batch(cursor, max_bytes)?;
            let rest = self.snapshot.restore(&batch, rest, &mut out)?;
            cursors.borrow_mut().insert(cursor, rest);
        }
        Ok(out)
    }

    fn close_cursor(&self, cursor: u32) {
        self.snapshot.cursors.borrow_mut().remove(&cursor);
        self.snapshot.host.close_cursor(cursor);
    }

    fn write(&self, writes: &[u8]) -> Result<()> {
        self.snapshot.record(writes)?;
        self.snapshot.host.write(writes)
    }

    fn guard(&self, key: &[u8]) -> Result<()> {
        self.snapshot.host.guard(key)
    }

    fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        self.snapshot.host.estimate_count(index_prefix)
    }
}

impl Environment for View<'_, '_> {
    fn transaction_time(&self) -> i64 {
        self.snapshot.host.transaction_time()
    }

    fn statement_time(&self) -> i64 {
        self.snapshot.host.statement_time()
    }

    fn clock_time(&self) -> i64 {
        self.snapshot.host.clock_time()
    }

    fn random(&self, buffer: &mut [u8]) {
        self.snapshot.host.random(buffer);
    }
}

impl Output for View<'_, '_> {
    fn describe(&self, columns: &[OutputColumn]) -> Result<()> {
        self.snapshot.host.describe(columns)
    }

    fn rows(&self, batch: &[u8], count: u32) -> Result<()> {
        self.snapshot.host.rows(batch, count)
    }

    fn notice(&self, severity: Severity, sqlstate: &str, message: &str) {
        self.snapshot.host.notice(severity, sqlstate, message);
    }
}

impl Routines for View<'_, '_> {
    fn call(&self, target: &Target, arguments: &[u8], count: u32) -> Result<RoutineAnswer> {
        let answer = self.snapshot.host.call(target, arguments, count)?;
        self.snapshot.record_replaced(&answer.replaced)?;
        Ok(answer)
    }

    fn usage(&self) -> Vec<Usage> {
        self.snapshot.host.usage()
    }

    fn logs(&self) -> Vec<LogEntry> {
        self.snapshot.host.logs()
    }
}

impl Authorization for View<'_, '_> {
    fn check(&self, accesses: &[Access]) -> Result<()> {
        self.snapshot.host.check(accesses)
    }
}
