//! From syntax to meaning: names become columns, operators become functions, every expression has a type.

pub mod expression;
pub mod logical;

pub use expression::{ColumnId, Expression};
pub use logical::Plan;
