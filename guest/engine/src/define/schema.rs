//! CREATE SCHEMA and DROP SCHEMA.

use super::dependents::{notice_cascade, still_needed};
use super::{DefineContext, drop};
use crate::access;
use crate::bind::name::{fold, simple};
use crate::catalog::{FIRST_USER_OID, PUBLIC, RelationKind, Schema, store};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use sqlparser::ast::{ObjectName, Owner, SchemaName};

pub fn create(context: &DefineContext, name: &SchemaName, if_not_exists: bool) -> Result<Outcome> {
    let (name, owner) = match name {
        SchemaName::Simple(name) => (fold(simple(name)?), None),
        SchemaName::NamedAuthorization(name, owner) => (fold(simple(name)?), Some(owner)),
        SchemaName::UnnamedAuthorization(owner) => (fold(owner), Some(owner)),
    };
    context.host.check(&[access::database(Action::Ddl)])?;
    let owner = match owner {
        Some(owner) => context.new_owner(&Owner::Ident(owner.clone()))?,
        None => context.creator(),
    };
    if name.starts_with("pg_") {
        return Err(Error::new("42939", format!("unacceptable schema name \"{name}\""))
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if context.catalog.schema(&name).is_some() {
        if if_not_exists {
            context.notice(sqlstate::DUPLICATE_SCHEMA, &format!("schema \"{name}\" already exists, skipping"));
            return Ok(super::complete("CREATE SCHEMA"));
        }
        return Err(Error::new(sqlstate::DUPLICATE_SCHEMA, format!("schema \"{name}\" already exists")));
    }
    let id = store::allocate_oids(context.host, 1)?;
    store::put_schema(context.host, &Schema { id, name, owner })?;
    Ok(super::complete("CREATE SCHEMA"))
}

pub fn drop(context: &DefineContext, names: &[ObjectName], if_exists: bool, cascade: bool) -> Result<Outcome> {
    let mut follow_up = vec![];
    for name in names {
        let name = fold(simple(name)?);
        let schema = match context.schema(&name) {
            Ok(schema) => schema.clone(),
            Err(_) if if_exists => {
                context.notice("00000", &format!("schema \"{name}\" does not exist, skipping"));
                continue;
            }
            Err(error) => return Err(error),
        };
        if schema.id < FIRST_USER_OID {
            let what = if schema.id == PUBLIC { "it is where relations go" } else { "the system needs it" };
            return Err(Error::new(
                sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
                format!("cannot drop schema {name} because {what}"),
            ));
        }
        context.may_define_in(&schema)?;
        let mut relations = context.catalog.relations();
        relations.retain(|relation| relation.schema_id == schema.id);
        let shown: Vec<String> = relations
            .iter()
            .map(|relation| {
                let kind = if relation.kind == RelationKind::Table { "table" } else { "view" };
                format!("{kind} {}", context.shown(relation))
            })
            .collect();
        if !cascade && !shown.is_empty() {
            let depends: Vec<_> = shown.iter().map(|shown| format!("{shown} depends on schema {name}")).collect();
            return Err(still_needed(&format!("schema {name}"), &depends));
        }
        notice_cascade(context, &shown);
        follow_up.extend(drop::relations(context, &relations, "table", true)?);
        store::delete_schema(context.host, &schema)?;
    }
    Ok(Outcome::Complete { tag: "DROP SCHEMA".into(), follow_up })
}
