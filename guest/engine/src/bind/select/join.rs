//! Joins and the columns that they merge (PostgreSQL 15, section 7.2.1.1).

use super::super::binder::Binder;
use super::super::expression::{ColumnId, Expression};
use super::super::logical::{Join, JoinKind, Plan};
use super::super::name::{fold, position, simple};
use super::super::scope::{FromNames, Scope, ScopeColumn};
use super::super::site::{Clause, Site};
use super::super::walk;
use super::from::Item;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve::common_type;
use sqlparser::ast::{self, Ident, JoinConstraint, JoinOperator};

impl Binder<'_> {
    pub fn join(&mut self, left: Item, join: &ast::Join, outer: Option<&Scope>, before: &FromNames) -> Result<Item> {
        let ast::Join { relation, global: false, join_operator } = join else {
            return Err(Error::not_supported("a GLOBAL join"));
        };
        let (kind, constraint) = match join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (JoinKind::Inner, constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (JoinKind::Left, constraint),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (JoinKind::Right, constraint),
            JoinOperator::FullOuter(constraint) => (JoinKind::Full, constraint),
            JoinOperator::CrossJoin(JoinConstraint::None) => (JoinKind::Inner, &JoinConstraint::None),
            _ => return Err(Error::not_supported("this kind of join")),
        };
        if *constraint == JoinConstraint::None && !matches!(join_operator, JoinOperator::CrossJoin(_)) {
            return Err(Error::new(sqlstate::SYNTAX_ERROR, "syntax error: a join needs ON, USING or NATURAL"));
        }
        let visible = before.clone().join(left.names.clone())?;
        let right = self.factor(relation, outer, &visible)?;
        let mut merged = vec![];
        let condition = match constraint {
            JoinConstraint::None => None,
            JoinConstraint::On(condition) => {
                let scope = Scope::inside(outer, left.names.clone().join(right.names.clone())?);
                let mut site = Site::new(&scope, Clause::JoinCondition);
                Some(self.boolean(&mut site, condition, "JOIN/ON")?)
            }
            JoinConstraint::Using(columns) => {
                let names = columns.iter().map(simple).collect::<Result<Vec<_>>>()?;
                let pairs = names
                    .into_iter()
                    .map(|name| {
                        Ok((fold(name), using(&left.names, name, "left")?, using(&right.names, name, "right")?))
                    })
                    .collect::<Result<Vec<_>>>()?;
                self.equal_pairs(pairs, kind, &mut merged)?
            }
            JoinConstraint::Natural => {
                let mut pairs: Vec<(String, Expression, Expression)> = vec![];
                for column in &left.names.columns {
                    if pairs.iter().any(|(name, ..)| *name == column.name) {
                        continue;
                    }
                    let identifier = Ident::with_quote('"', column.name.clone());
                    if right.names.columns.iter().any(|candidate| candidate.name == column.name) {
                        let pair =
                            (using(&left.names, &identifier, "left")?, using(&right.names, &identifier, "right")?);
                        pairs.push((column.name.clone(), pair.0, pair.1));
                    }
                }
                self.equal_pairs(pairs, kind, &mut merged)?
            }
        };
        let plan = self.join_plan(kind, left.plan, right.plan, condition)?;
        let (left_names, right_names) = match kind {
            JoinKind::Left => (left.names, right.names.made_nullable()),
            JoinKind::Right => (left.names.made_nullable(), right.names),
            JoinKind::Full => (left.names.made_nullable(), right.names.made_nullable()),
            _ => (left.names, right.names),
        };
        let names = merge(left_names, right_names, merged)?;
        Ok(Item { plan, names })
    }

    /// A join, marked as lateral where the right side refers to the left one.
    pub fn join_plan(
        &mut self,
        kind: JoinKind,
        left: Plan,
        right: Plan,
        condition: Option<Expression>,
    ) -> Result<Plan> {
        let produced: Vec<ColumnId> = left.columns().iter().map(|column| column.id).collect();
        let referred = if matches!(right, Plan::Scan(_)) { None } else { walk::refers_to(&right, &produced) };
        let lateral = referred.is_some();
        if let (Some(id), JoinKind::Right | JoinKind::Full) = (referred, kind) {
            let table = self.table_of(id);
            let message = format!("invalid reference to FROM-clause entry for table \"{table}\"");
            return Err(Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message)
                .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference."));
        }
        Ok(Plan::Join(Box::new(Join { kind, left, right, condition, lateral })))
    }

    /// Equality of each pair, and the columns that stand for both.
    fn equal_pairs(
        &mut self,
        pairs: Vec<(String, Expression, Expression)>,
        kind: JoinKind,
        merged: &mut Vec<ScopeColumn>,
    ) -> Result<Option<Expression>> {
        let mut conditions = vec![];
        for (name, left, right) in pairs {
            let common = common_type(&[left.data_type(), right.data_type()], "JOIN/USING")?;
            conditions.push(self.operation("=", Some(left.clone()), right.clone(), (None, None))?);
            let left = self.implicit(left, common, None)?;
            let right = self.implicit(right, common, None)?;
            let expression = match kind {
                JoinKind::Right => right,
                JoinKind::Full => Expression::Coalesce { arguments: vec![left, right], data_type: common },
                _ => left,
            };
            merged.push(ScopeColumn { name, expression });
        }
        Ok(match conditions.len() {
            0 => None,
            1 => conditions.pop(),
            _ => Some(Expression::And(conditions)),
        })
    }
}

/// A column that USING names, on one side.
fn using(names: &FromNames, identifier: &Ident, side: &str) -> Result<Expression> {
    let name = fold(identifier);
    let mut found = names.columns.iter().filter(|column| column.name == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column.expression.clone()),
        (Some(_), Some(_)) => {
            let message = format!("common column name \"{name}\" appears more than once in {side} table");
            Err(Error::new(sqlstate::AMBIGUOUS_COLUMN, message).at(position(identifier)))
        }
        (None, _) => {
            let message = format!("column \"{name}\" specified in USING clause does not exist in {side} table");
            Err(Error::new(sqlstate::UNDEFINED_COLUMN, message))
        }
    }
}

/// Merged columns come first, then the rest of both sides.
fn merge(left: FromNames, right: FromNames, merged: Vec<ScopeColumn>) -> Result<FromNames> {
    let mut all = left.join(right)?;
    if merged.is_empty() {
        return Ok(all);
    }
    all.columns.retain(|column| !merged.iter().any(|merged| merged.name == column.name));
    all.columns.splice(0..0, merged);
    Ok(all)
}
