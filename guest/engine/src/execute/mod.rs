//! Running a plan in batches of rows.

pub mod execution;
pub mod expression;

pub use execution::Execution;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::functions::FunctionContext;
use crate::host::Host;
use crate::plan::Physical;
use crate::types::{Batch, Value};

/// What a statement runs with.
pub struct ExecuteContext<'a> {
    pub host: &'a dyn Host,
    pub functions: FunctionContext<'a>,
    /// Of the types that binding found.
    pub parameters: &'a [Value],
    pub catalog: &'a Catalog,
}

/// Runs a statement and hands its rows to `sink`. Answers the number for its command tag: rows written, or else rows
/// handed on.
pub fn run(context: &ExecuteContext, physical: &Physical, _sink: &mut dyn FnMut(&Batch) -> Result<()>) -> Result<u64> {
    let _execution = Execution::new(context, physical);
    Err(Error::not_supported("execution"))
}
