//! Queries inside expressions.

use super::super::binder::Binder;
use super::super::expression::{Expression, Subquery, SubqueryKind};
use super::super::logical::Plan;
use super::super::scope::Scope;
use super::super::site::Site;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve;
use crate::types::DataType;
use sqlparser::ast::Query;

impl Binder<'_> {
    fn subquery_plan(&mut self, site: &Site, query: &Query) -> Result<Plan> {
        if !site.clause.has_subqueries() {
            let message = match site.clause {
                super::super::site::Clause::Check => "cannot use subquery in check constraint",
                _ => "cannot use subquery in DEFAULT expression",
            };
            return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message));
        }
        let outer: &Scope = site.scope;
        self.inner_query(query, Some(outer))
    }

    fn single_column(plan: &Plan) -> Result<DataType> {
        match &plan.columns()[..] {
            [column] => Ok(column.data_type),
            _ => Err(Error::new(sqlstate::SYNTAX_ERROR, "subquery must return only one column")),
        }
    }

    pub fn scalar_subquery(&mut self, site: &mut Site, query: &Query) -> Result<Expression> {
        let plan = self.subquery_plan(site, query)?;
        let data_type = Self::single_column(&plan)?;
        Ok(Expression::Subquery(Box::new(Subquery { plan, kind: SubqueryKind::Scalar, data_type })))
    }

    /// The columns of a subquery that answers one row, each as a subquery of its own.
    pub fn row_of_subquery(&mut self, site: &mut Site, query: &Query, width: usize) -> Result<Vec<Expression>> {
        (0..width)
            .map(|index| {
                let plan = self.subquery_plan(site, query)?;
                let columns = plan.columns();
                if columns.len() != width {
                    let too = if columns.len() > width { "many" } else { "few" };
                    return Err(Error::new(sqlstate::SYNTAX_ERROR, format!("subquery has too {too} columns")));
                }
                let column = columns[index].clone();
                let data_type = column.data_type;
                let output = Expression::Column { id: column.id, data_type };
                let chosen = self.column("", &column.name, data_type, column.modifier);
                let plan = Plan::Project { input: Box::new(plan), outputs: vec![(chosen, output)] };
                Ok(Expression::Subquery(Box::new(Subquery { plan, kind: SubqueryKind::Scalar, data_type })))
            })
            .collect()
    }

    /// `bind` over a column that holds `operand`, which is evaluated once: a subquery over one made-up row.
    pub fn once(
        &mut self,
        operand: Expression,
        bind: impl FnOnce(&mut Self, Expression) -> Result<Expression>,
    ) -> Result<Expression> {
        let column = self.output_column("", &operand);
        let value = Expression::Column { id: column.id, data_type: column.data_type };
        let made_up = Plan::Project { input: Box::new(Plan::Unit), outputs: vec![(column, operand)] };
        let bound = bind(self, value)?;
        let data_type = bound.data_type();
        let output = self.output_column("", &bound);
        let plan = Plan::Project { input: Box::new(made_up), outputs: vec![(output, bound)] };
        Ok(Expression::Subquery(Box::new(Subquery { plan, kind: SubqueryKind::Scalar, data_type })))
    }

    pub fn array_subquery(&mut self, site: &mut Site, query: &Query) -> Result<Expression> {
        let plan = self.subquery_plan(site, query)?;
        let data_type = Self::single_column(&plan)?.array_of();
        Ok(Expression::Subquery(Box::new(Subquery { plan, kind: SubqueryKind::Array, data_type })))
    }

    pub fn exists(&mut self, site: &mut Site, query: &Query, negated: bool) -> Result<Expression> {
        let plan = self.subquery_plan(site, query)?;
        let subquery = Subquery { plan, kind: SubqueryKind::Exists, data_type: DataType::Boolean };
        let exists = Expression::Subquery(Box::new(subquery));
        Ok(if negated { Expression::Not(Box::new(exists)) } else { exists })
    }

    /// `(left, …) operator ANY/ALL (query)`: the query's columns are converted to what the operators take.
    pub fn compared_subquery(
        &mut self,
        site: &mut Site,
        left: Vec<Expression>,
        symbol: &str,
        query: &Query,
        all: bool,
        at: Option<u32>,
    ) -> Result<Expression> {
        let plan = self.subquery_plan(site, query)?;
        let columns = plan.columns();
        if columns.len() != left.len() {
            let too = if columns.len() > left.len() { "many" } else { "few" };
            return Err(Error::new(sqlstate::SYNTAX_ERROR, format!("subquery has too {too} columns")));
        }
        let mut operators = vec![];
        let mut converted = vec![];
        let mut wanted = vec![];
        for (left, column) in left.into_iter().zip(&columns) {
            let resolved = resolve::operator(symbol, Some(left.data_type()), column.data_type)?;
            let [left_type, right_type] = resolved.argument_types[..] else {
                return Err(Error::internal("a binary operator without two arguments"));
            };
            if resolved.result != DataType::Boolean {
                let message =
                    format!("operator {symbol} must return type boolean, not type {}", resolved.result.name());
                return Err(Error::new(sqlstate::DATATYPE_MISMATCH, message).at(at));
            }
            converted.push(self.argument(left, left_type, at)?);
            wanted.push(right_type);
            operators.push(resolved.function);
        }
        let plan = self.convert_outputs(plan, &wanted)?;
        Ok(Expression::Subquery(Box::new(Subquery {
            plan,
            kind: SubqueryKind::Compare { left: converted, operators, all },
            data_type: DataType::Boolean,
        })))
    }
}
