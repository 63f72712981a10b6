//! Pattern matching (PostgreSQL 15, section 9.7): LIKE, SIMILAR TO and regular expressions.

pub mod cache;
pub mod like;
pub mod regular_expression;
pub mod similar;
mod translate;
