//! Bytes in, bytes out: one module per protocol that clients speak.

pub mod http;
