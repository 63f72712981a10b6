//! Compiled procedures: on disk, where they outlive the node, and ready in memory.

mod disk;
mod ready;
mod seal;

pub use disk::{Compiled, DiskCache};
pub use ready::{Ready, ReadyCache};
