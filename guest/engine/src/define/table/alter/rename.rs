//! ALTER TABLE … RENAME.

use super::super::Draft;
use crate::bind::name::{fold, simple};
use crate::error::{Error, Result, sqlstate};
use crate::parse;
use sqlparser::ast::{Expr, Ident, ObjectName, VisitMut, VisitorMut};
use std::ops::ControlFlow;

pub fn table(draft: &mut Draft, name: &ObjectName) -> Result<()> {
    let name = fold(simple(name)?);
    if draft.is_taken(&name) {
        return Err(Error::new(sqlstate::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
    }
    draft.relation.name = name;
    Ok(())
}

pub fn column(draft: &mut Draft, old: &str, new: String) -> Result<()> {
    let position = draft.position(old, || format!("column \"{old}\" does not exist"))?;
    if draft.relation.live_columns().any(|(_, column)| column.name == new) {
        let message = format!("column \"{new}\" of relation \"{}\" already exists", draft.relation.name);
        return Err(Error::new(sqlstate::DUPLICATE_COLUMN, message));
    }
    for check in &mut draft.relation.checks {
        let mut expression = parse::parse_expression(&check.expression)?;
        let _ = VisitMut::visit(&mut expression, &mut Renaming { old, new: &new });
        check.expression = expression.to_string();
    }
    draft.relation.columns[position].name = new;
    Ok(())
}

struct Renaming<'a> {
    old: &'a str,
    new: &'a str,
}

impl VisitorMut for Renaming<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let name = match expression {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(names) => names.last_mut(),
            _ => None,
        };
        if let Some(name) = name.filter(|name| fold(name) == self.old) {
            *name = Ident::with_quote('"', self.new);
        }
        ControlFlow::Continue(())
    }
}

/// A key's constraint and its index have one name.
pub fn constraint(draft: &mut Draft, old: &str, new: String) -> Result<()> {
    if let Some(at) = draft.relation.checks.iter().position(|check| check.name == old) {
        if draft.relation.checks.iter().any(|check| check.name == new) {
            let message = format!("constraint \"{new}\" for relation \"{}\" already exists", draft.relation.name);
            return Err(Error::new(sqlstate::DUPLICATE_OBJECT, message));
        }
        draft.relation.checks[at].name = new;
        draft.relation.checks.sort_by(|left, right| left.name.cmp(&right.name));
        return Ok(());
    }
    let Some(at) = draft.relation.indexes.iter().position(|index| index.constraint && index.name == old) else {
        let message = format!("constraint \"{old}\" for table \"{}\" does not exist", draft.relation.name);
        return Err(Error::new(sqlstate::UNDEFINED_OBJECT, message));
    };
    if draft.is_taken(&new) {
        return Err(Error::new(sqlstate::DUPLICATE_TABLE, format!("relation \"{new}\" already exists")));
    }
    draft.relation.indexes[at].name = new;
    Ok(())
}
