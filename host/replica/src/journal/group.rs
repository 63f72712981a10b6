//! Group commit: commits that arrive while the disk is busy share the next journal entry. This is where the certifier
//! sits, at the leader, and where a commit is recognised that has been asked for before.

use super::{BatchBuilder, BatchReader, Journal, ProposeError};
use crate::certify::Certifier;
use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::options::{Clock, Limits};
use crate::replica::{Commit, Outcome};
use crate::store::Store;
use crate::transaction::{Proposal, Reads};
use crate::visibility::Visibility;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use ulid::Ulid;

/// How long commits wait for the entry before theirs. One that is nearly there is worth waiting for: what has gathered
/// meanwhile shares the next one, and its cost. Where the majority is far away, entries do not wait for each other.
const GATHER: Duration = Duration::from_millis(2);

/// What became of a commit that was handed in here.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Durable on a majority, applied and visible here; with the journal entry that holds it.
    Committed(Commit, u64),
    /// Not committed, and never will be under this decision.
    Refused(Error),
    /// This node does not lead: nothing was handed in.
    NotLeading,
    /// This node has lost its leadership. It may have been committed all the same: the next leader knows.
    Lost,
}

type Reply = oneshot::Sender<Decision>;

struct Request {
    id: Ulid,
    proposal: Arc<Proposal>,
    /// Of this node itself.
    own: bool,
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
    visibility: Arc<Visibility>,
    /// Who waits for a commit that is on its way.
    waiting: Mutex<HashMap<Ulid, Vec<Reply>>>,
    refused: Mutex<Refused>,
    failure: Failure,
    /// Why nothing is decided for now.
    refusal: Mutex<Option<Error>>,
    counters: GroupCounters,
    /// Number of the last entry that is finished, and of the last one that this node has not seen committed.
    finished: watch::Sender<(u64, u64)>,
    /// Number of the last entry whose fate another node decides.
    deposed: AtomicU64,
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

/// What the decider works with.
pub struct Desk<J> {
    pub journal: Arc<J>,
    pub store: Arc<Store>,
    pub visibility: Arc<Visibility>,
    pub clock: Arc<dyn Clock>,
    pub limits: Arc<Limits>,
    pub failure: Failure,
    /// Whether entries travel to other nodes.
    pub has_peers: bool,
}

impl GroupCommit {
    /// Starts deciding on the runtime `on`, whenever this node leads.
    pub fn start<J: Journal>(on: &tokio::runtime::Handle, desk: Desk<J>) -> GroupCommit {
        let (requests, receiver) = mpsc::channel(desk.limits.commit_queue.max(1));
        let shared = Arc::new(Shared {
            store: desk.store.clone(),
            visibility: desk.visibility.clone(),
            waiting: Mutex::default(),
            refused: Mutex::default(),
            failure: desk.failure.clone(),
            refusal: Mutex::default(),
            counters: GroupCounters::default(),
            finished: watch::Sender::new((0, 0)),
            deposed: AtomicU64::new(0),
        });
        let decider = Decider { seat: None, entries: 0, shared: shared.clone(), desk };
        on.spawn(decider.run(receiver));
        GroupCommit { requests, shared }
    }

    pub fn counters(&self) -> &GroupCounters {
        &self.shared.counters
    }

    /// Refuses all commits of clients from now on that have not been decided about; none: no more.
    pub fn refuse_all(&self, why: Option<Error>) {
        *self.shared.refusal.lock() = why;
    }

    /// Hands in a commit and waits for its outcome. The commit goes on when the caller goes away.
    pub async fn commit(&self, id: Ulid, proposal: Arc<Proposal>) -> Decision {
        self.hand_in(id, proposal, false).await
    }

    async fn hand_in(&self, id: Ulid, proposal: Arc<Proposal>, own: bool) -> Decision {
        if let Some(error) = self.shared.failure.get() {
            return Decision::Refused(error);
        }
        let (reply, outcome) = oneshot::channel();
        if self.requests.send(Request { id, proposal, own, reply }).await.is_err() {
            return Decision::Refused(Error::unavailable("the replica is shutting down"));
        }
        let unknown = || Decision::Refused(Error::unknown_outcome("the replica is shutting down"));
        outcome.await.unwrap_or_else(|_| unknown())
    }

    /// Hands in a commit of packed writes of this node's own, which no other commit concerns. It is small, and may be
    /// what ends a refusal of all others.
    pub async fn write(&self, id: Ulid, writes: Vec<u8>) -> Decision {
        let snapshot = self.shared.store.applied_timestamp();
        self.hand_in(id, Arc::new(Proposal { snapshot, writes, reads: Reads::default() }), true).await
    }

    /// Whether a key has a row now.
    pub fn has_row(&self, key: &[u8]) -> Result<bool> {
        let snapshot = self.shared.store.applied_timestamp();
        self.shared.store.view()?.get(key, snapshot, &mut |_| {})
    }

