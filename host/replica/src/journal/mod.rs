//! Step 6, agree: the order of commits, durable on a majority before anybody hears of it.

mod batch;
mod group;
mod log;
mod machine;
mod purge;
mod raft;
mod types;

pub use batch::{BatchBuilder, BatchReader};
pub use group::{Decision, Desk, GroupCommit};
pub use raft::{Consensus, Opening, RaftJournal, StoredEntry, change_refused, failed, waits_for_another_change};
pub use types::{
    AppendRequest, SnapshotData, SnapshotMeta, TransferRequest, TransferResponse, Types, Vote, VoteAnswer, VoteQuestion,
};

use crate::error::{Error, Result};
use crate::store::SnapshotReader;
use crate::transport::Member;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

/// Who has what of the journal, as one node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub leader: Option<u64>,
    pub term: u64,
    /// Index of the last entry here.
    pub last_index: u64,
    /// Index of the last entry applied here.
    pub applied_index: u64,
    /// On the leader: the last entry that each node is known to have.
    pub matched: BTreeMap<u64, u64>,
    /// On the leader: milliseconds since each node has answered.
    pub heard_ms: BTreeMap<u64, u64>,
    pub voters: Vec<u64>,
    pub members: BTreeMap<u64, Member>,
    /// Members that every leader to come knows of.
    pub committed_members: BTreeSet<u64>,
    /// Durable writes of the journal's file.
    pub syncs: u64,
}

impl Progress {
    /// Whether a node is a member with data, and no witness.
    pub fn keeps_data(&self, node: u64) -> bool {
        self.members.get(&node).is_some_and(|member| !member.witness)
    }

    /// On the leader: whether another node has answered within so many milliseconds.
    pub fn is_heard(&self, node: u64, within_ms: u64) -> bool {
        self.heard_ms.get(&node).is_some_and(|silent| *silent <= within_ms)
    }

    /// On the leader: the last entry that a node is known to have.
    pub fn has(&self, node: u64) -> u64 {
        self.matched.get(&node).copied().unwrap_or(0)
    }
}

/// Why an entry was not agreed on, as far as this node knows.
#[derive(Clone, Debug)]
pub enum ProposeError {
    /// Another node leads. The entry may have been agreed on all the same; the next leader knows.
    NotLeading,
    /// This node leads, and was not heard of by a majority for so long that it took nothing. It may go on in its term.
    NotTaken,
    /// This node's journal is of no use any more.
    Failed(Error),
}

/// The agreed order of entries. One implementation, on openraft; this trait keeps the others from leaning on it.
pub trait Journal: Send + Sync + 'static {
    /// Hands in an entry: entries are ordered as they are handed in. What it answers ends with the entry's index when
    /// it is durable on a majority and applied here. It is not taken in another term than the one that it was decided
    /// in: what another leader has done in between is not known to it.
    fn propose(
        &self,
        batch: Vec<u8>,
        term: u64,
    ) -> impl Future<Output = Result<BoxFuture<'static, Result<u64, ProposeError>>, ProposeError>> + Send;

    /// Who leads, as far as this node knows.
    fn leader(&self) -> Option<(u64, Member)>;

    /// Batches of commits that are still in the journal, oldest first, and the index of the first of them.
    fn recent(&self, entries: u64) -> Result<Vec<std::sync::Arc<Vec<u8>>>>;

    /// Why nothing can be agreed on here any more; none: it works.
    fn failure(&self) -> Option<Error>;

    fn progress(&self) -> Progress;

    /// The newest applied state, chunk after chunk.
    fn snapshot(&self) -> impl Future<Output = Result<SnapshotReader>> + Send;

    /// Takes no more entries and lets go of the file.
    fn shutdown(&self) -> impl Future<Output = Result<()>> + Send;
}
