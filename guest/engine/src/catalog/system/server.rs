//! pg_database, pg_roles, pg_user, pg_tablespace, pg_settings.

use super::{OWNER, Row, array, owner, text};
use crate::access;
use crate::catalog::DEFAULT_USER;
use crate::define::settings::current;
use crate::define::settings::known::{Kind, SETTINGS};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::{DataType, Value};

/// The oid of the only database, and of the only table space.
const DATABASE: u32 = 5;
const TABLESPACE: u32 = 1663;

/// pg_char_to_encoding('UTF8')
pub const UTF8: i32 = 6;

pub fn databases(context: &FunctionContext) -> Result<Vec<Row>> {
    Ok(vec![vec![
        ("oid", Value::Oid(DATABASE)),
        ("datname", text(&context.settings.database)),
        ("datdba", Value::Oid(OWNER)),
        ("encoding", Value::Integer(UTF8)),
        ("datlocprovider", text("c")),
        ("datistemplate", Value::Boolean(false)),
        ("datallowconn", Value::Boolean(true)),
        ("datconnlimit", Value::Integer(-1)),
        ("datfrozenxid", Value::Oid(0)),
        ("datminmxid", Value::Oid(0)),
        ("dattablespace", Value::Oid(TABLESPACE)),
        ("datcollate", text("C")),
        ("datctype", text("C")),
    ]])
}

/// The engine knows who asks and who owns something. What they may is the policies' affair: as far as the engine
/// knows, only the first user may everything.
pub fn roles(context: &FunctionContext) -> Result<Vec<Row>> {
    let role = |name: &String| {
        let first = name == DEFAULT_USER;
        let mut row = vec![
            ("oid", owner(name)),
            ("rolname", text(name)),
            ("rolconnlimit", Value::Integer(-1)),
            ("rolpassword", text("********")),
        ];
        row.extend(["rolinherit", "rolcanlogin"].map(|name| (name, Value::Boolean(true))));
        let everything = ["rolsuper", "rolcreaterole", "rolcreatedb", "rolbypassrls"];
        row.extend(everything.map(|name| (name, Value::Boolean(first))));
        row.push(("rolreplication", Value::Boolean(false)));
        row
    };
    Ok(access::users(context.catalog, &context.settings.user).iter().map(role).collect())
}

pub fn users(context: &FunctionContext) -> Result<Vec<Row>> {
    let user = |name: &String| {
        let mut row = vec![
            ("usename", text(name)),
            ("usesysid", owner(name)),
            ("userepl", Value::Boolean(false)),
            ("passwd", text("********")),
        ];
        let everything = ["usecreatedb", "usesuper", "usebypassrls"];
        row.extend(everything.map(|column| (column, Value::Boolean(name == DEFAULT_USER))));
        row
    };
    Ok(access::users(context.catalog, &context.settings.user).iter().map(user).collect())
}

pub fn tablespaces(_: &FunctionContext) -> Result<Vec<Row>> {
    Ok(vec![vec![("oid", Value::Oid(TABLESPACE)), ("spcname", text("pg_default")), ("spcowner", Value::Oid(OWNER))]])
}

pub fn settings(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for known in SETTINGS {
        let value = current(context.settings, known.name).unwrap_or_default();
        let (vartype, bounds, choices) = match known.kind {
            Kind::Boolean => ("bool", None, None),
            Kind::Integer { minimum, maximum, .. } => ("integer", Some((minimum, maximum)), None),
            Kind::Choice(choices) => ("enum", None, Some(choices)),
            Kind::Real => ("real", None, None),
            _ => ("string", None, None),
        };
        let unit = match known.kind {
            Kind::Integer { unit, .. } if !unit.is_empty() => text(unit),
            _ => Value::Null,
        };
        let changed = context.settings.changed.iter().any(|(name, _)| name.eq_ignore_ascii_case(known.name));
        let bound = |bound: Option<i64>| bound.map_or(Value::Null, |bound| text(bound.to_string()));
        rows.push(vec![
            ("name", text(known.name)),
            ("setting", text(value)),
            ("unit", unit),
            ("category", text("")),
            ("short_desc", text(known.description)),
            ("context", text(if known.kind == Kind::Preset { "internal" } else { "user" })),
            ("vartype", text(vartype)),
            ("source", text(if changed { "session" } else { "default" })),
            ("min_val", bound(bounds.map(|(minimum, _)| minimum))),
            ("max_val", bound(bounds.map(|(_, maximum)| maximum))),
            (
                "enumvals",
                choices.map_or(Value::Null, |choices| array(DataType::Text, choices.iter().map(text).collect())),
            ),
            ("boot_val", text(known.default)),
            ("reset_val", text(known.default)),
            ("pending_restart", Value::Boolean(false)),
        ]);
    }
    Ok(rows)
}
