//! Keys and values in memory, and transactions over them.

use super::routines::FakeRoutines;
use crate::catalog::keys::CATALOG_SPACE;
use crate::encode::key::{PREFIX_LENGTH, ROW_SPACE};
use crate::encode::pairs::push_field;
use crate::encode::writes::Writes;
use crate::error::{Error, Result};
use crate::host::{Access, Authorization, Environment, KeyRange, Output, OutputColumn, Severity, Transaction};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

type Key = Vec<u8>;
type Value = Vec<u8>;

/// 2026-01-01 00:00:00 UTC, where the clock starts.
const START_TIME: i64 = 1_767_225_600_000_000;

/// A store that sessions share. Clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Rc<RefCell<State>>,
    pub(super) routines: Rc<RefCell<FakeRoutines>>,
}

#[derive(Default)]
struct State {
    data: Rc<BTreeMap<Key, Value>>,
    /// The commit that last wrote each key.
    written: BTreeMap<Key, u64>,
    commits: u64,
    catalog_version: u64,
    last_catalog_version: u64,
    time: i64,
    random: u64,
    authorization: Option<Decide>,
}

/// Decides about the accesses of a statement.
type Decide = Box<dyn FnMut(&[Access]) -> Result<()>>;

impl State {
    fn next_catalog_version(&mut self) -> u64 {
        self.last_catalog_version += 1;
        self.last_catalog_version
    }
}

impl MemoryStore {
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Opens a transaction on what is committed now.
    pub fn begin(&self) -> MemoryTransaction {
        let time = self.tick(1000);
        let state = self.state.borrow();
        MemoryTransaction {
            store: self.clone(),
            snapshot: state.data.clone(),
            began_after: state.commits,
            time,
            statement_time: Cell::new(time),
            catalog_version: Cell::new(state.catalog_version),
            changes: RefCell::default(),
            savepoints: RefCell::default(),
            guards: RefCell::default(),
            cursors: RefCell::default(),
            last_cursor: Cell::new(0),
            output: RefCell::default(),
        }
    }

    /// From now on `decide` says what statements may do.
    pub fn authorize(&self, decide: impl FnMut(&[Access]) -> Result<()> + 'static) {
        self.state.borrow_mut().authorization = Some(Box::new(decide));
    }

    /// How many keys there are, of all spaces.
    pub fn len(&self) -> usize {
        self.state.borrow().data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn tick(&self, microseconds: i64) -> i64 {
        let mut state = self.state.borrow_mut();
        state.time += microseconds;
        START_TIME + state.time
    }
}

/// What a statement sent to its client.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub columns: Option<Vec<OutputColumn>>,
    /// In the request's format.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    pub notices: Vec<(Severity, String, String)>,
}

pub(super) type Changes = BTreeMap<Key, Option<Value>>;

/// An open transaction, and the host of the statements that run in it.
pub struct MemoryTransaction {
    pub(super) store: MemoryStore,
    pub(super) snapshot: Rc<BTreeMap<Key, Value>>,
    began_after: u64,
    time: i64,
    statement_time: Cell<i64>,
    pub(super) catalog_version: Cell<u64>,
    pub(super) changes: RefCell<Changes>,
    savepoints: RefCell<Vec<(String, Changes, u64)>>,
    guards: RefCell<BTreeSet<Key>>,
    cursors: RefCell<BTreeMap<u32, KeyRange>>,
    last_cursor: Cell<u32>,
    pub(super) output: RefCell<Sent>,
}

