//! Group commit: commits that arrive while the disk is busy share the next journal entry. This is where the certifier
//! sits, and where a commit is recognised that has been asked for before.

use super::{BatchBuilder, Journal};
use crate::certify::Certifier;
use crate::error::{Error, Result};
use crate::options::{Clock, Limits};
use crate::replica::{Commit, Outcome};
use crate::store::Store;
use crate::transaction::Proposal;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use ulid::Ulid;

/// How long commits wait for the entry before theirs. One that is nearly there is worth waiting for: what has gathered
/// meanwhile shares the next one, and its cost. Where the majority is far away, entries do not wait for each other.
const GATHER: Duration = Duration::from_millis(2);

type Reply = oneshot::Sender<Result<Commit>>;

struct Request {
    id: Ulid,
    proposal: Proposal,
    reply: Reply,
}

#[derive(Default)]
pub struct GroupCounters {
    pub committed: AtomicU64,
    pub refused: AtomicU64,
    pub entries: AtomicU64,
    pub certifier_keys: AtomicU64,
}

/// What commits leave behind for those who ask for them.
struct Shared {
    store: Arc<Store>,
    /// Who waits for a commit that is on its way.
    waiting: Mutex<HashMap<Ulid, Vec<Reply>>>,
    refused: Mutex<Refused>,
    failure: OnceLock<Error>,
    counters: GroupCounters,
}

#[derive(Default)]
struct Refused {
    errors: HashMap<Ulid, Error>,
    order: VecDeque<Ulid>,
}

pub struct GroupCommit {
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
}

impl GroupCommit {
    /// Starts deciding on the runtime `on`; `last` is the newest timestamp given so far.
    pub fn start<J: Journal>(
        on: &tokio::runtime::Handle,
        journal: Arc<J>,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        limits: Arc<Limits>,
        last: u64,
    ) -> GroupCommit {
        let (requests, receiver) = mpsc::channel(limits.commit_queue.max(1));
        let shared = Arc::new(Shared {
            store,
            waiting: Mutex::default(),
            refused: Mutex::default(),
            failure: OnceLock::new(),
            counters: GroupCounters::default(),
        });
        let decider = Decider {
            certifier: Certifier::new(last, limits.certifier_keys),
            shared: shared.clone(),
            journal,
            clock,
            limits,
        };
        on.spawn(decider.run(receiver));
        GroupCommit { requests, shared }
    }

    pub fn counters(&self) -> &GroupCounters {
        &self.shared.counters
    }

    /// Whether the journal has failed, after which nothing can be committed.
    pub fn has_failed(&self) -> bool {
        self.shared.failure.get().is_some()
    }

    /// Hands in a commit and waits for its outcome. The commit goes on when the caller goes away.
    pub async fn commit(&self, id: Ulid, proposal: Proposal) -> Result<Commit> {
        if let Some(error) = self.shared.failure.get() {
            return Err(error.clone());
        }
        let (reply, outcome) = oneshot::channel();
        let gone = || Error::unavailable("the replica is shutting down");
        self.requests.send(Request { id, proposal, reply }).await.map_err(|_| gone())?;
        outcome.await.unwrap_or_else(|_| Err(Error::unknown_outcome("the replica is shutting down")))
    }

    pub fn outcome(&self, id: Ulid) -> Result<Option<Outcome>> {
        if let Some(timestamp) = self.shared.store.view()?.outcome(id)? {
            return Ok(Some(Outcome::Committed { timestamp }));
        }
        let refused = self.shared.refused.lock();
        Ok(refused.errors.get(&id).map(|error| Outcome::Refused { error: error.clone() }))
    }
}

struct Decider<J> {
    certifier: Certifier,
    shared: Arc<Shared>,
    journal: Arc<J>,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
}

