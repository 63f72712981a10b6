//! json and jsonb (PostgreSQL 15, section 9.16.2).

pub mod build;
pub mod read;
pub mod write;
