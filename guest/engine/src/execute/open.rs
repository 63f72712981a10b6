//! From a node to the operator that runs it.

use super::{Execution, Stream};
use super::{
    aggregate, common_table, distinct, filter, function_scan, hash_join, index_join, limit, lock, modify, nested_loop,
    scan, set_operation, sort, values, window,
};
use crate::error::Result;
use crate::plan::physical::{Node, Operation};
use crate::types::DataType;

pub fn open<'a>(node: &'a Node, execution: &Execution<'a>) -> Result<Stream<'a>> {
    Ok(match &node.operation {
        Operation::Unit => Box::new(values::Unit::default()),
        Operation::Empty => Box::new(values::Empty),
        Operation::Values(rows) => Box::new(values::Values::new(rows, column_types(node))),
        Operation::Scan(scan) => scan::open(node.id, scan, execution)?,
        Operation::FunctionScan { calls, ordinality, .. } => {
            Box::new(function_scan::FunctionScan::new(calls, *ordinality))
        }
        Operation::ProjectSet { input, calls } => {
            Box::new(function_scan::ProjectSet::new(execution.open(input)?, calls))
        }
        Operation::Filter { input, predicate } => {
            Box::new(filter::Filter::new(node.id, execution.open(input)?, predicate))
        }
        Operation::Project { input, outputs } => Box::new(filter::Project::new(execution.open(input)?, outputs)),
        Operation::HashJoin(join) => Box::new(hash_join::HashJoin::open(join, execution)?),
        Operation::NestedLoop(join) => nested_loop::open(join, execution)?,
        Operation::IndexJoin(join) => Box::new(index_join::IndexJoin::open(node.id, join, execution)?),
        Operation::Aggregate(aggregate) => {
            Box::new(aggregate::Aggregate::new(execution.open(&aggregate.input)?, aggregate))
        }
        Operation::Window(window) => Box::new(window::Window::new(execution.open(&window.input)?, window)),
        Operation::Sort { input, keys, limit, offset } => {
            let wanted = limit::wanted(execution, limit.as_ref(), offset.as_ref())?;
            Box::new(sort::Sort::new(execution.open(input)?, keys, column_types(input), wanted))
        }
        Operation::Distinct { input, on } => {
            Box::new(distinct::Distinct::new(execution.open(input)?, on.as_deref(), &column_types(input)))
        }
        Operation::Limit { input, limit, offset, with_ties } => {
            let (skip, count) = limit::evaluate(execution, limit.as_ref(), offset.as_ref())?;
            Box::new(limit::Limit::new(execution.open(input)?, skip, count, with_ties))
        }
        Operation::SetOperation { operator, all, left, right } => {
            set_operation::open(*operator, *all, left, right, execution)?
        }
        Operation::With { tables, body } => common_table::open_with(tables, body, execution)?,
        Operation::CommonTableScan { table, step, .. } => {
            Box::new(common_table::CommonTableScan::open(*table, *step, execution)?)
        }
        Operation::Lock { input, identities, .. } => Box::new(lock::Lock::new(execution.open(input)?, identities)),
        Operation::Modify(modify) => Box::new(modify::Modify::new(execution.open(&modify.input)?, modify)),
    })
}

/// The types of what a node produces.
pub fn column_types(node: &Node) -> Vec<DataType> {
    node.columns.iter().map(|(_, data_type)| *data_type).collect()
}
