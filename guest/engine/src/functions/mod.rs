//! Functions and operators: what they are called, what they take, what they do.

pub mod aggregates;
pub mod arguments;
#[cfg(test)]
mod cases;
pub mod datetime;
pub mod json;
mod memory;
pub mod operators;
pub mod pattern;
pub mod registry;
pub mod resolve;
pub mod scalar;
pub mod set;
pub mod signature;
pub mod window;

use crate::catalog::{Catalog, DEFAULT_USER};
use crate::error::Result;
use crate::host::{Authorization, Environment};
use crate::types::{Column, DataType, Value};
use std::fmt;

/// What a function may know of its surroundings.
#[derive(Clone, Copy)]
pub struct FunctionContext<'a> {
    pub environment: &'a dyn Environment,
    pub authorization: &'a dyn Authorization,
    pub settings: &'a Settings,
    pub catalog: &'a Catalog,
}

/// Session settings that functions and output depend on. See `define::settings` for SET and SHOW.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub time_zone: String,
    pub date_style: String,
    pub interval_style: String,
    pub bytea_output: String,
    pub extra_float_digits: i32,
    pub search_path: Vec<String>,
    pub user: String,
    /// The procedure, deployed as definer, whose statement it is.
    pub acting_as: Option<String>,
    pub database: String,
    /// Every setting that the session changed, by lower-case name, for `current_setting` and SHOW.
    pub changed: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            time_zone: "UTC".into(),
            date_style: "ISO, MDY".into(),
            interval_style: "postgres".into(),
            bytea_output: "hex".into(),
            extra_float_digits: 1,
            search_path: vec!["$user".into(), "public".into()],
            user: DEFAULT_USER.into(),
            acting_as: None,
            database: "isobar".into(),
            changed: vec![],
        }
    }
}

/// pg_proc.provolatile
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// What a function takes or gives: a type, or PostgreSQL's polymorphic pseudo-types (section 38.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    Exact(DataType),
    /// anyelement, anyarray: all of them agree on one element type within a call
    AnyElement,
    AnyArray,
    /// anynonarray: as anyelement, but no array
    AnyNonArray,
    /// anycompatible, anycompatiblearray: their types are converted to a common one
    AnyCompatible,
    AnyCompatibleArray,
    /// "any": each argument keeps its own type
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    Scalar,
    Set,
    Aggregate,
    Window,
}

pub type Evaluate = fn(&FunctionContext, &[Value]) -> Result<Value>;
pub type EvaluateColumns = fn(&FunctionContext, &[&Column]) -> Result<Column>;

/// The rows that a call of a set-returning function answers.
pub type Rows = Box<dyn Iterator<Item = Result<Vec<Value>>>>;

/// A function or an operator with one argument list. Operators are named by their symbol, such as `+`; prefix
/// operators take one argument.
pub struct ScalarFunction {
    pub name: &'static str,
    pub arguments: &'static [Signature],
    /// The last argument may be repeated.
    pub variadic: bool,
    pub result: Signature,
    /// NULL in, NULL out, without a call.
    pub strict: bool,
    pub volatility: Volatility,
    pub evaluate: Evaluate,
    /// The same for whole columns of equal length, where that is faster. Strictness is its own affair: the result is
    /// NULL wherever `strict` says so, and no error may come from a row with a NULL argument.
    pub evaluate_columns: Option<EvaluateColumns>,
}

/// A function that answers a set of rows.
pub struct SetFunction {
    pub name: &'static str,
    pub arguments: &'static [Signature],
    pub variadic: bool,
    /// Names and types of its columns. `AnyElement` as in `ScalarFunction`.
    pub columns: &'static [(&'static str, Signature)],
    pub strict: bool,
    pub evaluate: fn(&FunctionContext, &[Value]) -> Result<Rows>,
}

pub struct AggregateFunction {
    pub name: &'static str,
    pub arguments: &'static [Signature],
    pub variadic: bool,
    pub result: Signature,
    /// Ordered-set aggregates (WITHIN GROUP): this many of `arguments` are direct, the rest are the sorted ones.
    pub direct_arguments: Option<usize>,
    /// A fresh state for a call with these argument types.
    pub accumulator: fn(argument_types: &[DataType]) -> Box<dyn Accumulator>,
}

/// States of one aggregate call for many groups, numbered from 0.
pub trait Accumulator {
    /// Makes room for this many groups; never fewer than before.
    fn resize(&mut self, groups: usize);

    /// Adds rows: row `rows[i]` of `arguments` goes to group `groups[i]`. Filters, DISTINCT and order are already
    /// applied. `count(*)` has no arguments. `context` is as for scalar functions.
    fn update(&mut self, context: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()>;

    /// Adds so many rows, all that the arguments have, to one group. False, and nothing is added, where `update` must
    /// do it row by row.
    fn update_whole(&mut self, group: usize, rows: usize, arguments: &[&Column]) -> bool {
        let _ = (group, rows, arguments);
        false
    }

    /// The result so far. A window's growing frames ask again after more rows, so the state stays as it is.
    fn finish(&mut self, context: &FunctionContext, group: usize) -> Result<Value>;
}

/// row_number, rank, lag …: `execute::window` knows them by kind.
pub struct WindowFunction {
    pub name: &'static str,
    pub arguments: &'static [Signature],
    /// The last this many arguments may be left out.
    pub optional: usize,
    pub result: Signature,
    pub kind: WindowFunctionKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowFunctionKind {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
}

/// A call as the rules of PostgreSQL 15, chapter 10, resolve it.
pub struct Resolved<F: 'static> {
    pub function: &'static F,
    /// What each argument is to be cast to (the same length as the call's arguments).
    pub argument_types: Vec<DataType>,
    pub result: DataType,
}

macro_rules! debug_as_name {
    ($($name:ident)*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.name)
            }
        })*
    };
}

debug_as_name!(ScalarFunction SetFunction AggregateFunction WindowFunction);
