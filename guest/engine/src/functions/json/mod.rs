//! json and jsonb (PostgreSQL 15, section 9.16): what their operators and functions are made of.

pub mod change;
pub mod convert;
pub mod navigate;
mod raw;
