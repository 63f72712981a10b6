//! SQL's types and values: what they are, how they read and print, compare and convert.

pub mod column;
pub mod data_type;
pub mod interval;
pub mod json;
pub mod numeric;
pub mod value;

pub use column::{Batch, Column, ColumnBuilder, ColumnData};
pub use data_type::DataType;
pub use value::Value;
