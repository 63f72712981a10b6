//! Bytes that are not quite a component, and components that are greedy before their first call.

use isobar_compiled_guests::{CONFORMANCE, LEDGER, handmade, malformed};

use crate::directory;
use crate::node::{Process, start};
use crate::procedures::{brief, field};

/// What a deployment may be refused with: see `Procedures::prepare`.
const REFUSALS: [&str; 6] = ["54000", "22P03", "42501", "0A000", "42P13", "42723"];

/// Deploys bytes that may be valid by chance; answers the SQLSTATE of the refusal.
async fn deploy(node: &Process, what: &str, bytes: &[u8]) -> Option<String> {
    let (status, answer) = node.try_deploy("malformed", bytes).await;
    if status == 200 {
        node.sql("DROP PROCEDURE malformed").await;
        return None;
    }
    let code = field(&answer, "code");
    assert!(status == 400 && REFUSALS.contains(&code), "{what}: {answer}");
    assert!(answer.to_string().len() < 20_000, "{what}: an error of {} bytes", answer.to_string().len());
    Some(code.to_owned())
}

#[tokio::test]
async fn what_is_broken_is_refused() {
    let data = directory();
    let node = start(data.path(), &[]);
    for valid in [&handmade::no_operation()[..], LEDGER] {
        assert_eq!(deploy(&node, "the valid one", valid).await, None);
        for (what, bytes) in malformed::named(valid) {
            let refused = deploy(&node, what, &bytes).await;
            assert!(refused.is_some(), "{what} was accepted");
        }
    }
    for (valid, seed, count) in [
        (&handmade::no_operation()[..], 1, 400),
        (&handmade::no_operation(), 2, 400),
        (LEDGER, 3, 40),
        (CONFORMANCE, 4, 15),
    ] {
        let mut refused = 0;
        for (number, bytes) in malformed::mutations(valid, seed, count).enumerate() {
            refused += usize::from(deploy(&node, &format!("seed {seed}, {number}"), &bytes).await.is_some());
        }
        assert!(refused > count / 4, "only {refused} of {count} were refused");
    }
    assert_eq!(node.text("SELECT count(*) FROM isobar.procedures").await, "0");
    assert_eq!(node.get("/health").await.0, 200);
}

#[tokio::test]
async fn greed_before_the_first_call_is_bounded() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.sql("ALTER SYSTEM SET procedure.wall_ms TO 500").await;
    let mut wrong = vec![];
    for (what, component, deployed, called) in [
        ("nothing special", handmade::no_operation(), "", "1"),
        ("a large memory", handmade::large_memory(1 << 30), "", "53200"),
        ("a memory as large as it may be", handmade::large_memory(48 << 20), "", "1"),
        ("a large table", handmade::large_table(10_000_000), "54000", ""),
        ("a trap at the start", handmade::trap_at_start(), "", "39000"),
        ("a start without end", handmade::endless_start(), "", "57014"),
        ("data out of bounds", handmade::data_out_of_bounds(), "", "39000"),
        ("many variables", handmade::many_locals(60_000), "22P03", ""),
        ("many functions", handmade::many_functions(20_000), "", "1"),
        ("many instances", handmade::many_instances(2_000), "22P03", ""),
        ("components in components", handmade::deeply_nested(200), "42P13", ""),
        ("a deep type", handmade::deep_type(200), "22P03", ""),
    ] {
        let (_, answer) = node.try_deploy("greedy", &component).await;
        let code = field(&answer, "code");
        if code != deployed {
            wrong.push(format!(
                "{what}: deployed {} and not {deployed}",
                if code.is_empty() { "OK".into() } else { answer.to_string() }
            ));
        }
        if code.is_empty() {
            let (_, answer) =
                node.post("/sql", &crate::RAW, &serde_json::json!({"query": "SELECT no_operation()"})).await;
            let found =
                if answer["rows"].is_array() { crate::shown(&answer) } else { field(&answer, "code").to_owned() };
            if found != called {
                wrong.push(format!("{what}: {found} {} and not {called}", brief(&answer)));
            }
            node.sql("DROP PROCEDURE greedy").await;
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(node.get("/health").await.0, 200);
}
