//! The half of a node that decides and stores: no sockets, no WebAssembly, no system clock. Modules in the order in
//! which a transaction meets them.

mod error;
mod execution;
mod failure;
mod options;
mod packed;
mod replica;
mod transport;

mod apply;
mod certify;
mod cluster;
mod journal;
mod store;
pub mod transaction;
mod visibility;

pub use cluster::{ClusterStatus, NodeStatus};
pub use error::{Actor, Error, Result};
pub use execution::Execution;
pub use journal::{Progress, StoredEntry};
pub use options::{Clock, ClusterOptions, FreeBytes, Limits, Options, Role, Storage};
pub use replica::{Commit, Metrics, Outcome, Replica};
pub use store::SnapshotReader;
pub use transaction::{Batch, Isolation, KeyRange, Transaction, TransactionOptions};
pub use transport::{ANYBODY, Frames, Member, Peer, Transport};
pub use ulid::Ulid;
