//! Procedures that misbehave, in the real binary: each costs its own statement, and nobody else notices.

#[path = "hostile/crowd.rs"]
mod crowd;
#[path = "hostile/malformed.rs"]
mod malformed;
mod node;
#[path = "node/procedures.rs"]
mod procedures;

use isobar_compiled_guests::{CONFORMANCE, MISBEHAVING};
use serde_json::json;

use node::{Process, start};
use procedures::{brief, field, shown};

const RAW: [(&str, &str); 2] = [("neon-array-mode", "true"), ("neon-raw-text-output", "true")];

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

/// A call, the SQLSTATE that it ends with, and the limit that its error names.
pub const CALLS: &[(&str, &str, &str)] = &[
    ("SELECT endless_loop()", "57014", "wall_ms"),
    ("SELECT endless_statement()", "57014", "wall_ms"),
    ("SELECT memory_hog()", "53200", "memory_kib"),
    ("SELECT memory_hog_at_once()", "53200", "memory_kib"),
    ("SELECT deep_recursion(1000000000)", "54001", "stack_kib"),
    ("SELECT deep_recursion_in_memory(1000000000)", "54001", "stack_kib"),
    ("CALL log_flood()", "39P14", "log_bytes"),
    ("CALL notice_flood()", "39P14", "log_bytes"),
    ("SELECT sql_flood()", "39P11", "statements"),
    ("CALL failing_sql_flood()", "39P11", "statements"),
    ("SELECT row_flood()", "39P12", "rows_in"),
    ("SELECT rows_hoard()", "39P11", "statements"),
    ("SELECT huge_text(100)", "53200", "memory_kib"),
    ("SELECT count(*) FROM huge_set(1000000)", "53200", "memory_kib"),
    ("SELECT count(*) FROM huge_set(20000)", "39P13", "rows_out"),
    ("CALL huge_log_message(1)", "39P14", "log_bytes"),
    ("CALL huge_notice(1)", "39P14", "log_bytes"),
    ("CALL huge_statement(30)", "53200", "memory_kib"),
    ("SELECT huge_parameter(100)", "53200", "memory_kib"),
    ("SELECT panic('the panic''s message')", "39000", ""),
    ("CALL trap()", "39000", ""),
    ("CALL trap_in_destructor()", "39000", ""),
    ("CALL bad_sqlstate('nope')", "39001", ""),
    ("CALL huge_error(4)", "P0001", ""),
    ("SELECT numeric_of('1e')", "22P02", ""),
    ("SELECT json_of('{')", "22P02", ""),
    ("SELECT date_of(2147483646)", "22008", ""),
    ("SELECT timestamptz_of(-9223372036854775806)", "22008", ""),
    ("SELECT invalid_text()", "39000", ""),
    ("SELECT text_out_of_bounds()", "39000", ""),
    ("SELECT foreign_handle()", "39000", ""),
    ("SELECT nest(20)", "54001", ""),
    ("SELECT nest_forever()", "54001", ""),
    ("SELECT run('COMMIT')", "2D000", ""),
    ("SELECT run('SELECT 1/0')", "22012", ""),
];

/// Limits at which floods end soon.
const TIGHT: &[&str] = &["wall_ms TO 1000", "statements TO 500", "rows_in TO 50000", "rows_out TO 10000"];

pub async fn misbehaving(node: &Process) {
    node.deploy("misbehaving", MISBEHAVING).await;
    for limit in TIGHT {
        node.sql(&format!("ALTER PROCEDURE misbehaving SET {limit}")).await;
    }
}

