//! A regional SQL node: sockets, sessions and the sandbox around the SQL engine.
//!
//! Modules stand in the order in which a statement meets them.

pub mod command;
