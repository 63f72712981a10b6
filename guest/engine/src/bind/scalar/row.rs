//! Rows and their comparison (PostgreSQL 15, sections 4.2.13 and 9.24.5).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::name::expression_position;
use super::super::site::Site;
use super::operator::{junction, row_fields, symbol};
use crate::error::{Error, Result, sqlstate};
use sqlparser::ast::{BinaryOperator, Expr};

impl Binder<'_> {
    pub fn row(&mut self, site: &mut Site, fields: &[Expr]) -> Result<Expression> {
        let fields = fields.iter().map(|field| self.settled(site, field)).collect::<Result<_>>()?;
        Ok(Expression::Row { fields })
    }

    /// `(a, b) < (c, d)`
    pub fn row_comparison(
        &mut self,
        site: &mut Site,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
    ) -> Result<Expression> {
        let symbol = symbol(operator)?;
        if let (Some(fields), Expr::Subquery(query)) = (row_fields(left), right) {
            let left_bound = self.arguments(site, &fields)?;
            let right_bound = self.row_of_subquery(site, query, fields.len())?;
            return self.compare_rows(left_bound, &symbol, right_bound, expression_position(left));
        }
        let (left_fields, right_fields) = match (row_fields(left), row_fields(right)) {
            (Some(left), Some(right)) => (left, right),
            _ => {
                let left_bound = self.expression(site, left)?;
                let right_bound = self.expression(site, right)?;
                let (Expression::Row { fields: left_fields }, Expression::Row { fields: right_fields }) =
                    (&left_bound, &right_bound)
                else {
                    return self.operation(&symbol, Some(left_bound), right_bound, (None, None));
                };
                return self.compare_rows(left_fields.clone(), &symbol, right_fields.clone(), None);
            }
        };
        if left_fields.len() != right_fields.len() {
            return Err(unequal(expression_position(left)));
        }
        let left_bound = self.arguments(site, &left_fields)?;
        let right_bound = self.arguments(site, &right_fields)?;
        self.compare_rows(left_bound, &symbol, right_bound, expression_position(left))
    }

    /// Field by field, the first difference deciding.
    pub fn compare_rows(
        &mut self,
        left: Vec<Expression>,
        symbol: &str,
        right: Vec<Expression>,
        at: Option<u32>,
    ) -> Result<Expression> {
        if left.len() != right.len() {
            return Err(unequal(at));
        }
        if left.is_empty() {
            let message = "cannot compare rows of zero length";
            return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(at));
        }
        let mut pairs = left.into_iter().zip(right);
        match symbol {
            "=" | "<>" => {
                let parts = pairs
                    .map(|(left, right)| self.operation(symbol, Some(left), right, (None, None)))
                    .collect::<Result<Vec<_>>>()?;
                Ok(if symbol == "=" { Expression::And(parts) } else { Expression::Or(parts) })
            }
            "<" | "<=" | ">" | ">=" => {
                let strict = &symbol[..1];
                let mut decided: Option<Expression> = None;
                // From the last field to the first: a < c OR (a = c AND rest).
                while let Some((left, right)) = pairs.next_back() {
                    decided = Some(match decided {
                        None => self.operation(symbol, Some(left), right, (None, None))?,
                        Some(rest) => {
                            let less = self.operation(strict, Some(left.clone()), right.clone(), (None, None))?;
                            let equal = self.operation("=", Some(left), right, (None, None))?;
                            junction(false, less, junction(true, equal, rest))
                        }
                    });
                }
                decided.ok_or_else(|| Error::internal("a comparison of no fields"))
            }
            other => {
                let message = format!("could not determine interpretation of row comparison operator {other}");
                Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message)
                    .hint("Row comparison operators must be associated with btree operator families.")
                    .at(at))
            }
        }
    }
}

fn unequal(at: Option<u32>) -> Error {
    Error::new(sqlstate::SYNTAX_ERROR, "unequal number of entries in row expressions").at(at)
}
