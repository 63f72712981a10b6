//! A journal of one that is the store itself.

use super::Journal;
use crate::apply::{Applier, Entry};
use crate::error::Result;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

pub struct DirectJournal {
    applier: Applier,
    last: AtomicU64,
}

impl DirectJournal {
    pub fn new(applier: Applier, last: u64) -> DirectJournal {
        DirectJournal { applier, last: AtomicU64::new(last) }
    }
}

impl Journal for DirectJournal {
    async fn propose(&self, batch: Vec<u8>) -> Result<oneshot::Receiver<Result<()>>> {
        let (done, receiver) = oneshot::channel();
        let index = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = Entry { index, batch: batch.into(), journal: Vec::new() };
        let (applied, flushed) = (self.applier.apply(vec![entry]), self.applier.flush());
        tokio::spawn(async move {
            let result = applied.await;
            let _ = done.send(result.and(flushed.await.map(|_| ())));
        });
        Ok(receiver)
    }
}
