//! ORDER BY and DISTINCT ON: output names and numbers first, then expressions (PostgreSQL 15, section 7.5).

use super::super::binder::Binder;
use super::super::expression::{Expression, SortKey};
use super::super::logical::Plan;
use super::super::name::{expression_position, fold, position};
use super::super::scope::{FromNames, Scope, ScopeTable};
use super::super::site::{Clause, Site};
use super::super::walk;
use super::Tail;
use super::block::{Computed, Output};
use super::from::scope_columns;
use crate::error::{Error, Result, sqlstate};
use sqlparser::ast::{Expr, OrderByExpr, Value};

impl Binder<'_> {
    pub fn order_by(&mut self, site: &mut Site, keys: &[OrderByExpr], outputs: &mut [Output]) -> Result<Vec<SortKey>> {
        keys.iter()
            .map(|key| {
                let expression = self.output_or_expression(site, &key.expr, outputs, "ORDER BY")?;
                self.sort_key(expression, key)
            })
            .collect()
    }

    /// An output by its number or name, or an expression over FROM.
    pub fn output_or_expression(
        &mut self,
        site: &mut Site,
        written: &Expr,
        outputs: &[Output],
        clause: &str,
    ) -> Result<Expression> {
        if let Some(output) = numbered(written, outputs, clause)? {
            return Ok(output.expression.clone());
        }
        if let Expr::Identifier(identifier) = written {
            let name = fold(identifier);
            let mut named = outputs.iter().filter(|output| output.name == name);
            if let Some(first) = named.next() {
                if named.any(|other| !walk::same(&other.expression, &first.expression)) {
                    let message = format!("{clause} \"{name}\" is ambiguous");
                    return Err(Error::new(sqlstate::AMBIGUOUS_COLUMN, message).at(position(identifier)));
                }
                return Ok(first.expression.clone());
            }
        }
        self.settled(site, written)
    }

    pub fn distinct_on(
        &mut self,
        site: &mut Site,
        written: &[Expr],
        computed: &mut Computed,
    ) -> Result<Vec<Expression>> {
        let mut on = vec![];
        for expression in written {
            let bound = self.output_or_expression(site, expression, &computed.outputs, "DISTINCT ON")?;
            if !on.iter().any(|known| walk::same(known, &bound)) {
                on.push(bound);
            }
        }
        // The first keys must be the ON expressions, in any order.
        let mut matched = 0;
        for key in &computed.order_by {
            let is_on = on.iter().any(|on| walk::same(on, &key.expression));
            if is_on {
                matched += 1;
            } else if matched < on.len() {
                let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
                let at = written.first().and_then(expression_position);
                return Err(Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message).at(at));
            }
        }
        Ok(on)
    }

    /// ORDER BY, LIMIT and locks of a body that is no SELECT: only its outputs can be sorted by.
    pub fn tail(&mut self, plan: Plan, outer: Option<&Scope>, tail: &Tail, is_values: bool) -> Result<Plan> {
        if !tail.locks.is_empty() {
            let what = if is_values { "VALUES" } else { "UNION/INTERSECT/EXCEPT" };
            let lock = super::lock::lock_name(&tail.locks[0]);
            return Err(Error::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                match is_values {
                    true => format!("{lock} cannot be applied to {what}"),
                    false => format!("{lock} is not allowed with {what}"),
                },
            ));
        }
        let columns = scope_columns(&plan.columns());
        let outputs: Vec<Output> = columns
            .iter()
            .map(|column| Output {
                name: column.name.clone(),
                expression: column.expression.clone(),
                first_reference: 0,
            })
            .collect();
        let alias = if is_values { "*VALUES*" } else { "" };
        let table = ScopeTable {
            alias: alias.into(),
            schema: None,
            columns,
            relation: None,
            accessible: true,
            nullable: false,
            is_scalar: false,
        };
        let scope = Scope::inside(outer, FromNames::single(table));
        let mut keys = vec![];
        for key in tail.order_by {
            let mut site = Site::new(&scope, Clause::OrderBy);
            let expression = self.output_or_expression(&mut site, &key.expr, &outputs, "ORDER BY")?;
            if !is_values && !matches!(expression, Expression::Column { .. }) {
                return Err(Error::new(
                    sqlstate::FEATURE_NOT_SUPPORTED,
                    "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                )
                .detail("Only result column names can be used, not expressions or functions.")
                .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
                .at(expression_position(&key.expr)));
            }
            keys.push(self.sort_key(expression, key)?);
        }
        let mut plan = plan;
        if !keys.is_empty() {
            plan = Plan::Sort { input: Box::new(plan), keys: keys.clone() };
        }
        self.limit(plan, &tail.limits, &keys, &scope)
    }
}

/// The output that a number means. Other constants mean nothing here.
pub fn numbered<'o>(written: &Expr, outputs: &'o [Output], clause: &str) -> Result<Option<&'o Output>> {
    let Expr::Value(value) = written else { return Ok(None) };
    let at = expression_position(written);
    match &value.value {
        Value::Number(digits, _) => match digits.parse::<usize>() {
            Ok(number) => match number.checked_sub(1).and_then(|index| outputs.get(index)) {
                Some(output) => Ok(Some(output)),
                None => {
                    let message = format!("{clause} position {number} is not in select list");
                    Err(Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message).at(at))
                }
            },
            Err(_) => Err(Error::new(sqlstate::SYNTAX_ERROR, format!("non-integer constant in {clause}")).at(at)),
        },
        Value::Placeholder(_) => Ok(None),
        _ => Err(Error::new(sqlstate::SYNTAX_ERROR, format!("non-integer constant in {clause}")).at(at)),
    }
}
