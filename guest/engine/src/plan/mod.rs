//! From what to how: access paths, join order and method.

pub mod physical;

pub use physical::Physical;

use crate::bind::Plan;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::host::Transaction;

/// What planning may ask.
pub struct PlanContext<'a> {
    /// For estimates only.
    pub transaction: &'a dyn Transaction,
    pub catalog: &'a Catalog,
}

/// Finds a way to run a plan. The result does not depend on parameters.
pub fn optimize(_plan: Plan, _context: &PlanContext) -> Result<Physical> {
    Err(Error::not_supported("planning"))
}
