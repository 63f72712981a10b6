//! Walks over physical plans.

use super::physical::{CommonTableKind, KeyEqual, Node, Operation, Scan};
use crate::execute::expression::{Compiled, CompiledSortKey};

impl Node {
    /// The nodes that it reads, subqueries in its expressions aside.
    pub fn inputs(&self) -> Vec<&Node> {
        match &self.operation {
            Operation::Unit
            | Operation::Empty
            | Operation::Scan(_)
            | Operation::Values(_)
            | Operation::FunctionScan { .. }
            | Operation::CommonTableScan { .. } => vec![],
            Operation::ProjectSet { input, .. }
            | Operation::Filter { input, .. }
            | Operation::Project { input, .. }
            | Operation::Sort { input, .. }
            | Operation::Distinct { input, .. }
            | Operation::Limit { input, .. }
            | Operation::Lock { input, .. } => vec![input],
            Operation::HashJoin(join) => vec![&join.left, &join.right],
            Operation::NestedLoop(join) => vec![&join.left, &join.right],
            Operation::IndexJoin(join) => vec![&join.left],
            Operation::Aggregate(aggregate) => vec![&aggregate.input],
            Operation::Window(window) => vec![&window.input],
            Operation::SetOperation { left, right, .. } => vec![left, right],
            Operation::With { tables, body } => {
                let tables = tables.iter().flat_map(|table| match &table.kind {
                    CommonTableKind::Plain(node) | CommonTableKind::Modify(node) => vec![node],
                    CommonTableKind::Recursive { anchor, recursive, .. } => vec![&**anchor, &**recursive],
                });
                tables.chain([&**body]).collect()
            }
            Operation::Modify(modify) => vec![&modify.input],
        }
    }

    /// The expressions that it evaluates itself, but for those of a modification.
    pub fn expressions(&self) -> Vec<&Compiled> {
        fn keys(keys: &[CompiledSortKey]) -> impl Iterator<Item = &Compiled> {
            keys.iter().map(|key| &key.expression)
        }
        match &self.operation {
            Operation::Scan(scan) => scan.expressions(),
            Operation::Values(rows) => rows.iter().flatten().collect(),
            Operation::FunctionScan { calls, .. } | Operation::ProjectSet { calls, .. } => {
                calls.iter().flat_map(|call| &call.arguments).collect()
            }
            Operation::Filter { predicate, .. } => vec![predicate],
            Operation::Project { outputs, .. } => outputs.iter().collect(),
            Operation::HashJoin(join) => {
                let matching = &join.matching;
                matching.left_keys.iter().chain(&matching.right_keys).chain(&matching.condition).collect()
            }
            Operation::NestedLoop(join) => join.condition.iter().collect(),
            Operation::IndexJoin(join) => join.scan.expressions().into_iter().chain(&join.condition).collect(),
            Operation::Aggregate(aggregate) => {
                let calls = aggregate
                    .aggregates
                    .iter()
                    .flat_map(|call| call.arguments.iter().chain(&call.filter).chain(keys(&call.order_by)));
                aggregate.groups.iter().chain(calls).collect()
            }
            Operation::Window(window) => {
                let calls = window.calls.iter().flat_map(|call| call.arguments.iter().chain(&call.filter));
                window.partition_by.iter().chain(keys(&window.order_by)).chain(calls).collect()
            }
            Operation::Sort { keys: sort_keys, .. } => keys(sort_keys).collect(),
            Operation::Distinct { on, .. } => on.iter().flatten().collect(),
            Operation::Limit { limit, offset, .. } => limit.iter().chain(offset).collect(),
            Operation::Unit
            | Operation::Empty
            | Operation::SetOperation { .. }
            | Operation::With { .. }
            | Operation::CommonTableScan { .. }
            | Operation::Lock { .. }
            | Operation::Modify(_) => vec![],
        }
    }
}

impl Scan {
    /// The filter and the key expressions.
    pub fn expressions(&self) -> Vec<&Compiled> {
        let equal = self.access.equal.iter().flat_map(|equal| match equal {
            KeyEqual::One(value) | KeyEqual::AnyArray(value) => std::slice::from_ref(value),
            KeyEqual::Any(values) => values.as_slice(),
            KeyEqual::Null => &[],
        });
        let bounds = self.access.lower.iter().chain(&self.access.upper).map(|bound| &bound.value);
        self.filter.iter().chain(equal).chain(bounds).collect()
    }
}
