//! Between openraft and `apply`: committed entries go in, snapshots come out and in.

use super::log::LogStore;
use super::types::{Entry, LogId, SnapshotData, SnapshotMeta, StoredMembership, Types};
use crate::apply::{self, Applier};
use crate::error::{Error, Result};
use crate::options::{Clock, Limits};
use crate::store::{Applied, SnapshotReader};
use futures::{Stream, StreamExt};
use openraft::alias::SnapshotOf;
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;
use ulid::Ulid;

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

/// What has been applied since the journal was purged last.
#[derive(Default)]
pub struct Growth {
    entries: AtomicU64,
    bytes: AtomicU64,
    /// There is enough for another purge.
    pub enough: Notify,
}

impl Growth {
    fn add(&self, entries: u64, bytes: u64, limits: &Limits) {
        let entries = self.entries.fetch_add(entries, Ordering::Relaxed) + entries;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if entries >= limits.journal_entries_kept || bytes >= limits.journal_bytes_kept {
            self.enough.notify_one();
        }
    }

    /// Bytes applied since the last call.
    pub fn take(&self) -> u64 {
        self.entries.store(0, Ordering::Relaxed);
        self.bytes.swap(0, Ordering::Relaxed)
    }
}

/// A snapshot that followers may be receiving.
struct Kept {
    id: Ulid,
    reader: SnapshotReader,
    /// By the monotonic clock.
    made_at: u64,
}

#[derive(Clone)]
pub struct Machine {
    applier: Applier,
    state: JournalState,
    log: LogStore,
    kept: Arc<Mutex<Option<Kept>>>,
    pub growth: Arc<Growth>,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    node_id: u64,
    witness: bool,
}

/// What a machine is made of.
pub struct Parts {
    pub applier: Applier,
    pub log: LogStore,
    pub clock: Arc<dyn Clock>,
    pub limits: Arc<Limits>,
    pub node_id: u64,
    /// Applies nothing but the journal's own entries.
    pub witness: bool,
}

/// Whether nodes other than one alone are in the membership that a store was left with.
pub fn has_peers(applied: &Applied) -> Result<bool> {
    Ok(decode(&applied.journal)?.1.nodes().count() > 1)
}

impl Machine {
    pub fn new(parts: Parts, applied: &Applied) -> Result<Machine> {
        let Parts { applier, log, clock, limits, node_id, witness } = parts;
        let state = decode(&applied.journal)?;
        let (kept, growth) = (Arc::default(), Arc::default());
        Ok(Machine { applier, state, log, kept, growth, clock, limits, node_id, witness })
    }

    async fn apply_group(&self, entries: Vec<apply::Entry>) -> Result<()> {
        let term = self.state.0.map_or(0, |id| id.leader_id.term);
        self.applier.apply(entries, term, encode(&self.state)?).await
    }

    /// Everything applied so far, which is durable from then on.
    pub async fn snapshot(&self) -> Result<SnapshotReader> {
        self.applier.snapshot().await
    }

    async fn fresh(&self) -> Result<Kept> {
        let reader = self.snapshot().await?;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.clock.now_micros().to_be_bytes());
        id[8..12].copy_from_slice(&(self.node_id as u32).to_be_bytes());
        id[12..].copy_from_slice(&(reader.applied.index as u32).to_be_bytes());
        Ok(Kept { id: Ulid::from_bytes(id), reader, made_at: self.clock.monotonic_micros() })
    }

    /// A snapshot to send: the last one again as long as it is young, so that a transfer that was cut can go on.
    async fn snapshot_to_send(&self) -> Result<RaftSnapshot> {
        self.forget_old_snapshot();
        let kept = self.kept.lock().take();
        let kept = match kept {
            Some(kept) if kept.reader.applied.index >= self.log.purged_index() => kept,
            _ => self.fresh().await?,
        };
        let snapshot = kept.open();
        *self.kept.lock() = Some(kept);
        snapshot
    }

    /// The last entry of the snapshot that followers may be receiving.
    pub fn kept_index(&self) -> Option<u64> {
        self.kept.lock().as_ref().map(|kept| kept.reader.applied.index)
    }

    /// Lets go of a snapshot that nobody has asked for again.
    pub fn forget_old_snapshot(&self) {
        let now = self.clock.monotonic_micros();
        let limit = self.limits.snapshot_seconds.saturating_mul(1_000_000);
        self.kept.lock().take_if(|kept| now.saturating_sub(kept.made_at) >= limit);
    }
}

type RaftSnapshot = SnapshotOf<Types, SnapshotData>;

impl Kept {
    fn open(&self) -> Result<RaftSnapshot> {
        let (last_log_id, last_membership) = decode(&self.reader.applied.journal)?;
        let snapshot = SnapshotData { id: self.id, chunks: Box::new(self.reader.again()) };
        Ok(RaftSnapshot { meta: SnapshotMeta { last_log_id, last_membership }, snapshot })
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotData = SnapshotData;
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
            // Entries of two terms are applied apart: see `Visibility::applied`.
            let mut other_term = None;
            if let Some(item) = next {
                let (entry, responder) = item?;
                let term = self.state.0.map(|id| id.leader_id.term);
                if !group.is_empty() && term != Some(entry.log_id.leader_id.term) {
                    other_term = Some((entry, responder));
                } else {
                    self.collect(entry, &mut group, &mut bytes);
                    responders.extend(responder);
                }
            }
            if (end || bytes >= GROUP_BYTES || other_term.is_some()) && !group.is_empty() {
                let count = group.len() as u64;
                self.apply_group(std::mem::take(&mut group)).await.map_err(io::Error::other)?;
                self.growth.add(count, bytes as u64, &self.limits);
                bytes = 0;
                for responder in responders.drain(..) {
                    responder.send(());
                }
            }
            if let Some((entry, responder)) = other_term {
                self.collect(entry, &mut group, &mut bytes);
                responders.extend(responder);
            }
            if end {
                return Ok(());
            }
        }
    }

    async fn get_snapshot_builder(&mut self) -> Machine {
        self.clone()
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: SnapshotData) -> io::Result<()> {
        self.state = (meta.last_log_id, meta.last_membership.clone());
        let journal = encode(&self.state).map_err(io::Error::other)?;
        let applied = self.witness.then(|| Applied {
            index: meta.last_log_id.map_or(0, |id| id.index),
            journal: journal.clone(),
            ..Applied::default()
        });
        self.kept.lock().take();
        self.applier.install(snapshot.chunks, applied, journal).await.map_err(io::Error::other)
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<RaftSnapshot>> {
        if self.state.0.is_none() {
            return Ok(None);
        }
        self.snapshot_to_send().await.map(Some).map_err(io::Error::other)
    }
}

impl Machine {
    fn collect(&mut self, entry: Entry, group: &mut Vec<apply::Entry>, bytes: &mut usize) {
        self.state.0 = Some(entry.log_id);
        let batch = match entry.payload {
            EntryPayload::Normal(batch) => batch.0,
            EntryPayload::Blank => Arc::default(),
            EntryPayload::Membership(membership) => {
                self.state.1 = StoredMembership::new(Some(entry.log_id), membership);
                Arc::default()
            }
        };
        *bytes += batch.len();
        let batch = if self.witness { Arc::default() } else { batch };
        group.push(apply::Entry { index: entry.log_id.index, batch });
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    type SnapshotData = SnapshotData;

    /// The journal is purged behind it; whoever needs one to go on from gets his own.
    async fn build_snapshot(&mut self) -> io::Result<RaftSnapshot> {
        self.fresh().await.and_then(|fresh| fresh.open()).map_err(io::Error::other)
    }
}
