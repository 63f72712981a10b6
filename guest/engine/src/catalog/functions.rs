//! Functions that answer from the catalog (PostgreSQL 15, section 9.26).

use super::procedure::Callable;
use super::{Catalog, Index, Relation, RelationKind, View, definition, quote_identifier, system};
use crate::access;
use crate::bind::name::split_qualified;
use crate::define::settings;
use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction, Settings, Signature};
use crate::statement::Control;
use crate::types::text::registered::type_named;
use crate::types::{DataType, Value};
use std::rc::Rc;

const REGCLASS: Signature = Signature::Exact(DataType::Regclass);
const REGTYPE: Signature = Signature::Exact(DataType::Regtype);
const REGNAMESPACE: Signature = Signature::Exact(DataType::Regnamespace);

/// Whether an object is found by its name alone: always.
fn yes(_: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(true))
}

fn no(_: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(false))
}

fn nothing(_: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::Null)
}

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("format_type", &[OID, INTEGER], TEXT, format_type).not_strict().stable(),
    function("pg_get_indexdef", &[OID], TEXT, index_definition).stable(),
    function("pg_get_indexdef", &[OID, INTEGER, BOOLEAN], TEXT, index_definition).stable(),
    function("pg_get_constraintdef", &[OID], TEXT, constraint_definition).stable(),
    function("pg_get_constraintdef", &[OID, BOOLEAN], TEXT, constraint_definition).stable(),
    function("pg_get_expr", &[TEXT, OID], TEXT, expression).stable(),
    function("pg_get_expr", &[TEXT, OID, BOOLEAN], TEXT, expression).stable(),
    function("pg_get_viewdef", &[OID], TEXT, view_definition).stable(),
    function("pg_get_viewdef", &[OID, BOOLEAN], TEXT, view_definition).stable(),
    function("pg_get_userbyid", &[OID], NAME, user_by_oid).stable(),
    function("pg_get_serial_sequence", &[TEXT, TEXT], TEXT, nothing).stable(),
    function("pg_get_partkeydef", &[OID], TEXT, nothing).stable(),
    function("pg_get_ruledef", &[OID], TEXT, nothing).stable(),
    function("pg_get_triggerdef", &[OID], TEXT, nothing).stable(),
    function("pg_get_statisticsobjdef_columns", &[OID], TEXT, nothing).stable(),
    function("pg_get_function_arguments", &[OID], TEXT, |context, arguments| {
        optional_text(routine(context, arguments)?.map(|routine| system::routine_arguments(&routine, true)))
    })
    .stable(),
    function("pg_get_function_identity_arguments", &[OID], TEXT, |context, arguments| {
        optional_text(routine(context, arguments)?.map(|routine| system::routine_arguments(&routine, false)))
    })
    .stable(),
    function("pg_get_function_result", &[OID], TEXT, |context, arguments| {
        optional_text(routine(context, arguments)?.map(|routine| system::routine_result(&routine)))
    })
    .stable(),
    function("pg_get_function_sqlbody", &[OID], TEXT, nothing).stable(),
    function("pg_table_is_visible", &[OID], BOOLEAN, is_visible).stable(),
    function("pg_type_is_visible", &[OID], BOOLEAN, yes).stable(),
    function("pg_function_is_visible", &[OID], BOOLEAN, yes).stable(),
    function("pg_operator_is_visible", &[OID], BOOLEAN, yes).stable(),
    function("pg_opclass_is_visible", &[OID], BOOLEAN, yes).stable(),
    function("pg_collation_is_visible", &[OID], BOOLEAN, yes).stable(),
    function("pg_relation_is_publishable", &[REGCLASS], BOOLEAN, no).stable(),
    function("obj_description", &[OID], TEXT, description).stable(),
    function("obj_description", &[OID, NAME], TEXT, description).stable(),
    function("shobj_description", &[OID, NAME], TEXT, nothing).stable(),
    function("col_description", &[OID, INTEGER], TEXT, column_description).stable(),
    function("to_regclass", &[TEXT], REGCLASS, to_regclass).stable(),
    function("to_regtype", &[TEXT], REGTYPE, to_regtype).stable(),
    function("to_regnamespace", &[TEXT], REGNAMESPACE, to_regnamespace).stable(),
    function("pg_encoding_to_char", &[INTEGER], NAME, encoding).stable(),
    function("set_config", &[TEXT, TEXT, BOOLEAN], TEXT, set_config).not_strict().volatile(),
    function("pg_is_in_recovery", &[], BOOLEAN, no).stable(),
];