    /// What became of a commit, once everybody may know.
    pub async fn outcome(&self, id: Ulid) -> Result<Option<Outcome>> {
        if let Some(timestamp) = self.shared.store.view()?.outcome(id)? {
            // Applied here, and maybe not visible yet.
            self.shared.visibility.wait(self.shared.visibility.applied_index()).await;
            return Ok(Some(Outcome::Committed { timestamp }));
        }
        let on_its_way = self.shared.waiting.lock().get_mut(&id).map(|waiting| {
            let (reply, outcome) = oneshot::channel();
            waiting.push(reply);
            outcome
        });
        if let Some(outcome) = on_its_way {
            return match outcome.await {
                Ok(Decision::Committed(Commit { timestamp, .. }, _)) => Ok(Some(Outcome::Committed { timestamp })),
                Ok(Decision::Refused(error)) => Err(error),
                Ok(Decision::NotLeading | Decision::Lost) | Err(_) => {
                    Err(Error::no_majority("the leader was lost while the commit was on its way"))
                }
            };
        }
        let refused = self.shared.refused.lock();
        Ok(refused.errors.get(&id).map(|error| Outcome::Refused { error: error.clone() }))
    }
}

/// What deciding takes.
struct Seat {
    /// Of this node's leadership.
    term: u64,
    /// Knows that term's commits and the ones before.
    certifier: Certifier,
    /// Entries handed in before.
    entries_before: u64,
}

struct Decider<J> {
    seat: Option<Seat>,
    /// Entries handed in so far.
    entries: u64,
    shared: Arc<Shared>,
    desk: Desk<J>,
}

impl<J: Journal> Decider<J> {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let limits = self.desk.limits.clone();
        let entries = if self.desk.has_peers { limits.entries_replicating } else { limits.entries_in_flight };
        let in_flight = Arc::new(Semaphore::new(entries.max(1)));
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
            self.follow_leadership();
            self.decide(request, &mut batch, &mut commits);
            while batch.commits() < limits.batch_commits && batch.bytes() < limits.batch_bytes {
                let Ok(request) = requests.try_recv() else { break };
                self.decide(request, &mut batch, &mut commits);
            }
            if commits.is_empty() {
                continue;
            }
            self.shared.counters.entries.fetch_add(1, Ordering::Relaxed);
            self.entries += 1;
            let number = self.entries;
            let term = self.seat.as_ref().map_or(0, |seat| seat.term);
            let pending = self.desk.journal.propose(batch.finish(), term).await;
            let (shared, journal) = (self.shared.clone(), self.desk.journal.clone());
            let entry = tokio::spawn(async move {
                let mut result = match pending {
                    Ok(applied) => applied.await,
                    Err(error) => Err(error),
                };
                drop(permit);
                if let Ok(index) = result
                    && let Err(failure) = seen(&shared.visibility, &*journal, index).await
                {
                    result = Err(ProposeError::Failed(failure));
                }
                shared.finish(number, commits, result);
            });
            previous = Some(entry);
        }
    }

    /// Takes over with a certifier that knows what is in the journal, or leaves the deciding to another node.
    fn follow_leadership(&mut self) {
        let leading = self.desk.visibility.leading();
        if leading == self.seat.as_ref().map(|seat| seat.term) && !self.begins_anew() {
            return;
        }
        self.seat = leading.and_then(|term| match self.take_over() {
            Ok(certifier) => Some(Seat { term, certifier, entries_before: self.entries }),
            Err(error) => {
                tracing::error!(%error, "the journal cannot be read");
                None
            }
        });
    }

    /// Whether this node still leads, after its journal has not taken an entry, and all others are finished: what the
    /// certifier knows of the one that was not taken never happened.
    fn begins_anew(&self) -> bool {
        let Some(Seat { entries_before, .. }) = self.seat else { return false };
        let (_, lost) = *self.shared.finished.borrow();
        let deposed = self.shared.deposed.load(Ordering::SeqCst);
        lost > entries_before && deposed <= entries_before && self.shared.waiting.lock().is_empty()
    }

    /// A node leads once it has applied all entries of the terms before, so the store knows the newest timestamp, and
    /// the journal the latest writes.
    fn take_over(&self) -> Result<Certifier> {
        let newest = self.shared.store.applied_timestamp();
        let batches = self.desk.journal.recent(self.desk.limits.certifier_entries)?;
        let mut commits = batches.iter().flat_map(|batch| BatchReader(batch)).peekable();
        let floor = match commits.peek() {
            // What was committed before the first one is not known.
            Some(Ok(first)) => first.timestamp.saturating_sub(1),
            _ => newest,
        };
        let mut certifier = Certifier::new(floor, self.desk.limits.certifier_keys);
        for commit in commits {
            let commit = commit?;
            certifier.replay(commit.timestamp, commit.writes)?;
        }
        certifier.advance(newest);
        Ok(certifier)
    }

    fn decide(&mut self, request: Request, batch: &mut BatchBuilder, commits: &mut Vec<Commit>) {
        let Request { id, proposal, own, reply } = request;
        if let Some(waiting) = self.shared.waiting.lock().get_mut(&id) {
            waiting.push(reply);
            return;
        }
        let (_, lost) = *self.shared.finished.borrow();
        // Where an entry of this term has been lost, the term is over, whether or not that is known yet (see
        // `begins_anew` for when it is not). The certifier knows writes that may never have happened, this very
        // commit's own among them.
        let Some(Seat { certifier, .. }) = self.seat.as_mut().filter(|seat| lost <= seat.entries_before) else {
            let _ = reply.send(Decision::NotLeading);
            return;
        };
        let decision = match self.shared.first_outcome(id, own) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                let Desk { clock, limits, .. } = &self.desk;
                let now = clock.now_micros();
                certifier.forget(now.saturating_sub(limits.transaction_seconds.saturating_mul(1_000_000)));
                match certifier.certify(proposal.snapshot, &proposal.writes, &proposal.reads, now) {
                    Ok(timestamp) => {
                        batch.push(id, timestamp, &proposal.writes);
                        commits.push(Commit { id, timestamp });
                        self.shared.waiting.lock().insert(id, vec![reply]);
                        self.shared.counters.certifier_keys.store(certifier.keys() as u64, Ordering::Relaxed);
                        return;
                    }
                    Err(error) => {
                        let last = self.entries + !commits.is_empty() as u64;
                        self.shared.clone().refuse_after(last, id, error, limits.refused_outcomes, reply);
                        return;
                    }
                }
            }
            Err(error) => Decision::Refused(error),
        };
        // Whoever asked may have gone away.
        let _ = reply.send(decision);
    }
}

