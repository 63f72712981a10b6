//! SET column = value, in UPDATE and ON CONFLICT.

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::name::{expression_position, parts, position};
use super::super::select::values::is_default;
use super::super::site::Site;
use super::Target;
use crate::error::{Error, Result, sqlstate};
use sqlparser::ast::{
    self, Assignment, AssignmentTarget, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query,
};

impl Binder<'_> {
    pub fn assignments(
        &mut self,
        site: &mut Site,
        target: &Target,
        assignments: &[Assignment],
    ) -> Result<Vec<(usize, Expression)>> {
        let mut bound: Vec<(usize, Expression)> = vec![];
        for Assignment { target: columns, value } in assignments {
            match columns {
                AssignmentTarget::ColumnName(name) => {
                    let place = assigned_place(target, name)?;
                    bound.push((place, self.assigned(site, target, place, value)?));
                }
                AssignmentTarget::Tuple(names) => {
                    let places = names.iter().map(|name| assigned_place(target, name)).collect::<Result<Vec<_>>>()?;
                    bound.extend(self.assigned_row(site, target, &places, value)?);
                }
            }
        }
        for (index, (place, _)) in bound.iter().enumerate() {
            if bound[..index].iter().any(|(known, _)| known == place) {
                let message =
                    format!("multiple assignments to same column \"{}\"", target.relation.columns[*place].name);
                return Err(Error::new(sqlstate::SYNTAX_ERROR, message));
            }
        }
        Ok(bound)
    }

    fn assigned(&mut self, site: &mut Site, target: &Target, place: usize, value: &Expr) -> Result<Expression> {
        let column = &target.relation.columns[place];
        if is_default(value) {
            return self.default_value(column);
        }
        let bound = self.expression(site, value)?;
        self.assign(bound, column, expression_position(value))
    }

    /// `(a, b) = (1, 2)`, `= ROW(1, 2)`, `= (SELECT …)`
    fn assigned_row(
        &mut self,
        site: &mut Site,
        target: &Target,
        places: &[usize],
        value: &Expr,
    ) -> Result<Vec<(usize, Expression)>> {
        let fields: Vec<&Expr> = match value {
            Expr::Tuple(fields) => fields.iter().collect(),
            Expr::Nested(single) if places.len() == 1 => vec![single],
            Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("row") => row_fields(function)?,
            Expr::Subquery(query) => return self.assigned_subquery(site, target, places, query),
            _ => {
                let message = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
                return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(expression_position(value)));
            }
        };
        if fields.len() != places.len() {
            return Err(unequal());
        }
        places
            .iter()
            .zip(fields)
            .map(|(place, field)| Ok((*place, self.assigned(site, target, *place, field)?)))
            .collect()
    }

    /// One scalar subquery per column.
    fn assigned_subquery(
        &mut self,
        site: &mut Site,
        target: &Target,
        places: &[usize],
        query: &Query,
    ) -> Result<Vec<(usize, Expression)>> {
        let plan = self.inner_query(query, Some(site.scope))?;
        if plan.columns().len() != places.len() {
            return Err(unequal());
        }
        let fields = self.row_of_subquery(site, query, places.len())?;
        let columns = places.iter().map(|place| (*place, &target.relation.columns[*place]));
        columns.zip(fields).map(|((place, column), field)| Ok((place, self.assign(field, column, None)?))).collect()
    }
}

fn unequal() -> Error {
    Error::new(sqlstate::SYNTAX_ERROR, "number of columns does not match number of values")
}

fn assigned_place(target: &Target, name: &ast::ObjectName) -> Result<usize> {
    match parts(name)?[..] {
        [column] => target.place(column),
        [first, ..] => Err(target.place(first).err().unwrap_or_else(|| {
            Error::not_supported(format!("assigning to a part of the column {first}")).at(position(first))
        })),
        [] => Err(Error::internal("an assignment to nothing")),
    }
}

fn row_fields(function: &ast::Function) -> Result<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else { return Err(unequal()) };
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(field)) => Ok(field),
            _ => Err(Error::not_supported("this argument of ROW")),
        })
        .collect()
}
