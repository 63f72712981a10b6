//! Evaluation over whole batches.
//!
//! PostgreSQL evaluates AND, OR, CASE and COALESCE from left to right and only as far as a row needs. So do we, as far
//! as it can be told apart: operands that may fail see only the rows that reach them.

use super::{Compiled, call, choice, logic, membership};
use crate::error::Result;
use crate::execute::{Execution, columns, routine, subquery};
use crate::types::{Batch, Column, Value};
use std::rc::Rc;

/// The expression's value for every row of the batch.
pub fn evaluate(execution: &Execution, expression: &Compiled, batch: &Batch) -> Result<Rc<Column>> {
    if batch.rows == 0 {
        return Ok(Rc::new(columns::empty(expression.data_type())));
    }
    let constant = |value: &Value| Ok(Rc::new(columns::constant(value, expression.data_type(), batch.rows)));
    match expression {
        Compiled::Column { position, .. } => Ok(batch.columns[*position].clone()),
        Compiled::Literal(value, _) => constant(value),
        Compiled::Parameter { index, .. } => constant(execution.parameter(*index)?),
        Compiled::Outer { slot, .. } => constant(&execution.slot(*slot)),
        Compiled::Call { function, arguments, data_type } => {
            call::function(execution, function, arguments, *data_type, batch)
        }
        Compiled::Routine { routine, arguments, .. } => {
            let arguments = arguments.iter().map(|argument| evaluate(execution, argument, batch));
            routine::call(execution, routine, &arguments.collect::<Result<Vec<_>>>()?, batch.rows)
        }
        Compiled::Cast { input, to, modifier, explicit } => {
            call::cast(execution, input, (*to, *modifier, *explicit), batch)
        }
        Compiled::And(operands) => logic::connect(execution, operands, true, batch),
        Compiled::Or(operands) => logic::connect(execution, operands, false, batch),
        Compiled::Not(input) => logic::not(execution, input, batch),
        Compiled::IsNull { input, negated } => logic::is_null(execution, input, *negated, batch),
        Compiled::IsBoolean { input, value, negated } => logic::is_boolean(execution, input, *value, *negated, batch),
        Compiled::IsDistinct { left, right, negated } => logic::is_distinct(execution, left, right, *negated, batch),
        Compiled::Case { branches, otherwise, data_type } => {
            choice::case(execution, branches, otherwise.as_deref(), *data_type, batch)
        }
        Compiled::Coalesce { arguments, data_type } => choice::coalesce(execution, arguments, *data_type, batch),
        Compiled::NullIf { left, right, equal, data_type } => {
            choice::null_if(execution, (left, right), equal, *data_type, batch)
        }
        Compiled::Extreme { arguments, greatest, data_type } => {
            choice::extreme(execution, arguments, *greatest, *data_type, batch)
        }
        Compiled::InList { input, list, negated } => membership::in_list(execution, input, list, *negated, batch),
        Compiled::AnyArray { left, operator, array, all } => {
            membership::any_array(execution, left, operator, array, *all, batch)
        }
        Compiled::Array { elements, data_type } => call::array(execution, elements, *data_type, batch),
        Compiled::Row { fields } => call::row(execution, fields, batch),
        Compiled::Subscript { input, subscripts, data_type } => {
            call::subscript(execution, input, subscripts, *data_type, batch)
        }
        Compiled::Subquery { index, left, data_type } => subquery::evaluate(execution, *index, left, *data_type, batch),
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

/// The rows of the batch for which a predicate is true; none when that is all of them.
pub fn select(execution: &Execution, predicate: &Compiled, batch: &Batch) -> Result<Option<Vec<u32>>> {
    let conjuncts = match predicate {
        Compiled::And(conjuncts) => conjuncts.as_slice(),
        predicate => std::slice::from_ref(predicate),
    };
    let mut selected: Option<Vec<u32>> = None;
    // In whatever order they are written: the cheap ones leave the others fewer rows.
    let (cheap, others): (Vec<_>, Vec<_>) = conjuncts.iter().partition(|conjunct| cannot_fail(conjunct));
    for conjunct in cheap.into_iter().chain(others) {
        selected = match selected {
            None => {
                let rows = columns::true_rows(&*evaluate(execution, conjunct, batch)?);
                (rows.len() < batch.rows).then_some(rows)
            }
            Some(rows) if rows.is_empty() => return Ok(Some(rows)),
            // What cannot fail and is cheap is sooner done for all rows than for a copy of some.
            Some(rows) if rows.len() * 4 > batch.rows && cannot_fail(conjunct) => {
                let column = evaluate(execution, conjunct, batch)?;
                Some(rows.into_iter().filter(|&row| columns::truth(&column, row as usize) == Some(true)).collect())
            }
            Some(rows) => {
                let narrow = narrow(batch, &rows, &[conjunct]);
                let kept = columns::true_rows(&*evaluate(execution, conjunct, &narrow)?);
                Some(kept.into_iter().map(|row| rows[row as usize]).collect())
            }
        };
    }
    Ok(selected)
}

/// Some rows of a batch, in the columns that the expressions read; the other columns are empty.
pub fn narrow(batch: &Batch, rows: &[u32], expressions: &[&Compiled]) -> Batch {
    let mut needed = vec![false; batch.columns.len()];
    for expression in expressions {
        expression.columns(&mut |position| needed[position] = true);
        // Which columns a subquery reads is in its plan.
        if has_subquery(expression) {
            needed.fill(true);
        }
    }
    let nothing = Rc::new(columns::booleans(vec![]));
    let take = |(column, needed): (&Rc<Column>, &bool)| match needed {
        true => Rc::new(column.take(rows)),
        false => nothing.clone(),
    };
    Batch { columns: batch.columns.iter().zip(&needed).map(take).collect(), rows: rows.len() }
}

/// Whether it reads more than `Compiled::columns` tells.
pub fn has_subquery(expression: &Compiled) -> bool {
    matches!(expression, Compiled::Subquery { .. }) || expression.children().into_iter().any(has_subquery)
}

/// Comparisons of columns and constants and what is made of them raise no errors, whatever the row.
pub fn cannot_fail(expression: &Compiled) -> bool {
    let here = match expression {
        Compiled::Literal(..)
        | Compiled::Column { .. }
        | Compiled::Parameter { .. }
        | Compiled::Outer { .. }
        | Compiled::And(_)
        | Compiled::Or(_)
        | Compiled::Not(_)
        | Compiled::IsNull { .. }
        | Compiled::IsBoolean { .. }
        | Compiled::IsDistinct { .. }
        | Compiled::InList { .. } => true,
        Compiled::Call { function, .. } => matches!(function.name, "=" | "<>" | "<" | "<=" | ">" | ">="),
        _ => false,
    };
    here && expression.children().into_iter().all(cannot_fail)
}

/// Reads no columns, and gives one value throughout a statement.
pub fn is_constant(expression: &Compiled) -> bool {
    let here = match expression {
        Compiled::Column { .. } | Compiled::Subquery { .. } | Compiled::Routine { .. } => false,
        Compiled::Call { function, .. } => function.volatility != crate::functions::Volatility::Volatile,
        _ => true,
    };
    here && expression.children().into_iter().all(is_constant)
}
