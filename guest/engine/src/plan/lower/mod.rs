//! From logical to physical plans: every node gets its method, every expression its positions.

mod early;
mod join;
mod join_method;
mod modify;
mod order;
mod outside;
mod scan;
mod table;
mod window;

use super::PlanContext;
use super::access::{OrderColumn, Ordering, Wanted};
use super::estimate::{Estimates, limited};
use super::physical::{self, CompiledAggregate, CompiledSetCall, Node, Operation, Physical, SubqueryPlan};
use super::rewrite::Rewriter;
use super::walk;
use crate::bind::Plan;
use crate::bind::expression::{AggregateCall, ColumnId, Expression, SortKey};
use crate::bind::logical::{Aggregate, CommonTableId, PlanColumn, SetCall, SetOperation};
use crate::error::{Error, Result};
use crate::execute::expression::compile::Compiler;
use crate::execute::expression::{Compiled, CompiledSortKey};
use crate::types::DataType;
use hashbrown::{HashMap, HashSet};

/// Columns by position.
pub type Columns = Vec<(ColumnId, DataType)>;

/// A node, and the order of its rows.
pub struct Lowered {
    pub node: Node,
    pub ordering: Ordering,
}

/// What lowering has made so far.
pub struct Lowering {
    estimates: Estimates,
    highest_column: u32,
    /// Columns that only a scan's own filter reads.
    filter_only: HashSet<ColumnId>,
    /// Enclosing rows, the innermost last.
    scopes: Vec<outside::Scope>,
    slots: usize,
    nodes: usize,
    subqueries: Vec<SubqueryPlan>,
    tables: HashMap<CommonTableId, table::Entry>,
    table_count: usize,
    writes: bool,
}

/// Lowers a whole statement.
pub fn lower(plan: Plan, context: &PlanContext) -> Result<Physical> {
    let columns = plan.columns();
    let mut lowering = Lowering {
        estimates: Estimates::of(&plan, context),
        highest_column: walk::highest_column(&plan),
        filter_only: HashSet::new(),
        scopes: vec![],
        slots: 0,
        nodes: 0,
        subqueries: vec![],
        tables: HashMap::new(),
        table_count: 0,
        writes: false,
    };
    let calls_routines = walk::calls_routines(&plan);
    let uses_relations =
        walk::contains(&plan, &|plan| matches!(plan, Plan::Scan(_) | Plan::Modify(_) | Plan::Lock { .. }));
    let plan = lowering.rewrite(plan);
    let lowered = lowering.lower_in_order(&plan, &columns, &Wanted::default())?;
    Ok(Physical {
        root: lowered.node,
        columns,
        subqueries: lowering.subqueries,
        slots: lowering.slots,
        tables: lowering.table_count,
        nodes: lowering.nodes,
        writes: lowering.writes,
        calls_routines,
        uses_relations,
        tables_planned: lowering.estimates.tables(),
    })
}

impl Lowering {
    fn rewrite(&mut self, plan: Plan) -> Plan {
        let mut rewriter = Rewriter { estimates: &self.estimates, next_column: self.highest_column };
        let (plan, filter_only) = rewriter.run(plan);
        self.highest_column = rewriter.next_column;
        self.filter_only.extend(filter_only);
        plan
    }

    fn node(&mut self, operation: Operation, columns: Columns, rows: f64, cost: f64) -> Node {
        self.nodes += 1;
        Node { id: self.nodes - 1, operation, columns, rows: rows.max(1.0), cost }
    }

    fn compile(&mut self, expression: &Expression, columns: &[(ColumnId, DataType)]) -> Result<Compiled> {
        Compiler { columns, outside: self }.compile(expression)
    }

