//! Who may do what, asked of the real binary by several users.

#[allow(dead_code, reason = "not every test uses all of it")]
mod node;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use node::{Process, start};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn connection_string(user: &str) -> String {
    format!("postgresql://{user}:any@localhost/isobar")
}

impl Process {
    /// What a user is answered to a request's body.
    async fn ask(&self, user: &str, path: &str, body: &Value) -> Value {
        let url = connection_string(user);
        let headers =
            [("neon-array-mode", "true"), ("neon-raw-text-output", "true"), ("neon-connection-string", url.as_str())];
        self.post(path, &headers, body).await.1
    }

    /// The SQLSTATE of the refusal, or the command that was done.
    async fn done(&self, user: &str, sql: &str) -> String {
        outcome(&self.ask(user, "/sql", &json!({"query": sql})).await)
    }

    async fn policies(&self, method: &str, user: &str, body: &Value) -> Value {
        let url = connection_string(user);
        let headers = [("neon-connection-string", url.as_str())];
        let (_, bytes) = self.request(method, "/v1/policies", &headers, body.to_string()).await;
        serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}"))
    }

    /// The policies in force with one more file, and these members of roles beside the administrators.
    async fn apply(&self, text: &str, members: &[(&str, &str)]) {
        let mut policies = self.policies("GET", "isobar", &json!(null)).await;
        let mut entities: Vec<Value> =
            serde_json::from_str(policies["entities"].as_str().expect("a text")).expect("entities");
        for (user, role) in members {
            entities.push(json!({
                "uid": {"type": "Isobar::User", "id": user},
                "attrs": {},
                "parents": [{"type": "Isobar::Role", "id": role}],
            }));
        }
        policies["files"]["mine.cedar"] = json!(text);
        let answer = self.policies("PUT", "isobar", &json!({"files": policies["files"], "entities": entities})).await;
        assert!(answer["commit"]["timestamp"].is_u64(), "{answer}");
    }
}

fn outcome(answer: &Value) -> String {
    answer["code"].as_str().or(answer["command"].as_str()).unwrap_or_else(|| panic!("{answer}")).into()
}

/// ann has accounts with one in them, and a view of it.
async fn ledger(node: &Process) {
    for sql in [
        "CREATE TABLE accounts (id integer PRIMARY KEY, balance integer)",
        "INSERT INTO accounts VALUES (1, 100)",
        "CREATE VIEW rich AS SELECT id FROM accounts WHERE balance > 50",
    ] {
        assert!(!node.done("ann", sql).await.starts_with("42"), "{sql}");
    }
}

#[tokio::test]
async fn what_others_own_is_theirs() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    for sql in [
        "SELECT * FROM accounts",
        "INSERT INTO accounts VALUES (2, 1)",
        "UPDATE accounts SET balance = 1",
        "DELETE FROM accounts",
        "TRUNCATE accounts",
        "SELECT id FROM rich",
        "DROP TABLE accounts",
        "ALTER TABLE accounts ADD COLUMN note text",
        "CREATE INDEX ON accounts (balance)",
        "CREATE SCHEMA mine",
        "ALTER TABLE accounts OWNER TO eve",
        "SELECT most_common_vals FROM pg_stats",
    ] {
        assert_eq!(node.done("eve", sql).await, "42501", "{sql}");
    }
    let refused = node.ask("eve", "/sql", &json!({"query": "SELECT * FROM accounts"})).await;
    assert_eq!(refused["message"], json!("permission denied for table accounts"));
    assert_eq!(refused["detail"], json!("select on Table \"public.accounts\" for User \"eve\""));
    for (user, sql) in [
        ("eve", "SELECT relname FROM pg_class"),
        ("eve", "CREATE TABLE own (a integer)"),
        ("eve", "INSERT INTO own VALUES (1)"),
        ("ann", "SELECT * FROM accounts"),
        ("admin", "SELECT * FROM own, accounts"),
        ("isobar", "DROP TABLE own"),
    ] {
        assert_ne!(node.done(user, sql).await, "42501", "{user}: {sql}");
    }
    assert_eq!(
        node.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'accounts'").await["rows"],
        json!([["ann"]])
    );
}

