//! Calls of stored procedures' routines: arguments of many rows go to the host at once, and its rows come back.

use super::Execution;
use crate::catalog::procedure::{Callable, Field, Parameter, Returns};
use crate::encode::data_row::{self, Fields};
use crate::error::{Error, Result, sqlstate};
use crate::host::{RoutineAnswer, Target};
use crate::limits::ROUTINE_BATCH_BYTES;
use crate::types::{Column, ColumnBuilder, DataType, Value, binary};
use std::rc::Rc;

/// The value of a call for every row of its arguments' columns.
pub fn call(execution: &Execution, callable: &Callable, arguments: &[Rc<Column>], rows: usize) -> Result<Rc<Column>> {
    let routine = &callable.routine;
    let mut result = ColumnBuilder::new(routine.data_type());
    let mut packed = vec![];
    let mut count = 0;
    for row in 0..rows {
        for (parameter, argument) in routine.parameters.iter().zip(arguments) {
            pack(callable, parameter, &argument.value(row), &mut packed)?;
        }
        count += 1;
        if packed.len() >= ROUTINE_BATCH_BYTES || row + 1 == rows {
            let answer = run(execution, callable, &packed, count)?;
            for values in unpack(callable, &answer, Some(count))? {
                result.push(&as_value(callable, values)?);
            }
            packed.clear();
            count = 0;
        }
    }
    Ok(Rc::new(result.finish()))
}

/// The rows of one call.
pub fn call_set(execution: &Execution, callable: &Callable, arguments: &[Value]) -> Result<Vec<Vec<Value>>> {
    let routine = &callable.routine;
    let mut packed = vec![];
    for (parameter, argument) in routine.parameters.iter().zip(arguments) {
        pack(callable, parameter, argument, &mut packed)?;
    }
    let answer = run(execution, callable, &packed, 1)?;
    match routine.returns {
        Returns::Nothing => {
            unpack(callable, &answer, Some(1))?;
            Ok(vec![vec![nothing()]])
        }
        Returns::Value | Returns::Row => unpack(callable, &answer, Some(1)),
        Returns::Rows => unpack(callable, &answer, None),
    }
}

fn run(execution: &Execution, callable: &Callable, packed: &[u8], count: u32) -> Result<RoutineAnswer> {
    // What reads a table would go on with a definition that holds no more.
    let may_define = execution.physical.is_some_and(|physical| !physical.uses_relations);
    let target = Target { may_define, ..callable.target.clone() };
    execution.context.host.call(&target, packed, count)
}

fn pack(callable: &Callable, parameter: &Parameter, value: &Value, packed: &mut Vec<u8>) -> Result<()> {
    let refused = |field: &Field| {
        let message = format!("null value not allowed for parameter \"{}\" of {}", field.name, callable.name());
        Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, message)
            .hint("The procedure takes NULL where its parameter is an option.")
    };
    match value {
        Value::Null if !parameter.field.nullable => return Err(refused(&parameter.field)),
        Value::Null => data_row::push(packed, None),
        Value::Record(values) if parameter.field.data_type == DataType::Record => {
            for (field, value) in parameter.fields.iter().zip(values.iter()) {
                if value.is_null() && !field.nullable {
                    return Err(refused(field));
                }
            }
            let types: Vec<DataType> = parameter.fields.iter().map(|field| field.data_type).collect();
            data_row::push_written(packed, |out| binary::write_record(values, &types, out));
        }
        value => data_row::push_written(packed, |out| binary::write(value, parameter.field.data_type, out)),
    }
    Ok(())
}

/// The rows of an answer, of which there must be so many.
fn unpack(callable: &Callable, answer: &RoutineAnswer, expected: Option<u32>) -> Result<Vec<Vec<Value>>> {
    let broken = |reason: &str| Error::internal(format!("the host answered {} with {reason}", callable.name()));
    if expected.is_some_and(|expected| expected != answer.count) {
        return Err(broken(&format!("{} rows", answer.count)));
    }
    let columns = &callable.routine.columns;
    let mut fields = Fields(&answer.rows);
    let mut rows = vec![];
    for _ in 0..answer.count {
        let mut values = Vec::with_capacity(columns.len());
        for column in columns {
            let value = match fields.take().map_err(|_| broken("rows that end early"))? {
                Some(bytes) => {
                    let read = binary::read(bytes, column.data_type);
                    read.map_err(|error| broken(&format!("no {}: {}", column.data_type.name(), error.message())))?
                }
                None if column.nullable => Value::Null,
                None => return Err(broken(&format!("NULL for \"{}\"", column.name))),
            };
            values.push(value);
        }
        rows.push(values);
    }
    if fields.is_empty() { Ok(rows) } else { Err(broken("more than its rows")) }
}

/// A row as the value of an expression.
fn as_value(callable: &Callable, mut values: Vec<Value>) -> Result<Value> {
    match (callable.routine.returns, values.len()) {
        (Returns::Nothing, _) => Ok(nothing()),
        (Returns::Row, _) => Ok(Value::Record(values.into())),
        (Returns::Value, 1) => Ok(values.remove(0)),
        _ => Err(Error::internal(format!("{} answers a set where a value is asked for", callable.name()))),
    }
}

/// What a function without result gives: an empty text, as PostgreSQL's void.
fn nothing() -> Value {
    Value::text("")
}
