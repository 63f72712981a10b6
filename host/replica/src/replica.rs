//! The public face: open, begin, commit.

use crate::error::{Error, Result};
use crate::options::Options;
use crate::transaction::{Transaction, TransactionOptions};
use ulid::Ulid;

/// A commit that is durable, applied and visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    pub id: Ulid,
    /// Microseconds since the Unix epoch, unique and growing in commit order. Of a transaction that wrote nothing:
    /// its snapshot.
    pub timestamp: u64,
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Committed { timestamp: u64 },
    Refused { error: Error },
}

/// Counters since the start, and gauges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Transactions open now.
    pub transactions: u64,
    /// Commits that wrote.
    pub committed: u64,
    /// Commits refused by the certifier.
    pub refused: u64,
    /// Journal entries written; `committed / entries` is the size of the average group.
    pub entries: u64,
    /// Durable writes of the journal file.
    pub journal_syncs: u64,
    /// Timestamp of the newest commit that readers see.
    pub visible: u64,
    /// Journal index applied, and the one that is durable in the store.
    pub applied_index: u64,
    pub durable_index: u64,
    /// Superseded versions and outcomes collected.
    pub collected: u64,
    /// Keys that the certifier remembers.
    pub certifier_keys: u64,
}

/// One node's copy of the data and the right to decide about it. Cheap to clone.
#[derive(Clone)]
pub struct Replica;

impl Replica {
    /// Opens or creates, and recovers. A directory that is open elsewhere is refused with 55006.
    pub async fn open(options: Options) -> Result<Replica> {
        let _ = options;
        Err(Error::unavailable("the store is not there yet"))
    }

    /// A transaction that sees everything acknowledged so far.
    pub async fn begin(&self, options: TransactionOptions) -> Result<Transaction> {
        let _ = options;
        Err(Error::unavailable("the store is not there yet"))
    }

    /// Returns when the commit is durable, applied and visible; at once when nothing was written. The same `id`
    /// again answers the first outcome.
    pub async fn commit(&self, transaction: Transaction, id: Ulid) -> Result<Commit> {
        let _ = (transaction, id);
        Err(Error::unavailable("the store is not there yet"))
    }

    /// What became of a commit; none: unknown, or too long ago.
    pub fn outcome(&self, id: Ulid) -> Result<Option<Outcome>> {
        let _ = id;
        Ok(None)
    }

    pub fn metrics(&self) -> Metrics {
        Metrics::default()
    }

    /// Ends the threads; everything applied is durable after it.
    pub async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}
