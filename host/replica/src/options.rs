//! How a replica is set up: where it keeps its data, whose clock it believes, and the limit of every queue, batch,
//! row and wait.

use crate::execution::Execution;
use crate::transport::{Member, Transport};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Time comes in from outside, so that tests and simulations own it.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since the Unix epoch. May jump.
    fn now_micros(&self) -> u64;

    /// Microseconds since some moment of this process's life, which never jump. Its rate is trusted to
    /// [`Limits::drift_percent`]: leases are measured by it.
    fn monotonic_micros(&self) -> u64;
}

/// Where the two files of a replica live.
pub enum Storage {
    /// `store.redb` and `journal.redb` in this directory, which is created when missing.
    Directory(PathBuf),
    /// Files of somebody else's making: memory, simulated disks.
    Backends {
        store: Box<dyn redb::StorageBackend>,
        journal: Box<dyn redb::StorageBackend>,
        /// None: there is always room.
        free: Option<FreeBytes>,
    },
}

/// Says how many bytes of a disk are free.
pub type FreeBytes = Arc<dyn Fn() -> io::Result<u64> + Send + Sync>;

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Storage::Directory(path) => write!(f, "Directory({})", path.display()),
            Storage::Backends { .. } => write!(f, "Backends"),
        }
    }
}

pub struct Options {
    pub storage: Storage,
    pub limits: Limits,
    pub clock: Arc<dyn Clock>,
    pub node_id: u64,
    pub execution: Execution,
    /// None: this node is alone, and has no way to others.
    pub cluster: Option<ClusterOptions>,
}

/// A node's place among others.
pub struct ClusterOptions {
    /// How the others know this node.
    pub member: Member,
    pub transport: Arc<dyn Transport>,
    pub role: Role,
    /// Addresses of nodes that a new node asks to be taken in. Empty: a new node founds a cluster of its own.
    pub join: Vec<String>,
    /// Version of the node's program, for others to see.
    pub version: String,
}

/// What a node does for its cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Keeps data, votes, and may lead.
    #[default]
    Voter,
    /// Keeps data and serves reads.
    Learner,
    /// Votes, and keeps the journal alone.
    Witness,
}

