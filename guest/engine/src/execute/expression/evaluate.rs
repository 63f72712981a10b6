//! Evaluation over whole batches.

use super::Compiled;
use crate::error::{Error, Result};
use crate::execute::Execution;
use crate::types::{Batch, Column, Value};
use std::rc::Rc;

/// The expression's value for every row of the batch.
pub fn evaluate(execution: &Execution, expression: &Compiled, batch: &Batch) -> Result<Rc<Column>> {
    match expression {
        Compiled::Column { position, .. } => Ok(batch.columns[*position].clone()),
        Compiled::Literal(value, data_type) => Ok(Rc::new(Column::constant(value, *data_type, batch.rows))),
        Compiled::Parameter { index, data_type } => {
            Ok(Rc::new(Column::constant(execution.parameter(*index)?, *data_type, batch.rows)))
        }
        Compiled::Outer { slot, data_type } => {
            Ok(Rc::new(Column::constant(&execution.slot(*slot), *data_type, batch.rows)))
        }
        _ => Err(Error::not_supported("this expression")),
    }
}

/// The value of an expression that reads no columns.
pub fn evaluate_constant(execution: &Execution, expression: &Compiled) -> Result<Value> {
    match expression {
        Compiled::Literal(value, _) => Ok(value.clone()),
        Compiled::Parameter { index, .. } => execution.parameter(*index).cloned(),
        Compiled::Outer { slot, .. } => Ok(execution.slot(*slot)),
        _ => Ok(evaluate(execution, expression, &Batch { columns: vec![], rows: 1 })?.value(0)),
    }
}
