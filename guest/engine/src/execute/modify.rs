//! INSERT, UPDATE and DELETE as nodes: `modify::run` over their inputs.

use super::expression;
use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::modify;
use crate::plan::physical;
use crate::types::Batch;

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
        let input = &mut self.input;
        let mut pump = |receive: &mut dyn FnMut(&Batch) -> Result<()>| {
            while let Some(batch) = input.next(execution)? {
                receive(&batch)?;
            }
            Ok(())
        };
        let written = modify::run(
            execution.writer(),
            &execution.context.functions,
            &self.modify.modification,
            &evaluate,
            &mut pump,
            &mut |batch| {
                returned.push(batch.clone());
                Ok(())
            },
        )?;
        execution.written.set(Some(written));
        Ok(returned)
    }
}

impl<'a> Operator<'a> for Modify<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if self.returned.is_none() {
            self.returned = Some(self.run(execution)?.into_iter());
        }
        Ok(self.returned.as_mut().and_then(|returned| returned.find(|batch| batch.rows > 0)))
    }
}
