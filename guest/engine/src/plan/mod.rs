//! From what to how: access paths, join order and method.

pub mod explain;
pub mod physical;

pub(crate) mod access;
mod estimate;
mod lower;
mod node;
mod rewrite;
mod selectivity;
pub mod walk;

pub use physical::Physical;

use crate::bind::Plan;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::host::Transaction;

/// What planning may ask.
pub struct PlanContext<'a> {
    /// For estimates only.
    pub transaction: &'a dyn Transaction,
    pub catalog: &'a Catalog,
}

/// Finds a way to run a plan. The result does not depend on parameters.
pub fn optimize(plan: Plan, context: &PlanContext) -> Result<Physical> {
    lower::lower(plan, context)
}
