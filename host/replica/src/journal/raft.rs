//! The journal on openraft, on a runtime and a thread of its own, so that no query keeps a commit waiting.

use super::log::LogStore;
use super::machine::{self, Machine, Parts};
use super::purge;
use super::types::{Batch, SnapshotData, Types};
use super::{Journal, Progress, ProposeError};
use crate::apply::Applier;
use crate::error::{Error, Result};
use crate::execution::{Execution, Workers};
use crate::failure::Failure;
use crate::options::{Clock, Limits};
use crate::store::{Applied, Place, SnapshotReader, unpanicked};
use crate::transport::Member;
use futures::future::BoxFuture;
use openraft::Instant;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, Fatal, ForwardReason, RaftError};
use openraft::impls::ProgressResponder;
use openraft::network::NetSnapshot;
use openraft::{Config, EntryPayload, Raft, RaftMetrics, RaftNetworkFactory, ServerState, SnapshotPolicy};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

pub type Consensus = Raft<Types, Machine>;
pub type Metrics = openraft::type_config::alias::WatchReceiverOf<Types, RaftMetrics<Types>>;

/// Entries' batches with their indexes.
pub type IndexedBatches = Vec<(u64, Arc<Vec<u8>>)>;

pub struct RaftJournal {
    pub raft: Consensus,
    metrics: Mutex<Metrics>,
    log: LogStore,
    machine: Machine,
    workers: Workers,
    failure: Failure,
}

pub fn failed(error: impl Display) -> Error {
    Error::unavailable(format!("journal: {error}"))
}

/// An entry as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    pub index: u64,
    pub term: u64,
    pub bytes: Vec<u8>,
}

/// What a journal is opened with.
pub struct Opening<'a> {
    pub node_id: u64,
    pub member: Member,
    pub place: Place<'a>,
    pub applied: &'a Applied,
    pub applier: Applier,
    pub clock: Arc<dyn Clock>,
    pub limits: Arc<Limits>,
    pub execution: Execution,
    pub failure: Failure,
    /// A new journal begins with this node alone; otherwise it waits until somebody takes it in.
    pub founds: bool,
    /// Whether its tasks speak to peers. A thread without sockets is faster to wake.
    pub sockets: bool,
}

impl RaftJournal {
    /// Opens the journal, becomes its leader where this node is the only voter, and applies what the store lacks.
    pub async fn open<N>(opening: Opening<'_>, network: N) -> Result<RaftJournal>
    where
        N: RaftNetworkFactory<Types>,
        N::Network: NetSnapshot<Types, SnapshotData = SnapshotData>,
    {
        let Opening { node_id, member, place, applied, applier, clock, limits, .. } = opening;
        let Opening { execution, failure, founds, sockets, .. } = opening;
        let log = unpanicked("the journal", || LogStore::open(place, &limits, execution, failure.clone()))?;
        log.check_against(applied.index, machine::has_peers(applied)?)?;
        let witness = member.witness;
        let parts = Parts { applier, log: log.clone(), clock: clock.clone(), limits: limits.clone(), node_id, witness };
        let machine = Machine::new(parts, applied)?;
        let workers = Workers::start(execution, "isobar-journal", sockets)?;
        let config = Arc::new(config(&limits).validate().map_err(failed)?);
        let (raft_log, raft_machine) = (log.clone(), machine.clone());
        let abstain = Duration::from_micros(crate::visibility::Rules::new(&limits).abstains_for());
        let raft = workers.handle.spawn(async move {
            let raft = Raft::new(node_id, config, network, raft_log, raft_machine).await.map_err(failed)?;
            // The core's own word: its metrics say nothing yet, and nobody at all is not this node alone.
            let alone = raft.with_raft_state(move |state| state.membership_state.effective().voter_ids().eq([node_id]));
            let alone = alone.await.map_err(failed)?;
            if !raft.is_initialized().await.map_err(failed)? {
                raft.runtime_config().elect(true);
                if founds {
                    raft.initialize(BTreeMap::from([(node_id, member)])).await.map_err(failed)?;
                }
            } else if alone {
                raft.runtime_config().elect(true);
                raft.trigger().elect(false).await.map_err(failed)?;
            } else {
                // It may have promised its leader not to vote, and has forgotten.
                let raft = raft.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(abstain).await;
                    raft.runtime_config().elect(true);
                });
            }
            wait_for_recovery(&raft).await?;
            Ok::<_, Error>(raft)
        });
        let raft = raft.await.map_err(failed)??;
        workers.handle.spawn(purge::run(raft.clone(), machine.clone(), log.clone(), limits));
        workers.handle.spawn(watch(raft.metrics(), failure.clone()));
        let metrics = Mutex::new(raft.metrics());
        Ok(RaftJournal { raft, metrics, log, machine, workers, failure })
    }

    /// Where the journal's tasks run.
    pub fn handle(&self) -> &Handle {
        &self.workers.handle
    }

    /// The entries that are kept.
    pub fn kept_entries(&self) -> Result<Vec<StoredEntry>> {
        let entries = self.log.entries(self.log.purged_index() + 1, self.log.last_index() + 1)?;
        let stored = entries.into_iter().map(|entry| {
            let bytes = postcard::to_allocvec(&entry.payload).map_err(failed)?;
            Ok(StoredEntry { index: entry.log_id.index, term: entry.log_id.leader_id.term, bytes })
        });
        stored.collect()
    }

    /// Whether a node is a member, as far as this node knows: asked with every forwarded commit.
    pub fn has_member(&self, node: u64) -> bool {
        self.metrics.lock().borrow_watched().membership_config.membership().get_node(&node).is_some()
    }

    /// Index of the last entry received.
    pub fn last_index(&self) -> u64 {
        self.log.last_index()
    }

    /// The batches of a range of entries, each with its index; none when some are not here any more.
    pub fn batches(&self, start: u64, end: u64) -> Result<Option<IndexedBatches>> {
        let entries = self.log.entries(start, end)?;
        if entries.len() as u64 != end - start {
            return Ok(None);
        }
        let batches = entries.into_iter().filter_map(|entry| match entry.payload {
            EntryPayload::Normal(batch) => Some((entry.log_id.index, batch.0)),
            _ => None,
        });
        Ok(Some(batches.collect()))
    }

    /// On a leader: looks at its term and at the sets of voters of which each must agree.
    pub fn as_leader<T>(&self, look: impl FnOnce(u64, &[BTreeSet<u64>]) -> T) -> Option<T> {
        let metrics = self.metrics.lock();
        let metrics = metrics.borrow_watched();
        let voters = metrics.membership_config.membership().get_joint_config();
        (metrics.state == ServerState::Leader).then(|| look(metrics.current_term, voters))
    }
}

