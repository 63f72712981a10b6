//! INSERT, UPDATE and DELETE as nodes: `modify::run` over their inputs.

use super::expression;
use super::snapshot::Snapshot;
use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::host::Host;
use crate::modify::{self, Action};
use crate::plan::physical;
use crate::types::{Batch, Value};

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
        let evaluate = |expression: &_, batch: &Batch| expression::evaluate(execution, expression, batch);
        let mut batches = vec![];
        while let Some(batch) = self.input.next(execution)? {
            batches.push(batch);
        }
        let action = &self.modify.modification.action;
        let batches: Vec<Batch> = batches.into_iter().map(|batch| not_yet_written(execution, action, batch)).collect();
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
/// happens.
fn not_yet_written<E>(execution: &Execution, action: &Action<E>, batch: Batch) -> Batch {
    let (Action::Update { row_identity, .. } | Action::Delete { row_identity, .. }) = action else { return batch };
    let Some(snapshot) = execution.snapshot else { return batch };
    let is_written = |row: usize| match batch.columns[*row_identity].value(row) {
        Value::Bytea(key) => snapshot.is_written(&key),
        _ => false,
    };
    let rows: Vec<u32> = (0..batch.rows as u32).filter(|row| !is_written(*row as usize)).collect();
    if rows.len() < batch.rows { batch.take(&rows) } else { batch }
}

impl<'a> Operator<'a> for Modify<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if self.returned.is_none() {
            self.returned = Some(self.run(execution)?.into_iter());
        }
        Ok(self.returned.as_mut().and_then(|returned| returned.find(|batch| batch.rows > 0)))
    }
}