impl MemoryTransaction {
    /// Makes its writes visible to later transactions; 40001 when another one wrote or guards were written since.
    pub fn commit(self) -> Result<()> {
        let mut state = self.store.state.borrow_mut();
        let changes = self.changes.into_inner();
        let guards = self.guards.into_inner();
        let is_written = |key: &Key| {
            let commits = |(_, commit): (&Key, &u64)| *commit > self.began_after;
            if key.len() == PREFIX_LENGTH && key[0] == ROW_SPACE {
                let from = (Bound::Included(key.as_slice()), Bound::Unbounded);
                let all = state.written.range::<[u8], _>(from);
                return all.take_while(|(written, _)| written.starts_with(key)).any(commits);
            }
            state.written.get_key_value(key).is_some_and(commits)
        };
        for key in changes.keys().chain(&guards) {
            if !changes.is_empty() && is_written(key) {
                let code = if key.first() == Some(&CATALOG_SPACE) { "OC001" } else { "OC000" };
                return Err(Error::new("40001", format!("change conflicts with another transaction ({code})")));
            }
        }
        if changes.keys().any(|key| key.first() == Some(&CATALOG_SPACE)) {
            state.catalog_version = state.next_catalog_version();
        }
        state.commits += 1;
        let commit = state.commits;
        // The common case has no other transaction open: nothing is copied.
        drop(self.snapshot);
        for (key, value) in changes {
            state.written.insert(key.clone(), commit);
            let data = Rc::make_mut(&mut state.data);
            match value {
                Some(value) => data.insert(key, value),
                None => data.remove(&key),
            };
        }
        Ok(())
    }

    pub(super) fn begin_statement(&self) {
        self.statement_time.set(self.store.tick(1000));
        self.output.take();
    }

    pub(super) fn take_sent(&self) -> Sent {
        self.cursors.borrow_mut().clear();
        self.output.take()
    }

    /// Marks a point to come back to.
    pub fn savepoint(&self, name: &str) {
        let mark = (name.to_string(), self.changes.borrow().clone(), self.catalog_version.get());
        self.savepoints.borrow_mut().push(mark);
    }

    /// 3B001 when there is no such savepoint.
    pub fn release_savepoint(&self, name: &str) -> Result<()> {
        let position = self.find_savepoint(name)?;
        self.savepoints.borrow_mut().truncate(position);
        Ok(())
    }

    /// 3B001 when there is no such savepoint.
    pub fn rollback_to_savepoint(&self, name: &str) -> Result<()> {
        let position = self.find_savepoint(name)?;
        let mut savepoints = self.savepoints.borrow_mut();
        savepoints.truncate(position + 1);
        let (_, changes, catalog_version) = &savepoints[position];
        self.changes.replace(changes.clone());
        self.catalog_version.set(*catalog_version);
        Ok(())
    }

    fn find_savepoint(&self, name: &str) -> Result<usize> {
        let position = self.savepoints.borrow().iter().rposition(|(savepoint, ..)| savepoint == name);
        position.ok_or_else(|| Error::new("3B001", format!("savepoint \"{name}\" does not exist")))
    }

    /// The next pair of a range in its direction, own writes on top.
    fn next_pair(&self, range: &KeyRange) -> Option<(Key, Value)> {
        let changes = self.changes.borrow();
        let mut range = range.clone();
        loop {
            if range.start >= range.end {
                return None;
            }
            let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(&range.start), Bound::Excluded(&range.end));
            let (stored, changed) = if range.reverse {
                (self.snapshot.range::<[u8], _>(bounds).next_back(), changes.range::<[u8], _>(bounds).next_back())
            } else {
                (self.snapshot.range::<[u8], _>(bounds).next(), changes.range::<[u8], _>(bounds).next())
            };
            let changed_first = match (stored, changed) {
                (None, None) => return None,
                (Some((stored, _)), Some((changed, _))) if range.reverse => changed >= stored,
                (Some((stored, _)), Some((changed, _))) => changed <= stored,
                (stored, _) => stored.is_none(),
            };
            match (changed_first, stored, changed) {
                (true, _, Some((key, Some(value)))) => return Some((key.clone(), value.clone())),
                (true, _, Some((key, None))) => skip(&mut range, key),
                (_, Some((key, value)), _) => return Some((key.clone(), value.clone())),
                _ => return None,
            }
        }
    }
}

