//! INSERT, UPDATE, DELETE: rows and their index entries change together.

mod conflict;
mod constraint;
pub mod copy;
mod delete;
mod insert;
mod returning;
mod row_id;
pub mod unique;
mod update;
pub mod writer;

use crate::catalog::{Relation, RelationKind};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::host::Host;
use crate::types::{Batch, Column};
use std::rc::Rc;
use writer::TableWriter;

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
        /// The input column of each column of the relation; none for dropped ones.
        old_row: Vec<Option<usize>>,
        /// Position in the relation, and the new value over the input's columns.
        assignments: Vec<(usize, E)>,
    },
    Delete {
        row_identity: usize,
        old_row: Vec<Option<usize>>,
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

/// Evaluates an expression over a batch.
pub type Evaluate<'a, E> = dyn Fn(&E, &Batch) -> Result<Rc<Column>> + 'a;

/// Runs the statement over its whole input: the host's reads see own writes, and a scan that was still running would
/// meet the rows that it caused. Answers how many rows were written, for the command tag; `sink` gets RETURNING's rows.
///
/// Errors are PostgreSQL's 23502, 23505, 23514, 21000; 54000 for keys and rows that are too large.
pub fn run<E>(
    host: &dyn Host,
    context: &FunctionContext,
    modification: &Modification<E>,
    evaluate: &Evaluate<E>,
    batches: &[Batch],
    sink: &mut dyn FnMut(&Batch) -> Result<()>,
) -> Result<u64> {
    let relation = &*modification.relation;
    if relation.kind != RelationKind::Table {
        return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, format!("\"{}\" is not a table", relation.name)));
    }
    let mut statement =
        Statement { writer: TableWriter::new(host, context, relation)?, modification, evaluate, sink, written: 0 };
    match &modification.action {
        Action::Insert { values, conflict: None } => statement.insert(values, batches)?,
        Action::Insert { values, conflict: Some(conflict) } => {
            statement.insert_or_resolve(values, conflict, batches)?
        }
        Action::Update { row_identity, old_row, assignments } => {
            statement.update(*row_identity, old_row, assignments, batches)?
        }
        Action::Delete { row_identity, old_row } => statement.delete(*row_identity, old_row, batches)?,
    }
    statement.writer.flush()?;
    Ok(statement.written)
}

/// A modifying statement while it runs.
struct Statement<'a, E> {
    writer: TableWriter<'a>,
    modification: &'a Modification<E>,
    evaluate: &'a Evaluate<'a, E>,
    sink: &'a mut dyn FnMut(&Batch) -> Result<()>,
    written: u64,
}
