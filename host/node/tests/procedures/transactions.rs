//! A procedure's work belongs to its caller's statement and transaction.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::node::{Process, start};
use crate::procedures::{brief, field, shown};
use crate::{RAW, begin, directory, ledger};

const BALANCES: &str = "SELECT string_agg(balance::text, ' ' ORDER BY id), (SELECT count(*) FROM transfer),
                        (SELECT count(*) FROM entry) FROM account";

async fn run(node: &Process, path: &str, sql: &str) -> Value {
    node.post(path, &RAW, &json!({"query": sql})).await.1
}

#[tokio::test]
async fn what_a_procedure_did_goes_with_its_statement() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    let row = "SELECT from_balance, to_balance FROM transfer('ann', 'bob', 10)";
    assert_eq!(node.text(row).await, "90.00|60.00");
    assert_eq!(node.text(BALANCES).await, "90.00 60.00|1|2");
    let error = node.failure("SELECT transfer('ann', 'bob', 90.01)").await;
    assert_eq!(brief(&error), "LD001: account \"ann\" does not have 90.01");
    assert_eq!(field(&error, "detail"), "its balance is 90.00");
    // It has taken the money when it fails.
    assert_eq!(node.refusal("CALL transfer('ann', 'carl', 1)").await, "LD002: there is no account \"carl\"");
    assert_eq!(node.text(BALANCES).await, "90.00 60.00|1|2");
    // It has done all when the statement around it fails.
    let after = "SELECT 1 / (to_balance - to_balance) FROM transfer('ann', 'bob', 10)";
    assert_eq!(node.refusal(after).await, "22012: division by zero");
    let third = "SELECT transfer('ann', 'bob', 40) FROM generate_series(1, 3)";
    assert_eq!(field(&node.failure(third).await, "code"), "LD001");
    assert_eq!(node.text(BALANCES).await, "90.00 60.00|1|2");
    let batch = json!({"queries": [
        {"query": "SELECT transfer('ann', 'bob', 1)"}, {"query": "SELECT transfer('ann', 'bob', 1000)"},
    ]});
    let (status, error) = node.post("/sql", &RAW, &batch).await;
    assert_eq!((status.as_u16(), field(&error, "code")), (400, "LD001"));
    assert_eq!(node.text(BALANCES).await, "90.00 60.00|1|2");
    assert_eq!(node.text("SELECT check_total()").await, "150.00");
}

#[tokio::test]
async fn what_a_procedure_did_goes_with_its_transaction_and_savepoint() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    let transaction = begin(&node).await;
    let sql = format!("{transaction}/sql");
    run(&node, &sql, "SELECT transfer('ann', 'bob', 10)").await;
    assert_eq!(shown(&run(&node, &sql, BALANCES).await), "90.00 60.00|1|2");
    assert_eq!(node.text(BALANCES).await, "100.00 50.00|0|0", "others see nothing");
    run(&node, &sql, "SAVEPOINT s").await;
    run(&node, &sql, "SELECT transfer('bob', 'ann', 5)").await;
    assert_eq!(shown(&run(&node, &sql, "SELECT check_total()").await), "150.00");
    run(&node, &sql, "ROLLBACK TO SAVEPOINT s").await;
    assert_eq!(shown(&run(&node, &sql, BALANCES).await), "90.00 60.00|1|2");
    let error = run(&node, &sql, "SELECT transfer('ann', 'nobody', 5)").await;
    assert_eq!(field(&error, "code"), "LD002");
    let error = run(&node, &sql, "SELECT check_total()").await;
    assert_eq!(field(&error, "code"), "25P02");
    run(&node, &sql, "ROLLBACK TO SAVEPOINT s").await;
    assert_eq!(shown(&run(&node, &sql, BALANCES).await), "90.00 60.00|1|2");
    let (_, answer) = node.post(&format!("{transaction}/commit"), &[], &json!({})).await;
    assert_eq!(answer["command"], json!("COMMIT"), "{answer}");
    assert_eq!(node.text(BALANCES).await, "90.00 60.00|1|2");

    let transaction = begin(&node).await;
    run(&node, &format!("{transaction}/sql"), "SELECT transfer('ann', 'bob', 10)").await;
    node.post(&format!("{transaction}/rollback"), &[], &json!({})).await;
    assert_eq!(node.text(BALANCES).await, "90.00 60.00|1|2");
    let read_only = [RAW[0], RAW[1], ("neon-batch-read-only", "true")];
    let batch = json!({"queries": [{"query": "SELECT transfer('ann', 'bob', 1)"}]});
    let (_, error) = node.post("/sql", &read_only, &batch).await;
    assert_eq!(field(&error, "code"), "25006", "{error}");
}