/// Continues a range after a key.
fn skip(range: &mut KeyRange, key: &[u8]) {
    if range.reverse {
        range.end = key.to_vec();
    } else {
        range.start = key.to_vec();
        range.start.push(0);
    }
}

impl Transaction for MemoryTransaction {
    fn catalog_version(&self) -> u64 {
        self.catalog_version.get()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(match self.changes.borrow().get(key) {
            Some(change) => change.clone(),
            None => self.snapshot.get(key).cloned(),
        })
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    fn scan(&self, range: &KeyRange) -> Result<u32> {
        self.last_cursor.set(self.last_cursor.get() + 1);
        self.cursors.borrow_mut().insert(self.last_cursor.get(), range.clone());
        Ok(self.last_cursor.get())
    }

    fn next_batch(&self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>> {
        let mut cursors = self.cursors.borrow_mut();
        let range = cursors.get_mut(&cursor).ok_or_else(|| Error::internal(format!("there is no cursor {cursor}")))?;
        let mut batch = vec![];
        while batch.len() < max_bytes.max(1) as usize {
            let Some((key, value)) = self.next_pair(range) else { break };
            push_field(&mut batch, &key);
            push_field(&mut batch, &value);
            skip(range, &key);
        }
        Ok(batch)
    }

    fn close_cursor(&self, cursor: u32) {
        self.cursors.borrow_mut().remove(&cursor);
    }

    fn write(&self, writes: &[u8]) -> Result<()> {
        for write in Writes(writes) {
            let (key, value) = write?;
            if key.first() == Some(&CATALOG_SPACE) {
                self.catalog_version.set(self.store.state.borrow_mut().next_catalog_version());
            }
            self.changes.borrow_mut().insert(key.to_vec(), value.map(<[u8]>::to_vec));
        }
        Ok(())
    }

    fn guard(&self, key: &[u8]) -> Result<()> {
        self.guards.borrow_mut().insert(key.to_vec());
        Ok(())
    }

    fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        let mut count = 0;
        let from = (Bound::Included(index_prefix), Bound::Unbounded);
        for (key, _) in self.snapshot.range::<[u8], _>(from) {
            if !key.starts_with(index_prefix) {
                break;
            }
            count += 1;
        }
        count
    }
}

impl Environment for MemoryTransaction {
    fn transaction_time(&self) -> i64 {
        self.time
    }

    fn statement_time(&self) -> i64 {
        self.statement_time.get()
    }

    fn clock_time(&self) -> i64 {
        self.store.tick(1)
    }

    fn random(&self, buffer: &mut [u8]) {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        let mut state = self.store.state.borrow_mut();
        for chunk in buffer.chunks_mut(8) {
            state.random = state.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state.random;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
            chunk.copy_from_slice(&bits.to_le_bytes()[..chunk.len()]);
        }
    }
}

impl Output for MemoryTransaction {
    fn describe(&self, columns: &[OutputColumn]) -> Result<()> {
        self.output.borrow_mut().columns = Some(columns.to_vec());
        Ok(())
    }

    fn rows(&self, batch: &[u8], count: u32) -> Result<()> {
        let mut output = self.output.borrow_mut();
        let columns = output.columns.as_ref().map_or(0, Vec::len);
        let mut rest = batch;
        for _ in 0..count {
            let row = (0..columns).map(|_| read_field(&mut rest)).collect::<Result<Vec<_>>>()?;
            output.rows.push(row);
        }
        if rest.is_empty() { Ok(()) } else { Err(Error::internal("a batch of rows is longer than its rows")) }
    }