#[tokio::test]
async fn each_ends_with_an_error_that_names_the_limit() {
    let data = directory();
    let node = start(data.path(), &[]);
    misbehaving(&node).await;
    let mut wrong = vec![];
    for (call, sqlstate, limit) in CALLS {
        let started = std::time::Instant::now();
        let (_, answer) = node.post("/sql", &RAW, &json!({"query": call})).await;
        let elapsed = started.elapsed();
        let found = if answer["rows"].is_array() { shown(&answer) } else { brief(&answer) };
        let named = limit.is_empty()
            || field(&answer, "message").contains(&format!("the limit {limit} is "))
                && field(&answer, "hint") == format!("ALTER PROCEDURE misbehaving SET {limit} TO … raises it.");
        if field(&answer, "code") != *sqlstate || !named {
            let hint = field(&answer, "hint");
            wrong.push(format!(
                "{call}: {} {hint} and not {sqlstate} {limit}",
                found.chars().take(200).collect::<String>()
            ));
        }
        if elapsed.as_secs() >= 20 {
            wrong.push(format!("{call} took {elapsed:?}"));
        }
        assert_eq!(node.text("SELECT 1").await, "1", "after {call}");
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(node.text("SELECT run_and_ignore('COMMIT'), run_and_ignore('SELECT 1/0')").await, "2D000|22012");
    assert_eq!(node.text("SELECT nest(5), numeric_of('1.50'), date_of(0)").await, "5|1.50|1970-01-01");
    let cut = node.failure("CALL huge_error(1)").await;
    for part in ["message", "detail", "hint"] {
        assert_eq!(field(&cut, part).len(), 8192, "{part}");
    }
}

/// A call that fails under the first value of the limit and succeeds under the second.
#[tokio::test]
async fn limits_change_while_the_node_runs() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("misbehaving", MISBEHAVING).await;
    node.deploy("conformance", CONFORMANCE).await;
    let mut wrong = vec![];
    for (procedure, limit, low, high, call, sqlstate, expected) in [
        ("misbehaving", "memory_kib", 4096, 65536, "SELECT length(huge_text(8))", "53200", "8388608"),
        (
            "conformance",
            "wall_ms",
            100,
            60_000,
            "SELECT ask('SELECT max(g) FROM generate_series(1, 4000000) g') LIKE '%4000000%'",
            "57014",
            "t",
        ),
        ("misbehaving", "stack_kib", 64, 8192, "SELECT deep_recursion(20000) IS NOT NULL", "54001", "t"),
        ("conformance", "statements", 5, 100, "SELECT conversions() > 0", "39P11", "t"),
        ("conformance", "rows_in", 50, 100, "SELECT sum(column1) FROM batches(100, 10)", "39P12", "100"),
        ("conformance", "rows_out", 99, 100, "SELECT count(*) FROM points(100)", "39P13", "100"),
        ("conformance", "log_bytes", 39, 40, "SELECT say('12345')", "39P14", ""),
    ] {
        for (set, reset) in [
            (
                format!("ALTER PROCEDURE {procedure} SET {limit} TO "),
                format!("ALTER PROCEDURE {procedure} RESET {limit}"),
            ),
            (format!("ALTER SYSTEM SET procedure.{limit} TO "), format!("ALTER SYSTEM RESET procedure.{limit}")),
        ] {
            node.sql(&format!("{set}{low}")).await;
            let (_, answer) = node.post("/sql", &RAW, &json!({"query": call})).await;
            if field(&answer, "code") != sqlstate || !field(&answer, "message").contains(&format!("{limit} is {low}")) {
                wrong.push(format!("{set}{low}: {answer}"));
            }
            node.sql(&format!("{set}{high}")).await;
            let (_, answer) = node.post("/sql", &RAW, &json!({"query": call})).await;
            if !answer["rows"].is_array() || shown(&answer) != expected {
                wrong.push(format!("{set}{high}: {answer}"));
            }
            node.sql(&reset).await;
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    // The procedure's own limit is the one that holds.
    node.sql("ALTER SYSTEM SET procedure.rows_out TO 5").await;
    node.sql("ALTER PROCEDURE conformance SET rows_out TO 7").await;
    assert_eq!(node.text("SELECT count(*) FROM points(7)").await, "7");
    assert!(node.refusal("SELECT count(*) FROM points(8)").await.ends_with("rows_out is 7 rows"));
    node.sql("ALTER PROCEDURE conformance RESET rows_out").await;
    assert!(node.refusal("SELECT count(*) FROM points(7)").await.ends_with("rows_out is 5 rows"));
}

#[tokio::test]
async fn calls_at_once_are_as_many_as_the_limit_says() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", CONFORMANCE).await;
    let slow = json!({"query": "SELECT ask('SELECT max(g) FROM generate_series(1, 6000000) g') LIKE '%6000000%'"});
    node.sql("ALTER PROCEDURE conformance SET concurrent_calls TO 2").await;
    node.sql("ALTER PROCEDURE conformance SET wall_ms TO 60000").await;
    let outcomes = async || -> Vec<String> {
        let answers = futures::future::join_all((0..4).map(|_| node.post("/sql", &RAW, &slow))).await;
        let mut outcomes: Vec<_> = answers.iter().map(|(_, answer)| field(answer, "code").to_owned()).collect();
        outcomes.sort();
        outcomes
    };
    assert_eq!(outcomes().await, ["", "", "53000", "53000"]);
    node.sql("ALTER PROCEDURE conformance SET concurrent_calls TO 4").await;
    assert_eq!(outcomes().await, [""; 4]);
    assert_eq!(node.get("/health").await.0, 200);
}