fn optional_text(text: Option<String>) -> Result<Value> {
    Ok(text.map_or(Value::Null, |text| Value::text(&text)))
}

/// As PostgreSQL says it of users that are not there.
fn user_by_oid(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let oid = arguments.oid(0)?;
    let users = access::users(context.catalog, &context.settings.user);
    let found = users.into_iter().find(|user| access::user_oid(user) == oid);
    Ok(Value::text(&found.unwrap_or_else(|| format!("unknown (OID={oid})"))))
}

fn format_type(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments[0].is_null() {
        return Ok(Value::Null);
    }
    let modifier = if arguments[1].is_null() { -1 } else { arguments.integer(1)? };
    Ok(Value::text(&match (arguments.oid(0)?, modifier) {
        (0, _) => "-".into(),
        (oid, modifier) => match DataType::from_oid(oid) {
            // Without a modifier `character` would mean character(1), unless that is what is asked for.
            Some(DataType::Char) if arguments[1].is_null() => "character".into(),
            Some(data_type) => definition::type_name(data_type, modifier),
            None => "???".into(),
        },
    }))
}

fn index_definition(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let Some((relation, position)) = context.catalog.index_by_oid(arguments.oid(0)?) else { return Ok(Value::Null) };
    let index: &Index = &relation.indexes[position];
    let column = if arguments.len() > 1 { arguments.integer(1)? } else { 0 };
    optional_text(match usize::try_from(column) {
        Ok(0) => Some(definition::index(context.catalog, &relation, index)),
        Ok(number) if number <= index.columns.len() + index.include.len() => {
            Some(definition::index_column(&relation, index, number - 1, false))
        }
        _ => Some(String::new()),
    })
}

fn constraint_definition(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let oid = arguments.oid(0)?;
    if let Some((relation, position)) = context.catalog.index_by_oid(oid) {
        return optional_text(Some(definition::key_constraint(&relation, &relation.indexes[position])));
    }
    let relations = context.catalog.relations();
    let mut checks = relations.iter().flat_map(|relation| &relation.checks);
    optional_text(checks.find(|check| check.oid == oid).map(definition::check_constraint))
}

/// A stored procedure's function by its OID.
fn routine(context: &FunctionContext, arguments: &[Value]) -> Result<Option<Rc<Callable>>> {
    let oid = arguments.oid(0)?;
    Ok(context.catalog.routines().into_iter().find(|callable| callable.routine.oid == oid))
}

/// Expressions are kept as text.
fn expression(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(arguments[0].clone())
}

fn view_definition(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let relation = context.catalog.relation_by_id(arguments.oid(0)?);
    optional_text(relation.and_then(|relation| match &relation.kind {
        RelationKind::View(View { sql, .. }) => Some(format!("{sql};")),
        _ => None,
    }))
}

fn is_visible(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let oid = arguments.oid(0)?;
    let path = &context.settings.search_path;
    if let Some(relation) = context.catalog.relation_by_id(oid) {
        let visible = context.catalog.relation(None, &relation.name, path);
        return Ok(Value::Boolean(visible.is_some_and(|visible| visible.id == oid)));
    }
    let Some((relation, position)) = context.catalog.index_by_oid(oid) else { return Ok(Value::Null) };
    let visible = context.catalog.index(None, &relation.indexes[position].name, path);
    Ok(Value::Boolean(visible.is_some_and(|(relation, position)| relation.indexes[position].oid == oid)))
}

