//! How many rows: from the host's counts, what ANALYZE has gathered, and what keys promise.

use super::selectivity::Known;
use super::{PlanContext, walk};
use crate::bind::Plan;
use crate::bind::expression::{ColumnId, Expression};
use crate::bind::logical::{JoinKind, SetOperator};
use crate::catalog::{Index, Relation, RelationKind};
use crate::encode::key::index_prefix;
use crate::types::Value;
use hashbrown::{HashMap, HashSet};
use std::rc::Rc;

const SYSTEM_ROWS: f64 = 200.0;
const FUNCTION_ROWS: f64 = 1000.0;

/// What is known of the columns of a statement.
#[derive(Default)]
pub struct Estimates {
    /// Columns of tables, also under the ids that they get further up.
    pub(super) known: HashMap<ColumnId, Rc<Known>>,
    /// Rows per table.
    rows: HashMap<u32, f64>,
    /// Per table what is known of several columns together.
    pub(super) combinations: HashMap<u32, Vec<Combination>>,
    /// Columns that lead an index.
    indexed: HashSet<ColumnId>,
}

impl Estimates {
    /// Looks at every table of a plan.
    pub fn of(plan: &Plan, context: &PlanContext) -> Estimates {
        let mut estimates = Estimates::default();
        estimates.gather(plan, context);
        estimates
    }

    fn gather(&mut self, plan: &Plan, context: &PlanContext) {
        for input in walk::inputs(plan) {
            self.gather(input, context);
        }
        if let Plan::Scan(scan) = plan {
            let rows = *self.rows.entry(scan.relation.id).or_insert_with(|| table_rows(&scan.relation, context));
            self.combinations.entry(scan.relation.id).or_insert_with(|| combinations(&scan.relation, rows, context));
            for (column, position) in &scan.columns {
                self.known.insert(column.id, Rc::new(Known::new(&scan.relation, *position, rows, context)));
                let leads = |index: &Index| index.columns.first().is_some_and(|first| first.column == *position);
                if scan.relation.indexes.iter().any(leads) {
                    self.indexed.insert(column.id);
                }
            }
        }
        let passed: Vec<(ColumnId, ColumnId)> = match plan {
            Plan::Project { outputs, .. } => outputs.iter().filter_map(|(to, from)| passed(to.id, from)).collect(),
            Plan::Aggregate(aggregate) => {
                aggregate.groups.iter().filter_map(|(to, from)| passed(to.id, from)).collect()
            }
            _ => vec![],
        };
        for (to, from) in passed {
            if let Some(known) = self.known.get(&from).cloned() {
                self.known.insert(to, known);
            }
        }
        for expression in walk::expressions(plan) {
            walk::visit(expression, &mut |expression| {
                if let Expression::Subquery(subquery) = expression {
                    self.gather(&subquery.plan, context);
                }
            });
        }
    }

    /// Every table with its rows.
    pub fn tables(&self) -> Vec<(u32, u64)> {
        let mut tables: Vec<(u32, u64)> = self.rows.iter().map(|(table, rows)| (*table, *rows as u64)).collect();
        tables.sort_unstable();
        tables
    }

    /// Rows of a table.
    pub fn table(&self, relation: &Relation) -> f64 {
        self.rows.get(&relation.id).copied().unwrap_or(1.0)
    }

    /// Whether an index has this column first.
    pub fn is_indexed(&self, column: ColumnId) -> bool {
        self.indexed.contains(&column)
    }

