//! Step 4, the snapshot: an open transaction reads the store at its snapshot with its own buffered writes on top.

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Strong snapshot isolation: only writes and guarded keys conflict.
    #[default]
    Snapshot,
    /// What was read is certified too.
    Serializable,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    pub isolation: Isolation,
    pub read_only: bool,
}

/// A range of keys, `start` included, `end` excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    pub start: Vec<u8>,
    pub end: Vec<u8>,
    pub reverse: bool,
    /// About how many rows will be wanted; 0 for all.
    pub expected_rows: u32,
}

/// An open transaction, owned by one session. Dropping it rolls it back.
///
/// Reads and writes belong to a statement: between `begin_statement` and `finish_statement`. Packed bytes are as in
/// `wit/transaction.wit`.
pub struct Transaction;

impl Transaction {
    /// Timestamp of the newest commit that it sees, in microseconds since the Unix epoch.
    pub fn snapshot(&self) -> u64 {
        0
    }

    pub fn options(&self) -> TransactionOptions {
        TransactionOptions::default()
    }

    /// Equal numbers mean equal catalogs, also across transactions.
    pub fn catalog_version(&self) -> u64 {
        0
    }

    /// 54000 when it is older than the limit. Every statement begins with this check.
    pub fn check_age(&self) -> Result<()> {
        Ok(())
    }

    /// A statement begins: reads see the writes of the statements before it.
    pub fn begin_statement(&mut self) -> Result<()> {
        Ok(())
    }

    /// The statement's cursors end; when not `ok`, its writes and guards are undone.
    pub fn finish_statement(&mut self, ok: bool) {
        let _ = ok;
    }

    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let _ = key;
        Err(Error::unavailable("the store is not there yet"))
    }

    /// Packed keys in, packed answers out.
    pub fn get_many(&mut self, keys: &[u8]) -> Result<Vec<u8>> {
        let _ = keys;
        Err(Error::unavailable("the store is not there yet"))
    }

    /// Opens a cursor, which lives until `close_cursor` or the end of the statement. It sees the writes made before
    /// it was opened, not those made after.
    pub fn scan(&mut self, range: KeyRange) -> Result<u32> {
        let _ = range;
        Err(Error::unavailable("the store is not there yet"))
    }

    /// Packed pairs, at least one and about `max_bytes` of them; empty at the end.
    pub fn next_batch(&mut self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>> {
        let _ = (cursor, max_bytes);
        Err(Error::unavailable("the store is not there yet"))
    }

    pub fn close_cursor(&mut self, cursor: u32) {
        let _ = cursor;
    }

    /// Buffers packed writes, all of them or none.
    pub fn write(&mut self, writes: &[u8]) -> Result<()> {
        let _ = writes;
        Err(Error::unavailable("the store is not there yet"))
    }

    /// The commit is refused when another transaction writes this key after our snapshot.
    pub fn guard(&mut self, key: &[u8]) -> Result<()> {
        let _ = key;
        Err(Error::unavailable("the store is not there yet"))
    }

    /// About how many live keys start with these nine bytes.
    pub fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        let _ = index_prefix;
        0
    }

    pub fn savepoint(&mut self, name: &str) -> Result<()> {
        let _ = name;
        Ok(())
    }

    /// Forgets the newest savepoint of this name and those after it; 3B001 when there is none.
    pub fn release(&mut self, name: &str) -> Result<()> {
        Err(Error::no_savepoint(name))
    }

    /// Undoes what was written after the newest savepoint of this name, which stays; 3B001 when there is none.
    pub fn rollback_to(&mut self, name: &str) -> Result<()> {
        Err(Error::no_savepoint(name))
    }

    pub fn has_writes(&self) -> bool {
        false
    }
}
