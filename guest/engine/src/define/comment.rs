//! COMMENT ON.

use super::DefineContext;
use crate::access;
use crate::bind::name::{QualifiedName, fold, parts, position, qualified, simple};
use crate::catalog::{RelationKind, store};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use sqlparser::ast::{CommentObject, ObjectName};

pub fn execute(
    context: &DefineContext,
    object_type: CommentObject,
    name: &ObjectName,
    comment: Option<&str>,
    if_exists: bool,
) -> Result<Outcome> {
    if if_exists {
        return Err(Error::not_supported("COMMENT IF EXISTS"));
    }
    // An empty comment is none.
    let comment = comment.filter(|comment| !comment.is_empty());
    let (oid, column) = match object_type {
        CommentObject::Table => (relation(context, &qualified(name)?, "table")?, 0),
        CommentObject::View => (relation(context, &qualified(name)?, "view")?, 0),
        CommentObject::Column => column(context, name)?,
        CommentObject::Index => {
            let name = qualified(name)?;
            let (relation, index) = context.find_index(&name).ok_or_else(|| undefined(&name))?;
            context.may(Action::Ddl, &relation)?;
            (relation.indexes[index].oid, 0)
        }
        CommentObject::Procedure | CommentObject::Function => (procedure(context, object_type, &qualified(name)?)?, 0),
        CommentObject::Schema => {
            let schema = context.schema(&fold(simple(name)?))?;
            context.may_define_in(schema)?;
            (schema.id, 0)
        }
        CommentObject::Database => {
            context.host.check(&[access::database(Action::Ddl)])?;
            return Ok(super::complete("COMMENT"));
        }
        other => return Err(Error::not_supported(format!("COMMENT ON {other}"))),
    };
    store::put_comment(context.host, oid, column, comment)?;
    Ok(super::complete("COMMENT"))
}

fn relation(context: &DefineContext, name: &QualifiedName, kind: &str) -> Result<u32> {
    let relation = context.find(name).ok_or_else(|| undefined(name))?;
    let is_kind = match relation.kind {
        RelationKind::Table => kind == "table",
        RelationKind::View { .. } => kind == "view",
        RelationKind::System => return Err(super::context::system_relation(&relation)),
    };
    if is_kind {
        context.may(Action::Ddl, &relation)?;
        Ok(relation.id)
    } else {
        Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, format!("\"{}\" is not a {kind}", name.name)))
    }
}

/// A procedure's OID, or its function's: FUNCTION means a function first, PROCEDURE a procedure.
fn procedure(context: &DefineContext, object_type: CommentObject, name: &QualifiedName) -> Result<u32> {
    let routine = context.catalog.routine(name.schema.as_deref(), &name.name, &context.settings.search_path);
    let routine = routine.map(|callable| (callable.routine.oid, callable.target.procedure.as_str()));
    let procedure = context.catalog.procedure(&name.name).map(|procedure| (procedure.id, procedure.name.as_str()));
    let (found, kind) = match object_type {
        CommentObject::Function => (routine.or(procedure), "function"),
        _ => (procedure.or(routine), "procedure"),
    };
    let (oid, procedure) = found.ok_or_else(|| {
        let message = format!("could not find a {kind} named \"{}\"", name.shown());
        Error::new(sqlstate::UNDEFINED_FUNCTION, message)
    })?;
    if let Some(procedure) = context.catalog.procedure(procedure) {
        context.may_deploy(procedure)?;
    }
    Ok(oid)
}

fn column(context: &DefineContext, name: &ObjectName) -> Result<(u32, u32)> {
    let parts = parts(name)?;
    let (schema, table, column) = match parts[..] {
        [table, column] => (None, table, column),
        [schema, table, column] => (Some(fold(schema)), table, column),
        _ => return Err(Error::new(sqlstate::SYNTAX_ERROR, "column name must be qualified")),
    };
    let name = QualifiedName { schema, name: fold(table), position: position(table) };
    let relation = context.find(&name).ok_or_else(|| undefined(&name))?;
    context.may(Action::Ddl, &relation)?;
    let column = fold(column);
    let found = relation.live_columns().find(|(_, known)| known.name == column).map(|(at, _)| at as u32 + 1);
    let number = found.ok_or_else(|| {
        let message = format!("column \"{column}\" of relation \"{}\" does not exist", relation.name);
        Error::new(sqlstate::UNDEFINED_COLUMN, message)
    })?;
    Ok((relation.id, number))
}

fn undefined(name: &QualifiedName) -> Error {
    Error::new(sqlstate::UNDEFINED_TABLE, format!("relation \"{}\" does not exist", name.shown()))
}