#[tokio::test]
async fn applied_policies_hold_at_once() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    let read = "SELECT balance FROM accounts";
    assert_eq!(node.done("eve", read).await, "42501");
    node.apply("", &[("eve", "reader")]).await;
    // Often enough for plans and decisions to be kept, in whichever instance.
    for _ in 0..20 {
        assert_eq!(node.done("eve", read).await, "SELECT");
    }
    assert_eq!(node.done("eve", "DELETE FROM accounts").await, "42501");
    let forbidding = "@id(\"no-reading\") forbid (principal == Isobar::User::\"eve\", \
                      action == Isobar::Action::\"select\", resource == Isobar::Table::\"public.accounts\");";
    node.apply(forbidding, &[]).await;
    assert_eq!(node.done("eve", read).await, "42501");
    drop(node);
    let node = start(data.path(), &[]);
    assert_eq!(node.done("eve", read).await, "42501");
    assert_eq!(node.policies("GET", "isobar", &json!(null)).await["applied_by"], json!("isobar"));
}

#[tokio::test]
async fn administrators_hear_which_policy_decided() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    let forbidding = "@id(\"keep-accounts\") forbid (principal, action == Isobar::Action::\"delete\", \
                      resource == Isobar::Table::\"public.accounts\");";
    node.apply(forbidding, &[]).await;
    let delete = json!({"query": "DELETE FROM accounts"});
    let detail = "delete on Table \"public.accounts\" for User";
    let refused = node.ask("isobar", "/sql", &delete).await;
    assert_eq!(refused["detail"], json!(format!("{detail} \"isobar\": forbidden by the policy keep-accounts")));
    assert_eq!(node.ask("ann", "/sql", &delete).await["detail"], json!(format!("{detail} \"ann\"")));
    let as_eve = json!({"queries": [
        {"query": "SET SESSION AUTHORIZATION eve"}, {"query": "SELECT * FROM accounts"},
    ]});
    let refused = node.ask("isobar", "/sql", &as_eve).await;
    assert_eq!(refused["detail"], json!("select on Table \"public.accounts\" for User \"eve\": no policy permits it"));
}

#[tokio::test]
async fn policies_are_for_administrators_and_must_be_sound() {
    let data = directory();
    let node = start(data.path(), &[]);
    let defaults = node.policies("GET", "admin", &json!(null)).await;
    assert_eq!(defaults["origin"], json!("defaults"));
    assert_eq!(node.policies("GET", "eve", &json!(null)).await["code"], json!("42501"));
    assert_eq!(node.policies("PUT", "eve", &defaults).await["code"], json!("42501"));
    for (files, entities, code, wanted) in [
        (
            json!({"a.cedar": "@id(\"a\")\npermit (principal, action, resource) when { resource.x };"}),
            json!([]),
            "42601",
            "a.cedar:2:",
        ),
        (json!({"a.cedar": "permit"}), json!([]), "42601", "a.cedar:1:"),
        (defaults["files"].clone(), json!([{"uid": 1}]), "42601", "entities.json"),
        (defaults["files"].clone(), json!([]), "22023", ""),
    ] {
        let refused = node.policies("PUT", "isobar", &json!({"files": files, "entities": entities})).await;
        assert_eq!(refused["code"], json!(code), "{refused}");
        assert!(refused["detail"].as_str().unwrap_or_default().contains(wanted), "{refused}");
    }
    assert_eq!(node.policies("PUT", "isobar", &json!({"files": 1})).await["code"], json!("08P01"));
    assert_eq!(node.policies("POST", "isobar", &json!({})).await["code"], json!("08P01"));
    assert_eq!(node.policies("GET", "isobar", &json!(null)).await["origin"], json!("defaults"));
}