/// Bytes of entries that a new leader's certifier reads, about, and entries that are read at once.
const RECENT_BYTES: usize = 32 << 20;
const RECENT_STEP: u64 = 64;

fn config(limits: &Limits) -> Config {
    Config {
        cluster_name: "isobar".into(),
        heartbeat_interval: limits.heartbeat_milliseconds,
        election_timeout_min: limits.election_milliseconds / 3,
        election_timeout_max: limits.election_milliseconds,
        enable_pre_vote: Some(true),
        // Not before the node may vote (`RaftJournal::open`).
        enable_elect: false,
        // The store may be behind the log after a crash: a new election finds out how far the log is committed.
        enable_leader_restore: Some(false),
        // We say when (`purge`).
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: u64::MAX,
        purge_batch_size: 1,
        // A follower gets a snapshot only when the journal has been purged behind it.
        replication_lag_threshold: 1 << 40,
        max_payload_entries: 4096,
        ..Config::default()
    }
}

/// Between two looks at whether the journal runs.
const LOOK: Duration = Duration::from_secs(1);

/// Reports what stops the journal, other than the files, which report it themselves.
async fn watch(metrics: Metrics, failure: Failure) {
    loop {
        let state = metrics.borrow_watched().running_state.clone();
        match state {
            Ok(()) => tokio::time::sleep(LOOK).await,
            Err(Fatal::Stopped) => return,
            Err(error) => return failure.report("the journal has stopped", &failed(error)),
        }
    }
}

/// Waits until the node leads and has applied all that its log had, where no other node can lead.
async fn wait_for_recovery(raft: &Consensus) -> Result<()> {
    let mut metrics = raft.metrics();
    loop {
        {
            let metrics = metrics.borrow_watched();
            metrics.running_state.clone().map_err(failed)?;
            let leads = metrics.current_leader == Some(metrics.id);
            let applied = metrics.last_applied.as_ref().map(|applied| applied.index);
            let mut voters = metrics.membership_config.voter_ids();
            let follows = voters.next() != Some(metrics.id) || voters.next().is_some();
            if follows || (leads && applied.is_some() && applied == metrics.last_log_index) {
                return Ok(());
            }
        }
        metrics.changed().await.map_err(failed)?;
    }
}

