//! Step 6, agree: the order of commits, durable before anybody hears of it.

mod batch;
mod direct;
mod group;

pub use batch::{BatchBuilder, BatchReader};
pub use direct::DirectJournal;
pub use group::{GroupCommit, GroupCounters};

use crate::error::Result;
use std::future::Future;
use tokio::sync::oneshot;

/// The agreed order of entries. One implementation, on openraft, so that it can be swapped.
pub trait Journal: Send + Sync + 'static {
    /// Hands in an entry; entries are ordered as they are handed in. The receiver hears when it is durable on a
    /// majority and applied here.
    fn propose(&self, batch: Vec<u8>) -> impl Future<Output = Result<oneshot::Receiver<Result<()>>>> + Send;
}
