//! Step 7, make seen: one thread applies journal entries in order to the store, makes them durable now and then, and
//! collects garbage in between. Nothing else writes to the store.

use crate::error::{Error, Result};
use crate::journal::BatchReader;
use crate::options::{Clock, Limits};
use crate::packed::Writes;
use crate::store::{Applied, Store};
use crate::transaction::{Snapshots, Visible, is_catalog};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A journal entry to apply.
pub struct Entry {
    pub index: u64,
    /// Its commits; empty for the journal's own entries.
    pub batch: Arc<[u8]>,
    /// What the journal wants to know after a restart.
    pub journal: Vec<u8>,
}

pub enum Task {
    Apply { entries: Vec<Entry>, done: oneshot::Sender<Result<()>> },
    /// Makes everything applied durable and answers up to where.
    Flush { done: oneshot::Sender<Result<Applied>> },
    /// Replaces the store by a snapshot.
    Install { chunks: Vec<Vec<u8>>, applied: Applied, done: oneshot::Sender<Result<()>> },
}

/// What others may know of the thread's work.
#[derive(Default)]
pub struct Progress {
    pub applied_index: AtomicU64,
    pub durable_index: AtomicU64,
    pub collected: AtomicU64,
}

/// The thread's handle; it ends after the last task when the handle is dropped or `stop`ped.
pub struct Applier {
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
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
        let thread = thread.map_err(|error| Error::unavailable(format!("no thread to apply with: {error}")))?;
        Ok(Applier { tasks: Some(tasks), thread: Some(thread), progress })
    }

    pub fn tasks(&self) -> Sender<Task> {
        self.tasks.clone().unwrap_or_else(|| channel().0)
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

    fn keep_going(&mut self, step: impl Fn(&mut Worker) -> Result<()>) {
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
            Task::Apply { entries, done } => {
                self.keep_going(|worker| worker.apply(&entries));
                let _ = done.send(self.state());
            }
            Task::Flush { done } => {
                self.keep_going(Worker::flush);
                let _ = done.send(self.state().map(|()| self.applied.clone()));
            }
            Task::Install { chunks, applied, done } => {
                let mut chunks = Some(chunks);
                let _ = &mut chunks;
                let result = self.install(chunks.take().unwrap_or_default(), applied);
                if let Err(error) = &result {
                    self.failure.get_or_insert(error.clone());
                }
                let _ = done.send(result);
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
    fn apply(&mut self, entries: &[Entry]) -> Result<()> {
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
            applied.journal.clone_from(&entry.journal);
        }
        write.finish(&applied)?;
        self.applied = applied;
        self.dirty.get_or_insert_with(Instant::now);
        self.progress.applied_index.store(self.applied.index, Ordering::Relaxed);
        self.snapshots.advance(visible(&self.applied));
        Ok(())
    }

    fn install(&mut self, chunks: Vec<Vec<u8>>, applied: Applied) -> Result<()> {
        self.store.install(chunks.into_iter().map(Ok), &applied)?;
        self.applied = applied;
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

impl Drop for Applier {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
