//! What a node says of procedures, as text for people.

use serde_json::Value;

use crate::command::client::{Answer, Field};
use crate::command::sql::table;

/// pg_type.oid of what stands to the right in a table.
const BIGINT: u32 = 20;
const TEXT: u32 = 25;

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A table of these members of each object.
fn table(columns: &[(&str, &str, u32)], objects: &Value) -> String {
    let fields = columns.iter().map(|(_, title, type_oid)| Field { name: (*title).into(), type_oid: *type_oid });
    let objects = objects.as_array().map_or(&[][..], Vec::as_slice);
    let row = |object: &Value| columns.iter().map(|(member, ..)| Some(text(&object[*member]))).collect();
    let answer = Answer { fields: fields.collect(), rows: objects.iter().map(row).collect(), ..Answer::default() };
    let mut out = String::new();
    table::aligned(&answer, &mut out);
    out
}

/// `isobar procedure list`
pub fn list(answer: &Value) -> String {
    let columns = [
        ("name", "name", TEXT),
        ("version", "version", BIGINT),
        ("owner", "owner", TEXT),
        ("size", "bytes", BIGINT),
        ("deployed_at", "deployed at", TEXT),
        ("routines", "functions", TEXT),
    ];
    table(&columns, &answer["procedures"])
}

/// What stands after a deployment or a return to an earlier version.
pub fn deployed(answer: &Value) -> String {
    let mut out = format!("{} is at version {}\n", text(&answer["name"]), text(&answer["version"]));
    for function in lines(&answer["routines"]) {
        out.push_str(&format!("  {function}\n"));
    }
    out
}

/// One function a line: the node lists them as an array, or as lines of a text.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        other => text(other).lines().map(str::to_owned).collect(),
    }
}

/// `isobar procedure show`
pub fn whole(answer: &Value) -> String {
    let mut out = String::new();
    let rights = if answer["definer"] == true { "its own (definer)" } else { "its caller's" };
    for (title, shown) in [
        ("name", text(&answer["name"])),
        ("owner", text(&answer["owner"])),
        ("version", text(&answer["version"])),
        ("digest", text(&answer["digest"])),
        ("bytes", text(&answer["size"])),
        ("rights", rights.into()),
        ("deployed at", text(&answer["deployed_at"])),
    ] {
        out.push_str(&format!("{title:<12} {shown}\n"));
    }
    if let Some(limits) = answer["limits"].as_object() {
        for (limit, value) in limits.iter().filter(|(_, value)| !value.is_null()) {
            out.push_str(&format!("{:<12} {limit} = {}\n", "limit", text(value)));
        }
    }
    for (title, member) in [("functions", "routines"), ("imports", "imports")] {
        out.push_str(&format!("\n{title}\n"));
        for line in lines(&answer[member]) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out.push_str("\nversions\n");
    let columns = [
        ("version", "version", BIGINT),
        ("active", "active", TEXT),
        ("size", "bytes", BIGINT),
        ("deployed_at", "deployed at", TEXT),
        ("digest", "digest", TEXT),
    ];
    out.push_str(&table(&columns, &answer["versions"]));
    out
}

/// `isobar procedure drop`
pub fn dropped(answer: &Value) -> String {
    format!("{} is dropped\n", text(&answer["name"]))
}