    fn notice(&self, severity: Severity, sqlstate: &str, message: &str) {
        self.output.borrow_mut().notices.push((severity, sqlstate.into(), message.into()));
    }
}

/// A field of a DataRow message.
fn read_field(rest: &mut &[u8]) -> Result<Option<Vec<u8>>> {
    let broken = || Error::internal("a batch of rows ends early");
    let (length, after) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
    *rest = after;
    let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else { return Ok(None) };
    let (field, after) = rest.split_at_checked(length).ok_or_else(broken)?;
    *rest = after;
    Ok(Some(field.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::pairs::Pairs;
    use crate::encode::writes::WriteBuffer;

    fn put(transaction: &MemoryTransaction, key: &[u8], value: Option<&[u8]>) {
        let mut writes = WriteBuffer::new();
        match value {
            Some(value) => writes.put(key, value),
            None => writes.delete(key),
        }
        writes.flush(transaction).unwrap();
    }

    fn keys(transaction: &MemoryTransaction, reverse: bool) -> Vec<Vec<u8>> {
        let range = KeyRange { start: vec![1], end: vec![2], reverse, expected_rows: 0 };
        let cursor = transaction.scan(&range).unwrap();
        let mut keys = vec![];
        loop {
            let batch = transaction.next_batch(cursor, 1).unwrap();
            if batch.is_empty() {
                return keys;
            }
            keys.extend(Pairs::new(&batch).map(|pair| pair.unwrap().0.to_vec()));
        }
    }

    #[test]
    fn scans_see_own_writes_in_both_directions() {
        let store = MemoryStore::new();
        let first = store.begin();
        for key in [[1, 1], [1, 3], [1, 5]] {
            put(&first, &key, Some(b"old"));
        }
        first.commit().unwrap();
        let second = store.begin();
        put(&second, &[1, 2], Some(b"new"));
        put(&second, &[1, 3], None);
        assert_eq!(keys(&second, false), [[1, 1], [1, 2], [1, 5]]);
        assert_eq!(keys(&second, true), [[1, 5], [1, 2], [1, 1]]);
    }

    #[test]
    fn the_first_committer_wins() {
        let store = MemoryStore::new();
        let (first, second, third) = (store.begin(), store.begin(), store.begin());
        put(&first, &[1, 1], Some(b"first"));
        put(&second, &[1, 1], Some(b"second"));
        put(&third, &[1, 2], Some(b"third"));
        third.guard(&[1, 1]).unwrap();
        first.commit().unwrap();
        assert_eq!(second.commit().unwrap_err().sqlstate(), "40001");
        assert_eq!(third.commit().unwrap_err().sqlstate(), "40001");
    }

    #[test]
    fn a_guarded_index_conflicts_with_any_write_to_it() {
        let store = MemoryStore::new();
        let (writer, definition, elsewhere) = (store.begin(), store.begin(), store.begin());
        let row = |table: u8| [&[1, 0, 0, 0, table, 0, 0, 0, 0][..], &[1, 7]].concat();
        put(&writer, &row(1), Some(b"row"));
        for (transaction, table) in [(&definition, 1), (&elsewhere, 2)] {
            transaction.guard(&[1, 0, 0, 0, table, 0, 0, 0, 0]).unwrap();
            put(transaction, &[0, table], Some(b"definition"));
        }
        writer.commit().unwrap();
        assert_eq!(definition.commit().unwrap_err().sqlstate(), "40001");
        elsewhere.commit().unwrap();
    }

    #[test]
    fn savepoints_restore_data_and_catalog_version() {
        let store = MemoryStore::new();
        let transaction = store.begin();
        let version = transaction.catalog_version();
        transaction.savepoint("s");
        put(&transaction, &[0, 1], Some(b"x"));
        assert_ne!(transaction.catalog_version(), version);
        transaction.rollback_to_savepoint("s").unwrap();
        assert_eq!(transaction.catalog_version(), version);
        assert_eq!(transaction.get(&[0, 1]).unwrap(), None);
    }
}

/// Everybody may do everything, unless a test has said otherwise.
impl Authorization for MemoryTransaction {
    fn check(&self, accesses: &[Access]) -> Result<()> {
        match &mut self.store.state.borrow_mut().authorization {
            Some(decide) => decide(accesses),
            None => Ok(()),
        }
    }
}
