//! Set-returning functions, in FROM and in select lists (PostgreSQL 15, sections 7.2.1.4 and 38.5.9).

use super::{Execution, Operator, Stream, expression, routine};
use crate::bind::logical::SetSource;
use crate::error::Result;
use crate::plan::physical::CompiledSetCall;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, ColumnBuilder, DataType, Value};
use std::rc::Rc;

type Rows = Box<dyn Iterator<Item = Result<Vec<Value>>>>;

/// Calls that run in lock step, the shorter padded with NULLs.
struct LockStep {
    /// None once a call has no more rows.
    running: Vec<Option<Rows>>,
}

impl LockStep {
    fn start(execution: &Execution, calls: &[CompiledSetCall], arguments: &[Vec<Value>]) -> Result<LockStep> {
        let start = |(call, arguments): (&CompiledSetCall, &Vec<Value>)| {
            let function = match &call.function {
                SetSource::Function(function) => function,
                SetSource::Routine(callable) => {
                    let rows = routine::call_set(execution, callable, arguments)?;
                    return Ok(Some(Box::new(rows.into_iter().map(Ok)) as Rows));
                }
            };
            if function.strict && arguments.iter().any(Value::is_null) {
                return Ok(None);
            }
            (function.evaluate)(&execution.context.functions, arguments).map(Some)
        };
        Ok(LockStep { running: calls.iter().zip(arguments).map(start).collect::<Result<_>>()? })
    }

    /// Adds the next row's values to the builders; false when every call is done.
    fn next(&mut self, calls: &[CompiledSetCall], builders: &mut [ColumnBuilder]) -> Result<bool> {
        let mut rows = Vec::with_capacity(calls.len());
        for running in &mut self.running {
            let row = running.as_mut().and_then(Iterator::next).transpose()?;
            if row.is_none() {
                *running = None;
            }
            rows.push(row);
        }
        if rows.iter().all(Option::is_none) {
            return Ok(false);
        }
        let mut builders = builders.iter_mut();
        for (call, row) in calls.iter().zip(rows) {
            for (number, builder) in (0..call.types.len()).zip(&mut builders) {
                builder.push(row.as_ref().and_then(|row| row.get(number)).unwrap_or(&Value::Null));
            }
        }
        Ok(true)
    }
}

fn builders(calls: &[CompiledSetCall]) -> Vec<ColumnBuilder> {
    calls.iter().flat_map(|call| &call.types).map(|data_type| ColumnBuilder::new(*data_type)).collect()
}

pub struct FunctionScan<'a> {
    calls: &'a [CompiledSetCall],
    ordinality: bool,
    running: Option<LockStep>,
    rows: i64,
}

impl<'a> FunctionScan<'a> {
    pub fn new(calls: &'a [CompiledSetCall], ordinality: bool) -> FunctionScan<'a> {
        FunctionScan { calls, ordinality, running: None, rows: 0 }
    }
}

impl<'a> Operator<'a> for FunctionScan<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let running = match &mut self.running {
            Some(running) => running,
            None => {
                let mut arguments = vec![];
                for call in self.calls {
                    let values = call.arguments.iter().map(|value| expression::evaluate_constant(execution, value));
                    arguments.push(values.collect::<Result<Vec<_>>>()?);
                }
                self.running.insert(LockStep::start(execution, self.calls, &arguments)?)
            }
        };
        let mut builders = builders(self.calls);
        let mut rows = 0;
        while rows < BATCH_ROWS && running.next(self.calls, &mut builders)? {
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        if self.ordinality {
            let mut numbers = ColumnBuilder::new(DataType::BigInt);
            for _ in 0..rows {
                self.rows += 1;
                numbers.push(&Value::BigInt(self.rows));
            }
            builders.push(numbers);
        }
        Ok(Some(Batch { columns: builders.into_iter().map(|builder| Rc::new(builder.finish())).collect(), rows }))
    }
}

/// For each input row, the calls' rows beside it.
pub struct ProjectSet<'a> {
    input: Stream<'a>,
    calls: &'a [CompiledSetCall],
    current: Option<Current>,
}

/// The input batch at work: its arguments per call, and the row whose calls are running.
struct Current {
    batch: Batch,
    arguments: Vec<Vec<Rc<crate::types::Column>>>,
    row: usize,
    running: Option<LockStep>,
}

impl<'a> ProjectSet<'a> {
    pub fn new(input: Stream<'a>, calls: &'a [CompiledSetCall]) -> ProjectSet<'a> {
        ProjectSet { input, calls, current: None }
    }

    fn advance(&mut self, execution: &Execution<'a>) -> Result<bool> {
        let Some(batch) = self.input.next(execution)? else { return Ok(false) };
        let mut arguments = vec![];
        for call in self.calls {
            let columns = call.arguments.iter().map(|value| expression::evaluate(execution, value, &batch));
            arguments.push(columns.collect::<Result<Vec<_>>>()?);
        }
        self.current = Some(Current { batch, arguments, row: 0, running: None });
        Ok(true)
    }
}

impl<'a> Operator<'a> for ProjectSet<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        loop {
            let Some(current) = &mut self.current else {
                if !self.advance(execution)? {
                    return Ok(None);
                }
                continue;
            };
            let mut builders = builders(self.calls);
            let mut rows = vec![];
            while rows.len() < BATCH_ROWS && current.row < current.batch.rows {
                let running = match &mut current.running {
                    Some(running) => running,
                    None => {
                        let of_row = |columns: &Vec<Rc<crate::types::Column>>| {
                            columns.iter().map(|column| column.value(current.row)).collect()
                        };
                        let arguments: Vec<Vec<Value>> = current.arguments.iter().map(of_row).collect();
                        current.running.insert(LockStep::start(execution, self.calls, &arguments)?)
                    }
                };
                if running.next(self.calls, &mut builders)? {
                    rows.push(current.row as u32);
                } else {
                    current.row += 1;
                    current.running = None;
                }
            }
            if rows.is_empty() {
                self.current = None;
                continue;
            }
            let mut batch = current.batch.take(&rows);
            batch.columns.extend(builders.into_iter().map(|builder| Rc::new(builder.finish())));
            return Ok(Some(batch));
        }
    }
}
