//! What the node tells of calls, and who may read what procedures have logged.

use serde_json::json;

use crate::node::start;
use crate::procedures::shown;
use crate::{RAW, begin, directory, ledger, numbered};

#[tokio::test]
async fn calls_are_counted() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    assert_eq!(node.text("SELECT count(*) FROM isobar.procedure_calls").await, "0");
    for _ in 0..3 {
        node.sql("SELECT transfer('ann', 'bob', 1)").await;
    }
    node.failure("SELECT transfer('ann', 'bob', 1000)").await;
    node.failure("SELECT transfer('ann', 'bob', 2000)").await;
    node.failure("SELECT transfer('ann', 'nobody', 1)").await;
    node.sql("SELECT check_total()").await;
    node.sql("SELECT count(check_total()) FROM generate_series(1, 5)").await;
    let counts = "SELECT procedure, routine, calls, errors, statements FROM isobar.procedure_calls ORDER BY routine";
    let expected = "ledger|check_total|6|{}|18\n\
                    ledger|transfer|6|{\"LD001\": 2, \"LD002\": 1}|18";
    assert_eq!(node.text(counts).await, expected);
    let sound = "SELECT bool_and(memory_peak_bytes BETWEEN 65536 AND 67108864 AND median_us <= p99_us
                 AND p99_us <= longest_us AND longest_us <= total_us AND total_us BETWEEN 1 AND 60000000)
                 FROM isobar.procedure_calls";
    assert_eq!(node.text(sound).await, "t");
    // Calls that were rolled back have happened all the same; a routine that is not called has no row.
    let transaction = begin(&node).await;
    node.post(&format!("{transaction}/sql"), &RAW, &json!({"query": "SELECT check_total()"})).await;
    node.post(&format!("{transaction}/rollback"), &[], &json!({})).await;
    let counts = "SELECT calls FROM isobar.procedure_calls WHERE routine = 'check_total'";
    assert_eq!(node.text(counts).await, "7");
    assert_eq!(node.text("SELECT count(*) FROM isobar.procedure_calls").await, "2");
}

#[tokio::test]
async fn calls_of_versions_and_nested_calls_count_under_their_names() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    node.deploy("numbers", &numbered("answer", 1)).await;
    node.sql("SELECT answer()").await;
    node.deploy("numbers", &numbered("answer", 2)).await;
    node.sql("SELECT answer()").await;
    node.sql("SELECT ask('SELECT answer(), answer()')").await;
    let counts = "SELECT procedure, routine, calls, statements FROM isobar.procedure_calls ORDER BY routine";
    assert_eq!(node.text(counts).await, "numbers|answer|4|0\nconformance|ask|1|1");
}

#[tokio::test]
async fn the_owner_reads_the_log() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    node.deploy("misbehaving", isobar_compiled_guests::MISBEHAVING).await;
    node.sql("CALL say('hello')").await;
    let logs = "SELECT procedure, routine, level, message FROM isobar.procedure_logs ORDER BY logged_at, level";
    let said = "conformance|say|debug|hello\nconformance|say|error|hello\n\
                conformance|say|info|hello\nconformance|say|warning|hello";
    let messages = "SELECT procedure, routine, level, message FROM isobar.procedure_logs ORDER BY level";
    assert_eq!(node.text(messages).await, said);
    // What is rolled back leaves its messages.
    let transaction = begin(&node).await;
    node.post(&format!("{transaction}/sql"), &RAW, &json!({"query": "CALL say('undone')"})).await;
    node.post(&format!("{transaction}/rollback"), &[], &json!({})).await;
    assert_eq!(node.text("SELECT count(*) FROM isobar.procedure_logs WHERE message = 'undone'").await, "4");
    let now = "SELECT bool_and(logged_at BETWEEN now() - interval '1 minute' AND now()) FROM isobar.procedure_logs";
    assert_eq!(node.text(now).await, "t");

    node.sql("ALTER PROCEDURE conformance OWNER TO mira").await;
    node.failure("SELECT log_flood()").await;
    let ask = |user: &str| {
        let url = format!("postgres://{user}@localhost/isobar");
        let node = &node;
        async move {
            let headers = [RAW[0], RAW[1], ("neon-connection-string", url.as_str())];
            let query = "SELECT DISTINCT procedure FROM isobar.procedure_logs";
            let (status, answer) = node.post("/sql", &headers, &json!({"query": query})).await;
            assert_eq!(status, 200, "{answer}");
            shown(&answer)
        }
    };
    assert_eq!(ask("mira").await, "conformance");
    assert_eq!(ask("noah").await, "");
    assert!(node.text(logs).await.contains("misbehaving|log_flood|info|and another thing"));
}
