//! INSERT, UPDATE, DELETE: rows and their index entries change together.

use crate::catalog::Relation;
use crate::error::{Error, Result};
use crate::functions::FunctionContext;
use crate::host::Host;
use crate::types::{Batch, Column};
use std::rc::Rc;

/// A modifying statement with expressions that its planner has compiled to `E`. Each says over which columns.
pub struct Modification<E> {
    pub relation: Rc<Relation>,
    pub action: Action<E>,
    /// CHECK constraints by name, over the new row: column i is column i of the relation.
    pub checks: Vec<(String, E)>,
    /// Over the row as written (deleted rows: as it was; column i is column i of the relation), followed by the
    /// input's columns.
    pub returning: Option<Vec<E>>,
}

pub enum Action<E> {
    /// Over the input's columns: one value per column of the relation, of its type.
    Insert {
        values: Vec<E>,
        conflict: Option<OnConflict<E>>,
    },
    Update {
        /// The input column with the row's key.
        row_identity: usize,
        /// The input column of each column of the relation.
        old_row: Vec<usize>,
        /// Position in the relation, and the new value over the input's columns.
        assignments: Vec<(usize, E)>,
    },
    Delete {
        row_identity: usize,
        old_row: Vec<usize>,
    },
}

pub struct OnConflict<E> {
    /// Index ids (`Index::id`) that arbitrate; none: every unique index.
    pub arbiters: Option<Vec<u32>>,
    /// None: DO NOTHING.
    pub update: Option<ConflictUpdate<E>>,
}

/// Expressions over the existing row's columns followed by the proposed row's.
pub struct ConflictUpdate<E> {
    pub assignments: Vec<(usize, E)>,
    pub filter: Option<E>,
}

/// Hands on every batch of the input.
pub type Input<'a> = dyn FnMut(&mut dyn FnMut(&Batch) -> Result<()>) -> Result<()> + 'a;

/// Runs the statement over its input: all of the input is read before the first write. Answers how many rows were
/// written, for the command tag; `sink` gets RETURNING's rows.
///
/// Errors are PostgreSQL's 23502, 23505, 23514, 21000; 54000 for keys and rows that are too large.
pub fn run<E>(
    host: &dyn Host,
    context: &FunctionContext,
    modification: &Modification<E>,
    evaluate: &dyn Fn(&E, &Batch) -> Result<Rc<Column>>,
    input: &mut Input,
    sink: &mut dyn FnMut(&Batch) -> Result<()>,
) -> Result<u64> {
    let _ = (host, context, evaluate, input, sink);
    Err(Error::not_supported(format!("writing to table {}", modification.relation.name)))
}
