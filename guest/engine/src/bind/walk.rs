//! Walks over bound expressions and the plans inside them.

use super::expression::{ColumnId, Expression, FrameBound, SortKey, Subquery, SubqueryKind, Subscript, WindowCall};
use super::logical::{CommonTableKind, ModifyAction, Plan};
use crate::error::Result;

/// Calls `visit` on each direct operand; subqueries' plans are not entered, but what they are compared with is.
pub fn operands(expression: &mut Expression, visit: &mut dyn FnMut(&mut Expression) -> Result<()>) -> Result<()> {
    match expression {
        Expression::Literal(..) | Expression::Parameter { .. } | Expression::Column { .. } => Ok(()),
        Expression::Call { arguments, .. }
        | Expression::Routine { arguments, .. }
        | Expression::Coalesce { arguments, .. }
        | Expression::Greatest { arguments, .. }
        | Expression::Least { arguments, .. } => arguments.iter_mut().try_for_each(visit),
        Expression::And(operands) | Expression::Or(operands) => operands.iter_mut().try_for_each(visit),
        Expression::Array { elements, .. } => elements.iter_mut().try_for_each(visit),
        Expression::Row { fields } => fields.iter_mut().try_for_each(visit),
        Expression::Cast { input, .. }
        | Expression::Not(input)
        | Expression::IsNull { input, .. }
        | Expression::IsBoolean { input, .. } => visit(input),
        Expression::IsDistinct { left, right, .. } | Expression::NullIf { left, right, .. } => {
            visit(left)?;
            visit(right)
        }
        Expression::AnyArray { left, array, .. } => {
            visit(left)?;
            visit(array)
        }
        Expression::Case { branches, otherwise, .. } => {
            for (condition, result) in branches {
                visit(condition)?;
                visit(result)?;
            }
            otherwise.iter_mut().try_for_each(|otherwise| visit(otherwise))
        }
        Expression::InList { input, list, .. } => {
            visit(input)?;
            list.iter_mut().try_for_each(visit)
        }
        Expression::Subscript { input, subscripts, .. } => {
            visit(input)?;
            for subscript in subscripts {
                match subscript {
                    Subscript::Index(index) => visit(index)?,
                    Subscript::Slice(lower, upper) => lower.iter_mut().chain(upper).try_for_each(&mut *visit)?,
                }
            }
            Ok(())
        }
        Expression::Subquery(subquery) => compared(subquery).iter_mut().try_for_each(visit),
    }
}

fn compared(subquery: &mut Subquery) -> &mut [Expression] {
    match &mut subquery.kind {
        SubqueryKind::Compare { left, .. } => left,
        SubqueryKind::Scalar | SubqueryKind::Exists | SubqueryKind::Array => &mut [],
    }
}

/// Calls `replace` on the expression and then, unless it answers true, on everything below it, subqueries included.
pub fn rewrite(expression: &mut Expression, replace: &mut dyn FnMut(&mut Expression) -> Result<bool>) -> Result<()> {
    if replace(expression)? {
        return Ok(());
    }
    operands(expression, &mut |operand| rewrite(operand, replace))?;
    match expression {
        Expression::Subquery(subquery) => rewrite_plan(&mut subquery.plan, replace),
        _ => Ok(()),
    }
}

/// `rewrite` on every expression of a plan.
pub fn rewrite_plan(plan: &mut Plan, replace: &mut dyn FnMut(&mut Expression) -> Result<bool>) -> Result<()> {
    expressions(plan, &mut |expression| rewrite(expression, replace))
}

type Visit<'v> = &'v mut dyn FnMut(&mut Expression) -> Result<()>;