/// Between two looks at whether the journal still works.
const LOOK: Duration = Duration::from_millis(100);

/// Waits until an entry that is applied here is visible: for ever, unless this node learns nothing more.
async fn seen<J: Journal>(visibility: &Visibility, journal: &J, index: u64) -> Result<()> {
    while tokio::time::timeout(LOOK, visibility.wait(index)).await.is_err() {
        if let Some(failure) = journal.failure() {
            return Err(failure);
        }
    }
    Ok(())
}

impl Shared {
    /// What became of a commit that was asked for before; an error where nothing can be decided now.
    fn first_outcome(&self, id: Ulid, own: bool) -> Result<Option<Decision>> {
        if let Some(error) = self.failure.get() {
            return Err(error);
        }
        if let Some(timestamp) = self.store.view()?.outcome(id)? {
            let index = self.visibility.applied_index();
            return Ok(Some(Decision::Committed(Commit { id, timestamp }, index)));
        }
        if let Some(error) = self.refused.lock().errors.get(&id) {
            return Ok(Some(Decision::Refused(error.clone())));
        }
        match &*self.refusal.lock() {
            Some(error) if !own => Err(error.clone()),
            _ => Ok(None),
        }
    }

    /// Refuses a commit, once all entries that it may have lost against are finished: the same transaction, run again
    /// before, would only lose again, and until then the winner itself may be lost with this node's leadership.
    fn refuse_after(self: Arc<Shared>, last: u64, id: Ulid, error: Error, limit: usize, reply: Reply) {
        let (finished, _) = *self.finished.borrow();
        if last <= finished {
            self.refuse(id, &error, limit);
            let _ = reply.send(Decision::Refused(error));
            return;
        }
        let mut entries = self.finished.subscribe();
        tokio::spawn(async move {
            // The sender lives in `self`.
            let lost = entries.wait_for(|(done, _)| *done >= last).await.map_or(0, |entries| entries.1);
            let decision = if lost > finished {
                Decision::NotLeading
            } else {
                self.refuse(id, &error, limit);
                Decision::Refused(error)
            };
            let _ = reply.send(decision);
        });
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

    fn finish(&self, number: u64, commits: Vec<Commit>, result: Result<u64, ProposeError>) {
        if matches!(result, Err(ProposeError::NotLeading)) {
            self.deposed.fetch_max(number, Ordering::SeqCst);
        }
        let lost = matches!(result, Err(ProposeError::NotLeading | ProposeError::NotTaken));
        let lost = if lost { number } else { 0 };
        let (index, answer) = match result {
            Ok(index) => {
                self.counters.committed.fetch_add(commits.len() as u64, Ordering::Relaxed);
                (index, None)
            }
            Err(ProposeError::NotLeading) => (0, Some(Decision::Lost)),
            Err(ProposeError::NotTaken) => (0, Some(Decision::NotLeading)),
            // What was handed in may or may not be there after a restart.
            Err(ProposeError::Failed(error)) => (0, Some(Decision::Refused(Error::unknown_outcome(error.to_string())))),
        };
        for commit in commits {
            let replies = self.waiting.lock().remove(&commit.id).unwrap_or_default();
            for reply in replies {
                let _ = reply.send(answer.clone().unwrap_or(Decision::Committed(commit, index)));
            }
        }
        self.finished.send_modify(|entries| *entries = (entries.0.max(number), entries.1.max(lost)));
    }
}
