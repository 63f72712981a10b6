//! DROP TABLE and DROP VIEW.

use super::dependents::{all_views_on, notice_cascade, still_needed};
use super::{DefineContext, removal};
use crate::bind::name::{QualifiedName, qualified};
use crate::catalog::{Relation, RelationKind, store};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use sqlparser::ast::ObjectName;
use std::rc::Rc;

pub fn tables(context: &DefineContext, names: &[ObjectName], if_exists: bool, cascade: bool) -> Result<Outcome> {
    let is_table = |relation: &Relation| matches!(relation.kind, RelationKind::Table);
    let tables = named(context, names, "table", if_exists, is_table)?;
    let follow_up = relations(context, &tables, "table", cascade)?;
    Ok(Outcome::Complete { tag: "DROP TABLE".into(), follow_up })
}

pub fn views(context: &DefineContext, names: &[ObjectName], if_exists: bool, cascade: bool) -> Result<Outcome> {
    let is_view = |relation: &Relation| matches!(relation.kind, RelationKind::View { .. });
    let views = named(context, names, "view", if_exists, is_view)?;
    relations(context, &views, "view", cascade)?;
    Ok(super::complete("DROP VIEW"))
}

fn named(
    context: &DefineContext,
    names: &[ObjectName],
    kind: &str,
    if_exists: bool,
    is_kind: impl Fn(&Relation) -> bool,
) -> Result<Vec<Rc<Relation>>> {
    let mut found: Vec<Rc<Relation>> = vec![];
    for name in names {
        let name = qualified(name)?;
        match context.find(&name) {
            Some(relation) if is_kind(&relation) => {
                context.may(Action::Ddl, &relation)?;
                if !found.iter().any(|known| known.id == relation.id) {
                    found.push(relation);
                }
            }
            Some(relation) => return Err(wrong_kind(&relation, kind)),
            None => missing(context, &name, kind, if_exists, sqlstate::UNDEFINED_TABLE)?,
        }
    }
    Ok(found)
}

/// What a name that means nothing leads to: a notice with IF EXISTS, or an error.
pub fn missing(
    context: &DefineContext,
    name: &QualifiedName,
    kind: &str,
    if_exists: bool,
    sqlstate: &str,
) -> Result<()> {
    let no_schema = name.schema.as_ref().filter(|schema| context.catalog.schema(schema).is_none());
    match (no_schema, if_exists) {
        (Some(schema), true) => context.notice("00000", &format!("schema \"{schema}\" does not exist, skipping")),
        (None, true) => context.notice("00000", &format!("{kind} \"{}\" does not exist, skipping", name.name)),
        (Some(schema), false) => context.schema(schema).map(|_| ())?,
        (None, false) => return Err(Error::new(sqlstate, format!("{kind} \"{}\" does not exist", name.shown()))),
    }
    Ok(())
}

fn wrong_kind(relation: &Relation, wanted: &str) -> Error {
    let hint = match relation.kind {
        RelationKind::Table => "Use DROP TABLE to remove a table.",
        RelationKind::View { .. } => "Use DROP VIEW to remove a view.",
        RelationKind::System => return super::context::system_relation(relation),
    };
    Error::new(sqlstate::WRONG_OBJECT_TYPE, format!("\"{}\" is not a {wanted}", relation.name)).hint(hint)
}

/// Drops relations and, with CASCADE, the views on them. Answers the statements that remove what is left of big tables.
pub fn relations(context: &DefineContext, dropped: &[Rc<Relation>], kind: &str, cascade: bool) -> Result<Vec<String>> {
    let mut dependents: Vec<Rc<Relation>> = vec![];
    for relation in dropped {
        let views = all_views_on(context, relation);
        let is_new = |view: &&Rc<Relation>| !dropped.iter().chain(&dependents).any(|known| known.id == view.id);
        let new: Vec<_> = views.iter().filter(is_new).cloned().collect();
        if !cascade && !new.is_empty() {
            let what = format!("{kind} {}", context.shown(relation));
            let depends = |view: &Rc<Relation>| format!("view {} depends on {what}", context.shown(view));
            return Err(still_needed(&what, &new.iter().map(depends).collect::<Vec<_>>()));
        }
        dependents.extend(new);
    }
    let shown: Vec<String> = dependents.iter().map(|view| format!("view {}", context.shown(view))).collect();
    notice_cascade(context, &shown);
    let mut statements = vec![];
    for relation in dropped.iter().chain(&dependents) {
        store::delete_relation(context.host, &context.catalog, relation)?;
        if relation.kind != RelationKind::Table {
            continue;
        }
        statements.extend(removal::table(context, relation)?);
    }
    Ok(statements)
}
