//! From physical nodes to what is shown of them.

use super::{Child, Description, Detail, Run, name};
use crate::bind::expression::WindowCallFunction;
use crate::bind::logical::SetOperator;
use crate::execute::expression::Compiled;
use crate::modify::Action;
use crate::plan::physical::{self, CommonTableKind, Node, Operation, Physical, Scan};
use crate::types::DataType;
use std::cell::RefCell;

pub struct Describer<'p> {
    pub physical: &'p Physical,
    run: Option<&'p Run>,
    /// Several tables: their columns are shown with the table's name.
    qualified: bool,
    /// What fills the slots, as far as is known.
    slots: RefCell<Vec<String>>,
    /// Subqueries by the number under which they are shown.
    shown: RefCell<Vec<usize>>,
}

/// A node's description, and what its columns are called.
type Named = (Description, Vec<String>);

impl<'p> Describer<'p> {
    pub fn new(physical: &'p Physical, run: Option<&'p Run>) -> Describer<'p> {
        let tables = count_tables(&physical.root);
        let subqueries = physical.subqueries.iter().map(|subquery| count_tables(&subquery.node)).sum::<usize>();
        Describer {
            physical,
            run,
            qualified: tables + subqueries > 1,
            slots: RefCell::new((0..physical.slots).map(|slot| format!("${slot}")).collect()),
            shown: RefCell::default(),
        }
    }

    pub fn describe_root(&self) -> Description {
        self.describe(&self.physical.root).0
    }

    pub fn slot(&self, slot: usize) -> String {
        self.slots.borrow().get(slot).cloned().unwrap_or_default()
    }

    /// `SubPlan 1`, or `InitPlan 1` for one that runs once.
    pub fn subquery_name(&self, index: usize) -> String {
        let mut shown = self.shown.borrow_mut();
        let number = shown.iter().position(|shown| *shown == index).unwrap_or_else(|| {
            shown.push(index);
            shown.len() - 1
        });
        let subquery = &self.physical.subqueries[index];
        let once = subquery.bindings.is_empty() && subquery.outer_slots.is_empty();
        format!("{} {}", if once { "InitPlan" } else { "SubPlan" }, number + 1)
    }

    pub fn column_name(&self, scan: &Scan, position: usize) -> String {
        let column = &scan.relation.columns[position].name;
        if self.qualified { format!("{}.{column}", scan.alias) } else { column.clone() }
    }

    fn new_description(&self, node: &Node, kind: impl Into<String>) -> Description {
        Description {
            kind: kind.into(),
            subject: String::new(),
            details: vec![],
            rows: node.rows,
            cost: node.cost,
            width: node.columns.iter().map(|(_, data_type)| width(*data_type)).sum(),
            measurement: self.run.and_then(|run| run.measurements.get(node.id).copied()),
            children: vec![],
        }
    }

    fn describe(&self, node: &Node) -> Named {
        let before = self.shown.borrow().len();
        let (mut description, names) = self.describe_operation(node);
        // Subqueries that this node's own expressions mention stand below it.
        let mut number = before;
        loop {
            let Some(index) = self.shown.borrow().get(number).copied() else { break };
            number += 1;
            if mentions(node, index) {
                description.children.push(self.subplan(index));
            }
        }
        (description, names)
    }

    fn subplan(&self, index: usize) -> Child {
        let label = Some(self.subquery_name(index));
        let (description, _) = self.describe(&self.physical.subqueries[index].node);
        Child { label, relationship: "SubPlan", description }
    }

    fn describe_operation(&self, node: &Node) -> Named {
        match &node.operation {
            Operation::Unit => (self.new_description(node, "Result"), vec![]),
            Operation::Empty => {
                let mut description = self.new_description(node, "Result");
                description.details.push(("One-Time Filter", Detail::Text("false".into())));
                (description, unnamed(node))
            }
            Operation::Values(_) => {
                let mut description = self.new_description(node, "Values Scan");
                description.subject = " on \"*VALUES*\"".into();
                (description, (1..=node.columns.len()).map(|number| format!("column{number}")).collect())
            }
            Operation::Scan(scan) => self.scan(node, scan, &[]),
            Operation::FunctionScan { calls, alias, .. } => {
                let mut description = self.new_description(node, "Function Scan");
                let function = calls.first().map_or("", |call| call.function.name());
                let alias_shown = if alias == function { String::new() } else { format!(" {alias}") };
                description.subject = format!(" on {function}{alias_shown}");
                (description, node.columns.iter().map(|_| alias.clone()).collect())
            }
            Operation::ProjectSet { input, calls } => {
                let (child, mut names) = self.describe(input);
                names.extend(calls.iter().flat_map(|call| call.types.iter().map(|_| call.function.name().to_string())));
                (self.over(node, "ProjectSet", child), names)
            }
            Operation::Filter { input, predicate } => {
                let (child, names) = self.describe(input);
                let filter = self.expression(predicate, &names);
                let mut description = self.over(node, "Result", child);
                self.add_filter(&mut description, filter);
                (description, names)
            }
            // PostgreSQL's nodes all project: it shows none for that alone.
            Operation::Project { input, outputs } => {
                let (description, names) = self.describe(input);
                let printed = outputs.iter().map(|output| self.expression(output, &names)).collect();
                (description, printed)
            }
            Operation::HashJoin(join) => self.hash_join(node, join),
            Operation::NestedLoop(join) => self.nested_loop(node, join),
            Operation::IndexJoin(join) => self.index_join(node, join),
            Operation::Aggregate(aggregate) => self.aggregate(node, aggregate),
            Operation::Window(window) => {
                let (child, mut names) = self.describe(&window.input);
                let call = |call: &physical::CompiledWindowCall| match call.function {
                    WindowCallFunction::Window(function) => format!("{}() OVER (?)", function.name),
                    WindowCallFunction::Aggregate(function) => format!("{}() OVER (?)", function.name),
                };
                names.extend(window.calls.iter().map(call));
                (self.over(node, "WindowAgg", child), names)
            }
            Operation::Sort { input, keys, limit, .. } => {
                let (child, names) = self.describe(input);
                let mut description = self.over(node, "Sort", child);
                description.details.push(("Sort Key", Detail::List(self.sort_keys(keys, &names))));
                if limit.is_some() && self.run.is_some() {
                    description.details.push(("Sort Method", Detail::Text("top-N".into())));
                }
                (description, names)
            }
            Operation::Distinct { input, on } => {
                let (child, names) = self.describe(input);
                let keys = match on {
                    None => names.clone(),
                    Some(on) => on.iter().map(|key| self.expression(key, &names)).collect(),
                };
                let mut description = self.over(node, "HashAggregate", child);
                description.details.push(("Group Key", Detail::List(keys)));
                (description, names)
            }
            Operation::Limit { input, .. } => {
                let (child, names) = self.describe(input);
                (self.over(node, "Limit", child), names)
            }
            Operation::SetOperation { operator, all, left, right } => {
                let (left, names) = self.describe(left);
                let (right, _) = self.describe(right);
                let all = if *all { " All" } else { "" };
                let kind = match operator {
                    SetOperator::Union if all.is_empty() => "HashAggregate over Append".into(),
                    SetOperator::Union => "Append".into(),
                    SetOperator::Intersect => format!("HashSetOp Intersect{all}"),
                    SetOperator::Except => format!("HashSetOp Except{all}"),
                };
                let mut description = self.over(node, &kind, left);
                description.children.push(Child { label: None, relationship: "Member", description: right });
                (description, names)
            }
            Operation::With { tables, body } => {
                let mut children = vec![];
                for table in tables {
                    let description = match &table.kind {
                        CommonTableKind::Plain(node) | CommonTableKind::Modify(node) => self.describe(node).0,
                        CommonTableKind::Recursive { anchor, recursive, .. } => {
                            let mut union = self.over(anchor, "Recursive Union", self.describe(anchor).0);
                            union.measurement = None;
                            let description = self.describe(recursive).0;
                            union.children.push(Child { label: None, relationship: "Inner", description });
                            union
                        }
                    };
                    let label = Some(format!("CTE {}", table.name));
                    children.push(Child { label, relationship: "InitPlan", description });
                }
                let (mut description, names) = self.describe(body);
                description.children.splice(0..0, children);
                (description, names)
            }
            Operation::CommonTableScan { step, name, .. } => {
                let kind = if *step { "WorkTable Scan" } else { "CTE Scan" };
                let mut description = self.new_description(node, kind);
                description.subject = format!(" on {name}");
                (description, node.columns.iter().map(|_| name.clone()).collect())
            }
            Operation::Lock { input, .. } => {
                let (child, names) = self.describe(input);
                (self.over(node, "LockRows", child), names)
            }
            Operation::Modify(modify) => {
                let (child, _) = self.describe(&modify.input);
                let kind = match &modify.modification.action {
                    Action::Insert { .. } => "Insert",
                    Action::Update { .. } => "Update",
                    Action::Delete { .. } => "Delete",
                };
                let mut description = self.over(node, kind, child);
                description.subject = format!(" on {}", modify.modification.relation.name);
                (description, unnamed(node))
            }
        }
    }

    /// A node over one input.
    fn over(&self, node: &Node, kind: &str, input: Description) -> Description {
        let mut description = self.new_description(node, kind);
        description.children.push(Child { label: None, relationship: "Outer", description: input });
        description
    }

    fn add_filter(&self, description: &mut Description, filter: String) {
        description.details.push(("Filter", Detail::Text(filter)));
        if let Some(removed) = description.measurement.map(|measurement| measurement.removed).filter(|rows| *rows > 0) {
            description.details.push(("Rows Removed by Filter", Detail::Number(removed)));
        }
    }

    /// `outer` are the names of the row that key expressions read.
    fn scan(&self, node: &Node, scan: &Scan, outer: &[String]) -> Named {
        let (kind, subject) = name::scan(scan);
        let mut description = self.new_description(node, kind);
        description.subject = subject;
        if let Some(condition) = self.index_condition(scan, &scan.access, outer) {
            description.details.push(("Index Cond", Detail::Text(condition)));
        }
        let decoded: Vec<String> = scan.columns.iter().map(|position| self.column_name(scan, *position)).collect();
        if let Some(filter) = &scan.filter {
            self.add_filter(&mut description, self.expression(filter, &decoded));
        }
        let mut names = decoded[..scan.outputs].to_vec();
        if scan.row_identity {
            names.push("ctid".into());
        }
        (description, names)
    }

    fn hash_join(&self, node: &Node, join: &physical::HashJoin) -> Named {
        let (left, left_names) = self.describe(&join.left);
        let (right, right_names) = self.describe(&join.right);
        let mut description = self.over(node, &format!("Hash {}Join", name::join(join.matching.kind)), left);
        let condition = |(left, right): (&Compiled, &Compiled)| {
            format!("({} = {})", self.expression(left, &left_names), self.expression(right, &right_names))
        };
        let conditions: Vec<String> =
            join.matching.left_keys.iter().zip(&join.matching.right_keys).map(condition).collect();
        let conditions =
            if conditions.len() == 1 { conditions.concat() } else { format!("({})", conditions.join(" AND ")) };
        description.details.push(("Hash Cond", Detail::Text(conditions)));
        let mut hash = self.over(&join.right, "Hash", right);
        hash.measurement = None;
        description.children.push(Child { label: None, relationship: "Inner", description: hash });
        self.joined(description, join.matching.condition.as_ref(), left_names, right_names, node)
    }

    fn nested_loop(&self, node: &Node, join: &physical::NestedLoop) -> Named {
        let (left, left_names) = self.describe(&join.left);
        for (position, slot) in join.lateral.iter().flatten() {
            if let Some(name) = left_names.get(*position) {
                self.slots.borrow_mut()[*slot] = name.clone();
            }
        }
        let (right, right_names) = self.describe(&join.right);
        let mut description = self.over(node, &name::nested_loop(join.kind), left);
        description.children.push(Child { label: None, relationship: "Inner", description: right });
        self.joined(description, join.condition.as_ref(), left_names, right_names, node)
    }

    fn index_join(&self, node: &Node, join: &physical::IndexJoin) -> Named {
        let (left, left_names) = self.describe(&join.left);
        let (mut scan, right_names) = self.scan(node, &join.scan, &left_names);
        scan.measurement = None;
        scan.rows = (node.rows / join.left.rows.max(1.0)).max(1.0);
        scan.cost = ((node.cost - join.left.cost) / join.left.rows.max(1.0)).max(0.0);
        scan.width = join.right_columns.iter().map(|(_, data_type)| width(*data_type)).sum();
        let mut description = self.over(node, &name::nested_loop(join.kind), left);
        description.children.push(Child { label: None, relationship: "Inner", description: scan });
        if let Some(rows) = description.measurement.and_then(|measurement| measurement.switched_after) {
            description.details.push(("Switched to hash join after", Detail::Text(format!("{rows} rows"))));
        }
        self.joined(description, join.condition.as_ref(), left_names, right_names, node)
    }

    fn joined(
        &self,
        mut description: Description,
        condition: Option<&Compiled>,
        mut names: Vec<String>,
        right_names: Vec<String>,
        node: &Node,
    ) -> Named {
        names.extend(right_names);
        if let Some(condition) = condition {
            description.details.push(("Join Filter", Detail::Text(self.expression(condition, &names))));
        }
        names.truncate(node.columns.len());
        (description, names)
    }

    fn aggregate(&self, node: &Node, aggregate: &physical::Aggregate) -> Named {
        let (child, names) = self.describe(&aggregate.input);
        let groups: Vec<String> = aggregate.groups.iter().map(|group| self.expression(group, &names)).collect();
        let kind = if groups.is_empty() { "Aggregate" } else { "HashAggregate" };
        let mut description = self.over(node, kind, child);
        for set in &aggregate.grouping_sets {
            let members: Vec<String> = set.iter().map(|member| groups[*member].clone()).collect();
            if !members.is_empty() {
                description.details.push(("Group Key", Detail::List(members)));
            } else if aggregate.grouping_sets.len() > 1 {
                description.details.push(("Group Key", Detail::Text("()".into())));
            }
        }
        let mut printed = groups;
        printed.extend(aggregate.aggregates.iter().map(|call| self.aggregate_call(call, &names)));
        printed.extend(aggregate.grouping_calls.iter().map(|_| "GROUPING(?)".to_string()));
        (description, printed)
    }
}

fn unnamed(node: &Node) -> Vec<String> {
    node.columns.iter().map(|_| "?".into()).collect()
}

/// PostgreSQL's guess for columns of variable length is 32 bytes.
fn width(data_type: DataType) -> usize {
    usize::try_from(data_type.size()).unwrap_or(32)
}

fn count_tables(node: &Node) -> usize {
    let own = match &node.operation {
        Operation::Scan(_)
        | Operation::IndexJoin(_)
        | Operation::CommonTableScan { .. }
        | Operation::FunctionScan { .. } => 1,
        _ => 0,
    };
    own + node.inputs().into_iter().map(count_tables).sum::<usize>()
}

/// Whether a node's own expressions contain a subquery.
fn mentions(node: &Node, index: usize) -> bool {
    fn within(expression: &Compiled, index: usize) -> bool {
        matches!(expression, Compiled::Subquery { index: own, .. } if *own == index)
            || expression.children().into_iter().any(|child| within(child, index))
    }
    node.expressions().into_iter().any(|expression| within(expression, index))
}
