//! Nobody produces columns that nobody reads.

use crate::bind::expression::{ColumnId, Expression, SortKey};
use crate::bind::logical::{CommonTableKind, ModifyAction, Plan};
use crate::plan::walk;
use hashbrown::HashSet;

/// Prunes a plan whose columns are all read. Answers also the columns that only a scan's own filter reads.
pub fn prune(plan: Plan) -> (Plan, HashSet<ColumnId>) {
    let required = plan.columns().iter().map(|column| column.id).collect();
    let mut pruner = Pruner { filter_only: HashSet::new() };
    let plan = pruner.prune(plan, &required);
    (plan, pruner.filter_only)
}

struct Pruner {
    filter_only: HashSet<ColumnId>,
}

type Columns = HashSet<ColumnId>;

fn with<'e>(required: &Columns, expressions: impl IntoIterator<Item = &'e Expression>) -> Columns {
    let mut all = required.clone();
    for expression in expressions {
        all.extend(walk::columns(expression));
    }
    all
}

fn keys(keys: &[SortKey]) -> impl Iterator<Item = &Expression> {
    keys.iter().map(|key| &key.expression)
}

impl Pruner {
    fn boxed(&mut self, plan: Plan, required: &Columns) -> Box<Plan> {
        Box::new(self.prune(plan, required))
    }

    /// All columns of the plan stay.
    fn whole(&mut self, plan: Plan) -> Plan {
        let required = plan.columns().iter().map(|column| column.id).collect();
        self.prune(plan, &required)
    }

    fn prune(&mut self, plan: Plan, required: &Columns) -> Plan {
        match plan {
            Plan::Scan(mut scan) => {
                scan.columns.retain(|(column, _)| required.contains(&column.id));
                Plan::Scan(scan)
            }
            Plan::Filter { input, predicate } => {
                let inner = with(required, [&predicate]);
                let input = self.boxed(*input, &inner);
                if let Plan::Scan(scan) = &*input {
                    let columns = scan.columns.iter().map(|(column, _)| column.id);
                    self.filter_only.extend(columns.filter(|column| !required.contains(column)));
                }
                Plan::Filter { input, predicate }
            }
            Plan::Project { input, mut outputs } => {
                outputs.retain(|(column, output)| required.contains(&column.id) || walk::is_volatile(output));
                let inner = with(&Columns::new(), outputs.iter().map(|(_, output)| output));
                Plan::Project { input: self.boxed(*input, &inner), outputs }
            }
            Plan::Join(mut join) => {
                let inner = with(required, &join.condition);
                // A lateral right side reads left columns.
                let mut left = inner.clone();
                if join.lateral {
                    walk::visit_plan(&join.right, &mut |expression| {
                        if let Expression::Column { id, .. } = expression {
                            left.insert(*id);
                        }
                    });
                }
                join.left = self.prune(join.left, &left);
                join.right = self.prune(join.right, &inner);
                Plan::Join(join)
            }
            Plan::Aggregate(mut aggregate) => {
                aggregate.aggregates.retain(|(column, call)| {
                    required.contains(&column.id) || call.arguments.iter().any(walk::is_volatile)
                });
                aggregate.grouping_calls.retain(|(column, _)| required.contains(&column.id));
                let groups = aggregate.groups.iter().map(|(_, group)| group);
                let calls = aggregate
                    .aggregates
                    .iter()
                    .flat_map(|(_, call)| call.arguments.iter().chain(&call.filter).chain(keys(&call.order_by)));
                let inner = with(&Columns::new(), groups.chain(calls));
                aggregate.input = self.prune(aggregate.input, &inner);
                Plan::Aggregate(aggregate)
            }
            Plan::Window { input, mut calls } => {
                calls.retain(|(id, _)| required.contains(id));
                if calls.is_empty() {
                    return self.prune(*input, required);
                }
                let plan = Plan::Window { input: Box::new(Plan::Unit), calls };
                let inner = with(required, walk::expressions(&plan));
                let Plan::Window { calls, .. } = plan else { return plan };
                Plan::Window { input: self.boxed(*input, &inner), calls }
            }
            Plan::ProjectSet { input, calls } => {
                let inner = with(required, calls.iter().flat_map(|call| &call.arguments));
                Plan::ProjectSet { input: self.boxed(*input, &inner), calls }
            }
            Plan::Sort { input, keys: sort_keys } => {
                let inner = with(required, keys(&sort_keys));
                Plan::Sort { input: self.boxed(*input, &inner), keys: sort_keys }
            }
            Plan::Distinct { input, on: None } => Plan::Distinct { input: Box::new(self.whole(*input)), on: None },
            Plan::Distinct { input, on: Some(on) } => {
                let inner = with(required, &on);
                Plan::Distinct { input: self.boxed(*input, &inner), on: Some(on) }
            }
            Plan::Limit { input, limit, offset, with_ties } => {
                let inner = with(required, keys(&with_ties));
                Plan::Limit { input: self.boxed(*input, &inner), limit, offset, with_ties }
            }
            // The sides are matched by position.
            Plan::SetOperation(mut operation) => {
                operation.left = self.whole(operation.left);
                operation.right = self.whole(operation.right);
                Plan::SetOperation(operation)
            }
            Plan::With { mut tables, body } => {
                for table in &mut tables {
                    let inner = match &mut table.kind {
                        CommonTableKind::Plain(plan) => vec![plan],
                        CommonTableKind::Recursive { anchor, recursive, .. } => vec![anchor, recursive],
                    };
                    for plan in inner {
                        *plan = self.whole(std::mem::replace(plan, Plan::Unit));
                    }
                }
                Plan::With { tables, body: self.boxed(*body, required) }
            }
            Plan::Lock { input, tables } => {
                let mut inner = required.clone();
                inner.extend(tables.iter().map(|table| table.row_identity));
                Plan::Lock { input: self.boxed(*input, &inner), tables }
            }
            Plan::Modify(modify) => {
                let mut inner = with(required, []);
                match &modify.action {
                    ModifyAction::Insert { .. } => {}
                    ModifyAction::Update { row_identity, old_row, .. }
                    | ModifyAction::Delete { row_identity, old_row } => {
                        inner.insert(*row_identity);
                        inner.extend(old_row);
                    }
                }
                let plan = Plan::Modify(modify);
                let inner = with(&inner, walk::expressions(&plan));
                let Plan::Modify(mut modify) = plan else { return plan };
                modify.input = self.prune(modify.input, &inner);
                Plan::Modify(modify)
            }
            Plan::Unit
            | Plan::Empty { .. }
            | Plan::Values { .. }
            | Plan::FunctionScan { .. }
            | Plan::CommonTableScan { .. } => plan,
        }
    }
}
