//! A regional SQL node: sockets, sessions and the sandbox around the SQL engine.
//!
//! Modules stand in the order in which a statement meets them.

/// Statements allocate on one thread and free on another all the time, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod clock;

pub mod command;

pub mod config;

pub mod node;

pub mod protocol;

pub mod session;

pub mod policy;

pub mod sandbox;

pub mod peers;

pub mod threads;

pub mod error;

pub mod metrics;
