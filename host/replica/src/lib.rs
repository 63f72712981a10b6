//! The half of a node that decides and stores: no sockets, no WebAssembly, no system clock. Modules in the order in
//! which a transaction meets them.

mod error;
mod options;
mod packed;
mod replica;

pub mod transaction;
mod certify;
mod journal;
mod apply;
mod store;

pub use error::{Actor, Error, Result};
pub use options::{Clock, Limits, Options, Storage};
pub use replica::{Commit, Metrics, Outcome, Replica};
pub use transaction::{Isolation, KeyRange, Transaction, TransactionOptions};
pub use ulid::Ulid;
