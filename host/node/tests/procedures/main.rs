//! Stored procedures of the real binary, from their deployment to their end.

mod command;
#[path = "../../src/sandbox/procedure/tests/component.rs"]
mod component;
mod deploy;
mod errors;
mod lasting;
#[path = "../node/mod.rs"]
mod node;
#[path = "../node/procedures.rs"]
mod procedures;
mod transactions;
mod types;
mod usage;
mod versions;

/// Answers rows as arrays of text.
const RAW: [(&str, &str); 2] = [("neon-array-mode", "true"), ("neon-raw-text-output", "true")];

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

/// A component with one routine, which answers a number.
fn numbered(routine: &str, number: i32) -> Vec<u8> {
    component::module(
        &format!("world test {{ export {routine}: func() -> s32; }}"),
        &format!("(func (export \"{routine}\") (result i32) (i32.const {number}))"),
    )
}

/// The tables of the ledger with two accounts, and its procedure.
async fn ledger(node: &node::Process) {
    for statement in isobar_compiled_guests::LEDGER_SCHEMA.split_inclusive(";\n") {
        node.sql(statement).await;
    }
    node.sql("INSERT INTO account (id, opening, balance) VALUES ('ann', 100, 100), ('bob', 50, 50)").await;
    node.deploy("ledger", isobar_compiled_guests::LEDGER).await;
}

/// Begins an interactive transaction; answers where its statements go.
async fn begin(node: &node::Process) -> String {
    let (status, answer) = node.post("/v1/transactions", &[], &serde_json::json!({})).await;
    assert_eq!(status, 200, "{answer}");
    format!("/v1/transactions/{}", answer["id"].as_str().expect("an id"))
}