impl<J: Journal> Decider<J> {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let in_flight = Arc::new(Semaphore::new(self.limits.entries_in_flight.max(1)));
        let mut previous: Option<JoinHandle<()>> = None;
        while let Ok(permit) = in_flight.clone().acquire_owned().await {
            let Some(request) = requests.recv().await else { return };
            if let Some(entry) = &mut previous
                && timeout(GATHER, entry).await.is_ok()
            {
                previous = None;
            }
            let mut batch = BatchBuilder::default();
            let mut commits = Vec::new();
            self.decide(request, &mut batch, &mut commits);
            while batch.commits() < self.limits.batch_commits && batch.bytes() < self.limits.batch_bytes {
                let Ok(request) = requests.try_recv() else { break };
                self.decide(request, &mut batch, &mut commits);
            }
            if commits.is_empty() {
                continue;
            }
            self.shared.counters.entries.fetch_add(1, Ordering::Relaxed);
            let pending = self.journal.propose(batch.finish()).await;
            let shared = self.shared.clone();
            let entry = tokio::spawn(async move {
                let result = match pending {
                    Ok(applied) => applied.await,
                    Err(error) => Err(error),
                };
                shared.finish(commits, result);
                drop(permit);
            });
            previous = Some(entry);
        }
    }

    fn decide(&mut self, request: Request, batch: &mut BatchBuilder, commits: &mut Vec<Commit>) {
        let Request { id, proposal, reply } = request;
        if let Some(waiting) = self.shared.waiting.lock().get_mut(&id) {
            waiting.push(reply);
            return;
        }
        let decision = match self.shared.first_outcome(id) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                let now = self.clock.now_micros();
                self.certifier.forget(now.saturating_sub(self.limits.transaction_seconds.saturating_mul(1_000_000)));
                match self.certifier.certify(proposal.snapshot, &proposal.writes, &proposal.reads, now) {
                    Ok(timestamp) => {
                        batch.push(id, timestamp, &proposal.writes);
                        commits.push(Commit { id, timestamp });
                        self.shared.waiting.lock().insert(id, vec![reply]);
                        self.shared.counters.certifier_keys.store(self.certifier.keys() as u64, Ordering::Relaxed);
                        return;
                    }
                    Err(error) => {
                        self.shared.refuse(id, &error, self.limits.refused_outcomes);
                        Err(error)
                    }
                }
            }
            Err(error) => Err(error),
        };
        // Whoever asked may have gone away.
        let _ = reply.send(decision);
    }
}

impl Shared {
    /// What became of a commit that was asked for before.
    fn first_outcome(&self, id: Ulid) -> Result<Option<Result<Commit>>> {
        if let Some(error) = self.failure.get() {
            return Err(error.clone());
        }
        if let Some(timestamp) = self.store.view()?.outcome(id)? {
            return Ok(Some(Ok(Commit { id, timestamp })));
        }
        Ok(self.refused.lock().errors.get(&id).map(|error| Err(error.clone())))
    }

    fn refuse(&self, id: Ulid, error: &Error, limit: usize) {
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
        let mut refused = self.refused.lock();
        refused.errors.insert(id, error.clone());
        refused.order.push_back(id);
        while refused.order.len() > limit {
            if let Some(oldest) = refused.order.pop_front() {
                refused.errors.remove(&oldest);
            }
        }
    }

    fn finish(&self, commits: Vec<Commit>, result: Result<()>) {
        let answer = match result {
            Ok(()) => {
                self.counters.committed.fetch_add(commits.len() as u64, Ordering::Relaxed);
                None
            }
            Err(error) => {
                tracing::error!(%error, "the journal cannot be written to");
                let why = error.to_string();
                // What was handed in may or may not be there after a restart, and nothing more can be added to it.
                let _ = self.failure.set(error);
                Some(Error::unknown_outcome(why))
            }
        };
        for commit in commits {
            let replies = self.waiting.lock().remove(&commit.id).unwrap_or_default();
            for reply in replies {
                let _ = reply.send(answer.clone().map_or(Ok(commit), Err));
            }
        }
    }
}
