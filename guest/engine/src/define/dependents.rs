//! Views that stand on relations.

use super::DefineContext;
use crate::bind::name::fold;
use crate::catalog::{Relation, RelationKind, View, ViewRelation};
use crate::error::{Error, Result, sqlstate};
use crate::parse;
use sqlparser::ast::{Expr, SelectItem, Visit, Visitor};
use std::ops::ControlFlow;
use std::rc::Rc;

/// Views that take rows from a relation themselves.
pub fn views_on(context: &DefineContext, relation: &Relation) -> Vec<Rc<Relation>> {
    let mut views = context.catalog.relations();
    views.retain(|view| uses(view, relation).is_some());
    views
}

/// How a view names a relation, if it does.
fn uses<'v>(view: &'v Relation, relation: &Relation) -> Option<(&'v View, &'v ViewRelation)> {
    let RelationKind::View(view) = &view.kind else { return None };
    view.relations.iter().find(|used| used.id == relation.id).map(|used| (view, used))
}

/// Views that take rows from these relations, and views on those, and so on; nearest first.
pub fn all_views_on(context: &DefineContext, relation: &Rc<Relation>) -> Vec<Rc<Relation>> {
    let mut found: Vec<Rc<Relation>> = vec![];
    let mut waiting = vec![relation.clone()];
    while let Some(next) = waiting.pop() {
        for view in views_on(context, &next) {
            if !found.iter().any(|known| known.id == view.id) {
                found.push(view.clone());
                waiting.push(view);
            }
        }
    }
    found
}

/// Views on a relation whose text may use one of its columns.
pub fn views_on_column(context: &DefineContext, relation: &Relation, position: usize) -> Result<Vec<Rc<Relation>>> {
    let mut found = vec![];
    for view in views_on(context, relation) {
        if let Some((View { sql, .. }, used)) = uses(&view, relation)
            && let Some(Some(name)) = used.columns.get(position)
            && uses_column(sql, name)?
        {
            found.push(view.clone());
        }
    }
    Ok(found)
}

fn uses_column(sql: &str, column: &str) -> Result<bool> {
    struct Search<'a>(&'a str);
    impl Visitor for Search<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            let named = match expression {
                Expr::Identifier(name) => fold(name) == self.0,
                Expr::CompoundIdentifier(names) => names.iter().any(|name| fold(name) == self.0),
                Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => true,
                _ => false,
            };
            if named { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }

        fn pre_visit_select(&mut self, select: &sqlparser::ast::Select) -> ControlFlow<()> {
            let is_wildcard =
                |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
            if select.projection.iter().any(is_wildcard) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    Ok(parse::parse(sql)?.visit(&mut Search(column)).is_break())
}

/// 2BP01: something stands on what is to be dropped.
pub fn still_needed(what: &str, dependents: &[String]) -> Error {
    Error::new(
        sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
        format!("cannot drop {what} because other objects depend on it"),
    )
    .detail(dependents.join("\n"))
    .hint("Use DROP ... CASCADE to drop the dependent objects too.")
}

/// The notice of a CASCADE.
pub fn notice_cascade(context: &DefineContext, dropped: &[String]) {
    match dropped {
        [] => {}
        [one] => context.notice("00000", &format!("drop cascades to {one}")),
        several => context.notice("00000", &format!("drop cascades to {} other objects", several.len())),
    }
}
