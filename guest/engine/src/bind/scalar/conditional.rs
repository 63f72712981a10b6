//! CASE, COALESCE, GREATEST, LEAST, and tests for NULL and difference.

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::name::expression_position;
use super::super::site::Site;
use super::operator::row_fields;
use crate::error::Result;
use crate::types::{DataType, Value};
use sqlparser::ast::{CaseWhen, Expr};

impl Binder<'_> {
    pub fn case(
        &mut self,
        site: &mut Site,
        operand: Option<&Expr>,
        whens: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Result<Expression> {
        let before = site.in_conditional.replace("CASE");
        let bound = self.case_inside(site, operand, whens, otherwise);
        site.in_conditional = before;
        bound
    }

    fn case_inside(
        &mut self,
        site: &mut Site,
        operand: Option<&Expr>,
        whens: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Result<Expression> {
        let compared = match operand {
            Some(operand) => Some(self.settled(site, operand)?),
            None => None,
        };
        match compared {
            Some(volatile) if crate::bind::is_volatile(&volatile) => self
                .once(volatile, |binder, compared| binder.case_over(site, operand, Some(compared), whens, otherwise)),
            compared => self.case_over(site, operand, compared, whens, otherwise),
        }
    }

    fn case_over(
        &mut self,
        site: &mut Site,
        operand: Option<&Expr>,
        compared: Option<Expression>,
        whens: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Result<Expression> {
        let mut conditions = vec![];
        let mut results = vec![];
        // PostgreSQL looks at ELSE first when it settles the common type.
        let (otherwise, otherwise_at) = match otherwise {
            Some(otherwise) => (self.expression(site, otherwise)?, expression_position(otherwise)),
            None => (Expression::Literal(Value::Null, DataType::Unknown), None),
        };
        let mut positions = vec![otherwise_at];
        results.push(otherwise);
        for CaseWhen { condition, result } in whens {
            conditions.push(match (&compared, operand) {
                (Some(compared), Some(operand)) => {
                    let value = self.expression(site, condition)?;
                    let at = (expression_position(operand), expression_position(condition));
                    self.operation("=", Some(compared.clone()), value, at)?
                }
                _ => self.boolean(site, condition, "CASE/WHEN")?,
            });
            results.push(self.expression(site, result)?);
            positions.push(expression_position(result));
        }
        let (unified, data_type) = self.unify(results, "CASE", &positions)?;
        let mut unified = unified.into_iter();
        let otherwise = unified.next().filter(|otherwise| !matches!(otherwise, Expression::Literal(Value::Null, _)));
        Ok(Expression::Case {
            branches: conditions.into_iter().zip(unified).collect(),
            otherwise: otherwise.map(Box::new),
            data_type,
        })
    }

    fn unified_arguments(
        &mut self,
        site: &mut Site,
        construct: &'static str,
        arguments: &[&Expr],
    ) -> Result<(Vec<Expression>, DataType)> {
        let positions: Vec<_> = arguments.iter().map(|argument| expression_position(argument)).collect();
        let before = site.in_conditional.replace(construct);
        let bound = self.arguments(site, arguments);
        site.in_conditional = before;
        self.unify(bound?, construct, &positions)
    }

    pub fn coalesce(&mut self, site: &mut Site, arguments: &[&Expr]) -> Result<Expression> {
        let (arguments, data_type) = self.unified_arguments(site, "COALESCE", arguments)?;
        Ok(Expression::Coalesce { arguments, data_type })
    }

    pub fn extreme(&mut self, site: &mut Site, arguments: &[&Expr], greatest: bool) -> Result<Expression> {
        let construct = if greatest { "GREATEST" } else { "LEAST" };
        let (arguments, data_type) = self.unified_arguments(site, construct, arguments)?;
        Ok(match greatest {
            true => Expression::Greatest { arguments, data_type },
            false => Expression::Least { arguments, data_type },
        })
    }

    /// A row is NULL when all of its fields are, and NOT NULL when none is.
    pub fn is_null(&mut self, site: &mut Site, input: &Expr, negated: bool) -> Result<Expression> {
        let bound = match self.settled(site, input)? {
            // A whole row of an outer join: it is NULL as a whole exactly where all of its columns are.
            Expression::Case { otherwise: Some(row), .. } if matches!(*row, Expression::Row { .. }) => *row,
            bound => bound,
        };
        Ok(match bound {
            Expression::Row { fields } => Expression::And(
                fields.into_iter().map(|field| Expression::IsNull { input: Box::new(field), negated }).collect(),
            ),
            bound => Expression::IsNull { input: Box::new(bound), negated },
        })
    }

    pub fn is_distinct(&mut self, site: &mut Site, left: &Expr, right: &Expr, negated: bool) -> Result<Expression> {
        if let (Some(left), Some(right)) = (row_fields(left), row_fields(right))
            && left.len() == right.len()
        {
            let parts = left
                .into_iter()
                .zip(right)
                .map(|(left, right)| self.is_distinct(site, left, right, negated))
                .collect::<Result<Vec<_>>>()?;
            return Ok(if negated { Expression::And(parts) } else { Expression::Or(parts) });
        }
        let left_bound = self.expression(site, left)?;
        let right_bound = self.expression(site, right)?;
        let at = (expression_position(left), expression_position(right));
        // Being distinct from NULL needs no equality, which json does not have.
        let is_null = |side: &Expression| matches!(side, Expression::Literal(Value::Null, DataType::Unknown));
        for (side, other) in [(&left_bound, &right_bound), (&right_bound, &left_bound)] {
            if side.data_type() == DataType::Json && is_null(other) {
                return Ok(Expression::IsNull { input: Box::new(side.clone()), negated: !negated });
            }
        }
        let equal = crate::functions::resolve::operator("=", Some(left_bound.data_type()), right_bound.data_type())?;
        let mut wanted = equal.argument_types.into_iter();
        let (left_type, right_type) =
            (wanted.next().unwrap_or(left_bound.data_type()), wanted.next().unwrap_or(right_bound.data_type()));
        let left = self.argument(left_bound, left_type, at.0)?;
        let right = self.argument(right_bound, right_type, at.1)?;
        // Both sides in one type: int = bigint compares as it is, but difference needs like with like.
        let (mut sides, _) = self.unify(vec![left, right], "IS DISTINCT FROM", &[at.0, at.1])?;
        match (sides.pop(), sides.pop()) {
            (Some(right), Some(left)) => {
                Ok(Expression::IsDistinct { left: Box::new(left), right: Box::new(right), negated })
            }
            _ => Err(crate::error::Error::internal("a comparison of fewer than two sides")),
        }
    }
}
