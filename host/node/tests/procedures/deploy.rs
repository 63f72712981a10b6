//! What a deployment refuses, and with which words.

use futures::future::join_all;
use serde_json::json;

use crate::component::{dummy, module};
use crate::node::start;
use crate::procedures::{brief, field};
use crate::{directory, numbered};

#[tokio::test]
async fn a_function_with_a_name_of_another_is_refused() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("first", &numbered("answer", 1)).await;
    let (status, error) = node.try_deploy("second", &numbered("answer", 2)).await;
    assert_eq!(status, 400);
    assert_eq!(
        brief(&error),
        "42723: procedure \"second\" exports function \"answer\", which procedure \"first\" has already"
    );
    let (_, error) = node.try_deploy("second", &numbered("abs", 2)).await;
    assert_eq!(field(&error, "code"), "42723", "{error}");
    assert!(field(&error, "message").contains("\"abs\""), "{error}");
    assert_eq!(node.text("SELECT name, version FROM isobar.procedures").await, "first|1");
    assert_eq!(node.text("SELECT answer()").await, "1");
    // Names of routines that differ in WIT and are one in SQL.
    let twins = "world test { export one: interface { a-b: func(); } export two: interface { a-b: func(); } }";
    let (_, error) = node.try_deploy("twins", &dummy(twins)).await;
    assert_eq!(field(&error, "code"), "42723", "{error}");
    assert!(field(&error, "message").contains("a_b"), "{error}");
}

#[tokio::test]
async fn of_clashing_deployments_at_once_one_wins() {
    let data = directory();
    let node = start(data.path(), &[]);
    for round in 0..5 {
        let routine = format!("answer{round}");
        let components: Vec<_> = (0..4).map(|number| (number, numbered(&routine, number))).collect();
        let names: Vec<_> = (0..4).map(|number| format!("p{round}_{number}")).collect();
        let deployments =
            components.iter().map(|(number, component)| node.try_deploy(&names[*number as usize], component));
        let answers = join_all(deployments).await;
        let winners: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        let winner = field(&winners[0].1, "name");
        for (number, (status, error)) in answers.iter().enumerate() {
            if *status == 200 {
                assert_eq!(node.text(&format!("SELECT {routine}()")).await, number.to_string());
                continue;
            }
            let loser = &names[number];
            let expected = format!(
                "42723: procedure \"{loser}\" exports function \"{routine}\", which procedure \"{winner}\" has already"
            );
            assert_eq!(brief(error), expected);
        }
    }
}

#[tokio::test]
async fn deployments_of_one_procedure_at_once_are_versions_of_it() {
    let data = directory();
    let node = start(data.path(), &[]);
    let components: Vec<_> = (0..6).map(|number| numbered("answer", number)).collect();
    for (status, answer) in join_all(components.iter().map(|component| node.try_deploy("p", component))).await {
        assert_eq!(status, 200, "{answer}");
    }
    let counts =
        "SELECT count(*), count(DISTINCT digest), max(version), sum(active::int) FROM isobar.procedure_versions";
    assert_eq!(node.text(counts).await, "6|6|6|1");
    assert_eq!(node.text("SELECT answer() BETWEEN 0 AND 5").await, "t");
}

#[tokio::test]
async fn what_cannot_be_called_is_refused_by_name() {
    let data = directory();
    let node = start(data.path(), &[]);
    let (status, error) = node.try_deploy("burglar", isobar_compiled_guests::FORBIDDEN_IMPORT).await;
    assert_eq!((status.as_u16(), field(&error, "code")), (400, "42501"), "{error}");
    let said = error.to_string();
    assert!(said.contains("acme:wallet/money") && said.contains("shell"), "{error}");

    for (export, parts) in [
        ("export f: func(a: s32, b: list<list<s32>>);", ["f", "b", "list<list<s32>>"]),
        ("variant v { a(s32), b } export g: func(c: v);", ["g", "c", "v"]),
        ("flags w { a, b } export g: func(c: w);", ["g", "c", "w"]),
        ("record i { x: s32 } record o { inner: i } export h: func(d: o);", ["h", "d", "i"]),
        ("export j: func(e: option<option<s32>>);", ["j", "e", "option<option<s32>>"]),
    ] {
        let (status, error) = node.try_deploy("typed", &dummy(&format!("world test {{ {export} }}"))).await;
        assert_eq!((status.as_u16(), field(&error, "code")), (400, "0A000"), "{export}: {error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{export}: {part} is not named: {error}");
        }
    }
    let (status, error) = node.try_deploy("silent", &module("world test {}", "")).await;
    assert_eq!((status.as_u16(), field(&error, "code")), (400, "42P13"), "{error}");
    for name in ["Ledger", "1st", "a-b", &"x".repeat(64)] {
        let (status, error) = node.try_deploy(name, &numbered("answer", 1)).await;
        assert_eq!((status.as_u16(), field(&error, "code")), (400, "42602"), "{name}: {error}");
    }
    let (status, error) = node.try_deploy("text", b"not WebAssembly").await;
    assert_eq!((status.as_u16(), field(&error, "code")), (400, "22P03"), "{error}");
    assert_eq!(node.get("/v1/procedures").await.1, json!({"procedures": []}));
}