impl Options {
    /// Node 1 with the default limits in a directory.
    pub fn new(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Options {
        let storage = Storage::Directory(directory.into());
        let (limits, execution) = (Limits::default(), Execution::default());
        Options { storage, limits, clock, node_id: 1, execution, cluster: None }
    }
}

/// Every limit, with its default in [`Limits::default`]. Sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// 54000 beyond: age at which a transaction cannot go on, in seconds. The certifier remembers as long.
    pub transaction_seconds: u64,
    /// 54000 beyond: keys and values that one transaction writes.
    pub transaction_bytes: usize,
    /// 54000 beyond: rows that one transaction writes; none: only their size counts.
    pub transaction_rows: Option<usize>,
    /// 54000 beyond: keys and ranges that one serializable transaction's reads are remembered by, in bytes.
    pub read_set_bytes: usize,
    /// 54000 beyond: one key.
    pub key_bytes: usize,
    /// 54000 beyond: one value.
    pub value_bytes: usize,
    /// Open cursors in one statement.
    pub cursors: usize,
    /// 53000 beyond: open transactions.
    pub transactions: usize,
    /// Commits that wait for the certifier; the next one waits for room.
    pub commit_queue: usize,
    /// Commits in one journal entry.
    pub batch_commits: usize,
    /// Bytes of commits after which a journal entry is closed.
    pub batch_bytes: usize,
    /// Journal entries on their way to the disk at once.
    pub entries_in_flight: usize,
    /// Bytes of journal entries kept in memory for their readers.
    pub journal_cache_bytes: usize,
    /// The journal is purged behind the durable store after this many entries …
    pub journal_entries_kept: u64,
    /// … or bytes.
    pub journal_bytes_kept: u64,
    /// Keys that the certifier remembers; beyond, the oldest snapshots are refused.
    pub certifier_keys: usize,
    /// How long superseded versions stay readable, in seconds.
    pub retention_seconds: u64,
    /// How long the outcome of a commit can be asked for, in seconds.
    pub outcome_seconds: u64,
    /// Refusals that are remembered.
    pub refused_outcomes: usize,
    /// Superseded versions collected in one step between two batches.
    pub collection_step: usize,
    /// Longest time between two durable commits of the store, in milliseconds.
    pub durable_milliseconds: u64,
    /// 53100 for writes, and for snapshots that arrive, when the data directory's disk has less than this free.
    pub disk_reserve_bytes: u64,
    /// redb's page cache for the store.
    pub store_cache_bytes: usize,
    /// redb's page cache for the journal.
    pub journal_file_cache_bytes: usize,
    /// Memory for stretches of indexes that are scanned again and again.
    pub segment_bytes: usize,
    /// Batches that a long scan reads ahead.
    pub read_ahead_batches: usize,
    /// Threads that read ahead; beyond, scans read for themselves.
    pub read_ahead_threads: usize,
    /// Journal entries on their way to other nodes at once.
    pub entries_replicating: usize,
    /// How often a leader is heard of, in milliseconds.
    pub heartbeat_milliseconds: u64,
    /// How long followers keep to a leader that is silent, in milliseconds; they then stand for election, one after the
    /// other.
    pub election_milliseconds: u64,
    /// How long a node may read locally after the leader has allowed it, in milliseconds. The loss of a node holds
    /// commits back for as long. A leader allows it only when the lease ends before another one can be elected: in
    /// `election_milliseconds` there must be room for a lease, a heartbeat, a round trip and the drift of clocks.
    pub lease_milliseconds: u64,
    /// What the rates of two nodes' clocks may differ by: a time daemon that corrects a clock changes its rate.
    pub drift_percent: u64,
    /// 57P03 beyond: how long a statement waits for a majority, in milliseconds.
    pub reach_milliseconds: u64,
    /// 08007 beyond: how long a commit waits for its outcome, in milliseconds.
    pub commit_milliseconds: u64,
    /// Journal entries …
    pub journal_entries_behind: u64,
    /// … and bytes of them kept for followers that are behind; beyond, they get a snapshot.
    pub journal_bytes_behind: u64,
    /// How long a snapshot that a follower receives is kept for it to go on, in seconds.
    pub snapshot_seconds: u64,
    /// Journal entries that a new leader's certifier reads.
    pub certifier_entries: u64,
    /// Nodes of a cluster.
    pub members: usize,
    /// Frames that wait for a peer that does not read.
    pub peer_frames: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            transaction_seconds: 300,
            transaction_bytes: 128 << 20,
            transaction_rows: None,
            read_set_bytes: 64 << 20,
            key_bytes: 64 << 10,
            value_bytes: 16 << 20,
            cursors: 1024,
            transactions: 10_000,
            commit_queue: 1024,
            batch_commits: 512,
            batch_bytes: 4 << 20,
            entries_in_flight: 3,
            journal_cache_bytes: 64 << 20,
            journal_entries_kept: 1000,
            journal_bytes_kept: 256 << 20,
            certifier_keys: 4 << 20,
            retention_seconds: 300,
            outcome_seconds: 3600,
            refused_outcomes: 10_000,
            collection_step: 2000,
            durable_milliseconds: 300,
            disk_reserve_bytes: 512 << 20,
            store_cache_bytes: 1 << 30,
            journal_file_cache_bytes: 64 << 20,
            segment_bytes: 256 << 20,
            read_ahead_batches: 8,
            read_ahead_threads: 8,
            entries_replicating: 64,
            heartbeat_milliseconds: 200,
            election_milliseconds: 1500,
            lease_milliseconds: 750,
            drift_percent: 10,
            reach_milliseconds: 5000,
            commit_milliseconds: 15_000,
            journal_entries_behind: 50_000,
            journal_bytes_behind: 1 << 30,
            snapshot_seconds: 600,
            certifier_entries: 10_000,
            members: 32,
            peer_frames: 64,
        }
    }
}
