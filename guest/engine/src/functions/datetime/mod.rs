//! Date and time operators and functions (PostgreSQL 15, section 9.9).

pub mod interval;
