//! IN, ANY and ALL (PostgreSQL 15, sections 9.23 and 9.24).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::name::expression_position;
use super::super::site::Site;
use super::operator::{row_fields, symbol};
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve::{self, common_type};
use crate::types::{DataType, Value};
use sqlparser::ast::{BinaryOperator, Expr, Query};

impl Binder<'_> {
    pub fn in_list(&mut self, site: &mut Site, input: &Expr, list: &[Expr], negated: bool) -> Result<Expression> {
        if let Some(fields) = row_fields(input) {
            return self.row_in_list(site, &fields, list, negated, expression_position(input));
        }
        let bound = self.expression(site, input)?;
        let items = list.iter().map(|item| self.expression(site, item)).collect::<Result<Vec<_>>>()?;
        if let Expression::Row { fields } = &bound {
            return Err(Error::not_supported(format!("IN for a row of {} columns", fields.len())));
        }
        let types: Vec<DataType> = std::iter::once(&bound).chain(&items).map(Expression::data_type).collect();
        let comparable = |common: &DataType| {
            resolve::operator("=", Some(*common), *common).is_ok_and(|equal| equal.argument_types == [*common; 2])
        };
        match common_type(&types, "IN").ok().filter(comparable) {
            Some(common) => {
                let input = self.implicit(bound, common, expression_position(input))?;
                let list = items
                    .into_iter()
                    .zip(list)
                    .map(|(item, written)| self.implicit(item, common, expression_position(written)))
                    .collect::<Result<_>>()?;
                Ok(Expression::InList { input: Box::new(input), list, negated })
            }
            None => {
                let symbol = if negated { "<>" } else { "=" };
                let parts = items
                    .into_iter()
                    .zip(list)
                    .map(|(item, written)| {
                        let at = (expression_position(input), expression_position(written));
                        self.operation(symbol, Some(bound.clone()), item, at)
                    })
                    .collect::<Result<Vec<_>>>()?;
                Ok(if negated { Expression::And(parts) } else { Expression::Or(parts) })
            }
        }
    }

    fn row_in_list(
        &mut self,
        site: &mut Site,
        fields: &[&Expr],
        list: &[Expr],
        negated: bool,
        at: Option<u32>,
    ) -> Result<Expression> {
        let symbol = if negated { "<>" } else { "=" };
        let mut parts = vec![];
        for item in list {
            let Some(item_fields) = row_fields(item) else {
                return Err(Error::not_supported("a row IN a list of other things").at(expression_position(item)));
            };
            let left = self.arguments(site, fields)?;
            let right = self.arguments(site, &item_fields)?;
            parts.push(self.compare_rows(left, symbol, right, at)?);
        }
        Ok(if negated { Expression::And(parts) } else { Expression::Or(parts) })
    }

    pub fn in_subquery(&mut self, site: &mut Site, input: &Expr, query: &Query, negated: bool) -> Result<Expression> {
        let left = match row_fields(input) {
            Some(fields) => self.arguments(site, &fields)?,
            None => vec![self.expression(site, input)?],
        };
        let found = self.compared_subquery(site, left, "=", query, false, expression_position(input))?;
        Ok(if negated { Expression::Not(Box::new(found)) } else { found })
    }

    /// `left operator ANY (…)` and ALL, of an array or a subquery.
    pub fn quantified(
        &mut self,
        site: &mut Site,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
        all: bool,
    ) -> Result<Expression> {
        let symbol = symbol(operator)?;
        let at = expression_position(left);
        let mut inner = right;
        while let Expr::Nested(nested) = inner {
            inner = nested;
        }
        if let Expr::Subquery(query) = inner {
            let left = match row_fields(left) {
                Some(fields) => self.arguments(site, &fields)?,
                None => vec![self.expression(site, left)?],
            };
            if left.len() > 1 && !matches!((symbol.as_str(), all), ("=", false)) {
                return Err(Error::not_supported(format!("comparing rows with a subquery by {symbol}")).at(at));
            }
            return self.compared_subquery(site, left, &symbol, query, all, at);
        }
        let left_bound = self.expression(site, left)?;
        let array = self.expression(site, inner)?;
        self.any_array(left_bound, &symbol, array, all, (at, expression_position(inner)))
    }

    fn any_array(
        &mut self,
        left: Expression,
        symbol: &str,
        array: Expression,
        all: bool,
        at: (Option<u32>, Option<u32>),
    ) -> Result<Expression> {
        let element = match array.data_type() {
            DataType::Array(element) => *element,
            DataType::Unknown => match left.data_type() {
                DataType::Unknown => DataType::Text,
                known => known,
            },
            _ => {
                let message = "op ANY/ALL (array) requires array on right side";
                return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message));
            }
        };
        let resolved = resolve::operator(symbol, Some(left.data_type()), element)?;
        if resolved.result != DataType::Boolean {
            let message = "op ANY/ALL (array) requires operator to yield boolean";
            return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message));
        }
        let [left_type, right_type] = resolved.argument_types[..] else {
            return Err(Error::internal("a binary operator without two arguments"));
        };
        let left = self.argument(left, left_type, at.0)?;
        let array = match array {
            Expression::Literal(Value::Null, _) => Expression::Literal(Value::Null, right_type.array_of()),
            array => self.implicit(array, right_type.array_of(), at.1)?,
        };
        Ok(Expression::AnyArray { left: Box::new(left), operator: resolved.function, array: Box::new(array), all })
    }
}
