//! How many rows: guesses from the host's counts and from what keys promise. There are no histograms; the constants
//! are PostgreSQL's defaults where it has some (selfuncs.h).

use super::PlanContext;
use super::walk;
use crate::bind::Plan;
use crate::bind::expression::{ColumnId, Expression, SubqueryKind};
use crate::bind::logical::{JoinKind, SetOperator};
use crate::catalog::{Index, Relation, RelationKind};
use crate::encode::key::index_prefix;
use crate::types::Value;
use hashbrown::{HashMap, HashSet};

/// Distinct values of a column of which nothing is known.
const DISTINCT: f64 = 200.0;
const INEQUALITY: f64 = 1.0 / 3.0;
const NULL_FRACTION: f64 = 0.005;
const MATCH: f64 = 0.02;
const SYSTEM_ROWS: f64 = 200.0;
const FUNCTION_ROWS: f64 = 1000.0;

/// What is known of the columns of a statement.
#[derive(Default)]
pub struct Estimates {
    /// Distinct values per column of a table.
    distinct: HashMap<ColumnId, f64>,
    /// Rows per table.
    rows: HashMap<u32, f64>,
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
        if let Plan::Scan(scan) = plan {
            let rows = *self.rows.entry(scan.relation.id).or_insert_with(|| table_rows(&scan.relation, context));
            for (column, position) in &scan.columns {
                self.distinct.insert(column.id, distinct_values(&scan.relation, *position, rows));
                let leads = |index: &Index| index.columns.first().is_some_and(|first| first.column == *position);
                if scan.relation.indexes.iter().any(leads) {
                    self.indexed.insert(column.id);
                }
            }
        }
        for input in walk::inputs(plan) {
            self.gather(input, context);
        }
        for expression in walk::expressions(plan) {
            walk::visit(expression, &mut |expression| {
                if let Expression::Subquery(subquery) = expression {
                    self.gather(&subquery.plan, context);
                }
            });
        }
    }

    /// Rows of a table.
    pub fn table(&self, relation: &Relation) -> f64 {
        self.rows.get(&relation.id).copied().unwrap_or(1.0)
    }

    /// Whether an index has this column first.
    pub fn is_indexed(&self, column: ColumnId) -> bool {
        self.indexed.contains(&column)
    }

    /// Distinct values of an expression among this many rows.
    pub fn distinct(&self, expression: &Expression, rows: f64) -> f64 {
        let known = match expression {
            Expression::Column { id, .. } => self.distinct.get(id).copied().unwrap_or(DISTINCT),
            Expression::Cast { input, .. } => self.distinct(input, rows),
            Expression::Literal(..) | Expression::Parameter { .. } => 1.0,
            _ => DISTINCT,
        };
        known.min(rows).max(1.0)
    }

    /// The part of the rows that satisfies a predicate.
    pub fn selectivity(&self, predicate: &Expression) -> f64 {
        match predicate {
            Expression::Literal(Value::Boolean(value), _) => f64::from(u8::from(*value)),
            Expression::Literal(..) => 0.0,
            Expression::Call { function, arguments, .. } => match (function.name, arguments.as_slice()) {
                ("=", [left, right]) => self.equality(left, right),
                ("<>", [left, right]) => 1.0 - self.equality(left, right),
                ("<" | "<=" | ">" | ">=", _) => INEQUALITY,
                ("~~" | "~~*" | "~" | "~*" | "@>" | "?", _) => MATCH,
                ("!~~" | "!~~*" | "!~" | "!~*", _) => 1.0 - MATCH,
                _ => INEQUALITY,
            },
            Expression::And(operands) => self.all(operands),
            Expression::Or(operands) => {
                1.0 - operands.iter().map(|operand| 1.0 - self.selectivity(operand)).product::<f64>()
            }
            Expression::Not(input) => 1.0 - self.selectivity(input),
            Expression::IsNull { negated, .. } => {
                if *negated {
                    1.0 - NULL_FRACTION
                } else {
                    NULL_FRACTION
                }
            }
            Expression::IsDistinct { left, right, negated } => {
                let equal = self.equality(left, right);
                if *negated { equal } else { 1.0 - equal }
            }
            Expression::InList { input, list, negated } => {
                let any = (list.len() as f64 / self.distinct(input, f64::MAX)).min(1.0);
                if *negated { 1.0 - any } else { any }
            }
            Expression::AnyArray { left, all: false, operator, .. } if operator.name == "=" => {
                (10.0 / self.distinct(left, f64::MAX)).min(1.0)
            }
            Expression::Subquery(subquery) => match &subquery.kind {
                SubqueryKind::Exists | SubqueryKind::Compare { .. } => 0.5,
                SubqueryKind::Scalar | SubqueryKind::Array => INEQUALITY,
            },
            Expression::Column { .. } | Expression::IsBoolean { .. } => 0.5,
            _ => INEQUALITY,
        }
    }

    /// The part that satisfies all of several predicates.
    pub fn all(&self, predicates: &[Expression]) -> f64 {
        predicates.iter().map(|predicate| self.selectivity(predicate)).product()
    }

    fn equality(&self, left: &Expression, right: &Expression) -> f64 {
        1.0 / self.distinct(left, f64::MAX).max(self.distinct(right, f64::MAX))
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

/// A unique column has as many values as rows; the first of several key columns has a root of that many.
fn distinct_values(relation: &Relation, position: usize, rows: f64) -> f64 {
    let mut distinct = DISTINCT.min(rows);
    for index in &relation.indexes {
        match index.columns.iter().position(|column| column.column == position) {
            Some(0) if index.unique && index.columns.len() == 1 => return rows,
            Some(0) if index.unique => distinct = distinct.max(rows.powf(1.0 / index.columns.len() as f64)),
            Some(0) => distinct = distinct.max(rows.sqrt()),
            _ => {}
        }
    }
    distinct
}
