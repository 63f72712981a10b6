//! A host in memory, for native tests and benchmarks: a store with snapshots and first-committer-wins, a clock and
//! random bits that repeat, and sessions that do what statements ask of a host.

mod routines;
mod session;
mod store;

pub use routines::{Routine, nested};
pub use session::{Answer, Notice, Session};
pub use store::{MemoryStore, MemoryTransaction};
