//! Versions of a procedure: switched at once, kept by those who began with them, and gone with their procedure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::node::start;
use crate::procedures::{field, shown};
use crate::{RAW, begin, directory, numbered};

#[tokio::test]
async fn versions_are_deployed_rolled_back_and_dropped() {
    let data = directory();
    let node = start(data.path(), &[]);
    let first = node.deploy("numbers", &numbered("answer", 1)).await;
    assert_eq!((&first["name"], &first["version"], &first["definer"]), (&json!("numbers"), &json!(1), &json!(false)));
    assert_eq!(first["routines"], json!("answer() returns integer"));
    for call in ["SELECT answer()", "CALL answer()", "SELECT * FROM answer()", "SELECT public.answer() + 0"] {
        assert_eq!(node.text(call).await, "1", "{call}");
    }
    let second = node.deploy("numbers", &numbered("answer", 2)).await;
    assert_eq!(second["version"], json!(2));
    assert_ne!(second["digest"], first["digest"]);
    assert_eq!(node.text("SELECT answer()").await, "2");
    let again = node.deploy("numbers", &numbered("answer", 2)).await;
    assert_eq!((&again["version"], &again["digest"]), (&json!(3), &second["digest"]));
    let (_, back) = node.post("/v1/procedures/numbers/rollback", &[], &json!({})).await;
    assert_eq!(back["version"], json!(2));

    let (status, rolled_back) = node.post("/v1/procedures/numbers/rollback", &[], &json!({})).await;
    assert_eq!((status.as_u16(), &rolled_back["version"]), (200, &json!(1)), "{rolled_back}");
    assert_eq!(node.text("SELECT answer()").await, "1");
    let (status, error) = node.post("/v1/procedures/numbers/rollback", &[], &json!({})).await;
    assert_eq!((status.as_u16(), field(&error, "code")), (400, "42704"), "{error}");
    node.post("/v1/procedures/numbers/rollback?version=2", &[], &json!({})).await;
    assert_eq!(node.text("SELECT answer()").await, "2");
    let (status, error) = node.post("/v1/procedures/numbers/rollback?version=9", &[], &json!({})).await;
    assert_eq!((status.as_u16(), field(&error, "code")), (400, "42704"), "{error}");
    let (_, shown) = node.get("/v1/procedures/numbers").await;
    let versions = shown["versions"].as_array().expect("versions");
    let versions: Vec<_> = versions.iter().map(|version| (&version["version"], &version["active"])).collect();
    assert_eq!(versions, [(&json!(1), &json!(false)), (&json!(2), &json!(true)), (&json!(3), &json!(false))]);
    let (_, list) = node.get("/v1/procedures").await;
    assert_eq!(list["procedures"].as_array().map(Vec::len), Some(1));

    let (status, dropped) = node.request("DELETE", "/v1/procedures/numbers", &[], "").await;
    assert_eq!(status, 200, "{dropped:?}");
    assert_eq!(node.refusal("SELECT answer()").await, "42883: function answer() does not exist");
    let (status, error) = node.get("/v1/procedures/numbers").await;
    assert_eq!((status.as_u16(), field(&error, "code")), (404, "42883"), "{error}");
    let (status, _) = node.request("DELETE", "/v1/procedures/numbers", &[], "").await;
    assert_eq!(status, 400);
    // The name is free, and versions begin anew.
    let anew = node.deploy("numbers", &numbered("answer", 2)).await;
    assert_eq!(anew["version"], json!(1));
    assert_eq!(node.text("SELECT answer()").await, "2");
    node.sql("DROP PROCEDURE numbers").await;
    let named = node.failure("CALL answer()").await;
    assert_eq!(field(&named, "code"), "42883");
}

#[tokio::test]
async fn a_transaction_goes_on_with_the_version_that_it_began_with() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.sql("CREATE TABLE log (id integer PRIMARY KEY, answer integer)").await;
    node.deploy("numbers", &numbered("answer", 1)).await;
    let transaction = begin(&node).await;
    let sql = format!("{transaction}/sql");
    let ask = json!({"query": "SELECT answer()"});
    assert_eq!(shown(&node.post(&sql, &RAW, &ask).await.1), "1");
    node.deploy("numbers", &numbered("answer", 2)).await;
    assert_eq!(node.text("SELECT answer()").await, "2");
    assert_eq!(shown(&node.post(&sql, &RAW, &ask).await.1), "1");
    node.post("/v1/procedures/numbers/rollback", &[], &json!({})).await;
    node.sql("DROP PROCEDURE numbers").await;
    assert_eq!(shown(&node.post(&sql, &RAW, &ask).await.1), "1", "even when it is gone");
    node.post(&sql, &RAW, &json!({"query": "SELECT 1"})).await;
    let (status, answer) = node.post(&format!("{transaction}/commit"), &[], &json!({})).await;
    assert_eq!(status, 200, "{answer}");
}

/// While others call without a pause, versions change: no call fails, and each answers what some version answers.
#[tokio::test]
async fn no_call_fails_for_a_deployment() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.sql("CREATE TABLE log (id integer PRIMARY KEY, answer integer)").await;
    node.sql("INSERT INTO log SELECT g, 0 FROM generate_series(1, 4) g").await;
    node.deploy("numbers", &numbered("answer", 1)).await;
    let (done, running) = (AtomicBool::new(false), &node);
    let caller = async |client: i32| {
        let (mut calls, mut seen) = (0, std::collections::BTreeSet::new());
        while !done.load(Ordering::Relaxed) {
            let write = format!("UPDATE log SET answer = answer() WHERE id = {client} RETURNING answer, answer()");
            let row = running.text(&write).await;
            let (written, answered) = row.split_once('|').expect("two fields");
            assert_eq!(written, answered, "one statement sees one version");
            seen.insert(row);
            calls += 1;
        }
        (calls, seen.len())
    };
    let deployer = async {
        for version in 2..12 {
            node.deploy("numbers", &numbered("answer", version)).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        done.store(true, Ordering::Relaxed);
    };
    let (first, second, third, ()) = tokio::join!(caller(1), caller(2), caller(3), deployer);
    for (calls, versions) in [first, second, third] {
        assert!(calls > 10 && versions > 2, "{calls} calls saw {versions} versions");
    }
}

#[tokio::test]
async fn calls_in_flight_outlive_their_procedure() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    node.deploy("numbers", &numbered("answer", 7)).await;
    let slow = "SELECT ask('SELECT count(*) FROM generate_series(1, 3000000)')";
    let dropping = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        node.sql("DROP PROCEDURE conformance").await;
        node.failure("SELECT no_operation()").await
    };
    let (counted, refused) = tokio::join!(node.text(slow), dropping);
    assert!(counted.contains("3000000"), "{counted}");
    assert_eq!(field(&refused, "code"), "42883");
    // Clients that call all the while succeed until it is gone, and are told so from then on.
    let clients = (0..6).map(|_| async {
        for call in 0..5000 {
            let (status, answer) = node.post("/sql", &RAW, &json!({"query": "SELECT answer()"})).await;
            if status != 200 {
                assert_eq!(field(&answer, "message"), "function answer() does not exist", "{answer}");
                return call;
            }
            assert_eq!(shown(&answer), "7");
        }
        panic!("it was never gone");
    });
    let dropping = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        node.sql("DROP PROCEDURE numbers").await;
    };
    let (calls, ()) = tokio::join!(futures::future::join_all(clients), dropping);
    assert!(calls.iter().all(|calls| *calls > 0), "{calls:?}");
}