#[tokio::test]
async fn nobody_becomes_somebody_else() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    for sql in [
        "SET session_authorization = 'ann'",
        "SET SESSION AUTHORIZATION ann",
        "SELECT set_config('session_authorization', 'ann', false)",
    ] {
        assert_eq!(node.done("eve", sql).await, "42501", "{sql}");
        let block = json!({"queries": [{"query": sql}, {"query": "SELECT * FROM accounts"}]});
        assert_eq!(outcome(&node.ask("eve", "/sql", &block).await), "42501", "{sql}");
    }
    assert_eq!(node.done("eve", "SET ROLE ann").await, "0A000");
    assert_eq!(node.done("eve", "SET ROLE none").await, "RESET");
    assert_eq!(node.done("eve", "SET SESSION AUTHORIZATION eve").await, "SET");
    let local = json!({"queries": [{"query": "SET LOCAL session_authorization = 'ann'"}]});
    assert_eq!(outcome(&node.ask("eve", "/sql", &local).await), "42501");
    for name in ["session_authorization", "SESSION_AUTHORIZATION"] {
        let body = json!({"query": "SELECT * FROM accounts", "settings": {name: "ann"}});
        assert_eq!(outcome(&node.ask("eve", "/sql", &body).await), "42501", "{name}");
        assert_eq!(outcome(&node.ask("isobar", "/sql", &body).await), "SELECT", "{name}");
    }
    let body = json!({"query": "SELECT * FROM accounts", "settings": {"\0acting_as": "ann", "role": "ann"}});
    assert_eq!(outcome(&node.ask("eve", "/sql", &body).await), "42501");
    for reset in ["RESET ALL", "DISCARD ALL", "RESET SESSION AUTHORIZATION", "RESET session_authorization"] {
        let batch = json!({"queries": [{"query": reset}, {"query": "SELECT current_user, session_user"}]});
        let answer = node.ask("eve", "/sql", &batch).await;
        assert_eq!(answer["results"][1]["rows"], json!([["eve", "eve"]]), "{reset}: {answer}");
    }
    let whole = json!({"query": "SELECT current_user", "settings": {"search_path": "public"}});
    assert_eq!(node.ask("é b", "/sql", &whole).await["code"], json!("28000"));
    assert_eq!(node.ask("%C3%A9%20b", "/sql", &whole).await["rows"], json!([["é b"]]));
}

#[tokio::test]
async fn a_view_lends_its_owners_rights() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    node.apply(
        "@id(\"rich\") permit (principal == Isobar::User::\"eve\", action == Isobar::Action::\"select\", \
         resource == Isobar::Table::\"public.rich\");",
        &[],
    )
    .await;
    assert_eq!(node.ask("eve", "/sql", &json!({"query": "SELECT id FROM rich"})).await["rows"], json!([["1"]]));
    assert_eq!(node.done("eve", "SELECT id FROM accounts").await, "42501");
    // A view of eve's own reads with her rights, whoever asks.
    assert_eq!(node.done("eve", "CREATE VIEW mine AS SELECT id FROM accounts").await, "CREATE VIEW");
    assert_eq!(node.done("eve", "SELECT * FROM mine").await, "42501");
    assert_eq!(node.done("isobar", "SELECT * FROM mine").await, "42501");
    assert_eq!(node.done("eve", "ALTER TABLE mine OWNER TO ann").await, "42501");
    assert_eq!(node.done("isobar", "ALTER TABLE mine OWNER TO ann").await, "ALTER TABLE");
    assert_eq!(node.done("isobar", "SELECT * FROM mine").await, "SELECT");
    assert_eq!(node.done("eve", "CREATE OR REPLACE VIEW rich AS SELECT id FROM accounts").await, "42501");
}

