//! Queries inside expressions: run once when they do not depend on the row, and once per distinct set of outer values
//! when they do.

use super::columns::{concatenate, constant};
use super::expression::{from_truths, quantify};
use super::group::{ABSENT, GroupTable};
use super::{Execution, expression};
use crate::encode;
use crate::error::{Error, Result, sqlstate};
use crate::plan::physical::{CompiledSubqueryKind, SubqueryPlan};
use crate::types::value::Array;
use crate::types::{Batch, Column, ColumnBuilder, DataType, Value};
use std::rc::Rc;

/// Answers kept per correlated subquery before they are all dropped.
const KEPT_ANSWERS: usize = 8192;

/// What a subquery said for one set of outer values.
pub enum Answer {
    Value(Value),
    /// Rows to compare with, those without NULLs hashed where that is possible.
    Rows {
        rows: Batch,
        hashed: Option<Hashed>,
    },
}

pub struct Hashed {
    complete: GroupTable,
    /// Rows with a NULL: they match nothing, but leave it open.
    incomplete: Batch,
}

/// The value of a subquery for every row.
pub fn evaluate(
    execution: &Execution,
    index: usize,
    left: &[expression::Compiled],
    data_type: DataType,
    batch: &Batch,
) -> Result<Rc<Column>> {
    let plan = execution.physical.and_then(|physical| physical.subqueries.get(index));
    let plan = plan.ok_or_else(|| Error::internal("a subquery without its plan"))?;
    let left = left.iter().map(|left| expression::evaluate(execution, left, batch)).collect::<Result<Vec<_>>>()?;
    if plan.bindings.is_empty() && plan.memoise {
        return match &*answer(execution, index, plan)? {
            Answer::Value(value) => Ok(Rc::new(constant(value, data_type, batch.rows))),
            Answer::Rows { rows, hashed } => compare(execution, plan, rows, hashed.as_ref(), &left, batch.rows),
        };
    }
    let mut result = ColumnBuilder::new(data_type);
    for row in 0..batch.rows {
        for (position, slot) in &plan.bindings {
            execution.set_slot(*slot, batch.columns[*position].value(row));
        }
        match &*answer(execution, index, plan)? {
            Answer::Value(value) => result.push(value),
            Answer::Rows { rows, hashed } => {
                let left: Vec<_> = left.iter().map(|column| Rc::new(column.take(&[row as u32]))).collect();
                result.push(&compare(execution, plan, rows, hashed.as_ref(), &left, 1)?.value(0));
            }
        }
    }
    Ok(Rc::new(result.finish()))
}

/// The answer for the values that the slots have now.
fn answer<'a>(execution: &Execution<'a>, index: usize, plan: &'a SubqueryPlan) -> Result<Rc<Answer>> {
    let key = if plan.memoise { memo_key(execution, plan) } else { None };
    if let Some(key) = &key
        && let Some(answer) = execution.answers.borrow()[index].get(key)
    {
        return Ok(answer.clone());
    }
    let answer = Rc::new(run(execution, plan)?);
    if let Some(key) = key {
        let memo = &mut execution.answers.borrow_mut()[index];
        if memo.len() >= KEPT_ANSWERS {
            memo.clear();
        }
        memo.insert(key, answer.clone());
    }
    Ok(answer)
}

/// The outer values as bytes: values that compare equal but print differently must not share an answer.
fn memo_key(execution: &Execution, plan: &SubqueryPlan) -> Option<Vec<u8>> {
    let mut key = vec![];
    for slot in plan.bindings.iter().map(|(_, slot)| slot).chain(&plan.outer_slots) {
        let value = execution.slot(*slot);
        let start = key.len();
        key.extend_from_slice(&[0; 5]);
        if !value.is_null() {
            encode::value::encode(&value, &mut key).ok()?;
            key[start] = 1;
        }
        let length = (key.len() - start - 5) as u32;
        key[start + 1..start + 5].copy_from_slice(&length.to_le_bytes());
    }
    Some(key)
}

