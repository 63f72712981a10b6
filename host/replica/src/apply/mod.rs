//! Step 7, make seen: one task applies journal entries in order to the store, makes them durable now and then, and
//! collects garbage in between. Nothing else writes to the store.

use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::failure::Failure;
use crate::journal::BatchReader;
use crate::options::{Clock, Limits};
use crate::packed::Writes;
use crate::store::{Applied, Chunks, SnapshotReader, Store};
use crate::transaction::{Snapshots, Visible, is_catalog};
use crate::visibility::Visibility;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A journal entry to apply.
pub struct Entry {
    pub index: u64,
    /// Its commits; empty for the journal's own entries, and at a witness.
    pub batch: Arc<Vec<u8>>,
}

pub enum Task {
    /// `term`: of the last entry. `journal`: what the journal wants to know after a restart.
    Apply { entries: Vec<Entry>, term: u64, journal: Vec<u8>, done: oneshot::Sender<Result<()>> },
    /// Makes everything applied durable and answers that state.
    Snapshot { done: oneshot::Sender<Result<SnapshotReader>> },
    /// Makes everything applied durable and ends the task.
    Stop { done: oneshot::Sender<Result<()>> },
    /// Replaces the store by a snapshot.
    Install { chunks: Chunks, applied: Option<Applied>, journal: Vec<u8>, done: oneshot::Sender<Result<()>> },
}

/// What others may know of the task's work.
#[derive(Default)]
pub struct Progress {
    pub applied_index: AtomicU64,
    pub durable_index: AtomicU64,
    pub collected: AtomicU64,
}

/// The task's handle. It ends when it is told to, or when every handle is gone.
#[derive(Clone)]
pub struct Applier {
    tasks: UnboundedSender<Task>,
    pub progress: Arc<Progress>,
}

/// What the task works with.
pub struct Workplace {
    pub store: Arc<Store>,
    pub snapshots: Snapshots,
    pub visibility: Arc<Visibility>,
    pub clock: Arc<dyn Clock>,
    pub limits: Arc<Limits>,
    pub failure: Failure,
}

impl Applier {
    pub fn start(place: Workplace, applied: Applied, execution: Execution) -> Result<Applier> {
        let progress = Arc::new(Progress::default());
        progress.applied_index.store(applied.index, Ordering::Relaxed);
        progress.durable_index.store(applied.index, Ordering::Relaxed);
        let (tasks, receiver) = unbounded_channel();
        let worker = Worker { place, applied, progress: progress.clone(), dirty: None, failure: None };
        execution.start("isobar-apply", worker.run(receiver))?;
        Ok(Applier { tasks, progress })
    }

    /// Applies entries, in the order of the calls.
    pub fn apply(
        &self,
        entries: Vec<Entry>,
        term: u64,
        journal: Vec<u8>,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        self.ask(move |done| Task::Apply { entries, term, journal, done })
    }

    /// Makes everything applied durable and answers exactly that state: not a newer one, which a crash could lose
    /// after the journal has been purged behind it.
    pub fn snapshot(&self) -> impl Future<Output = Result<SnapshotReader>> + Send + use<> {
        self.ask(|done| Task::Snapshot { done })
    }

    /// Replaces everything by a snapshot, or at a witness (`applied`) what is known of it.
    pub fn install(
        &self,
        chunks: Chunks,
        applied: Option<Applied>,
        journal: Vec<u8>,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        self.ask(|done| Task::Install { chunks, applied, journal, done })
    }

    /// Makes everything applied durable and ends the task.
    pub fn stop(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        self.ask(|done| Task::Stop { done })
    }

    /// The task is handed in at once; the future only waits.
    fn ask<T, F>(&self, task: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(oneshot::Sender<Result<T>>) -> Task,
    {
        let (done, answer) = oneshot::channel();
        let sent = self.tasks.send(task(done)).is_ok();
        async move {
            let stopped = || Error::unavailable("the replica is shutting down");
            if sent { answer.await.unwrap_or_else(|_| Err(stopped())) } else { Err(stopped()) }
        }
    }
}

/// What readers see of a state of the store.
pub fn visible(applied: &Applied) -> Visible {
    Visible { timestamp: applied.timestamp, catalog_timestamp: applied.catalog_timestamp }
}

struct Worker {
    place: Workplace,
    applied: Applied,
    progress: Arc<Progress>,
    /// Since when something applied is not durable.
    dirty: Option<Instant>,
    /// The first failure: nothing is applied after it, as the store may lack what it should have.
    failure: Option<Error>,
}

impl Worker {
    async fn run(mut self, mut tasks: UnboundedReceiver<Task>) {
        let pause = Duration::from_millis(self.place.limits.durable_milliseconds.max(1));
        loop {
            match tokio::time::timeout(pause, tasks.recv()).await {
                Ok(Some(Task::Stop { done })) => {
                    self.keep_going(Worker::flush);
                    self.place.store.close();
                    let _ = done.send(self.state());
                    return;
                }
                Ok(Some(task)) => self.perform(task),
                Ok(None) => break,
                Err(_) => {}
            }
            if self.dirty.is_some_and(|since| since.elapsed() >= pause) {
                self.keep_going(Worker::flush);
                self.keep_going(Worker::collect);
            } else if self.dirty.is_none() {
                self.keep_going(Worker::collect);
            }
        }
        self.keep_going(Worker::flush);
    }