    /// Rows of a plan that is not lowered yet.
    pub fn rows(&self, plan: &Plan) -> f64 {
        let rows: f64 = match plan {
            Plan::Unit => 1.0,
            Plan::Empty { .. } => 0.0,
            Plan::Scan(scan) => self.table(&scan.relation),
            Plan::Values { rows, .. } => rows.len() as f64,
            Plan::FunctionScan { .. } => FUNCTION_ROWS,
            Plan::ProjectSet { input, .. } => self.rows(input) * 10.0,
            Plan::Filter { input, predicate } => self.rows(input) * self.selectivity(predicate),
            Plan::Project { input, .. }
            | Plan::Window { input, .. }
            | Plan::Sort { input, .. }
            | Plan::Lock { input, .. } => self.rows(input),
            Plan::Join(join) => {
                let condition = join.condition.as_ref().map_or(1.0, |condition| self.selectivity(condition));
                self.join(join.kind, self.rows(&join.left), self.rows(&join.right), condition)
            }
            Plan::Aggregate(aggregate) => {
                let input = self.rows(&aggregate.input);
                let groups = aggregate.groups.iter().map(|(_, group)| group);
                let sets = aggregate.grouping_sets.iter();
                let of_set = |set: &Vec<usize>| {
                    let members = groups.clone().enumerate().filter(|(number, _)| set.contains(number));
                    self.groups(members.map(|(_, group)| group), input)
                };
                sets.map(of_set).sum()
            }
            Plan::Distinct { input, on } => {
                let rows = self.rows(input);
                on.as_ref().map_or(rows / 2.0, |on| self.groups(on.iter(), rows))
            }
            Plan::Limit { input, limit, .. } => self.rows(input).min(limit.as_ref().map_or(f64::MAX, limited)),
            Plan::SetOperation(operation) => {
                let (left, right) = (self.rows(&operation.left), self.rows(&operation.right));
                match operation.operator {
                    SetOperator::Union => left + right,
                    SetOperator::Intersect => left.min(right),
                    SetOperator::Except => left,
                }
            }
            Plan::With { body, .. } => self.rows(body),
            Plan::CommonTableScan { .. } => FUNCTION_ROWS,
            Plan::Modify(modify) => self.rows(&modify.input),
        };
        rows.max(1.0)
    }

    /// Rows of a join whose condition has this selectivity over all pairs.
    pub fn join(&self, kind: JoinKind, left: f64, right: f64, condition: f64) -> f64 {
        let pairs = left * right * condition;
        let rows = match kind {
            JoinKind::Inner => pairs,
            JoinKind::Left => pairs.max(left),
            JoinKind::Right => pairs.max(right),
            JoinKind::Full => pairs.max(left + right),
            JoinKind::Semi => left * (right * condition).min(1.0),
            JoinKind::Anti => left * (1.0 - (right * condition).min(0.9)),
        };
        rows.max(1.0)
    }

    /// Distinct combinations of expressions among this many rows.
    pub fn groups<'e>(&self, keys: impl Iterator<Item = &'e Expression>, rows: f64) -> f64 {
        keys.map(|key| self.distinct(key, rows)).product::<f64>().min(rows).max(1.0)
    }
}

/// The row count that a LIMIT names, or a guess for one that is not known yet.
pub fn limited(limit: &Expression) -> f64 {
    match limit {
        Expression::Literal(Value::BigInt(limit), _) => *limit as f64,
        Expression::Literal(Value::Integer(limit), _) => f64::from(*limit),
        Expression::Literal(Value::Null, _) => f64::MAX,
        Expression::Cast { input, .. } => limited(input),
        _ => 100.0,
    }
}

fn table_rows(relation: &Relation, context: &PlanContext) -> f64 {
    match relation.kind {
        RelationKind::Table => (context.transaction.estimate_count(&index_prefix(relation.id, 0)) as f64).max(1.0),
        _ => SYSTEM_ROWS,
    }
}

fn combinations(relation: &Relation, rows: f64, context: &PlanContext) -> Vec<Combination> {
    let Some(statistics) = context.catalog.statistics(relation.id) else { return vec![] };
    let known = statistics.combinations.iter().filter_map(|combination| {
        let distinct = combination.distinct.among(rows)?;
        Some(Combination { columns: combination.columns.clone(), distinct })
    });
    let mut known: Vec<Combination> = known.collect();
    // What says most comes first.
    known.sort_by_key(|combination| std::cmp::Reverse(combination.columns.len()));
    known
}

/// Columns of one table, by position, and their distinct combinations.
pub struct Combination {
    pub columns: Vec<usize>,
    pub distinct: f64,
}

/// The column that an output is, under its new id and its old one.
fn passed(to: ColumnId, from: &Expression) -> Option<(ColumnId, ColumnId)> {
    match from {
        Expression::Column { id, .. } if *id != to => Some((to, *id)),
        _ => None,
    }
}
