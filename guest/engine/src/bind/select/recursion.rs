//! Where a recursive query must not refer to itself (PostgreSQL 15, section 7.8.2, and its parser's checks).

use super::super::expression::Expression;
use super::super::logical::{CommonTableId, CommonTableKind, JoinKind, Plan, SetOperator};
use super::super::walk;
use crate::error::{Error, Result, sqlstate};

/// Fails with 42P19 when the recursive term `plan` scans itself where each step's new rows would not suffice.
pub fn check(plan: &Plan, table: CommonTableId, name: &str) -> Result<()> {
    let misplaced = |place: &str| {
        let message = format!("recursive reference to query \"{name}\" must not appear within {place}");
        Err(Error::new(sqlstate::INVALID_RECURSION, message))
    };
    let inside = |plan: &Plan| scans(plan, table);
    match plan {
        Plan::Unit
        | Plan::Empty { .. }
        | Plan::Scan(_)
        | Plan::Values { .. }
        | Plan::FunctionScan { .. }
        | Plan::CommonTableScan { .. } => Ok(()),
        Plan::ProjectSet { input, .. }
        | Plan::Filter { input, .. }
        | Plan::Project { input, .. }
        | Plan::Window { input, .. }
        | Plan::Sort { input, .. }
        | Plan::Distinct { input, .. }
        | Plan::Limit { input, .. }
        | Plan::Lock { input, .. } => check(input, table, name),
        Plan::Join(join) => {
            let outer = match join.kind {
                JoinKind::Left => inside(&join.right),
                JoinKind::Right => inside(&join.left),
                JoinKind::Full => inside(&join.left) || inside(&join.right),
                JoinKind::Inner | JoinKind::Semi | JoinKind::Anti => false,
            };
            if outer {
                return misplaced("an outer join");
            }
            check(&join.left, table, name)?;
            check(&join.right, table, name)
        }
        Plan::Aggregate(aggregate) if inside(&aggregate.input) && !aggregate.aggregates.is_empty() => {
            let message = "aggregate functions are not allowed in a recursive query's recursive term";
            Err(Error::new(sqlstate::INVALID_RECURSION, message))
        }
        Plan::Aggregate(aggregate) => check(&aggregate.input, table, name),
        Plan::SetOperation(operation) => match operation.operator {
            SetOperator::Intersect if inside(plan) => misplaced("INTERSECT"),
            SetOperator::Except if inside(&operation.right) => misplaced("EXCEPT"),
            _ => {
                check(&operation.left, table, name)?;
                check(&operation.right, table, name)
            }
        },
        Plan::With { tables, body } => {
            for common in tables {
                match &common.kind {
                    CommonTableKind::Plain(plan) => check(plan, table, name)?,
                    CommonTableKind::Recursive { anchor, recursive, .. } => {
                        check(anchor, table, name)?;
                        check(recursive, table, name)?;
                    }
                }
            }
            check(body, table, name)
        }
        Plan::Modify(modify) => check(&modify.input, table, name),
    }?;
    if in_subquery(plan, table) { misplaced("a subquery") } else { Ok(()) }
}

/// Whether a plan scans the table outside of its expressions.
fn scans(plan: &Plan, table: CommonTableId) -> bool {
    match plan {
        Plan::CommonTableScan { table: scanned, .. } => *scanned == table,
        Plan::Unit | Plan::Empty { .. } | Plan::Scan(_) | Plan::Values { .. } | Plan::FunctionScan { .. } => false,
        Plan::ProjectSet { input, .. }
        | Plan::Filter { input, .. }
        | Plan::Project { input, .. }
        | Plan::Window { input, .. }
        | Plan::Sort { input, .. }
        | Plan::Distinct { input, .. }
        | Plan::Limit { input, .. }
        | Plan::Lock { input, .. } => scans(input, table),
        Plan::Join(join) => scans(&join.left, table) || scans(&join.right, table),
        Plan::Aggregate(aggregate) => scans(&aggregate.input, table),
        Plan::SetOperation(operation) => scans(&operation.left, table) || scans(&operation.right, table),
        Plan::With { tables, body } => {
            let within = |kind: &CommonTableKind| match kind {
                CommonTableKind::Plain(plan) => scans(plan, table),
                CommonTableKind::Recursive { anchor, recursive, .. } => scans(anchor, table) || scans(recursive, table),
            };
            tables.iter().any(|common| within(&common.kind)) || scans(body, table)
        }
        Plan::Modify(modify) => scans(&modify.input, table),
    }
}

/// Whether an expression of the plan holds a query that scans the table.
fn in_subquery(plan: &Plan, table: CommonTableId) -> bool {
    let mut found = false;
    let mut copy = plan.clone();
    let walked = walk::rewrite_plan(&mut copy, &mut |expression| {
        if let Expression::Subquery(subquery) = expression {
            found |= scans(&subquery.plan, table);
        }
        Ok(found)
    });
    debug_assert!(walked.is_ok());
    found
}