    fn keep_going(&mut self, step: impl FnOnce(&mut Worker) -> Result<()>) {
        if self.failure.is_none()
            && let Err(error) = step(self)
        {
            self.place.failure.report("the store cannot be written to", &error);
            self.failure = Some(error);
        }
    }

    fn perform(&mut self, task: Task) {
        // Whoever asked may have gone away: the work is done all the same.
        match task {
            Task::Apply { entries, term, journal, done } => {
                self.keep_going(|worker| worker.apply(&entries, term, &journal));
                let _ = done.send(self.state());
            }
            Task::Snapshot { done } => {
                self.keep_going(Worker::flush);
                let _ = done.send(self.state().and_then(|()| self.place.store.snapshot()));
            }
            Task::Install { chunks, applied, journal, done } => {
                self.keep_going(|worker| worker.install(chunks, applied, &journal));
                let _ = done.send(self.state());
            }
            Task::Stop { done } => {
                let _ = done.send(self.state());
            }
        }
    }

    fn state(&self) -> Result<()> {
        match &self.failure {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// All entries in one transaction of the store: views have all of them or none.
    fn apply(&mut self, entries: &[Entry], term: u64, journal: &[u8]) -> Result<()> {
        let mut applied = self.applied.clone();
        let mut states = Vec::with_capacity(entries.len());
        let mut write = self.place.store.begin_write()?;
        let mut tables = write.tables()?;
        for entry in entries {
            if entry.index <= applied.index {
                continue;
            }
            for commit in BatchReader(&entry.batch) {
                let commit = commit?;
                tables.commit(commit.id, commit.timestamp, Writes(commit.writes))?;
                applied.timestamp = commit.timestamp;
                // Writes are in the order of their keys, and the catalog's are the first.
                if let Some(Ok((key, _))) = Writes(commit.writes).next()
                    && is_catalog(key)
                {
                    applied.catalog_timestamp = commit.timestamp;
                }
            }
            applied.index = entry.index;
            states.push((entry.index, visible(&applied)));
        }
        drop(tables);
        applied.journal = journal.to_vec();
        write.finish(&applied)?;
        for commit in entries.iter().flat_map(|entry| BatchReader(&entry.batch)) {
            let commit = commit?;
            let keys = Writes(commit.writes).filter_map(|write| write.ok().map(|(key, _)| key));
            self.place.store.forget_segments(keys, commit.timestamp);
        }
        self.applied = applied;
        self.dirty.get_or_insert_with(Instant::now);
        self.progress.applied_index.store(self.applied.index, Ordering::Relaxed);
        self.place.visibility.applied(states.into_iter(), term);
        Ok(())
    }

    fn install(&mut self, chunks: Chunks, applied: Option<Applied>, journal: &[u8]) -> Result<()> {
        self.place.snapshots.invalidate();
        self.applied = match applied {
            Some(applied) => {
                self.place.store.begin_write()?.finish(&applied)?;
                self.place.store.flush()?;
                applied
            }
            None => self.place.store.install(chunks, journal)?,
        };
        self.dirty = None;
        self.progress.applied_index.store(self.applied.index, Ordering::Relaxed);
        self.progress.durable_index.store(self.applied.index, Ordering::Relaxed);
        self.place.visibility.replaced(self.applied.index, visible(&self.applied));
        // Snapshots that were taken meanwhile are of neither store.
        self.place.snapshots.invalidate();
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.dirty.take().is_some() {
            self.place.store.flush()?;
            self.progress.durable_index.store(self.applied.index, Ordering::Relaxed);
        }
        Ok(())
    }

    fn collect(&mut self) -> Result<()> {
        let Workplace { store, snapshots, clock, limits, .. } = &self.place;
        let now = clock.now_micros();
        let before = |seconds: u64| now.saturating_sub(seconds.saturating_mul(1_000_000));
        let horizon = snapshots.horizon(before(limits.retention_seconds));
        let outcomes = before(limits.outcome_seconds);
        let collected = store.collect(horizon, outcomes, limits.collection_step)?;
        if collected.versions + collected.outcomes > 0 {
            self.progress.collected.fetch_add(collected.versions + collected.outcomes, Ordering::Relaxed);
            self.dirty.get_or_insert_with(Instant::now);
        }
        Ok(())
    }
}
