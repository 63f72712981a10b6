//! CREATE INDEX, ALTER INDEX, DROP INDEX.

pub mod alter;
pub mod build;
pub mod create;

use super::{DefineContext, drop as drop_relations, removal};
use crate::bind::name::qualified;
use crate::catalog::{Relation, store};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use sqlparser::ast::ObjectName;

pub fn drop(context: &DefineContext, names: &[ObjectName], if_exists: bool) -> Result<Outcome> {
    let mut follow_up = vec![];
    let mut changed: Vec<Relation> = vec![];
    for name in names {
        let name = qualified(name)?;
        let Some((relation, position)) = context.find_index(&name) else {
            if context.find(&name).is_some() {
                let message = format!("\"{}\" is not an index", name.name);
                return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message).hint("Use DROP TABLE to remove a table."));
            }
            drop_relations::missing(context, &name, "index", if_exists, sqlstate::UNDEFINED_OBJECT)?;
            continue;
        };
        context.may(Action::Ddl, &relation)?;
        let index = &relation.indexes[position];
        if index.constraint {
            let (index, table) = (&index.name, context.shown(&relation));
            return Err(Error::new(
                sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
                format!("cannot drop index {index} because constraint {index} on table {table} requires it"),
            )
            .hint(format!("You can drop constraint {index} on table {table} instead.")));
        }
        follow_up.extend(removal::index(context, relation.id, index.id)?);
        let known = changed.iter().position(|changed| changed.id == relation.id);
        let at = known.unwrap_or_else(|| {
            changed.push((*relation).clone());
            changed.len() - 1
        });
        changed[at].indexes.retain(|known| known.id != index.id);
        let previous = context.catalog.relation_by_id(relation.id);
        store::put_comment(context.host, index.oid, 0, None)?;
        store::put_relation(context.host, previous.as_deref(), &changed[at])?;
    }
    Ok(Outcome::Complete { tag: "DROP INDEX".into(), follow_up })
}
