//! A regional SQL node: sockets, sessions and the sandbox around the SQL engine.
//!
//! Modules stand in the order in which a statement meets them.

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
