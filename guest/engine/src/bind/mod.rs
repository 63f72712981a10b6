//! From syntax to meaning: names become columns, operators become functions, every expression has a type.

pub mod expression;
pub mod logical;

pub use expression::{ColumnId, Expression};
pub use logical::Plan;

use crate::catalog::{Catalog, Relation};
use crate::error::{Error, Result};
use crate::functions::Settings;
use crate::host::Environment;
use crate::types::DataType;
use sqlparser::ast::Statement;

/// What names may mean, and what constants may be folded with.
pub struct BindContext<'a> {
    pub catalog: &'a Catalog,
    pub settings: &'a Settings,
    pub environment: &'a dyn Environment,
    /// Types that the client gave its parameters; `DataType::Unknown` or missing: inferred.
    pub parameter_types: &'a [DataType],
}

/// A statement whose every name and type is known.
#[derive(Clone, Debug)]
pub struct Bound {
    pub plan: Plan,
    /// One per parameter up to the highest that the statement names; none is Unknown.
    pub parameter_types: Vec<DataType>,
    pub command: Command,
}

/// What the command tag counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Select,
    Insert,
    Update,
    Delete,
}

/// Binds SELECT, VALUES, TABLE, WITH, INSERT, UPDATE and DELETE. Other statements are 0A000.
pub fn query(_context: &BindContext, _statement: &Statement) -> Result<Bound> {
    Err(Error::not_supported("this statement"))
}

/// Binds a DEFAULT or CHECK expression's text over a table's columns: `column_ids[i]` stands for the column at
/// position i of `Relation::columns`. Subqueries, aggregates and parameters are refused.
pub fn table_expression(
    _context: &BindContext,
    _relation: &Relation,
    _column_ids: &[ColumnId],
    _sql: &str,
) -> Result<Expression> {
    Err(Error::not_supported("a table expression"))
}

/// Binds an expression's text that refers to no columns, and casts it to a column's type by assignment.
pub fn constant(_context: &BindContext, _sql: &str, _data_type: DataType, _modifier: i32) -> Result<Expression> {
    Err(Error::not_supported("a constant expression"))
}
