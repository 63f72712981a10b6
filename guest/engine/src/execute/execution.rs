//! One run of a plan: what its operators and expressions share.

use super::common_table::SharedTable;
use super::snapshot::Snapshot;
use super::subquery::Answer;
use super::{ExecuteContext, Stream};
use crate::error::{Error, Result};
use crate::plan::Physical;
use crate::plan::physical::Node;
use crate::types::Value;
use hashbrown::HashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Answers of correlated subqueries by the outer values that they came from.
pub(super) type Memo = HashMap<Vec<u8>, Rc<Answer>>;

/// The state of one run of a plan.
pub struct Execution<'a> {
    pub context: &'a ExecuteContext<'a>,
    /// None while an expression runs on its own.
    pub physical: Option<&'a Physical>,
    /// Outer columns for correlated queries.
    slots: RefCell<Vec<Value>>,
    /// Answers that are kept, by subquery.
    pub(super) answers: RefCell<Vec<Memo>>,
    /// Common tables, by number.
    pub(super) tables: RefCell<Vec<Option<Rc<RefCell<SharedTable<'a>>>>>>,
    /// Common tables that write: they do so whether or not someone reads them.
    pub(super) modifying: RefCell<Vec<usize>>,
    /// None: nothing reads after something has written.
    pub(super) snapshot: Option<&'a Snapshot<'a>>,
    /// Rows that the statement's own INSERT, UPDATE or DELETE wrote.
    pub(super) written: Cell<Option<u64>>,
    /// Per node, when asked for.
    pub(super) measurements: Option<RefCell<Vec<Measurement>>>,
}

/// What EXPLAIN ANALYZE says of a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measurement {
    /// How often it ran from its start.
    pub loops: u64,
    pub rows: u64,
    /// Microseconds, inputs included.
    pub time: i64,
    /// Microseconds until the first batch of the first run.
    pub startup: i64,
    /// Rows that a filter left out.
    pub removed: u64,
    /// Left rows that an index join had looked up when it turned to a hash join, the last time that it did.
    pub switched_after: Option<u64>,
}

impl<'a> Execution<'a> {
    pub fn new(context: &'a ExecuteContext<'a>, physical: &'a Physical) -> Execution<'a> {
        Execution {
            physical: Some(physical),
            slots: RefCell::new(vec![Value::Null; physical.slots]),
            answers: RefCell::new(vec![Memo::new(); physical.subqueries.len()]),
            tables: RefCell::new(vec![None; physical.tables]),
            ..Execution::without_plan(context)
        }
    }

    /// Takes the time of every node.
    pub fn measured(context: &'a ExecuteContext<'a>, physical: &'a Physical) -> Execution<'a> {
        let measurements = RefCell::new(vec![Measurement::default(); physical.nodes]);
        Execution { measurements: Some(measurements), ..Execution::new(context, physical) }
    }

    /// For expressions without subqueries that belong to no plan, such as CHECK constraints of COPY.
    pub fn without_plan(context: &'a ExecuteContext<'a>) -> Execution<'a> {
        Execution {
            context,
            physical: None,
            slots: RefCell::default(),
            answers: RefCell::default(),
            tables: RefCell::default(),
            modifying: RefCell::default(),
            snapshot: None,
            written: Cell::new(None),
            measurements: None,
        }
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

    /// Starts a node from its beginning.
    pub fn open(&self, node: &'a Node) -> Result<Stream<'a>> {
        let stream = super::open::open(node, self)?;
        Ok(match &self.measurements {
            None => stream,
            Some(measurements) => {
                measurements.borrow_mut()[node.id].loops += 1;
                Box::new(super::measure::Measured::new(node.id, stream))
            }
        })
    }

    /// What each node did so far, by `Node::id`.
    pub fn measurements(&self) -> Vec<Measurement> {
        self.measurements.as_ref().map(|measurements| measurements.borrow().clone()).unwrap_or_default()
    }

    pub(super) fn note_switch(&self, node: usize, rows: u64) {
        if let Some(measurements) = &self.measurements {
            measurements.borrow_mut()[node].switched_after = Some(rows);
        }
    }

    pub(super) fn count_removed(&self, node: usize, rows: usize) {
        if let Some(measurements) = &self.measurements {
            measurements.borrow_mut()[node].removed += rows as u64;
        }
    }
}
