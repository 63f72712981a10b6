//! Step 7, make seen: one thread applies journal entries in order to the store, makes them durable now and then, and
//! collects garbage in between. Nothing else writes to the store.

use crate::error::{Error, Result};
use crate::journal::BatchReader;
use crate::options::{Clock, Limits};
use crate::packed::Writes;
use crate::store::{Applied, Chunks, SnapshotReader, Store};
use crate::transaction::{Snapshots, Visible, is_catalog};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A journal entry to apply.
pub struct Entry {
    pub index: u64,
    /// Its commits; empty for the journal's own entries.
    pub batch: Arc<Vec<u8>>,
}

pub enum Task {
    /// `journal`: what the journal wants to know after a restart.
    Apply { entries: Vec<Entry>, journal: Vec<u8>, done: oneshot::Sender<Result<()>> },
    /// Makes everything applied durable and answers that state.
    Snapshot { done: oneshot::Sender<Result<SnapshotReader>> },
    /// Makes everything applied durable and ends the thread.
    Stop { done: oneshot::Sender<Result<()>> },
    /// Replaces the store by a snapshot.
    Install { chunks: Chunks, journal: Vec<u8>, done: oneshot::Sender<Result<()>> },
}

/// What others may know of the thread's work.
#[derive(Default)]
pub struct Progress {
    pub applied_index: AtomicU64,
    pub durable_index: AtomicU64,
    pub collected: AtomicU64,
}

/// The thread's handle. It ends when it is told to, or when every handle is gone.
#[derive(Clone)]
pub struct Applier {
    tasks: Sender<Task>,
    pub progress: Arc<Progress>,
}

impl Applier {
    pub fn start(
        store: Arc<Store>,
        applied: Applied,
        snapshots: Snapshots,
        clock: Arc<dyn Clock>,
        limits: Arc<Limits>,
    ) -> Result<Applier> {
        let progress = Arc::new(Progress::default());
        progress.applied_index.store(applied.index, Ordering::Relaxed);
        progress.durable_index.store(applied.index, Ordering::Relaxed);
        snapshots.advance(visible(&applied));
        let (tasks, receiver) = channel();
        let mut worker =
            Worker { store, applied, snapshots, clock, limits, progress: progress.clone(), dirty: None, failure: None };
        let thread = std::thread::Builder::new().name("isobar-apply".into());
        let thread = thread.spawn(move || worker.run(receiver));
        thread.map_err(|error| Error::unavailable(format!("no thread to apply with: {error}")))?;
        Ok(Applier { tasks, progress })
    }

    /// Applies entries, in the order of the calls.
    pub fn apply(&self, entries: Vec<Entry>, journal: Vec<u8>) -> impl Future<Output = Result<()>> + Send + use<> {
        self.ask(|done| Task::Apply { entries, journal, done })
    }

    /// Makes everything applied durable and answers exactly that state: not a newer one, which a crash could lose
    /// after the journal has been purged behind it.
    pub fn snapshot(&self) -> impl Future<Output = Result<SnapshotReader>> + Send + use<> {
        self.ask(|done| Task::Snapshot { done })
    }

    /// Replaces everything by a snapshot.
    pub fn install(&self, chunks: Chunks, journal: Vec<u8>) -> impl Future<Output = Result<()>> + Send + use<> {
        self.ask(|done| Task::Install { chunks, journal, done })
    }

    /// Makes everything applied durable and ends the thread.
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

fn visible(applied: &Applied) -> Visible {
    Visible { timestamp: applied.timestamp, catalog_timestamp: applied.catalog_timestamp }
}

struct Worker {
    store: Arc<Store>,
    applied: Applied,
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    progress: Arc<Progress>,
    /// Since when something applied is not durable.
    dirty: Option<Instant>,
    /// The first failure: nothing is applied after it, as the store may lack what it should have.
    failure: Option<Error>,
}

impl Worker {
    fn run(&mut self, tasks: Receiver<Task>) {
        let pause = Duration::from_millis(self.limits.durable_milliseconds.max(1));
        loop {
            match tasks.recv_timeout(pause) {
                Ok(Task::Stop { done }) => {
                    self.keep_going(Worker::flush);
                    self.store.close();
                    let _ = done.send(self.state());
                    return;
                }
                Ok(task) => self.perform(task),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
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
            tracing::error!(%error, "the store cannot be written to");
            self.failure = Some(error);
        }
    }

    fn perform(&mut self, task: Task) {
        // Whoever asked may have gone away: the work is done all the same.
        match task {
            Task::Apply { entries, journal, done } => {
                self.keep_going(|worker| worker.apply(&entries, &journal));
                let _ = done.send(self.state());
            }
            Task::Snapshot { done } => {
                self.keep_going(Worker::flush);
                let _ = done.send(self.state().and_then(|()| self.store.snapshot()));
            }
            Task::Install { chunks, journal, done } => {
                self.keep_going(|worker| worker.install(chunks, &journal));
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

    /// All entries in one transaction of the store: readers see all of them or none.
    fn apply(&mut self, entries: &[Entry], journal: &[u8]) -> Result<()> {
        let mut applied = self.applied.clone();
        let mut write = self.store.begin_write()?;
        for entry in entries {
            if entry.index <= applied.index {
                continue;
            }
            for commit in BatchReader(&entry.batch) {
                let commit = commit?;
                write.commit(commit.id, commit.timestamp, Writes(commit.writes))?;
                applied.timestamp = commit.timestamp;
                // Writes are in the order of their keys, and the catalog's are the first.
                if let Some(Ok((key, _))) = Writes(commit.writes).next()
                    && is_catalog(key)
                {
                    applied.catalog_timestamp = commit.timestamp;
                }
            }
            applied.index = entry.index;
        }
        applied.journal = journal.to_vec();
        write.finish(&applied)?;
        for commit in entries.iter().flat_map(|entry| BatchReader(&entry.batch)) {
            let commit = commit?;
            let keys = Writes(commit.writes).filter_map(|write| write.ok().map(|(key, _)| key));
            self.store.forget_segments(keys, commit.timestamp);
        }
        self.applied = applied;
        self.dirty.get_or_insert_with(Instant::now);
        self.progress.applied_index.store(self.applied.index, Ordering::Relaxed);
        self.snapshots.advance(visible(&self.applied));
        Ok(())
    }

    fn install(&mut self, chunks: Chunks, journal: &[u8]) -> Result<()> {
        self.applied = self.store.install(chunks, journal)?;
        self.dirty = None;
        self.progress.applied_index.store(self.applied.index, Ordering::Relaxed);
        self.progress.durable_index.store(self.applied.index, Ordering::Relaxed);
        self.snapshots.advance(visible(&self.applied));
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.dirty.take().is_some() {
            self.store.flush()?;
            self.progress.durable_index.store(self.applied.index, Ordering::Relaxed);
        }
        Ok(())
    }

    fn collect(&mut self) -> Result<()> {
        let now = self.clock.now_micros();
        let before = |seconds: u64| now.saturating_sub(seconds.saturating_mul(1_000_000));
        let horizon = self.snapshots.horizon(before(self.limits.retention_seconds));
        let outcomes = before(self.limits.outcome_seconds);
        let collected = self.store.collect(horizon, outcomes, self.limits.collection_step)?;
        if collected.versions + collected.outcomes > 0 {
            self.progress.collected.fetch_add(collected.versions + collected.outcomes, Ordering::Relaxed);
            self.dirty.get_or_insert_with(Instant::now);
        }
        Ok(())
    }
}
