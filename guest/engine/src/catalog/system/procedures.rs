//! The schema `isobar`: stored procedures, their versions, and what the node knows of their calls.

use super::routines::{arguments, result};
use super::{Row, array, text};
use crate::access;
use crate::catalog::procedure::{Callable, LIMITS, Procedure, ProcedureVersion, limit};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::host::{Action, ProcedureLimits, Routines};
use crate::types::json::Jsonb;
use crate::types::{DataType, Value};
use hashbrown::HashMap;
use std::rc::Rc;

/// 2000-01-01 in microseconds since the Unix epoch.
const EPOCH: i64 = 946_684_800_000_000;

fn time(since_unix_epoch: i64) -> Value {
    Value::Timestamptz(since_unix_epoch.saturating_sub(EPOCH))
}

fn count(number: u64) -> Value {
    Value::BigInt(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A JSON object of numbers.
fn numbers(pairs: impl Iterator<Item = (String, u64)>) -> Result<Value> {
    let object: serde_json::Map<String, serde_json::Value> =
        pairs.map(|(name, number)| (name, number.into())).collect();
    Ok(Value::Jsonb(Rc::new(Jsonb::parse(&serde_json::Value::Object(object).to_string())?)))
}

fn limits(limits: &ProcedureLimits) -> Result<Value> {
    let set = LIMITS.iter().filter_map(|name| Some((name.to_string(), u64::from(limit(limits, name)??))));
    numbers(set)
}

/// What a version says of itself.
fn version_row(procedure: &Procedure, version: &ProcedureVersion) -> Row {
    let digest: String = version.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let routine = |routine| {
        let callable = Callable::new(procedure, version, routine, &ProcedureLimits::default());
        format!("{}({}) returns {}", callable.name(), arguments(&callable, false), result(&callable))
    };
    let routines: Vec<String> = version.routines.iter().map(routine).collect();
    vec![
        ("name", text(&procedure.name)),
        ("version", Value::Integer(version.number as i32)),
        ("digest", text(digest)),
        ("size", count(version.size)),
        ("definer", Value::Boolean(version.definer)),
        ("deployed_at", time(version.deployed_at)),
        ("routines", text(routines.join("\n"))),
        ("imports", array(DataType::Text, version.imports.iter().map(text).collect())),
    ]
}

pub fn procedures(context: &FunctionContext, _: &dyn Routines) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for procedure in context.catalog.procedures() {
        let Some(version) = procedure.active_version() else { continue };
        let mut row = version_row(procedure, version);
        row.push(("oid", Value::Oid(procedure.id)));
        row.push(("owner", text(&procedure.owner)));
        row.push(("limits", limits(&procedure.limits)?));
        rows.push(row);
    }
    Ok(rows)
}

pub fn versions(context: &FunctionContext, _: &dyn Routines) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for procedure in context.catalog.procedures() {
        for version in &procedure.versions {
            let mut row = version_row(procedure, version);
            row.push(("active", Value::Boolean(version.number == procedure.active)));
            rows.push(row);
        }
    }
    Ok(rows)
}

pub fn calls(_: &FunctionContext, routines: &dyn Routines) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for usage in routines.usage() {
        rows.push(vec![
            ("procedure", text(&usage.procedure)),
            ("routine", text(&usage.routine)),
            ("calls", count(usage.calls)),
            ("errors", numbers(usage.errors.into_iter())?),
            ("median_us", count(usage.median_time)),
            ("p99_us", count(usage.p99_time)),
            ("longest_us", count(usage.longest_time)),
            ("total_us", count(usage.total_time)),
            ("memory_peak_bytes", count(usage.memory_peak)),
            ("statements", count(usage.statements)),
        ]);
    }
    Ok(rows)
}

/// A user sees what those procedures have said that he may deploy: his own. Those that are gone are an administrator's.
pub fn logs(context: &FunctionContext, routines: &dyn Routines) -> Result<Vec<Row>> {
    let mut seen: HashMap<String, bool> = HashMap::new();
    let may_see = |procedure: &str| {
        let access = match context.catalog.procedure(procedure) {
            Some(known) => access::procedure(Action::Deploy, access::PROCEDURE_SCHEMA, procedure, &known.owner),
            None => access::database(Action::Admin),
        };
        context.authorization.check(&[access]).is_ok()
    };
    let mut is_seen = |procedure: &str| match seen.get(procedure) {
        Some(seen) => *seen,
        None => {
            let may = may_see(procedure);
            seen.insert(procedure.into(), may);
            may
        }
    };
    let entries = routines.logs().into_iter().filter(|entry| is_seen(&entry.procedure));
    let row = |entry: crate::host::LogEntry| {
        vec![
            ("logged_at", time(entry.time)),
            ("procedure", text(&entry.procedure)),
            ("routine", text(&entry.routine)),
            ("caller", text(&entry.caller)),
            ("level", text(&entry.level)),
            ("message", text(&entry.message)),
        ]
    };
    Ok(entries.map(row).collect())
}