#[tokio::test]
async fn a_failure_that_a_procedure_ignores_undoes_itself_alone() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    node.sql("CREATE TABLE t (id integer PRIMARY KEY, note text)").await;
    node.sql("INSERT INTO t VALUES (1, 'first')").await;
    let sql = "SELECT caught('INSERT INTO t VALUES (2, ''kept'')'), caught('INSERT INTO t VALUES (3), (4), (1)'),
                      caught('SELECT 1/0'), caught('UPDATE t SET note = ''changed'' WHERE id = 1')";
    let taken = "23505 duplicate key value violates unique constraint \"t_pkey\"; 1 row after it";
    assert_eq!(node.text(sql).await, format!("1 rows|{taken}|22012 division by zero; 1 row after it|1 rows"));
    assert_eq!(node.text("SELECT id, note FROM t ORDER BY id").await, "1|changed\n2|kept");
    // A procedure that fails inside another one is undone with its own statement.
    let nested = "SELECT caught('SELECT caught(''INSERT INTO t VALUES (7)''), double_or_error(-1)')";
    assert_eq!(node.text(nested).await, "CF001 -1 is not positive; 1 row after it");
    assert_eq!(node.text("SELECT count(*) FROM t").await, "2");
    for (sql, expected) in [
        ("COMMIT", "2D000"),
        ("ROLLBACK", "2D000"),
        ("BEGIN", "2D000"),
        ("SAVEPOINT s", "0A000"),
        ("SET search_path TO x", "0A000"),
        ("PREPARE p AS SELECT 1", "0A000"),
    ] {
        let answer = node.text(&format!("SELECT caught('{sql}')")).await;
        assert!(answer.starts_with(expected), "{sql}: {answer}");
    }
}

#[tokio::test]
async fn notices_reach_the_client_that_called() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    let notices = |answer: &Value| -> Vec<String> {
        let notices = answer["notices"].as_array().map_or(&[][..], Vec::as_slice);
        notices.iter().map(|notice| format!("{} {}", field(notice, "severity"), field(notice, "message"))).collect()
    };
    let (_, answer) = node.post("/sql", &RAW, &json!({"query": "CALL say('hello')"})).await;
    let said = notices(&answer);
    assert!(said.contains(&"NOTICE hello".into()) && said.contains(&"WARNING hello".into()), "{answer}");
    // Through a statement of a procedure, in an interactive transaction, and in a batch.
    let (_, nested) = node.post("/sql", &RAW, &json!({"query": "SELECT caught('CALL say(''hello'')')"})).await;
    assert_eq!(notices(&nested), said);
    let transaction = begin(&node).await;
    let inside = run(&node, &format!("{transaction}/sql"), "CALL say('hello')").await;
    assert_eq!(notices(&inside), said);
    let batch = json!({"queries": [{"query": "SELECT 1"}, {"query": "CALL say('hello')"}]});
    let (_, answer) = node.post("/sql", &RAW, &batch).await;
    assert_eq!(notices(&answer["results"][1]), said);
    assert!(notices(&answer["results"][0]).is_empty());
}

