//! Running a plan in batches of rows.
//!
//! Operators pull batches from their inputs. They hold references to the plan alone; what changes during a run is in
//! `Execution`, which is handed down with every call.

pub mod execution;
pub mod expression;

mod aggregate;
mod columns;
mod common_table;
mod distinct;
mod equality;
mod filter;
mod function_scan;
mod group;
mod hash_join;
mod index_join;
mod lateral;
mod limit;
mod lock;
mod measure;
mod modify;
mod nested_loop;
mod open;
mod routine;
mod scan;
mod set_operation;
mod snapshot;
mod sort;
pub(crate) mod subquery;
mod values;
mod window;

pub use execution::{Execution, Measurement};

use crate::catalog::Catalog;
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::host::Host;
use crate::plan::Physical;
use crate::types::{Batch, Value};
use snapshot::Snapshot;

/// What a statement runs with.
#[derive(Clone, Copy)]
pub struct ExecuteContext<'a> {
    pub host: &'a dyn Host,
    pub functions: FunctionContext<'a>,
    /// Of the types that binding found.
    pub parameters: &'a [Value],
    pub catalog: &'a Catalog,
}

/// A running node.
pub trait Operator<'a> {
    /// The next rows, never zero of them; none at the end.
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>>;
}

pub type Stream<'a> = Box<dyn Operator<'a> + 'a>;

/// Runs a statement and hands its rows to `sink`. Answers the number for its command tag: rows written, or else rows
/// handed on.
pub fn run(context: &ExecuteContext, physical: &Physical, sink: &mut dyn FnMut(&Batch) -> Result<()>) -> Result<u64> {
    run_as(context, physical, false, sink).map(|(count, _)| count)
}

/// As `run`, and measures every node.
pub fn run_measured(context: &ExecuteContext, physical: &Physical) -> Result<Vec<Measurement>> {
    run_as(context, physical, true, &mut |_| Ok(())).map(|(_, measurements)| measurements)
}

/// Runs on a snapshot where something may read after something else has written.
fn run_as(
    context: &ExecuteContext,
    physical: &Physical,
    measured: bool,
    sink: &mut dyn FnMut(&Batch) -> Result<()>,
) -> Result<(u64, Vec<Measurement>)> {
    let snapshot = snapshot::is_needed(physical).then(|| Snapshot::new(context.host));
    let past = snapshot.as_ref().map(Snapshot::past);
    let host = past.as_ref().map_or(context.host, |past| past);
    let context = ExecuteContext { host, ..*context };
    let mut execution =
        if measured { Execution::measured(&context, physical) } else { Execution::new(&context, physical) };
    execution.snapshot = snapshot.as_ref();
    Ok((run_with(&execution, physical, sink)?, execution.measurements()))
}

fn run_with<'a>(
    execution: &Execution<'a>,
    physical: &'a Physical,
    sink: &mut dyn FnMut(&Batch) -> Result<()>,
) -> Result<u64> {
    let mut stream = execution.open(&physical.root)?;
    let mut rows = 0;
    while let Some(batch) = stream.next(execution)? {
        rows += batch.rows as u64;
        sink(&batch)?;
    }
    let count = execution.written.get().unwrap_or(rows);
    common_table::finish(execution)?;
    Ok(count)
}
