//! The journal on openraft, on a runtime and a thread of its own, so that no query keeps a commit waiting.

use super::log::LogStore;
use super::machine::Machine;
use super::types::{Batch, Types};
use super::{Journal, Progress};
use crate::apply::Applier;
use crate::error::{Error, Result};
use crate::options::Limits;
use crate::store::{Applied, Chunks, Place, SnapshotReader, unpanicked};
use futures::future::BoxFuture;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::impls::ProgressResponder;
use openraft::network::NetSnapshot;
use openraft::{BasicNode, Config, Raft, RaftNetworkFactory, ReadPolicy, SnapshotPolicy};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Runs a thread's runtime for as long as it lives.
struct Runtime {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Runtime {
    fn start() -> Result<Runtime> {
        let failed = |error: std::io::Error| Error::unavailable(format!("no thread for the journal: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("isobar-journal".into());
        // The sender is only ever dropped, which ends the thread.
        thread.spawn(move || runtime.block_on(stopped).ok()).map_err(failed)?;
        Ok(Runtime { handle, _stop: stop })
    }
}

pub struct RaftJournal {
    raft: Raft<Types, Machine>,
    log: LogStore,
    machine: Machine,
    runtime: Runtime,
    limits: Arc<Limits>,
    /// Entries and bytes since the last purge.
    entries: AtomicU64,
    bytes: AtomicU64,
}

fn failed(error: impl Display) -> Error {
    Error::unavailable(format!("journal: {error}"))
}

impl RaftJournal {
    /// Opens the journal, becomes its leader where this node is the only voter, and applies what the store lacks.
    pub async fn open<N>(
        node_id: u64,
        place: Place<'_>,
        network: N,
        applied: &Applied,
        applier: Applier,
        limits: Arc<Limits>,
    ) -> Result<RaftJournal>
    where
        N: RaftNetworkFactory<Types>,
        N::Network: NetSnapshot<Types, SnapshotData = Chunks>,
    {
        let log = unpanicked("the journal", || LogStore::open(place, &limits))?;
        log.check_against(applied.index)?;
        let machine = Machine::new(applier, applied)?;
        let runtime = Runtime::start()?;
        let config = Config {
            cluster_name: "isobar".into(),
            heartbeat_interval: 300,
            election_timeout_min: 1500,
            election_timeout_max: 3000,
            enable_pre_vote: Some(true),
            // The store may be behind the log after a crash: a new election finds out how far the log is committed.
            enable_leader_restore: Some(false),
            // We say when (`note_proposed`).
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: 0,
            purge_batch_size: 1,
            ..Config::default()
        };
        let config = Arc::new(config.validate().map_err(failed)?);
        let (raft_log, raft_machine) = (log.clone(), machine.clone());
        let raft = runtime.handle.spawn(async move {
            let raft = Raft::new(node_id, config, network, raft_log, raft_machine).await.map_err(failed)?;
            if !raft.is_initialized().await.map_err(failed)? {
                let members = BTreeMap::from([(node_id, BasicNode::default())]);
                raft.initialize(members).await.map_err(failed)?;
            } else if raft.voter_ids().all(|voter| voter == node_id) {
                raft.trigger().elect(false).await.map_err(failed)?;
            }
            wait_for_recovery(&raft).await?;
            Ok::<_, Error>(raft)
        });
        let raft = raft.await.map_err(failed)??;
        let (entries, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(RaftJournal { raft, log, machine, runtime, limits, entries, bytes })
    }

    /// Where the journal's tasks run.
    pub fn handle(&self) -> &Handle {
        &self.runtime.handle
    }

    /// Has the store made durable and the log purged behind it every so many entries or bytes.
    async fn note_proposed(&self, bytes: usize) -> Result<()> {
        let entries = self.entries.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if entries >= self.limits.journal_entries_kept || bytes >= self.limits.journal_bytes_kept {
            self.entries.store(0, Ordering::Relaxed);
            self.bytes.store(0, Ordering::Relaxed);
            self.raft.trigger().snapshot().await.map_err(failed)?;
        }
        Ok(())
    }
}

/// Waits until the node leads and has applied all that its log had.
async fn wait_for_recovery(raft: &Raft<Types, Machine>) -> Result<()> {
    let mut metrics = raft.metrics();
    loop {
        {
            let metrics = metrics.borrow_watched();
            metrics.running_state.clone().map_err(failed)?;
            let leads = metrics.current_leader == Some(metrics.id);
            let applied = metrics.last_applied.as_ref().map(|applied| applied.index);
            let follows = metrics.membership_config.voter_ids().count() > 1;
            if follows || (leads && applied.is_some() && applied == metrics.last_log_index) {
                return Ok(());
            }
        }
        metrics.changed().await.map_err(failed)?;
    }
}

impl Journal for RaftJournal {
    async fn propose(&self, batch: Vec<u8>) -> Result<BoxFuture<'static, Result<()>>> {
        let bytes = batch.len();
        let (responder, applied) = ProgressResponder::complete_only();
        self.raft.client_write_ff(Batch(Arc::new(batch)), Some(responder)).await.map_err(failed)?;
        self.note_proposed(bytes).await?;
        Ok(Box::pin(async move {
            match applied.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(failed(error)),
                Err(_) => Err(failed("stopped")),
            }
        }))
    }

    async fn read_barrier(&self) -> Result<u64> {
        let read = self.raft.ensure_linearizable(ReadPolicy::ReadIndex).await.map_err(failed)?;
        Ok(read.log_id().index)
    }

    fn progress(&self) -> Progress {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let replication = metrics.replication.iter().flatten();
        Progress {
            leader: metrics.current_leader,
            last_index: metrics.last_log_index.unwrap_or(0),
            applied_index: metrics.last_applied.as_ref().map_or(0, |applied| applied.index),
            matched: replication.map(|(node, id)| (*node, id.as_ref().map_or(0, |id| id.index))).collect(),
            syncs: self.log.syncs(),
        }
    }

    async fn snapshot(&self) -> Result<SnapshotReader> {
        self.machine.snapshot().await
    }

    async fn change_members(&self, members: BTreeMap<u64, String>) -> Result<()> {
        for (node, address) in &members {
            self.raft.add_learner(*node, BasicNode::new(address), false).await.map_err(failed)?;
        }
        let voters: std::collections::BTreeSet<u64> = members.into_keys().collect();
        self.raft.change_membership(voters, false).await.map_err(failed)?;
        Ok(())
    }

    async fn shutdown(&self) -> Result<()> {
        let result = self.raft.shutdown().await.map_err(failed);
        self.log.close().await;
        result
    }
}
