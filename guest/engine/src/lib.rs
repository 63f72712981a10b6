//! The SQL engine: one statement's text in, rows out, over the transaction that the host has open for it.
//!
//! Modules stand in the order in which a statement meets them.

pub mod host;

pub mod statement;

pub mod error;

pub mod parse;

pub mod catalog;

pub mod access;

pub mod bind;

pub mod plan;

pub mod execute;

pub mod modify;

pub mod define;

pub mod functions;

pub mod types;

pub mod encode;

pub mod limits;

pub mod engine;

pub mod memory;

#[cfg(any(target_family = "wasm", test))]
mod allocator;

#[cfg(target_family = "wasm")]
mod component;
