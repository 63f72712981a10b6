//! Session and system information (PostgreSQL 15, sections 9.26 and 9.27), and `gen_random_uuid` and `random`.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction, Settings, Signature};
use crate::types::value::Array;
use crate::types::{DataType, Value, text};
use std::rc::Rc;

/// Programs that look for PostgreSQL's version find it; people find who answers.
pub const VERSION: &str = concat!("PostgreSQL 15.0 (Isobar ", env!("CARGO_PKG_VERSION"), ")");

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("version", &[], TEXT, |_, _| Ok(Value::text(VERSION))).stable(),
    function("current_database", &[], NAME, current_database).stable(),
    function("current_catalog", &[], NAME, current_database).stable(),
    function("current_user", &[], NAME, current_user).stable(),
    function("session_user", &[], NAME, current_user).stable(),
    function("current_role", &[], NAME, current_user).stable(),
    function("user", &[], NAME, current_user).stable(),
    function("current_schema", &[], NAME, current_schema).stable(),
    function("current_schemas", &[BOOLEAN], NAME_ARRAY, current_schemas).stable(),
    function("current_setting", &[TEXT], TEXT, current_setting).stable(),
    function("current_setting", &[TEXT, BOOLEAN], TEXT, current_setting).stable(),
    function("pg_typeof", &[ANY], Signature::Exact(DataType::Regtype), pg_typeof).not_strict().stable(),
    function("pg_client_encoding", &[], NAME, |_, _| Ok(Value::text("UTF8"))).stable(),
    function("gen_random_uuid", &[], UUID, gen_random_uuid).volatile(),
    function("random", &[], DOUBLE, random).volatile(),
];

fn current_database(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::text(&context.settings.database))
}

fn current_user(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(Value::text(&context.settings.user))
}

/// The schemas of the search path; there is none that is named after the user.
fn search_path(settings: &Settings) -> impl Iterator<Item = &str> {
    settings.search_path.iter().map(String::as_str).filter(|schema| *schema != "$user")
}

fn current_schema(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    Ok(search_path(context.settings).next().map_or(Value::Null, Value::text))
}

fn current_schemas(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let path = search_path(context.settings);
    let implied = arguments.boolean(0)? && !context.settings.search_path.iter().any(|schema| schema == "pg_catalog");
    let schemas = implied.then_some("pg_catalog").into_iter().chain(path).map(Value::text).collect();
    Ok(Value::Array(Rc::new(Array::from_values(DataType::Name, schemas))))
}

fn current_setting(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let value = crate::define::settings::current(context.settings, arguments.text(0)?);
    match value {
        Some(value) => Ok(Value::text(&value)),
        None if arguments.len() > 1 && arguments.boolean(1)? => Ok(Value::Null),
        None => Err(Error::new(
            sqlstate::UNDEFINED_OBJECT,
            format!("unrecognized configuration parameter \"{}\"", arguments.text(0)?),
        )),
    }
}

/// What the value itself tells; `resolve::by_types` knows better where the types of the arguments are at hand.
fn pg_typeof(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Oid(arguments.first().map_or(DataType::Unknown, text::natural_type).oid()))
}

/// A version 4 UUID (RFC 4122).
fn gen_random_uuid(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    let mut bytes = [0; 16];
    context.environment.random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Value::Uuid(bytes))
}

/// 53 random bits: every double of [0, 1) at that precision is as likely as any other.
fn random(context: &FunctionContext, _: &[Value]) -> Result<Value> {
    let mut bytes = [0; 8];
    context.environment.random(&mut bytes);
    Ok(Value::Double((u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64))
}