fn run<'a>(execution: &Execution<'a>, plan: &'a SubqueryPlan) -> Result<Answer> {
    let mut stream = execution.open(&plan.node)?;
    match &plan.kind {
        CompiledSubqueryKind::Exists => Ok(Answer::Value(Value::Boolean(stream.next(execution)?.is_some()))),
        CompiledSubqueryKind::Scalar => {
            let Some(batch) = stream.next(execution)? else { return Ok(Answer::Value(Value::Null)) };
            if batch.rows > 1 || stream.next(execution)?.is_some() {
                let message = "more than one row returned by a subquery used as an expression";
                return Err(Error::new(sqlstate::CARDINALITY_VIOLATION, message));
            }
            Ok(Answer::Value(batch.columns[0].value(0)))
        }
        CompiledSubqueryKind::Array => {
            let mut values = vec![];
            while let Some(batch) = stream.next(execution)? {
                values.extend((0..batch.rows).map(|row| batch.columns[0].value(row)));
            }
            let element_type = plan.data_type.element().unwrap_or(DataType::Unknown);
            let nested = plan.node.columns.first().is_some_and(|(_, data_type)| data_type.element().is_some());
            let array = match nested {
                true => expression::nest(element_type, values)?,
                false => Array::from_values(element_type, values),
            };
            Ok(Answer::Value(Value::Array(Rc::new(array))))
        }
        CompiledSubqueryKind::Compare { hashed, .. } => {
            let mut batches = vec![];
            while let Some(batch) = stream.next(execution)? {
                batches.push(batch);
            }
            let types: Vec<DataType> = plan.node.columns.iter().map(|(_, data_type)| *data_type).collect();
            let rows = concatenate(&batches, &types);
            let hashed = hashed.then(|| hash(&rows, &types));
            Ok(Answer::Rows { rows, hashed })
        }
    }
}

fn hash(rows: &Batch, types: &[DataType]) -> Hashed {
    let has_null = |row: &u32| rows.columns.iter().any(|column| column.is_null(*row as usize));
    let (incomplete, complete): (Vec<u32>, Vec<u32>) = (0..rows.rows as u32).partition(has_null);
    let mut table = GroupTable::new(types);
    let complete = if incomplete.is_empty() { rows.clone() } else { rows.take(&complete) };
    table.insert(&complete.columns, complete.rows, &mut vec![]);
    Hashed { complete: table, incomplete: rows.take(&incomplete) }
}

/// Compares each left row with the subquery's rows.
fn compare(
    execution: &Execution,
    plan: &SubqueryPlan,
    rows: &Batch,
    hashed: Option<&Hashed>,
    left: &[Rc<Column>],
    count: usize,
) -> Result<Rc<Column>> {
    let CompiledSubqueryKind::Compare { operators, all, .. } = &plan.kind else {
        return Err(Error::internal("a comparison with a subquery of another kind"));
    };
    let slow = |row: usize, rows: &Batch| {
        let left: Vec<Rc<Column>> =
            left.iter().map(|column| Rc::new(column.take(&vec![row as u32; rows.rows]))).collect();
        quantify(execution, operators, &left, &rows.columns, rows.rows, *all)
    };
    let mut truths = Vec::with_capacity(count);
    match hashed {
        None => {
            for row in 0..count {
                truths.push(slow(row, rows)?);
            }
        }
        Some(hashed) => {
            let mut found = vec![];
            hashed.complete.find(left, count, &mut found);
            for (row, found) in found.into_iter().enumerate() {
                let null = left.iter().any(|column| column.is_null(row));
                truths.push(match found {
                    _ if null && left.len() == 1 => (rows.rows == 0).then_some(*all),
                    _ if null => slow(row, rows)?,
                    ABSENT if left.len() == 1 && hashed.incomplete.rows > 0 => None,
                    ABSENT => slow(row, &hashed.incomplete)?,
                    _ => Some(!*all),
                });
            }
        }
    }
    Ok(Rc::new(from_truths(&truths)))
}

/// Whether comparing with these operators is looking up equal rows: `= ANY`, or `<> ALL` of one column.
pub fn is_hashable(operators: &[&'static crate::functions::ScalarFunction], all: bool) -> bool {
    match all {
        false => operators.iter().all(|operator| operator.name == "="),
        true => operators.len() == 1 && operators[0].name == "<>",
    }
}
