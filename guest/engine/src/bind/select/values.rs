//! VALUES lists (PostgreSQL 15, section 7.7).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::logical::Plan;
use super::super::name::expression_position;
use super::super::scope::Scope;
use super::super::site::{Clause, Site};
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;
use sqlparser::ast::{Expr, Values};

impl Binder<'_> {
    pub fn values(&mut self, values: &Values, outer: Option<&Scope>) -> Result<Plan> {
        let Values { explicit_row: false, value_keyword: false, rows } = values else {
            return Err(Error::not_supported("this form of VALUES"));
        };
        let scope = Scope::inside(outer, Default::default());
        let mut bound = Vec::with_capacity(rows.len());
        for row in rows {
            let mut site = Site::new(&scope, Clause::Values);
            let row = row.iter().map(|value| {
                if is_default(value) {
                    let message = "DEFAULT is not allowed in this context";
                    return Err(Error::new(sqlstate::SYNTAX_ERROR, message).at(expression_position(value)));
                }
                self.expression(&mut site, value)
            });
            bound.push(row.collect::<Result<Vec<_>>>()?);
        }
        let width = bound.first().map_or(0, Vec::len);
        if let Some(odd) = bound.iter().position(|row| row.len() != width) {
            let at = rows.get(odd).and_then(|row| row.first()).and_then(expression_position);
            return Err(Error::new(sqlstate::SYNTAX_ERROR, "VALUES lists must all be the same length").at(at));
        }
        let mut types: Vec<DataType> = vec![];
        for column in 0..width {
            let items: Vec<Expression> = bound.iter_mut().map(|row| take(&mut row[column])).collect();
            let positions: Vec<_> = rows.iter().map(|row| row.get(column).and_then(expression_position)).collect();
            let (items, common) = self.unify(items, "VALUES", &positions)?;
            types.push(common);
            for (row, item) in bound.iter_mut().zip(items) {
                row[column] = item;
            }
        }
        let columns = types
            .into_iter()
            .enumerate()
            .map(|(index, data_type)| self.column("*VALUES*", &format!("column{}", index + 1), data_type, -1))
            .collect();
        Ok(Plan::Values { columns, rows: bound })
    }
}

fn take(slot: &mut Expression) -> Expression {
    std::mem::replace(slot, Expression::Literal(crate::types::Value::Null, DataType::Unknown))
}

/// The word DEFAULT where INSERT and UPDATE take it for a value.
pub fn is_default(value: &Expr) -> bool {
    matches!(value, Expr::Identifier(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default"))
}