/// Calls `visit` on every expression that a plan or one of its inputs holds, without entering subqueries.
fn expressions(plan: &mut Plan, visit: Visit) -> Result<()> {
    match plan {
        Plan::Unit | Plan::Empty { .. } | Plan::Scan(_) | Plan::CommonTableScan { .. } => Ok(()),
        Plan::Values { rows, .. } => rows.iter_mut().flatten().try_for_each(visit),
        Plan::FunctionScan { calls, .. } => calls.iter_mut().flat_map(|call| &mut call.arguments).try_for_each(visit),
        Plan::ProjectSet { input, calls } => {
            expressions(input, visit)?;
            calls.iter_mut().flat_map(|call| &mut call.arguments).try_for_each(visit)
        }
        Plan::Filter { input, predicate } => {
            expressions(input, visit)?;
            visit(predicate)
        }
        Plan::Project { input, outputs } => {
            expressions(input, visit)?;
            outputs.iter_mut().try_for_each(|(_, output)| visit(output))
        }
        Plan::Join(join) => {
            expressions(&mut join.left, visit)?;
            expressions(&mut join.right, visit)?;
            join.condition.iter_mut().try_for_each(visit)
        }
        Plan::Aggregate(aggregate) => {
            expressions(&mut aggregate.input, visit)?;
            aggregate.groups.iter_mut().try_for_each(|(_, group)| visit(group))?;
            for (_, call) in &mut aggregate.aggregates {
                call.arguments.iter_mut().chain(&mut call.filter).try_for_each(&mut *visit)?;
                keys(&mut call.order_by, visit)?;
            }
            Ok(())
        }
        Plan::Window { input, calls } => {
            expressions(input, visit)?;
            calls.iter_mut().try_for_each(|(_, call)| window_call(call, visit))
        }
        Plan::Sort { input, keys: sort_keys } => {
            expressions(input, visit)?;
            keys(sort_keys, visit)
        }
        Plan::Distinct { input, on } => {
            expressions(input, visit)?;
            on.iter_mut().flatten().try_for_each(visit)
        }
        Plan::Limit { input, limit, offset, with_ties } => {
            expressions(input, visit)?;
            limit.iter_mut().chain(offset).try_for_each(&mut *visit)?;
            keys(with_ties, visit)
        }
        Plan::SetOperation(operation) => {
            expressions(&mut operation.left, visit)?;
            expressions(&mut operation.right, visit)
        }
        Plan::With { tables, body } => {
            for table in tables {
                match &mut table.kind {
                    CommonTableKind::Plain(plan) => expressions(plan, visit)?,
                    CommonTableKind::Recursive { anchor, recursive, .. } => {
                        expressions(anchor, visit)?;
                        expressions(recursive, visit)?;
                    }
                }
            }
            expressions(body, visit)
        }
        Plan::Lock { input, .. } => expressions(input, visit),
        Plan::Modify(modify) => {
            expressions(&mut modify.input, visit)?;
            modify.checks.iter_mut().try_for_each(|(_, check)| visit(check))?;
            modify.returning.iter_mut().flatten().try_for_each(|(_, output)| visit(output))?;
            match &mut modify.action {
                ModifyAction::Insert { values, conflict } => {
                    values.iter_mut().try_for_each(&mut *visit)?;
                    let Some(update) = conflict.as_mut().and_then(|conflict| conflict.update.as_mut()) else {
                        return Ok(());
                    };
                    update.assignments.iter_mut().try_for_each(|(_, value)| visit(value))?;
                    update.filter.iter_mut().try_for_each(visit)
                }
                ModifyAction::Update { assignments, .. } => {
                    assignments.iter_mut().try_for_each(|(_, value)| visit(value))
                }
                ModifyAction::Delete { .. } => Ok(()),
            }
        }
    }
}

fn keys(keys: &mut [SortKey], visit: Visit) -> Result<()> {
    keys.iter_mut().try_for_each(|key| visit(&mut key.expression))
}

/// Calls `visit` on the expressions of a window function's call.
pub fn window_call(call: &mut WindowCall, visit: Visit) -> Result<()> {
    call.arguments.iter_mut().chain(&mut call.filter).chain(&mut call.partition_by).try_for_each(&mut *visit)?;
    keys(&mut call.order_by, visit)?;
    for bound in [&mut call.frame.start, &mut call.frame.end] {
        if let FrameBound::Preceding(offset) | FrameBound::Following(offset) = bound {
            visit(offset)?;
        }
    }
    Ok(())
}

/// Every column that an expression refers to, in subqueries too.
pub fn columns(expression: &Expression) -> Vec<ColumnId> {
    let mut found = vec![];
    // Walking needs a place to write, and expressions are small.
    let mut copy = expression.clone();
    let gathered = rewrite(&mut copy, &mut |visited| {
        if let Expression::Column { id, .. } = visited {
            found.push(*id);
        }
        Ok(false)
    });
    debug_assert!(gathered.is_ok());
    found
}

/// One of these columns, which are not the plan's own, that the plan refers to.
pub fn refers_to(plan: &Plan, columns: &[ColumnId]) -> Option<ColumnId> {
    let mut found = None;
    let mut copy = plan.clone();
    let walked = rewrite_plan(&mut copy, &mut |visited| {
        match visited {
            Expression::Column { id, .. } if columns.contains(id) => found = Some(*id),
            _ => {}
        }
        Ok(found.is_some())
    });
    debug_assert!(walked.is_ok());
    found
}

/// Whether two expressions are the same, calls of volatile functions included. Column ids are unique in a statement,
/// and the printed form names everything that an expression is made of.
pub fn same(left: &Expression, right: &Expression) -> bool {
    match (left, right) {
        (Expression::Column { id: left, .. }, Expression::Column { id: right, .. }) => left == right,
        (Expression::Column { .. }, _) | (_, Expression::Column { .. }) => false,
        _ => left.data_type() == right.data_type() && format!("{left:?}") == format!("{right:?}"),
    }
}
