//! What tables, columns, indexes, views and schemas there are.

pub mod table;

pub use table::{Check, Index, IndexColumn, IndexState, Relation, RelationKind, Schema, TableColumn};