fn description(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    optional_text(context.catalog.comment(arguments.oid(0)?, 0).map(str::to_string))
}

fn column_description(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let Ok(column) = u32::try_from(arguments.integer(1)?) else { return Ok(Value::Null) };
    if column == 0 {
        return Ok(Value::Null);
    }
    optional_text(context.catalog.comment(arguments.oid(0)?, column).map(str::to_string))
}

/// A relation or index by a name that may be qualified: its pg_class.oid.
pub fn class_by_name(catalog: &Catalog, search_path: &[String], name: &str) -> Result<Option<u32>> {
    let parts = split_qualified(name)?;
    let (schema, name) = match &parts[..] {
        [name] => (None, name),
        [schema, name] => (Some(schema.as_str()), name),
        _ => return Err(Error::new(sqlstate::INVALID_NAME, "improper relation name (too many dotted names)")),
    };
    let relation: Option<Rc<Relation>> = catalog.relation(schema, name, search_path);
    let index = || catalog.index(schema, name, search_path).map(|(relation, at)| relation.indexes[at].oid);
    Ok(relation.map(|relation| relation.id).or_else(index))
}

/// What regclass prints: the name as the search path needs it, or the number of nothing known.
pub fn class_name(catalog: &Catalog, search_path: &[String], oid: u32) -> String {
    let relation = catalog.relation_by_id(oid);
    let index =
        || catalog.index_by_oid(oid).map(|(relation, at)| (relation.clone(), relation.indexes[at].name.clone()));
    let Some((relation, name)) = relation.map(|relation| (relation.clone(), relation.name.clone())).or_else(index)
    else {
        return if oid == 0 { "-".into() } else { oid.to_string() };
    };
    let visible = catalog.relation(None, &name, search_path).map(|visible| visible.id);
    let visible_index = || catalog.index(None, &name, search_path).map(|(relation, at)| relation.indexes[at].oid);
    if visible.or_else(visible_index) == Some(oid) {
        return quote_identifier(&name).into_owned();
    }
    let schema = catalog.schema_by_id(relation.schema_id).map_or("", |schema| &schema.name);
    format!("{}.{}", quote_identifier(schema), quote_identifier(&name))
}

/// The text of an oid of a type that prints names from the catalog; none for other types.
pub fn registered_name(context: &FunctionContext, oid: u32, data_type: DataType) -> Option<String> {
    match data_type {
        DataType::Regclass => Some(class_name(context.catalog, &context.settings.search_path, oid)),
        DataType::Regnamespace => {
            let schema = context.catalog.schema_by_id(oid);
            schema.map(|schema| quote_identifier(&schema.name).into_owned())
        }
        _ => None,
    }
}

fn to_regclass(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let found = class_by_name(context.catalog, &context.settings.search_path, arguments.text(0)?)?;
    Ok(found.map_or(Value::Null, Value::Oid))
}

fn to_regtype(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(type_named(arguments.text(0)?).map_or(Value::Null, |data_type| Value::Oid(data_type.oid())))
}

fn to_regnamespace(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let name = split_qualified(arguments.text(0)?)?.remove(0);
    Ok(context.catalog.schema(&name).map_or(Value::Null, |schema| Value::Oid(schema.id)))
}

fn encoding(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::text(if arguments.integer(0)? == 6 { "UTF8" } else { "" }))
}

/// Answers the value that the setting gets. `engine::query` has the host change it.
fn set_config(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let value = if arguments[1].is_null() { None } else { Some(arguments.text(1)?) };
    match settings::change(arguments.text(0)?, value, false)? {
        Control::Set { value: Some(value), .. } => Ok(Value::text(&value)),
        Control::Set { name, value: None, .. } => {
            let unchanged = Settings { changed: vec![], ..context.settings.clone() };
            optional_text(settings::current(&unchanged, &name))
        }
        _ => Ok(arguments[1].clone()),
    }
}