#[tokio::test]
async fn under_a_key_a_procedure_is_called_once() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    let keyed = [RAW[0], RAW[1], ("idempotency-key", "01JDC9Z0000000000000000007")];
    let call = json!({"query": "SELECT transfer, from_balance FROM transfer('ann', 'bob', 10)"});
    let (status, first) = node.post("/sql", &keyed, &call).await;
    assert_eq!(status, 200, "{first}");
    let (_, again) = node.post("/sql", &keyed, &call).await;
    assert_eq!((&again["repeated"], &again["rows"]), (&json!(true), &first["rows"]));
    let twins = join_all((0..6).map(|_| node.post("/sql", &keyed, &call))).await;
    assert!(twins.iter().all(|(_, answer)| answer["rows"] == first["rows"]), "{twins:?}");
    assert_eq!(node.text(BALANCES).await, "90.00 60.00|1|2");
}

/// Clients that move the same money conflict all the time, and none of them notices.
#[tokio::test]
async fn conflicting_calls_are_made_again() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    let client = async |number: usize| {
        let (from, to) = if number.is_multiple_of(2) { ("ann", "bob") } else { ("bob", "ann") };
        for _ in 0..25 {
            let call = format!("SELECT from_balance IS NOT NULL FROM transfer('{from}', '{to}', 1)");
            let (status, answer) = node.post("/sql", &RAW, &json!({"query": call})).await;
            assert_eq!(status, 200, "{answer}");
            assert_eq!(shown(&answer), "t");
        }
    };
    join_all((0..2).map(client)).await;
    assert_eq!(node.text(BALANCES).await, "100.00 50.00|50|100");
    assert_eq!(node.text("SELECT check_total()").await, "150.00");
    let calls = node.text("SELECT calls, errors FROM isobar.procedure_calls WHERE routine = 'transfer'").await;
    let (calls, errors) = calls.split_once('|').expect("two fields");
    assert!(calls.parse::<u32>().is_ok_and(|calls| calls > 50), "{calls} calls: there was no conflict");
    assert_eq!(errors, "{}");
}

#[tokio::test]
async fn a_procedure_and_the_statement_that_calls_it_may_write_the_same_table() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    node.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer UNIQUE)").await;
    // The routine finds the row that RETURNING stands for.
    let taken = "INSERT INTO t VALUES (1, 10) RETURNING caught('INSERT INTO t VALUES (1, 11)')";
    assert!(node.text(taken).await.contains("23505"));
    let sound = "SELECT count(*), (SELECT count(*) FROM t WHERE n = 10), (SELECT count(*) FROM t WHERE n > 0) FROM t";
    assert_eq!(node.text(sound).await, "1|1|1");
    assert_eq!(node.text("UPDATE t SET n = 10 RETURNING caught('UPDATE t SET n = 20')").await, "1 rows");
    assert_eq!(node.text("SELECT n, (SELECT count(*) FROM t WHERE n = 10) FROM t WHERE n = 20").await, "20|0");
    // What ON CONFLICT has read is not to be changed below it.
    let met = "INSERT INTO t VALUES (1, 0) ON CONFLICT (id)
               DO UPDATE SET n = 30 + length(caught('UPDATE t SET n = 40 WHERE id = 1'))";
    assert!(node.refusal(met).await.starts_with("27000: "), "not refused");
    assert_eq!(node.text("SELECT n FROM t WHERE n = 20").await, "20");
    node.sql("INSERT INTO t SELECT g, g * 100 FROM generate_series(2, 3000) g").await;
    let deleted = "WITH gone AS (DELETE FROM t RETURNING caught('UPDATE t SET n = n + 1 WHERE id = 2500'))
                   SELECT count(*) FROM gone";
    assert_eq!(node.text(deleted).await, "3000");
    assert_eq!(node.text("SELECT count(*), (SELECT count(*) FROM t WHERE n > 0) FROM t").await, "0|0");
}
