//! Columns, whole rows and fields.

use super::super::binder::Binder;
use super::super::expression::{Expression, Subscript};
use super::super::name::{fold, position};
use super::super::site::{Clause, Site};
use crate::error::{Error, Result, sqlstate};
use crate::types::{DataType, cast::CastContext};
use sqlparser::ast::{self, AccessExpr, Expr, Ident};

impl Binder<'_> {
    pub fn identifier(&mut self, site: &mut Site, identifier: &Ident) -> Result<Expression> {
        let name = fold(identifier);
        if site.scope.find(identifier)?.is_none()
            && let Some((_, output)) = site.aliases.iter().find(|(alias, _)| *alias == name)
        {
            return Ok(output.clone());
        }
        if site.clause == Clause::Default {
            return match self.keyword_call(site, &name)? {
                Some(call) if identifier.quote_style.is_none() => Ok(call),
                _ => Err(no_columns(position(identifier))),
            };
        }
        match site.scope.find(identifier)? {
            Some(found) => Ok(self.referenced(site, found, position(identifier))),
            None if identifier.quote_style.is_none() => match self.keyword_call(site, &name)? {
                Some(call) => Ok(call),
                None => site.scope.column(std::slice::from_ref(identifier)),
            },
            None => site.scope.column(std::slice::from_ref(identifier)),
        }
    }

    pub fn compound_identifier(&mut self, site: &mut Site, identifiers: &[Ident]) -> Result<Expression> {
        let at = identifiers.first().and_then(position);
        if site.clause == Clause::Default {
            return Err(no_columns(at));
        }
        let found = site.scope.column(identifiers)?;
        Ok(self.referenced(site, found, at))
    }

    /// Notes where columns are referred to, for messages about grouping.
    fn referenced(&mut self, site: &mut Site, found: Expression, at: Option<u32>) -> Expression {
        match &found {
            Expression::Column { id, .. } => {
                site.calls.references.push((*id, at));
                self.referenced.push(*id);
            }
            Expression::Row { fields } => {
                for field in fields {
                    if let Expression::Column { id, .. } = field {
                        site.calls.references.push((*id, at));
                        self.referenced.push(*id);
                    }
                }
            }
            _ => {}
        }
        found
    }

    /// `a[1]`, `(table).column`, `table.column[1]`
    pub fn field_access(&mut self, site: &mut Site, root: &Expr, chain: &[AccessExpr]) -> Result<Expression> {
        let mut names = match root {
            Expr::Identifier(identifier) => vec![identifier.clone()],
            Expr::CompoundIdentifier(identifiers) => identifiers.clone(),
            Expr::Nested(inner) => match &**inner {
                Expr::Identifier(table) => vec![table.clone()],
                Expr::CompoundIdentifier(identifiers) => identifiers.clone(),
                _ => vec![],
            },
            _ => vec![],
        };
        let mut rest = chain;
        if !names.is_empty() {
            while let [AccessExpr::Dot(Expr::Identifier(field)), after @ ..] = rest {
                names.push(field.clone());
                rest = after;
            }
        }
        let bound = match &names[..] {
            [] => self.expression(site, root)?,
            names => self.compound_identifier(site, names)?,
        };
        let mut subscripts = vec![];
        for access in rest {
            match access {
                AccessExpr::Subscript(subscript) => subscripts.push(subscript),
                AccessExpr::Dot(field) => {
                    return Err(Error::not_supported(format!("the field {field} of a row without a table")));
                }
            }
        }
        if subscripts.is_empty() { Ok(bound) } else { self.subscripts(site, bound, &subscripts) }
    }

    fn subscripts(&mut self, site: &mut Site, input: Expression, subscripts: &[&ast::Subscript]) -> Result<Expression> {
        let element = match input.data_type() {
            DataType::Array(element) => *element,
            DataType::Jsonb => return self.json_subscripts(site, input, subscripts),
            other => {
                let message =
                    format!("cannot subscript type {} because it does not support subscripting", other.name());
                return Err(Error::new(sqlstate::DATATYPE_MISMATCH, message));
            }
        };
        let data_type = input.data_type();
        let mut bound = vec![];
        let mut is_slice = false;
        for subscript in subscripts {
            bound.push(match subscript {
                ast::Subscript::Index { index } => Subscript::Index(self.subscript(site, index)?),
                ast::Subscript::Slice { lower_bound, upper_bound, stride: None } => {
                    is_slice = true;
                    let lower = lower_bound.as_ref().map(|bound| self.subscript(site, bound)).transpose()?;
                    let upper = upper_bound.as_ref().map(|bound| self.subscript(site, bound)).transpose()?;
                    Subscript::Slice(lower, upper)
                }
                ast::Subscript::Slice { stride: Some(_), .. } => return Err(Error::not_supported("a slice's stride")),
            });
        }
        let data_type = if is_slice { data_type } else { element };
        Ok(Expression::Subscript { input: Box::new(input), subscripts: bound, data_type })
    }

    fn subscript(&mut self, site: &mut Site, index: &Expr) -> Result<Expression> {
        let bound = self.expression(site, index)?;
        self.coerce(bound, DataType::Integer, -1, CastContext::Assignment, None)?
            .ok_or_else(|| Error::new(sqlstate::DATATYPE_MISMATCH, "array subscript must have type integer"))
    }

    /// jsonb takes keys and positions: `->` does the same.
    fn json_subscripts(
        &mut self,
        site: &mut Site,
        input: Expression,
        subscripts: &[&ast::Subscript],
    ) -> Result<Expression> {
        let mut bound = input;
        for subscript in subscripts {
            let ast::Subscript::Index { index } = subscript else {
                return Err(Error::new(sqlstate::DATATYPE_MISMATCH, "jsonb subscript does not support slices"));
            };
            let key = self.expression(site, index)?;
            let to = if key.data_type().is_integer() { DataType::Integer } else { DataType::Text };
            let key = self
                .coerce(key, to, -1, CastContext::Assignment, None)?
                .ok_or_else(|| Error::new(sqlstate::DATATYPE_MISMATCH, "subscript type is not supported"))?;
            bound = self.operation("->", Some(bound), key, (None, None))?;
        }
        Ok(bound)
    }
}

fn no_columns(at: Option<u32>) -> Error {
    Error::new(sqlstate::FEATURE_NOT_SUPPORTED, "cannot use column reference in DEFAULT expression").at(at)
}