#[tokio::test]
async fn transactions_and_keys_are_their_users() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    let begun = node.ask("ann", "/v1/transactions", &json!({})).await;
    let id = begun["id"].as_str().unwrap_or_else(|| panic!("{begun}"));
    let read = json!({"query": "SELECT * FROM accounts"});
    let path = format!("/v1/transactions/{id}");
    assert_eq!(outcome(&node.ask("ann", &format!("{path}/sql"), &read).await), "SELECT");
    for end in ["sql", "commit", "rollback"] {
        assert_eq!(node.ask("eve", &format!("{path}/{end}"), &read).await["code"], json!("42501"), "{end}");
    }
    assert_eq!(outcome(&node.ask("ann", &format!("{path}/commit"), &json!({})).await), "COMMIT");

    let write = json!({"query": "INSERT INTO accounts VALUES (7, 7) RETURNING id"});
    for (user, code) in [("ann", Value::Null), ("ann", Value::Null), ("eve", json!("22023"))] {
        let url = connection_string(user);
        let headers = [("idempotency-key", "01JDC9Z0000000000000000000"), ("neon-connection-string", url.as_str())];
        let (_, answer) = node.post("/sql", &headers, &write).await;
        assert_eq!(answer["code"], code, "{user}: {answer}");
    }
}

#[tokio::test]
async fn who_may_not_connect_may_nothing() {
    let data = directory();
    let node = start(data.path(), &[]);
    let forbidding = "@id(\"locked-out\") forbid (principal == Isobar::User::\"eve\", \
                      action == Isobar::Action::\"connect\", resource);";
    assert_eq!(node.done("eve", "SELECT 1").await, "SELECT");
    node.apply(forbidding, &[]).await;
    for sql in ["SELECT 1", "BEGIN", "SET TimeZone = 'UTC'", "CREATE TABLE t (a integer)"] {
        assert_eq!(node.done("eve", sql).await, "42501", "{sql}");
    }
    let refused = node.ask("eve", "/sql", &json!({"query": "SELECT 1"})).await;
    assert_eq!(refused["message"], json!("permission denied for database isobar"));
    assert_eq!(node.done("isobar", "SELECT 1").await, "SELECT");
}

fn isobar(arguments: &[&str], folder: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobar"));
    let output = command.arg("policy").args(arguments).arg(folder).output().expect("the binary runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("UTF-8"))
}

fn copied_policies(target: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let copied = Command::new("cp").arg("-r").arg(source).arg(target).status().expect("cp runs");
    assert!(copied.success());
    target.join("policies")
}

#[tokio::test]
async fn folders_of_policies_are_checked_tested_and_applied() {
    let data = directory();
    let node = start(data.path(), &[]);
    let url = format!("http://{}", node.address);
    let scratch = directory();
    let folder = copied_policies(scratch.path());
    for command in ["check", "test"] {
        let (code, text) = isobar(&[command], &folder);
        assert_eq!(code, Some(0), "{text}");
    }
    let mine = folder.join("mine.cedar");
    std::fs::write(&mine, "@id(\"mine\")\npermit (principal, action, resource)\nwhen { principal.ag > 3 };\n")
        .expect("written");
    let (code, text) = isobar(&["apply", "--url", &url], &folder);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("mine.cedar:3:") && text.contains("policy \"mine\""), "{text}");

    let open = "@id(\"mine\")\npermit (principal, action == Isobar::Action::\"select\", resource);\n";
    std::fs::write(&mine, open).expect("written");
    let (code, text) = isobar(&["test"], &folder);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("FAIL  tests/owners.toml") && text.contains("allowed by mine"), "{text}");

    std::fs::write(&mine, open.replace("principal,", "principal in Isobar::Role::\"guest\",")).expect("written");
    let (code, text) = isobar(&["apply", "--url", &url, "--user", "eve"], &folder);
    assert_eq!(code, Some(1), "{text}");
    let (code, text) = isobar(&["apply", "--url", &url], &folder);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("\n+ mine\n"), "{text}");
    let (code, text) = isobar(&["show", "--url", &url, "--write"], &scratch.path().join("shown"));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = isobar(&["check"], &scratch.path().join("shown"));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = isobar(&["check"], &scratch.path().join("missing"));
    assert_eq!(code, Some(2), "{text}");
}
