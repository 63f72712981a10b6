//! Subqueries in WHERE become joins: EXISTS and IN semi joins, NOT EXISTS anti joins, and correlated scalar aggregates
//! left joins with grouped rows (Galindo-Legaria and Joshi, 2001). NOT IN stays a hashed subquery: with NULLs it is no
//! anti join.

use super::Rewriter;
use crate::bind::expression::{ColumnId, Expression, Subquery, SubqueryKind};
use crate::bind::logical::{Join, JoinKind, Plan};
use crate::plan::walk;
use crate::types::DataType;

impl Rewriter<'_> {
    pub fn decorrelate(&mut self, mut plan: Plan) -> Plan {
        for input in walk::inputs_mut(&mut plan) {
            let inner = std::mem::replace(input, Plan::Unit);
            *input = self.decorrelate(inner);
        }
        match plan {
            Plan::Filter { input, predicate } => self.filter(*input, walk::conjuncts(predicate)),
            Plan::Project { mut input, mut outputs } => {
                for (_, output) in &mut outputs {
                    *input = self.scalars(*input, output);
                }
                Plan::Project { input, outputs }
            }
            plan => plan,
        }
    }

    fn filter(&mut self, input: Plan, conjuncts: Vec<Expression>) -> Plan {
        let columns = input.columns();
        let ids: Vec<ColumnId> = columns.iter().map(|column| column.id).collect();
        let (mut rest, mut joins) = (vec![], vec![]);
        for conjunct in conjuncts {
            match as_join(&conjunct, &ids) {
                Some(join) => joins.push(join),
                None => rest.push(conjunct),
            }
        }
        // What reads no subquery goes first: it may spare the scalar subqueries' joins rows.
        let simple = walk::extract(&mut rest, |conjunct| !walk::has_subquery(conjunct));
        let mut plan = walk::filter(input, simple);
        for join in joins {
            let right = self.decorrelate(join.right);
            let condition = walk::conjunction(join.condition);
            plan = Plan::Join(Box::new(Join { kind: join.kind, left: plan, right, condition, lateral: false }));
        }
        let mut widened = false;
        for conjunct in &mut rest {
            let before = plan.columns().len();
            plan = self.scalars(plan, conjunct);
            widened |= plan.columns().len() > before;
        }
        let plan = walk::filter(plan, rest);
        if widened { walk::project(plan, &columns) } else { plan }
    }
}

struct SubqueryJoin {
    kind: JoinKind,
    right: Plan,
    condition: Vec<Expression>,
}

/// A conjunct that is an EXISTS or an IN, as a join of rows with these columns.
fn as_join(conjunct: &Expression, columns: &[ColumnId]) -> Option<SubqueryJoin> {
    match conjunct {
        Expression::Subquery(subquery) => match &subquery.kind {
            SubqueryKind::Exists => exists(subquery, columns, JoinKind::Semi),
            SubqueryKind::Compare { left, operators, all: false } => {
                if operators.iter().any(|operator| operator.name != "=") || left.iter().any(walk::is_volatile) {
                    return None;
                }
                let mut condition = vec![];
                let right = pull_up(&subquery.plan, columns, &mut condition, true)?;
                let produced = subquery.plan.columns();
                for ((left, operator), right) in left.iter().zip(operators).zip(&produced) {
                    condition.push(Expression::Call {
                        function: operator,
                        arguments: vec![left.clone(), walk::column(right)],
                        data_type: DataType::Boolean,
                    });
                }
                Some(without_projections(JoinKind::Semi, right, condition))
            }
            SubqueryKind::Scalar | SubqueryKind::Array | SubqueryKind::Compare { .. } => None,
        },
        Expression::Not(input) => match &**input {
            Expression::Subquery(subquery) if matches!(subquery.kind, SubqueryKind::Exists) => {
                exists(subquery, columns, JoinKind::Anti)
            }
            _ => None,
        },
        _ => None,
    }
}

