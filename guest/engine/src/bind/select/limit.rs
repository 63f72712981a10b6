//! LIMIT, OFFSET and FETCH (PostgreSQL 15, section 7.6).

use super::super::binder::Binder;
use super::super::expression::{ColumnId, Expression, SortKey};
use super::super::logical::Plan;
use super::super::name::expression_position;
use super::super::scope::Scope;
use super::super::site::{Clause, Site};
use super::super::walk;
use crate::error::{Error, Result, sqlstate};
use crate::types::{DataType, Value, cast::CastContext};
use sqlparser::ast::{Expr, Fetch, LimitClause, Offset};

#[derive(Default)]
pub struct Limits<'q> {
    limit: Option<&'q Expr>,
    /// FETCH FIRST ROW means one row.
    single: bool,
    offset: Option<&'q Expr>,
    with_ties: bool,
}

impl<'q> Limits<'q> {
    pub fn read(clause: Option<&'q LimitClause>, fetch: Option<&'q Fetch>) -> Result<Limits<'q>> {
        let mut limits = Limits::default();
        match clause {
            None => {}
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                limits.limit = limit.as_ref();
                limits.offset = offset.as_ref().map(|Offset { value, rows: _ }| value);
            }
            Some(LimitClause::LimitOffset { .. }) => return Err(Error::not_supported("LIMIT BY")),
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                return Err(Error::new(sqlstate::SYNTAX_ERROR, "LIMIT #,# syntax is not supported")
                    .hint("Use separate LIMIT and OFFSET clauses."));
            }
        }
        if let Some(Fetch { with_ties, percent, quantity }) = fetch {
            if *percent {
                return Err(Error::not_supported("FETCH … PERCENT"));
            }
            if limits.limit.is_some() {
                return Err(Error::new(sqlstate::SYNTAX_ERROR, "multiple LIMIT clauses not allowed"));
            }
            limits.with_ties = *with_ties;
            limits.limit = quantity.as_ref();
            limits.single = quantity.is_none();
        }
        Ok(limits)
    }

    pub fn is_empty(&self) -> bool {
        self.limit.is_none() && !self.single && self.offset.is_none()
    }
}

impl Binder<'_> {
    /// Cuts a plan's rows; `keys` are those it is sorted by.
    pub fn limit(&mut self, plan: Plan, limits: &Limits, keys: &[SortKey], scope: &Scope) -> Result<Plan> {
        if limits.is_empty() {
            return Ok(plan);
        }
        if limits.with_ties && keys.is_empty() {
            let message = "WITH TIES cannot be specified without ORDER BY clause";
            return Err(Error::new(sqlstate::SYNTAX_ERROR, message));
        }
        let limit = match limits.limit {
            Some(limit) => Some(self.row_count(scope, limit, Clause::Limit)?),
            None if limits.single => Some(Expression::Literal(Value::BigInt(1), DataType::BigInt)),
            None => None,
        };
        let offset = limits.offset.map(|offset| self.row_count(scope, offset, Clause::Offset)).transpose()?;
        let with_ties = if limits.with_ties { keys.to_vec() } else { vec![] };
        let is_null = |count: &Option<Expression>| matches!(count, Some(Expression::Literal(Value::Null, _)));
        let limit = if is_null(&limit) { None } else { limit };
        let offset = if is_null(&offset) { None } else { offset };
        Ok(match (&limit, &offset) {
            (None, None) => plan,
            _ => Plan::Limit { input: Box::new(plan), limit, offset, with_ties },
        })
    }

    fn row_count(&mut self, scope: &Scope, count: &Expr, clause: Clause) -> Result<Expression> {
        let at = expression_position(count);
        let mut site = Site::new(scope, clause);
        let bound = self.expression(&mut site, count)?;
        let from = bound.data_type();
        let bound = self.coerce(bound, DataType::BigInt, -1, CastContext::Assignment, at)?.ok_or_else(|| {
            let message = format!("argument of {} must be type bigint, not type {}", clause.name(), from.name());
            Error::new(sqlstate::DATATYPE_MISMATCH, message).at(at)
        })?;
        let own = |id: &ColumnId| {
            let columns = scope.from.tables.iter().flat_map(|table| &table.columns);
            columns.flat_map(|column| walk::columns(&column.expression)).any(|known| known == *id)
        };
        if walk::columns(&bound).iter().any(own) {
            let message = format!("argument of {} must not contain variables", clause.name());
            return Err(Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message).at(at));
        }
        Ok(bound)
    }
}
