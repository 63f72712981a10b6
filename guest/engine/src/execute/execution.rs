//! One run of a plan: what its operators and expressions share.

use super::ExecuteContext;
use crate::error::{Error, Result};
use crate::plan::Physical;
use crate::types::Value;
use std::cell::RefCell;

/// The state of one run of a plan.
pub struct Execution<'a> {
    pub context: &'a ExecuteContext<'a>,
    /// None while an expression runs on its own.
    pub physical: Option<&'a Physical>,
    /// Outer columns for correlated queries.
    slots: RefCell<Vec<Value>>,
}

impl<'a> Execution<'a> {
    pub fn new(context: &'a ExecuteContext<'a>, physical: &'a Physical) -> Execution<'a> {
        Execution { context, physical: Some(physical), slots: RefCell::new(vec![Value::Null; physical.slots]) }
    }

    /// For expressions without subqueries that belong to no plan, such as CHECK constraints of COPY.
    pub fn without_plan(context: &'a ExecuteContext<'a>) -> Execution<'a> {
        Execution { context, physical: None, slots: RefCell::default() }
    }

    pub fn parameter(&self, index: usize) -> Result<&'a Value> {
        self.context
            .parameters
            .get(index)
            .ok_or_else(|| Error::new("08P01", format!("there is no value for parameter ${}", index + 1)))
    }

    pub fn slot(&self, slot: usize) -> Value {
        self.slots.borrow()[slot].clone()
    }

    pub fn set_slot(&self, slot: usize, value: Value) {
        self.slots.borrow_mut()[slot] = value;
    }
}