/// Whether a change of the membership was refused because another one is under way.
pub fn waits_for_another_change(error: &RaftError<Types, ClientWriteError<Types>>) -> bool {
    use openraft::errors::ChangeMembershipError::InProgress;
    matches!(error, RaftError::APIError(ClientWriteError::ChangeMembershipError(InProgress(_))))
}

/// A write that openraft has refused.
fn refused(error: ClientWriteError<Types>) -> ProposeError {
    match error {
        ClientWriteError::ForwardToLeader(forward) if forward.reason == ForwardReason::LeaseExpired => {
            ProposeError::NotTaken
        }
        // The second: another leader's entry is in its place, and its own may have been agreed on elsewhere.
        ClientWriteError::ForwardToLeader(_) | ClientWriteError::LogEntryDiscarded(_) => ProposeError::NotLeading,
        other => ProposeError::Failed(failed(other)),
    }
}

fn fatal(error: Fatal<Types>) -> ProposeError {
    ProposeError::Failed(failed(error))
}

impl Journal for RaftJournal {
    async fn propose(
        &self,
        batch: Vec<u8>,
        term: u64,
    ) -> Result<BoxFuture<'static, Result<u64, ProposeError>>, ProposeError> {
        let (responder, applied) = ProgressResponder::complete_only();
        let write = self.raft.write(Batch(Arc::new(batch))).with_leader(term).responder(responder);
        write.await.map_err(fatal)?;
        let raft = self.raft.clone();
        Ok(Box::pin(async move {
            match applied.await {
                Ok(Ok(written)) => Ok(written.log_id.index),
                Ok(Err(error)) => Err(refused(error)),
                // Dropped: the journal has stopped, or the entry has been replaced by another leader's.
                Err(_) => match raft.is_initialized().await {
                    Ok(_) => Err(ProposeError::NotLeading),
                    Err(error) => Err(fatal(error)),
                },
            }
        }))
    }

    fn leader(&self) -> Option<(u64, Member)> {
        let metrics = self.metrics.lock();
        let metrics = metrics.borrow_watched();
        let leader = metrics.current_leader?;
        let member = metrics.membership_config.membership().get_node(&leader)?;
        Some((leader, member.clone()))
    }

    fn recent(&self, entries: u64) -> Result<Vec<Arc<Vec<u8>>>> {
        let end = self.log.last_index() + 1;
        let first = (self.log.purged_index() + 1).max(end.saturating_sub(entries));
        let (mut batches, mut bytes, mut next) = (Vec::new(), 0, end);
        // From the newest on: whoever leads cannot read for long.
        while next > first && bytes < RECENT_BYTES {
            let start = first.max(next.saturating_sub(RECENT_STEP));
            for entry in self.log.entries(start, next)?.into_iter().rev() {
                if let EntryPayload::Normal(batch) = entry.payload {
                    bytes += batch.0.len();
                    batches.push(batch.0);
                }
            }
            next = start;
        }
        batches.reverse();
        Ok(batches)
    }

    fn failure(&self) -> Option<Error> {
        self.failure.get().or_else(|| self.metrics.lock().borrow_watched().running_state.as_ref().err().map(failed))
    }

    fn progress(&self) -> Progress {
        let metrics = self.metrics.lock();
        let metrics = metrics.borrow_watched();
        let replication = metrics.replication.iter().flatten();
        let heard = metrics.heartbeat.iter().flatten();
        let membership = metrics.membership_config.membership();
        Progress {
            leader: metrics.current_leader,
            term: metrics.current_term,
            last_index: metrics.last_log_index.unwrap_or(0),
            applied_index: metrics.last_applied.as_ref().map_or(0, |applied| applied.index),
            matched: replication.map(|(node, id)| (*node, id.as_ref().map_or(0, |id| id.index))).collect(),
            heard_ms: heard.filter_map(|(node, at)| Some((*node, at.as_ref()?.elapsed().as_millis() as u64))).collect(),
            voters: membership.voter_ids().collect(),
            members: membership.nodes().map(|(id, member)| (*id, member.clone())).collect(),
            committed_members: metrics.committed_membership_config.nodes().map(|(id, _)| *id).collect(),
            syncs: self.log.syncs(),
        }
    }

    async fn snapshot(&self) -> Result<SnapshotReader> {
        self.machine.snapshot().await
    }

    async fn shutdown(&self) -> Result<()> {
        let result = self.raft.shutdown().await.map_err(failed);
        self.log.close().await;
        result
    }
}

/// What a change of the membership was refused with.
pub fn change_refused(error: RaftError<Types, ClientWriteError<Types>>) -> ProposeError {
    match error {
        RaftError::APIError(error) => refused(error),
        RaftError::Fatal(error) => fatal(error),
    }
}
