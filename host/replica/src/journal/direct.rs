//! A journal of one that is the store itself.

use super::Journal;
use crate::apply::{Entry, Task};
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use tokio::sync::oneshot;

pub struct DirectJournal {
    tasks: Sender<Task>,
    last: AtomicU64,
}

impl DirectJournal {
    pub fn new(tasks: Sender<Task>, last: u64) -> DirectJournal {
        DirectJournal { tasks, last: AtomicU64::new(last) }
    }
}

impl Journal for DirectJournal {
    async fn propose(&self, batch: Vec<u8>) -> Result<oneshot::Receiver<Result<()>>> {
        let (done, receiver) = oneshot::channel();
        let (applied, _) = oneshot::channel();
        let (flushed, durable) = oneshot::channel();
        let index = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = Entry { index, batch: batch.into(), journal: Vec::new() };
        let gone = |_| Error::unavailable("the replica is shutting down");
        self.tasks.send(Task::Apply { entries: vec![entry], done: applied }).map_err(gone)?;
        self.tasks.send(Task::Flush { done: flushed }).map_err(gone)?;
        tokio::spawn(async move {
            let result = durable.await.unwrap_or_else(|_| Err(Error::unavailable("the replica is shutting down")));
            let _ = done.send(result.map(|_| ()));
        });
        Ok(receiver)
    }
}
