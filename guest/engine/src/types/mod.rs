//! SQL's types and values: what they are, how they read and print, compare and convert.

mod append;
pub mod array;
pub mod binary;
pub mod cast;
pub mod column;
pub mod compare;
pub mod data_type;
pub mod datetime;
pub mod interval;
pub mod json;
pub mod numeric;
#[cfg(test)]
mod oracle;
pub mod record;
pub mod stride;
pub mod text;
pub mod value;

pub use column::{Batch, Column, ColumnBuilder, ColumnData};
pub use data_type::DataType;
pub use value::Value;