    fn compile_all<'e>(
        &mut self,
        expressions: impl IntoIterator<Item = &'e Expression>,
        columns: &[(ColumnId, DataType)],
    ) -> Result<Vec<Compiled>> {
        let mut compiler = Compiler { columns, outside: self };
        expressions.into_iter().map(|expression| compiler.compile(expression)).collect()
    }

    fn sort_keys(&mut self, keys: &[SortKey], columns: &[(ColumnId, DataType)]) -> Result<Vec<CompiledSortKey>> {
        Compiler { columns, outside: self }.sort_keys(keys)
    }

    fn optional(
        &mut self,
        expression: Option<&Expression>,
        columns: &[(ColumnId, DataType)],
    ) -> Result<Option<Compiled>> {
        expression.map(|expression| self.compile(expression, columns)).transpose()
    }

    /// Lowers a plan whose reader goes by position: its columns stand in the order in which the plan names them.
    fn lower_in_order(&mut self, plan: &Plan, columns: &[PlanColumn], wanted: &Wanted) -> Result<Lowered> {
        let lowered = self.lower(plan, wanted)?;
        self.in_order(lowered, columns)
    }

    fn in_order(&mut self, lowered: Lowered, columns: &[PlanColumn]) -> Result<Lowered> {
        let same = lowered.node.columns.iter().map(|(id, _)| *id).eq(columns.iter().map(|column| column.id));
        if same {
            return Ok(lowered);
        }
        let Lowered { node: input, ordering } = lowered;
        let mut outputs = vec![];
        for column in columns {
            let expression = Expression::Column { id: column.id, data_type: column.data_type };
            outputs.push(self.compile(&expression, &input.columns)?);
        }
        let (rows, cost) = (input.rows, input.cost);
        let columns = columns.iter().map(|column| (column.id, column.data_type)).collect();
        let node = self.node(Operation::Project { input: Box::new(input), outputs }, columns, rows, cost);
        Ok(Lowered { node, ordering })
    }

    fn lower(&mut self, plan: &Plan, wanted: &Wanted) -> Result<Lowered> {
        let unordered = |node| Ok(Lowered { node, ordering: Ordering::default() });
        match plan {
            Plan::Unit => {
                let node = self.node(Operation::Unit, vec![], 1.0, 0.0);
                Ok(Lowered { node, ordering: Ordering { single: true, ..Ordering::default() } })
            }
            Plan::Empty { columns } => unordered(self.node(Operation::Empty, ids(columns), 1.0, 0.0)),
            Plan::Scan(scan) => self.scan(scan, &[], wanted),
            Plan::Values { columns, rows } => {
                let compiled = rows.iter().map(|row| self.compile_all(row, &[])).collect::<Result<Vec<_>>>()?;
                let rows = rows.len() as f64;
                unordered(self.node(Operation::Values(compiled), ids(columns), rows, rows))
            }
            Plan::FunctionScan { calls, ordinality, alias } => {
                let rows = self.estimates.rows(plan);
                let (calls, alias) = (self.set_calls(calls, &[])?, alias.clone());
                let operation = Operation::FunctionScan { calls, ordinality: ordinality.is_some(), alias };
                unordered(self.node(operation, ids(&plan.columns()), rows, rows))
            }
            Plan::ProjectSet { input, calls } => {
                let input = self.lower(input, &Wanted::default())?.node;
                let compiled = self.set_calls(calls, &input.columns)?;
                let mut columns = input.columns.clone();
                columns.extend(calls.iter().flat_map(|call| ids(&call.columns)));
                let (rows, cost) = (input.rows * 10.0, input.cost + input.rows * 10.0);
                unordered(self.node(
                    Operation::ProjectSet { input: Box::new(input), calls: compiled },
                    columns,
                    rows,
                    cost,
                ))
            }
            Plan::Filter { .. } => self.filter(plan, wanted),
            Plan::Project { input, outputs } => self.project(input, outputs, wanted),
            Plan::Join(join) => self.join(plan, join, wanted),
            Plan::Aggregate(aggregate) => self.aggregate(plan, aggregate),
            Plan::Window { input, calls } => self.window(input, calls),
            Plan::Sort { input, keys } => self.sort(input, keys, None, None, wanted.rows),
            Plan::Distinct { input, on } => self.distinct(plan, input, on.as_deref(), wanted),
            Plan::Limit { input, limit, offset, with_ties } => {
                self.limit(input, limit.as_ref(), offset.as_ref(), with_ties, wanted)
            }
            Plan::SetOperation(operation) => self.set_operation(plan, operation),
            Plan::With { tables, body } => self.with(tables, body, wanted),
            Plan::CommonTableScan { table, columns, name } => self.common_table_scan(*table, columns, name),
            Plan::Lock { input, tables } => {
                let Lowered { node: input, ordering } = self.lower(input, wanted)?;
                let place = |id: ColumnId| input.columns.iter().position(|(column, _)| *column == id);
                let identities = tables.iter().map(|table| place(table.row_identity)).collect::<Option<Vec<_>>>();
                let identities = identities.ok_or_else(|| Error::internal("a locked row without its key"))?;
                let relations = tables.iter().map(|table| table.relation.clone()).collect();
                let (columns, rows, cost) = (input.columns.clone(), input.rows, input.cost + input.rows);
                let operation = Operation::Lock { input: Box::new(input), identities, relations };
                Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering })
            }
            Plan::Modify(modify) => self.modify(modify),
        }
    }

    fn set_calls(&mut self, calls: &[SetCall], columns: &[(ColumnId, DataType)]) -> Result<Vec<CompiledSetCall>> {
        let compile = |call: &SetCall| {
            let arguments = self.compile_all(&call.arguments, columns)?;
            let types = call.columns.iter().map(|column| column.data_type).collect();
            Ok(CompiledSetCall { function: call.function.clone(), arguments, types })
        };
        calls.iter().map(compile).collect()
    }

    fn project(&mut self, input: &Plan, outputs: &[(PlanColumn, Expression)], wanted: &Wanted) -> Result<Lowered> {
        // Orders of outputs are orders of the columns that they pass on.
        let mut inner = Wanted { order: vec![], rows: wanted.rows };
        for order in &wanted.order {
            match outputs.iter().find(|(column, _)| column.id == order.id) {
                Some((_, Expression::Column { id, .. })) => inner.order.push(OrderColumn { id: *id, ..*order }),
                _ => {
                    inner = Wanted::default();
                    break;
                }
            }
        }
        let Lowered { node: input, ordering } = self.lower(input, &inner)?;
        let compiled = self.compile_all(outputs.iter().map(|(_, output)| output), &input.columns)?;
        let passed = |id: ColumnId| {
            outputs.iter().find_map(|(column, output)| match output {
                Expression::Column { id: inner, .. } if *inner == id => Some(column.id),
                _ => None,
            })
        };
        let named = ordering.columns.iter().map_while(|order| Some(OrderColumn { id: passed(order.id)?, ..*order }));
        let ordering = Ordering {
            columns: named.collect(),
            constants: ordering.constants.iter().filter_map(|id| passed(*id)).collect(),
            single: ordering.single,
        };
        let columns: Columns = outputs.iter().map(|(column, _)| (column.id, column.data_type)).collect();
        // An input that already produces just these columns needs no projection.
        let identity = compiled.len() == input.columns.len()
            && compiled
                .iter()
                .enumerate()
                .all(|(number, output)| matches!(output, Compiled::Column { position, .. } if *position == number));
        if identity {
            return Ok(Lowered { node: Node { columns, ..input }, ordering });
        }
        let (rows, cost) = (input.rows, input.cost + input.rows * 0.1 * outputs.len() as f64);
        let operation = Operation::Project { input: Box::new(input), outputs: compiled };
        Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering })
    }

    fn aggregate(&mut self, plan: &Plan, aggregate: &Aggregate) -> Result<Lowered> {
        if let Some(lowered) = self.extreme_by_index(aggregate)? {
            return Ok(lowered);
        }
        let input = self.lower(&aggregate.input, &Wanted::default())?.node;
        self.aggregate_over(plan, aggregate, input)
    }

    fn aggregate_over(&mut self, plan: &Plan, aggregate: &Aggregate, input: Node) -> Result<Lowered> {
        let groups = self.compile_all(aggregate.groups.iter().map(|(_, group)| group), &input.columns)?;
        let mut aggregates = vec![];
        for (_, call) in &aggregate.aggregates {
            aggregates.push(self.aggregate_call(call, &input.columns)?);
        }
        let single = aggregate.grouping_sets.len() == 1 && aggregate.grouping_sets[0].is_empty();
        let rows =
            if single { 1.0 } else { self.estimates.rows(plan).min(input.rows * aggregate.grouping_sets.len() as f64) };
        let work = 0.3 * (aggregates.len() + groups.len() * aggregate.grouping_sets.len()) as f64;
        let cost = input.cost + input.rows * work + rows;
        let operation = Operation::Aggregate(Box::new(physical::Aggregate {
            input,
            groups,
            grouping_sets: aggregate.grouping_sets.clone(),
            aggregates,
            grouping_calls: aggregate.grouping_calls.iter().map(|(_, listed)| listed.clone()).collect(),
        }));
        let node = self.node(operation, ids(&plan.columns()), rows, cost);
        Ok(Lowered { node, ordering: Ordering { single, ..Ordering::default() } })
    }

    /// min or max of an indexed column: the first row in its order, where an index gives that order.
    fn extreme_by_index(&mut self, aggregate: &Aggregate) -> Result<Option<Lowered>> {
        let ([set], [(_, call)]) = (aggregate.grouping_sets.as_slice(), aggregate.aggregates.as_slice()) else {
            return Ok(None);
        };
        let ([column @ Expression::Column { id, .. }], "min" | "max") = (call.arguments.as_slice(), call.function.name)
        else {
            return Ok(None);
        };
        if !set.is_empty() || call.filter.is_some() || !aggregate.grouping_calls.is_empty() {
            return Ok(None);
        }
        let descending = call.function.name == "max";
        let predicate = Expression::IsNull { input: Box::new(column.clone()), negated: true };
        let filtered = match &aggregate.input {
            Plan::Filter { input, predicate: other } if matches!(**input, Plan::Scan(_)) => {
                Plan::Filter { input: input.clone(), predicate: Expression::And(vec![other.clone(), predicate]) }
            }
            Plan::Scan(_) => Plan::Filter { input: Box::new(aggregate.input.clone()), predicate },
            _ => return Ok(None),
        };
        let orders = [false, true].map(|nulls_first| OrderColumn { id: *id, descending, nulls_first });
        for order in orders {
            let wanted = Wanted { order: vec![order], rows: Some(1.0) };
            if !self.is_ordered_by_index(&filtered, &wanted) {
                continue;
            }
            let input = self.lower(&filtered, &wanted)?;
            let columns = input.node.columns.clone();
            let limit = Compiled::Literal(crate::types::Value::BigInt(1), DataType::BigInt);
            let operation =
                Operation::Limit { input: Box::new(input.node), limit: Some(limit), offset: None, with_ties: vec![] };
            let input = self.node(operation, columns, 1.0, 10.0);
            let plan = Plan::Aggregate(Box::new(aggregate.clone()));
            return self.aggregate_over(&plan, aggregate, input).map(Some);
        }
        Ok(None)
    }

    fn aggregate_call(&mut self, call: &AggregateCall, columns: &[(ColumnId, DataType)]) -> Result<CompiledAggregate> {
        Ok(CompiledAggregate {
            function: call.function,
            arguments: self.compile_all(&call.arguments, columns)?,
            distinct: call.distinct,
            filter: self.optional(call.filter.as_ref(), columns)?,
            order_by: self.sort_keys(&call.order_by, columns)?,
            data_type: call.data_type,
        })
    }

    /// Sorts, unless the rows come in order already.
    fn sort(
        &mut self,
        input: &Plan,
        keys: &[SortKey],
        limit: Option<&Expression>,
        offset: Option<&Expression>,
        rows: Option<f64>,
    ) -> Result<Lowered> {
        let order = sort_order(keys);
        let wanted = Wanted { order: order.clone().unwrap_or_default(), rows };
        let wanted = if order.is_some() { wanted } else { Wanted::default() };
        let Lowered { node: input, ordering } = self.lower(input, &wanted)?;
        if order.as_ref().is_some_and(|order| ordering.satisfies(order)) || keys.is_empty() {
            return Ok(Lowered { node: input, ordering });
        }
        let compiled = self.sort_keys(keys, &input.columns)?;
        let (limit, offset) = (self.optional(limit, &[])?, self.optional(offset, &[])?);
        let (columns, rows) = (input.columns.clone(), input.rows);
        let cost = input.cost + rows * rows.max(2.0).log2() * 0.2;
        let operation = Operation::Sort { input: Box::new(input), keys: compiled, limit, offset };
        let ordering = Ordering { columns: order.unwrap_or_default(), ..Ordering::default() };
        Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering })
    }

    fn limit(
        &mut self,
        input: &Plan,
        limit: Option<&Expression>,
        offset: Option<&Expression>,
        with_ties: &[SortKey],
        wanted: &Wanted,
    ) -> Result<Lowered> {
        let skipped = offset.map_or(0.0, limited);
        let needed = limit.map(|limit| limited(limit) + skipped).filter(|rows| *rows < 1e12);
        let needed = needed.or(wanted.rows.map(|rows| rows + skipped));
        let inner = Wanted { order: wanted.order.clone(), rows: needed };
        let sorted_limit = if with_ties.is_empty() { limit } else { None };
        let Lowered { node: input, ordering } = self.limited(input, sorted_limit, offset, &inner)?;
        let with_ties = self.sort_keys(with_ties, &input.columns)?;
        let rows = needed.map_or(input.rows, |needed| (needed - skipped).min(input.rows));
        let part = needed.map_or(1.0, |needed| (needed / input.rows).min(1.0));
        let (columns, cost) = (input.columns.clone(), input.cost * part.max(0.001));
        let single = ordering.single || matches!(limit, Some(limit) if limited(limit) <= 1.0);
        let (limit, offset) = (self.optional(limit, &[])?, self.optional(offset, &[])?);
        let operation = Operation::Limit { input: Box::new(input), limit, offset, with_ties };
        Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering: Ordering { single, ..ordering } })
    }

    /// Tells a sort below how many rows will be asked for.
    fn limited(
        &mut self,
        input: &Plan,
        limit: Option<&Expression>,
        offset: Option<&Expression>,
        wanted: &Wanted,
    ) -> Result<Lowered> {
        match input {
            Plan::Sort { input, keys } => self.sort(input, keys, limit, offset, wanted.rows),
            Plan::Project { input: inner, outputs } if matches!(**inner, Plan::Sort { .. }) => {
                let Lowered { node, ordering } = self.limited(inner, limit, offset, wanted)?;
                self.project_over(node, ordering, outputs)
            }
            input => self.lower(input, wanted),
        }
    }

    fn project_over(
        &mut self,
        input: Node,
        ordering: Ordering,
        outputs: &[(PlanColumn, Expression)],
    ) -> Result<Lowered> {
        let compiled = self.compile_all(outputs.iter().map(|(_, output)| output), &input.columns)?;
        let columns = outputs.iter().map(|(column, _)| (column.id, column.data_type)).collect();
        let (rows, cost) = (input.rows, input.cost + input.rows * 0.1);
        let operation = Operation::Project { input: Box::new(input), outputs: compiled };
        Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering })
    }

    fn distinct(&mut self, plan: &Plan, input: &Plan, on: Option<&[Expression]>, wanted: &Wanted) -> Result<Lowered> {
        let inner = Wanted { order: wanted.order.clone(), rows: wanted.rows.map(|rows| rows * 2.0) };
        let Lowered { node: input, ordering } = self.lower_in_order(input, &input.columns(), &inner)?;
        let on = on.map(|on| self.compile_all(on, &input.columns)).transpose()?;
        let rows = self.estimates.rows(plan).min(input.rows);
        let (columns, cost) = (input.columns.clone(), input.cost + input.rows * 0.5);
        let node = self.node(Operation::Distinct { input: Box::new(input), on }, columns, rows, cost);
        Ok(Lowered { node, ordering })
    }

    fn set_operation(&mut self, plan: &Plan, operation: &SetOperation) -> Result<Lowered> {
        let side = |side: &Plan, lowering: &mut Self| {
            lowering.lower_in_order(side, &side.columns(), &Wanted::default()).map(|lowered| lowered.node)
        };
        let (left, right) = (side(&operation.left, self)?, side(&operation.right, self)?);
        let rows = self.estimates.rows(plan);
        let cost = left.cost + right.cost + if operation.all { 0.0 } else { left.rows + right.rows };
        let node = self.node(
            Operation::SetOperation {
                operator: operation.operator,
                all: operation.all,
                left: Box::new(left),
                right: Box::new(right),
            },
            ids(&operation.columns),
            rows,
            cost,
        );
        Ok(Lowered { node, ordering: Ordering::default() })
    }
}

/// Ids and types of a plan's columns.
fn ids(columns: &[PlanColumn]) -> Columns {
    columns.iter().map(|column| (column.id, column.data_type)).collect()
}

/// Sort keys as an order of columns, if that is what they are.
fn sort_order(keys: &[SortKey]) -> Option<Vec<OrderColumn>> {
    let order = |key: &SortKey| match key.expression {
        Expression::Column { id, .. } => {
            Some(OrderColumn { id, descending: key.descending, nulls_first: key.nulls_first })
        }
        _ => None,
    };
    keys.iter().map(order).collect()
}
