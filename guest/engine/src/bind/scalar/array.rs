//! ARRAY[…] (PostgreSQL 15, section 4.2.12).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::name::expression_position;
use super::super::site::Site;
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;
use sqlparser::ast::{self, Expr};

impl Binder<'_> {
    pub fn array(&mut self, site: &mut Site, array: &ast::Array) -> Result<Expression> {
        self.array_of(site, array, None)
    }

    /// `element` comes from a cast around the constructor. Inner arrays make further dimensions: the elements are
    /// then arrays themselves.
    pub fn array_of(&mut self, site: &mut Site, array: &ast::Array, element: Option<DataType>) -> Result<Expression> {
        if array.elem.is_empty() {
            return match element {
                Some(element) => Ok(Expression::Array { elements: vec![], data_type: element.array_of() }),
                None => Err(Error::new(sqlstate::INDETERMINATE_DATATYPE, "cannot determine type of empty array")
                    .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")),
            };
        }
        let mut bound = Vec::with_capacity(array.elem.len());
        for item in &array.elem {
            bound.push(match item {
                Expr::Array(inner) => self.deeper(|binder| binder.array_of(site, inner, element))?,
                item => self.expression(site, item)?,
            });
        }
        let positions: Vec<_> = array.elem.iter().map(expression_position).collect();
        let (elements, common) = match element {
            Some(element) => {
                let converted = bound
                    .into_iter()
                    .zip(&positions)
                    .map(|(item, at)| {
                        let is_inner = item.data_type().element().is_some();
                        self.explicit(item, if is_inner { element.array_of() } else { element }, -1, *at)
                    })
                    .collect::<Result<Vec<_>>>()?;
                (converted, element)
            }
            None => self.unify(bound, "ARRAY", &positions)?,
        };
        Ok(Expression::Array { elements, data_type: common.array_of() })
    }
}
