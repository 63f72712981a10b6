//! The public face: open, begin, commit.

use crate::apply::Applier;
use crate::error::{Error, Result};
use crate::journal::{Alone, GroupCommit, Journal, Progress, RaftJournal};
use crate::options::{Clock, Limits, Options, Storage};
use crate::store::{Directory, Place, SnapshotReader, Store, unpanicked};
use crate::transaction::{Snapshots, Transaction, TransactionOptions};
use parking_lot::Mutex;
use std::collections::BTreeMap;
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
    /// The disk has failed: commits are refused until the replica is opened anew.
    pub stopped: bool,
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
    journal: Arc<RaftJournal>,
    /// None once shut down, or where there is none.
    directory: Mutex<Option<Directory>>,
}

impl Replica {
    /// Opens or creates, and recovers. A directory that is open elsewhere is refused with 55006.
    pub async fn open(options: Options) -> Result<Replica> {
        let limits = Arc::new(options.limits);
        let clock = options.clock;
        let (directory, paths);
        let (store_place, journal_place) = match options.storage {
            Storage::Directory(path) => {
                let locked = Directory::lock(&path)?;
                paths = (locked.file("store.redb"), locked.file("journal.redb"));
                directory = Some(locked);
                (Place::Path(&paths.0), Place::Path(&paths.1))
            }
            Storage::Backends { store, journal } => {
                directory = None;
                (Place::Backend(store), Place::Backend(journal))
            }
        };
        let (store, applied) = unpanicked("the store", || Store::open(store_place, &limits))?;
        let store = Arc::new(store);
        let snapshots = Snapshots::default();
        let applier = Applier::start(store.clone(), applied.clone(), snapshots.clone(), clock.clone(), limits.clone())?;
        let journal =
            RaftJournal::open(options.node_id, journal_place, Alone, &applied, applier.clone(), limits.clone());
        let journal = Arc::new(journal.await?);
        let commits = GroupCommit::start(
            journal.handle(),
            journal.clone(),
            store.clone(),
            clock.clone(),
            limits.clone(),
            snapshots.visible().timestamp,
        );
        Ok(Replica(Arc::new(Inner {
            store,
            snapshots,
            clock,
            limits,
            commits,
            applier,
            journal,
            directory: Mutex::new(directory),
        })))
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
        if let Some(directory) = &*self.0.directory.lock() {
            directory.check_space(self.0.limits.disk_reserve_bytes)?;
        }
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
            journal_syncs: inner.journal.progress().syncs,
            visible: inner.snapshots.visible().timestamp,
            applied_index: inner.applier.progress.applied_index.load(Ordering::Relaxed),
            durable_index: inner.applier.progress.durable_index.load(Ordering::Relaxed),
            collected: inner.applier.progress.collected.load(Ordering::Relaxed),
            certifier_keys: counters.certifier_keys.load(Ordering::Relaxed),
            stopped: inner.commits.has_failed(),
        }
    }

    /// Waits until everything that was acknowledged anywhere before the call is visible here.
    pub async fn read_barrier(&self) -> Result<u64> {
        self.0.journal.read_barrier().await
    }

    /// Who has what of the journal.
    pub fn progress(&self) -> Progress {
        self.0.journal.progress()
    }

    /// The whole store as of now, chunk after chunk, which another replica can be made from.
    pub async fn snapshot(&self) -> Result<SnapshotReader> {
        self.0.journal.snapshot().await
    }

    /// Makes these nodes, identifier → address, the voters of the journal.
    pub async fn change_members(&self, members: BTreeMap<u64, String>) -> Result<()> {
        self.0.journal.change_members(members).await
    }

    /// Ends the threads; everything applied is durable after it.
    pub async fn shutdown(&self) -> Result<()> {
        let journal = self.0.journal.shutdown().await;
        let applier = self.0.applier.stop().await;
        self.0.directory.lock().take();
        applier.and(journal)
    }
}
