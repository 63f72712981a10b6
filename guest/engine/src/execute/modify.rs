//! INSERT, UPDATE and DELETE as nodes: `modify::run` over their inputs.

use super::columns::extend;
use super::expression::{self, Compiled};
use super::snapshot::Snapshot;
use super::{Execution, Operator, Stream};
use crate::encode::key::index_prefix;
use crate::error::{Error, Result, sqlstate};
use crate::host::Host;
use crate::modify::{self, Action};
use crate::plan::physical;
use crate::types::{Batch, Value};
use std::rc::Rc;

pub struct Modify<'a> {
    input: Stream<'a>,
    modify: &'a physical::Modify,
    /// RETURNING's rows, once it has run.
    returned: Option<std::vec::IntoIter<Batch>>,
}

impl<'a> Modify<'a> {
    pub fn new(input: Stream<'a>, modify: &'a physical::Modify) -> Modify<'a> {
        Modify { input, modify, returned: None }
    }

    fn run(&mut self, execution: &Execution<'a>) -> Result<Vec<Batch>> {
        let mut returned = vec![];
        let action = &self.modify.modification.action;
        let relation = &self.modify.modification.relation;
        let foreign_rows =
            || execution.snapshot.map_or(0, |snapshot| snapshot.foreign_in(&index_prefix(relation.id, 0)));
        let evaluate = |expression: &Compiled, batch: &Batch| {
            let before = if is_of_conflict(action, expression) { foreign_rows() } else { 0 };
            let value = expression::evaluate(execution, expression, batch)?;
            check_assigned(execution, action, expression, batch)?;
            if is_of_conflict(action, expression) && foreign_rows() > before {
                return Err(changed_below(action));
            }
            Ok(value)
        };
        let mut batches = vec![];
        while let Some(batch) = self.input.next(execution)? {
            batches.push(batch);
        }
        let batches = batches.into_iter().map(|batch| not_yet_written(execution, action, batch));
        let mut batches = batches.collect::<Result<Vec<Batch>>>()?;
        if matches!(action, Action::Delete { .. }) && execution.physical.is_some_and(|plan| plan.calls_routines) {
            // All rows are gone before RETURNING calls anything that might change one of them.
            batches = merged(batches);
        }
        let present = execution.snapshot.map(Snapshot::present);
        let host: &dyn Host = match &present {
            Some(present) => present,
            None => execution.context.host,
        };
        let written = modify::run(
            host,
            &execution.context.functions,
            &self.modify.modification,
            &evaluate,
            &batches,
            &mut |batch| {
                returned.push(batch.clone());
                Ok(())
            },
        )?;
        execution.written.set(Some(written));
        Ok(returned)
    }
}

/// The rows that no other part of the statement has changed: of several changes to a row in one statement only one
/// happens. 27000 where a routine that the statement called has changed one.
fn not_yet_written<E>(execution: &Execution, action: &Action<E>, batch: Batch) -> Result<Batch> {
    let (Action::Update { row_identity, .. } | Action::Delete { row_identity, .. }) = action else { return Ok(batch) };
    let Some(snapshot) = execution.snapshot else { return Ok(batch) };
    let mut rows = Vec::with_capacity(batch.rows);
    for row in 0..batch.rows {
        match batch.columns[*row_identity].value(row) {
            Value::Bytea(key) if snapshot.is_foreign(&key) => return Err(changed_below(action)),
            Value::Bytea(key) if snapshot.is_written(&key) => {}
            _ => rows.push(row as u32),
        }
    }
    Ok(if rows.len() < batch.rows { batch.take(&rows) } else { batch })
}

/// A routine that an assignment calls may change a row that is about to be changed.
fn check_assigned(
    execution: &Execution,
    action: &Action<Compiled>,
    expression: &Compiled,
    batch: &Batch,
) -> Result<()> {
    let (Some(snapshot), Action::Update { row_identity, assignments, .. }) = (execution.snapshot, action) else {
        return Ok(());
    };
    if !snapshot.has_foreign() || !assignments.iter().any(|(_, assigned)| std::ptr::eq(assigned, expression)) {
        return Ok(());
    }
    let is_foreign = |row: usize| match batch.columns[*row_identity].value(row) {
        Value::Bytea(key) => snapshot.is_foreign(&key),
        _ => false,
    };
    if (0..batch.rows).any(is_foreign) { Err(changed_below(action)) } else { Ok(()) }
}

/// Whether an expression is evaluated over rows that ON CONFLICT has read, and is about to update.
fn is_of_conflict(action: &Action<Compiled>, expression: &Compiled) -> bool {
    let Action::Insert { conflict: Some(conflict), .. } = action else { return false };
    let Some(update) = &conflict.update else { return false };
    update
        .assignments
        .iter()
        .map(|(_, assigned)| assigned)
        .chain(&update.filter)
        .any(|own| std::ptr::eq(own, expression))
}

/// One batch of all rows.
fn merged(batches: Vec<Batch>) -> Vec<Batch> {
    let mut batches = batches.into_iter();
    let Some(first) = batches.next() else { return vec![] };
    let (mut columns, mut rows) =
        (first.columns.iter().map(|column| (**column).clone()).collect::<Vec<_>>(), first.rows);
    for batch in batches {
        let all: Vec<u32> = (0..batch.rows as u32).collect();
        for (column, more) in columns.iter_mut().zip(&batch.columns) {
            extend(column, more, &all);
        }
        rows += batch.rows;
    }
    vec![Batch { columns: columns.into_iter().map(Rc::new).collect(), rows }]
}

fn changed_below<E>(action: &Action<E>) -> Error {
    let what = if matches!(action, Action::Delete { .. }) { "deleted" } else { "updated" };
    let message = format!("tuple to be {what} was already modified by an operation triggered by the current command");
    Error::new(sqlstate::TRIGGERED_DATA_CHANGE_VIOLATION, message)
        .hint("Call the function in a statement of its own, before or after this one.")
}

impl<'a> Operator<'a> for Modify<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if self.returned.is_none() {
            self.returned = Some(self.run(execution)?.into_iter());
        }
        Ok(self.returned.as_mut().and_then(|returned| returned.find(|batch| batch.rows > 0)))
    }
}
