//! Queries: SELECT, VALUES, set operations, WITH (PostgreSQL 15, chapter 7).

mod block;
mod from;
mod from_function;
mod group;
mod join;
mod limit;
mod lock;
mod order;
pub mod output;
mod recursion;
mod set_operation;
pub mod values;
pub mod window;
mod with;

use super::binder::Binder;
use super::expression::Expression;
use super::logical::{Plan, PlanColumn};
use super::scope::Scope;
use crate::error::{Error, Result};
use crate::types::DataType;
pub use from::Item as FromItem;
use limit::Limits;
use sqlparser::ast::{self, OrderByExpr, OrderByKind, Query, SetExpr};

/// What stands after a query's body.
pub struct Tail<'q> {
    pub order_by: &'q [OrderByExpr],
    pub limits: Limits<'q>,
    pub locks: &'q [ast::LockClause],
}

/// What becomes of output columns whose type nothing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untyped {
    /// They are text.
    Text,
    /// The caller will convert them.
    Keep,
}

impl Binder<'_> {
    /// A query below the outermost one.
    pub fn inner_query(&mut self, query: &Query, outer: Option<&Scope>) -> Result<Plan> {
        let before = std::mem::replace(&mut self.writing_allowed, false);
        let plan = self.query(query, outer, Untyped::Text);
        self.writing_allowed = before;
        plan
    }

    pub fn query(&mut self, query: &Query, outer: Option<&Scope>, untyped: Untyped) -> Result<Plan> {
        self.deeper(|binder| {
            let visible = binder.common_tables.len();
            let plan = binder.query_with(query, outer, untyped);
            binder.common_tables.truncate(visible);
            plan
        })
    }

    fn query_with(&mut self, query: &Query, outer: Option<&Scope>, untyped: Untyped) -> Result<Plan> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators,
        } = query
        else {
            return Err(Error::not_supported("a clause of this query"));
        };
        if !pipe_operators.is_empty() {
            return Err(Error::not_supported("the pipe operator"));
        }
        let order_by: &[OrderByExpr] = match order_by {
            None => &[],
            Some(ast::OrderBy { kind: OrderByKind::Expressions(keys), interpolate: None }) => keys,
            Some(_) => return Err(Error::not_supported("ORDER BY ALL")),
        };
        let tables = match with {
            Some(with) => self.with(with, outer)?,
            None => vec![],
        };
        let limits = Limits::read(limit_clause.as_ref(), fetch.as_ref())?;
        let tail = Tail { order_by, limits, locks };
        let plan = self.body(body, outer, &tail, untyped)?;
        Ok(match tables.is_empty() {
            true => plan,
            false => Plan::With { tables, body: Box::new(plan) },
        })
    }

    fn body(&mut self, body: &SetExpr, outer: Option<&Scope>, tail: &Tail, untyped: Untyped) -> Result<Plan> {
        if let SetExpr::Select(select) = body {
            return self.select(select, outer, tail, untyped);
        }
        let plan = match body {
            SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) => {
                self.writing(statement, outer)?
            }
            body => self.set_expression(body, outer, untyped)?,
        };
        let is_values = matches!(body, SetExpr::Values(_));
        self.tail(plan, outer, tail, is_values)
    }

    /// A body without what may follow it.
    pub fn set_expression(&mut self, body: &SetExpr, outer: Option<&Scope>, untyped: Untyped) -> Result<Plan> {
        match body {
            SetExpr::Select(select) => {
                let tail = Tail { order_by: &[], limits: Limits::default(), locks: &[] };
                self.select(select, outer, &tail, untyped)
            }
            SetExpr::Query(query) => self.query(query, outer, untyped),
            SetExpr::SetOperation { .. } => self.set_operations(body, outer),
            SetExpr::Values(values) => self.values(values, outer),
            SetExpr::Table(_) => Err(Error::internal("TABLE is read as SELECT")),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(Error::not_supported("a data-modifying statement here"))
            }
        }
    }

    /// Outputs converted to these types, as in a UNION, or for a comparison.
    pub fn convert_outputs(&mut self, plan: Plan, wanted: &[DataType]) -> Result<Plan> {
        let columns = plan.columns();
        if columns.iter().map(|column| column.data_type).eq(wanted.iter().copied()) {
            return Ok(plan);
        }
        if let Plan::Project { input, outputs } = plan {
            let outputs = outputs
                .into_iter()
                .zip(wanted)
                .map(|((column, output), to)| self.converted_output(column, output, *to))
                .collect::<Result<_>>()?;
            return Ok(Plan::Project { input, outputs });
        }
        let outputs = columns
            .into_iter()
            .zip(wanted)
            .map(|(column, to)| {
                let output = Expression::Column { id: column.id, data_type: column.data_type };
                let renamed = self.sourced_column("", &column.name, column.data_type, column.modifier, column.source);
                self.converted_output(renamed, output, *to)
            })
            .collect::<Result<_>>()?;
        Ok(Plan::Project { input: Box::new(plan), outputs })
    }

    fn converted_output(
        &mut self,
        column: PlanColumn,
        output: Expression,
        to: DataType,
    ) -> Result<(PlanColumn, Expression)> {
        if column.data_type == to {
            return Ok((column, output));
        }
        let converted = self.implicit(output, to, None)?;
        Ok((self.column("", &column.name, to, -1), converted))
    }
}
