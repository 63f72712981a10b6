//! The public face: open, begin, commit.

use crate::apply::Applier;
use crate::error::{Error, Result};
use crate::journal::{DirectJournal, GroupCommit};
use crate::options::{Clock, Limits, Options, Storage};
use crate::store::{Place, Store};
use crate::transaction::{Snapshots, Transaction, TransactionOptions};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
pub struct Replica(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    commits: GroupCommit,
    applier: Applier,
}

impl Replica {
    /// Opens or creates, and recovers. A directory that is open elsewhere is refused with 55006.
    pub async fn open(options: Options) -> Result<Replica> {
        let limits = Arc::new(options.limits);
        let clock = options.clock;
        let (store, applied) = match options.storage {
            Storage::Directory(directory) => {
                std::fs::create_dir_all(&directory)
                    .map_err(|error| Error::unavailable(format!("cannot create {}: {error}", directory.display())))?;
                Store::open(Place::Path(&directory.join("store.redb")), &limits)?
            }
            Storage::Backends { store, .. } => Store::open(Place::Backend(store), &limits)?,
        };
        let store = Arc::new(store);
        let snapshots = Snapshots::default();
        let applier = Applier::start(store.clone(), applied.clone(), snapshots.clone(), clock.clone(), limits.clone())?;
        let journal = Arc::new(DirectJournal::new(applier.clone(), applied.index));
        let commits = GroupCommit::start(
            &tokio::runtime::Handle::current(),
            journal,
            store.clone(),
            clock.clone(),
            limits.clone(),
            applied.timestamp,
        );
        Ok(Replica(Arc::new(Inner { store, snapshots, clock, limits, commits, applier })))
    }

    /// A transaction that sees everything acknowledged so far.
    pub async fn begin(&self, options: TransactionOptions) -> Result<Transaction> {
        let inner = &self.0;
        let snapshot = inner.snapshots.open(inner.limits.transactions)?;
        Ok(Transaction::new(inner.store.clone(), inner.clock.clone(), inner.limits.clone(), options, snapshot))
    }

    /// Returns when the commit is durable, applied and visible; at once when nothing was written. The same `id`
    /// again answers the first outcome.
    pub async fn commit(&self, transaction: Transaction, id: Ulid) -> Result<Commit> {
        if !transaction.has_writes() {
            return Ok(Commit { id, timestamp: transaction.snapshot() });
        }
        transaction.check_age()?;
        let proposal = transaction.into_proposal()?;
        self.0.commits.commit(id, proposal).await
    }

    /// What became of a commit; none: unknown, or too long ago.
    pub fn outcome(&self, id: Ulid) -> Result<Option<Outcome>> {
        self.0.commits.outcome(id)
    }

    pub fn metrics(&self) -> Metrics {
        let inner = &self.0;
        let counters = inner.commits.counters();
        Metrics {
            transactions: inner.snapshots.count() as u64,
            committed: counters.committed.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            entries: counters.entries.load(Ordering::Relaxed),
            journal_syncs: 0,
            visible: inner.snapshots.visible().timestamp,
            applied_index: inner.applier.progress.applied_index.load(Ordering::Relaxed),
            durable_index: inner.applier.progress.durable_index.load(Ordering::Relaxed),
            collected: inner.applier.progress.collected.load(Ordering::Relaxed),
            certifier_keys: counters.certifier_keys.load(Ordering::Relaxed),
        }
    }

    /// Ends the threads; everything applied is durable after it.
    pub async fn shutdown(&self) -> Result<()> {
        self.0.applier.stop().await
    }
}
