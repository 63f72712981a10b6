//! Step 6, agree: the order of commits, durable on a majority before anybody hears of it.

mod batch;
mod group;
mod log;
mod machine;
mod network;
mod raft;
mod types;

pub use batch::{BatchBuilder, BatchReader};
pub use group::GroupCommit;
pub use network::Alone;
pub use raft::RaftJournal;

use crate::error::Result;
use crate::store::SnapshotReader;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::future::Future;

/// Who has what of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub leader: Option<u64>,
    /// Index of the last entry here.
    pub last_index: u64,
    /// Index of the last entry applied here.
    pub applied_index: u64,
    /// On the leader: the last entry that each node is known to have.
    pub matched: BTreeMap<u64, u64>,
    /// Durable writes of the journal's file.
    pub syncs: u64,
}

/// The agreed order of entries. One implementation, on openraft; this trait keeps the others from leaning on it.
pub trait Journal: Send + Sync + 'static {
    /// Hands in an entry: entries are ordered as they are handed in. What it answers ends when the entry is durable
    /// on a majority and applied here.
    fn propose(&self, batch: Vec<u8>) -> impl Future<Output = Result<BoxFuture<'static, Result<()>>>> + Send;

    /// Waits until everything that was acknowledged anywhere before the call is applied here; answers its index.
    fn read_barrier(&self) -> impl Future<Output = Result<u64>> + Send;

    fn progress(&self) -> Progress;

    /// The newest applied state, chunk after chunk.
    fn snapshot(&self) -> impl Future<Output = Result<SnapshotReader>> + Send;

    /// Makes these nodes, identifier → address, the voters.
    fn change_members(&self, members: BTreeMap<u64, String>) -> impl Future<Output = Result<()>> + Send;

    /// Takes no more entries and lets go of the file.
    fn shutdown(&self) -> impl Future<Output = Result<()>> + Send;
}
