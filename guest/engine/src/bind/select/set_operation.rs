//! UNION, INTERSECT, EXCEPT (PostgreSQL 15, sections 7.4 and 10.5).

use super::super::binder::Binder;
use super::super::logical::{Plan, PlanColumn, SetOperation, SetOperator};
use super::super::scope::Scope;
use super::Untyped;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve::common_type;
use crate::types::DataType;
use sqlparser::ast::{self, SetExpr, SetQuantifier};

impl Binder<'_> {
    /// A chain of set operations leans to the left: it is walked, not recursed into.
    pub fn set_operations(&mut self, body: &SetExpr, outer: Option<&Scope>) -> Result<Plan> {
        let mut spine = vec![];
        let mut leftmost = body;
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = leftmost {
            spine.push((op, set_quantifier, right));
            leftmost = left;
        }
        let mut plan = self.set_expression(leftmost, outer, Untyped::Keep)?;
        for (operator, quantifier, right) in spine.into_iter().rev() {
            let right = self.set_expression(right, outer, Untyped::Keep)?;
            plan = self.set_operation(plan, operator, quantifier, right)?;
        }
        Ok(plan)
    }

    fn set_operation(
        &mut self,
        left: Plan,
        operator: &ast::SetOperator,
        quantifier: &SetQuantifier,
        right: Plan,
    ) -> Result<Plan> {
        let (operator, name) = match operator {
            ast::SetOperator::Union => (SetOperator::Union, "UNION"),
            ast::SetOperator::Intersect => (SetOperator::Intersect, "INTERSECT"),
            ast::SetOperator::Except => (SetOperator::Except, "EXCEPT"),
            ast::SetOperator::Minus => return Err(Error::not_supported("MINUS")),
        };
        let all = match quantifier {
            SetQuantifier::All => true,
            SetQuantifier::Distinct | SetQuantifier::None => false,
            SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName => {
                return Err(Error::not_supported(format!("{name} BY NAME")));
            }
        };
        let (left_columns, right_columns) = (left.columns(), right.columns());
        let types = common_types(&left_columns, &right_columns, name)?;
        if !all && let Some(json) = types.iter().find(|data_type| **data_type == DataType::Json) {
            let message = format!("could not identify an equality operator for type {}", json.name());
            return Err(Error::new(sqlstate::UNDEFINED_FUNCTION, message));
        }
        let left = self.convert_outputs(left, &types)?;
        let right = self.convert_outputs(right, &types)?;
        let columns = left_columns
            .iter()
            .zip(&right_columns)
            .zip(&types)
            .map(|((left, right), data_type)| {
                let modifier = if left.modifier == right.modifier { left.modifier } else { -1 };
                self.column("", &left.name, *data_type, modifier)
            })
            .collect();
        Ok(Plan::SetOperation(Box::new(SetOperation { operator, all, left, right, columns })))
    }
}

/// The types that both sides are converted to.
pub fn common_types(left: &[PlanColumn], right: &[PlanColumn], name: &str) -> Result<Vec<DataType>> {
    if left.len() != right.len() {
        let message = format!("each {name} query must have the same number of columns");
        return Err(Error::new(sqlstate::SYNTAX_ERROR, message));
    }
    left.iter().zip(right).map(|(left, right)| common_type(&[left.data_type, right.data_type], name)).collect()
}