fn exists(subquery: &Subquery, columns: &[ColumnId], kind: JoinKind) -> Option<SubqueryJoin> {
    let mut condition = vec![];
    let right = pull_up(&subquery.plan, columns, &mut condition, true)?;
    // One that does not depend on the row is asked once.
    (!condition.is_empty()).then(|| without_projections(kind, right, condition))
}

/// What a subquery selects is of use in the condition alone: without projections above it, a table can be looked up by
/// its indexes.
fn without_projections(kind: JoinKind, mut right: Plan, mut condition: Vec<Expression>) -> SubqueryJoin {
    loop {
        right = match right {
            Plan::Project { input, outputs } if outputs.iter().all(|(_, output)| is_plain(output)) => {
                for conjunct in &mut condition {
                    walk::replace(conjunct, &mut |expression| {
                        let Expression::Column { id, .. } = expression else { return };
                        if let Some((_, output)) = outputs.iter().find(|(column, _)| column.id == *id) {
                            *expression = output.clone();
                        }
                    });
                }
                *input
            }
            right => return SubqueryJoin { kind, right, condition },
        };
    }
}

fn is_plain(expression: &Expression) -> bool {
    !walk::is_volatile(expression) && !walk::has_subquery(expression)
}

/// The plan without the conditions that read the outer columns, which are `pulled` out of it; none when they are where
/// they cannot be pulled out. `existence`: only whether there are rows matters, not how many or in which order.
pub fn pull_up(plan: &Plan, outer: &[ColumnId], pulled: &mut Vec<Expression>, existence: bool) -> Option<Plan> {
    if !reads(plan, outer) {
        return (!walk::is_volatile_plan(plan)).then(|| plan.clone());
    }
    match plan {
        Plan::Filter { input, predicate } => {
            let input = pull_up(input, outer, pulled, existence)?;
            let mut conjuncts = walk::conjuncts(predicate.clone());
            if conjuncts.iter().any(walk::is_volatile) {
                return None;
            }
            pulled.extend(walk::extract(&mut conjuncts, |conjunct| walk::reads_any(conjunct, outer)));
            Some(walk::filter(input, conjuncts))
        }
        Plan::Join(join) if join.kind == JoinKind::Inner && !join.lateral => {
            let left = pull_up(&join.left, outer, pulled, existence)?;
            let right = pull_up(&join.right, outer, pulled, existence)?;
            let mut conjuncts = join.condition.clone().map_or(vec![], walk::conjuncts);
            pulled.extend(walk::extract(&mut conjuncts, |conjunct| walk::reads_any(conjunct, outer)));
            let condition = walk::conjunction(conjuncts);
            Some(Plan::Join(Box::new(Join { kind: join.kind, left, right, condition, lateral: false })))
        }
        Plan::Project { input, outputs } => {
            if outputs.iter().any(|(_, output)| walk::reads_any(output, outer)) {
                return None;
            }
            let before = pulled.len();
            let input = pull_up(input, outer, pulled, existence)?;
            // What was pulled out reads columns that must now be handed up.
            let mut outputs = outputs.clone();
            let needed: Vec<ColumnId> = pulled[before..].iter().flat_map(walk::columns).collect();
            for column in input.columns() {
                if needed.contains(&column.id) && outputs.iter().all(|(output, _)| output.id != column.id) {
                    outputs.push((column.clone(), walk::column(&column)));
                }
            }
            Some(Plan::Project { input: Box::new(input), outputs })
        }
        Plan::Sort { input, .. } | Plan::Distinct { input, on: None } if existence => {
            pull_up(input, outer, pulled, existence)
        }
        _ => None,
    }
}

/// Whether a plan reads one of these columns.
pub fn reads(plan: &Plan, columns: &[ColumnId]) -> bool {
    let mut found = false;
    walk::visit_plan(plan, &mut |expression| {
        found |= matches!(expression, Expression::Column { id, .. } if columns.contains(id));
    });
    found
}
