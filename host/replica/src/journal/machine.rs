//! Between openraft and `apply`: committed entries go in, snapshots come out and in.

use super::types::{Entry, LogId, StoredMembership, Types};
use crate::apply::{self, Applier};
use crate::error::{Error, Result};
use crate::store::{Applied, Chunks, SnapshotReader};
use futures::{Stream, StreamExt};
use openraft::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};
use std::io;
use std::sync::Arc;

/// Entries are applied in groups of about this many bytes.
const GROUP_BYTES: usize = 16 << 20;

/// What the store keeps of the journal's state.
type JournalState = (Option<LogId>, StoredMembership);

fn encode(state: &JournalState) -> Result<Vec<u8>> {
    postcard::to_allocvec(state).map_err(|error| Error::unavailable(error.to_string()))
}

fn decode(bytes: &[u8]) -> Result<JournalState> {
    if bytes.is_empty() {
        return Ok(JournalState::default());
    }
    postcard::from_bytes(bytes).map_err(|error| Error::corrupted(format!("the journal's state in the store: {error}")))
}

#[derive(Clone)]
pub struct Machine {
    applier: Applier,
    state: JournalState,
}

impl Machine {
    pub fn new(applier: Applier, applied: &Applied) -> Result<Machine> {
        Ok(Machine { applier, state: decode(&applied.journal)? })
    }

    async fn apply_group(&self, entries: Vec<apply::Entry>) -> Result<()> {
        self.applier.apply(entries, encode(&self.state)?).await
    }

    /// Everything applied so far, which is durable from then on.
    pub async fn snapshot(&self) -> Result<SnapshotReader> {
        self.applier.snapshot().await
    }

    async fn raft_snapshot(&self) -> Result<SnapshotOf<Types, Chunks>> {
        let reader = self.snapshot().await?;
        let (last_log_id, last_membership) = decode(&reader.applied.journal)?;
        let meta = SnapshotMetaOf::<Types> { last_log_id, last_membership };
        Ok(SnapshotOf::<Types, Chunks> { meta, snapshot: Box::new(reader) })
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotData = Chunks;
    type SnapshotBuilder = Machine;

    async fn applied_state(&mut self) -> io::Result<JournalState> {
        Ok(self.state.clone())
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<Types>>> + Unpin + OptionalSend,
    {
        let (mut group, mut responders, mut bytes) = (Vec::new(), Vec::new(), 0);
        loop {
            let next = entries.next().await;
            let end = next.is_none();
            if let Some(item) = next {
                let (entry, responder): (Entry, _) = item?;
                self.state.0 = Some(entry.log_id);
                let batch = match entry.payload {
                    EntryPayload::Normal(batch) => batch.0,
                    EntryPayload::Blank => Arc::default(),
                    EntryPayload::Membership(membership) => {
                        self.state.1 = StoredMembership::new(Some(entry.log_id), membership);
                        Arc::default()
                    }
                };
                bytes += batch.len();
                group.push(apply::Entry { index: entry.log_id.index, batch });
                responders.extend(responder);
            }
            if (end || bytes >= GROUP_BYTES) && !group.is_empty() {
                self.apply_group(std::mem::take(&mut group)).await.map_err(io::Error::other)?;
                bytes = 0;
                for responder in responders.drain(..) {
                    responder.send(());
                }
            }
            if end {
                return Ok(());
            }
        }
    }

    async fn get_snapshot_builder(&mut self) -> Machine {
        self.clone()
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMetaOf<Types>, chunks: Chunks) -> io::Result<()> {
        self.state = (meta.last_log_id, meta.last_membership.clone());
        let journal = encode(&self.state).map_err(io::Error::other)?;
        self.applier.install(chunks, journal).await.map_err(io::Error::other)
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<SnapshotOf<Types, Chunks>>> {
        if self.state.0.is_none() {
            return Ok(None);
        }
        self.raft_snapshot().await.map(Some).map_err(io::Error::other)
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    type SnapshotData = Chunks;

    async fn build_snapshot(&mut self) -> io::Result<SnapshotOf<Types, Chunks>> {
        self.raft_snapshot().await.map_err(io::Error::other)
    }
}
