//! Procedures that misbehave: each costs its statement and nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Fixture, fields, fixture, packed, target};
use crate::sandbox::procedure::{Limits, Prepared, Target, TargetLimits};

const WORLD: &str = "world test {
    include isobar:procedure/procedure@0.1.0;
    export fine: func() -> s32;
    export trap: func();
    export spin: func();
    export hog: func();
    export recurse: func() -> s32;
    export recurse-in-memory: func();
    export flood-log: func();
    export huge-text: func() -> string;
    export rows: func(count: s32) -> list<tuple<s32>>;
    export who: func() -> string;
    export chance: func() -> u64;
}";

const MODULE: &str = r#"
    (import "isobar:procedure/log@0.1.0" "log" (func $log (param i32 i32 i32)))
    (import "isobar:procedure/context@0.1.0" "role" (func $role (param i32)))
    (import "isobar:procedure/context@0.1.0" "random" (func $random (param i32 i32)))
---
    (func (export "fine") (result i32) (i32.const 1))
    (func (export "trap") unreachable)
    (func (export "spin") (loop (br 0)))
    (func (export "hog")
        (loop (br_if 0 (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) unreachable)
    (func $recurse (export "recurse") (result i32) (i32.add (call $recurse) (i32.const 1)))
    (func (export "recurse-in-memory") (drop (i32.load (i32.sub (i32.const 0) (global.get $next)))))
    (func (export "flood-log") (loop (call $log (i32.const 1) (i32.const 0) (i32.const 1000)) (br 0)))
    (func (export "huge-text") (result i32)
        (drop (memory.grow (i32.const 600)))
        (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 30000000)) (i32.const 16))
    (func (export "rows") (param i32) (result i32)
        (drop (memory.grow (i32.const 10)))
        (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (local.get 0)) (i32.const 16))
    (func (export "who") (result i32) (call $role (i32.const 16)) (i32.const 16))
    (func (export "chance") (result i64)
        (call $random (i32.const 8) (i32.const 16)) (i64.load (i32.load (i32.const 16))))
"#;

fn small() -> Limits {
    Limits {
        memory_kib: 40 << 10,
        wall_ms: 60,
        stack_kib: 128,
        log_bytes: 10_000,
        rows_out: 100,
        value_mb: 16,
        ..Limits::default()
    }
}

async fn misbehaving(limits: Limits) -> (Fixture, Prepared) {
    let fixture = fixture(limits).await;
    let prepared = fixture.prepare(WORLD, MODULE).await;
    (fixture, prepared)
}

#[tokio::test]
async fn each_limit_has_an_error_that_names_it() {
    let (fixture, prepared) = misbehaving(small()).await;
    let raises = |limit: &str| format!("ALTER PROCEDURE p SET {limit} TO … raises it.");
    for (export, sqlstate, message, hint) in [
        ("trap", "39000", "procedure \"p\" failed", None),
        (
            "spin",
            "57014",
            "procedure \"p\" takes too long: the limit wall_ms is 60 milliseconds in one statement",
            Some(raises("wall_ms")),
        ),
        (
            "hog",
            "53200",
            "procedure \"p\" needs too much memory: the limit memory_kib is 40960 KiB",
            Some(raises("memory_kib")),
        ),
        (
            "recurse",
            "54001",
            "procedure \"p\" recurses too deeply: the limit stack_kib is 128 KiB",
            Some(raises("stack_kib")),
        ),
        (
            "recurse-in-memory",
            "54001",
            "procedure \"p\" recurses too deeply: the limit stack_kib is 128 KiB",
            Some(raises("stack_kib")),
        ),
        (
            "flood-log",
            "39P14",
            "procedure \"p\" logs too much: the limit log_bytes is 10000 bytes",
            Some(raises("log_bytes")),
        ),
        (
            "huge-text",
            "54000",
            "procedure \"p\" hands over more than 16 MiB at once",
            Some("Raise procedures.value_mb in the node's configuration.".to_owned()),
        ),
    ] {
        let error = fixture.once(&target(&prepared, export), &[]).await.expect_err(export);
        assert_eq!(fields(&error), (sqlstate, message), "{export}: {error}");
        assert_eq!(error.fields().hint, hint, "{export}");
        assert!(fixture.once(&target(&prepared, "fine"), &[]).await.is_ok(), "after {export}");
        let metrics = fixture.procedures.metrics();
        assert_eq!((metrics.instances, metrics.memory_bytes), (0, 0), "after {export}");
    }
    let count = |count: i32| packed(&[Some(&count.to_be_bytes())]);
    assert_eq!(fixture.once(&target(&prepared, "rows"), &count(100)).await.expect("as many as allowed").count, 100);
    let error = fixture.once(&target(&prepared, "rows"), &count(101)).await.expect_err("one too many");
    assert_eq!(fields(&error), ("39P13", "procedure \"p\" answers too many rows: the limit rows_out is 100 rows"));
}

#[tokio::test]
async fn a_procedure_may_have_limits_of_its_own() {
    let (fixture, prepared) = misbehaving(small()).await;
    let limits = TargetLimits { wall_ms: Some(20), stack_kib: Some(1024), ..TargetLimits::default() };
    let target = |export| Target { limits, ..target(&prepared, export) };
    let error = fixture.once(&target("spin"), &[]).await.expect_err("it never ends");
    assert!(error.message().ends_with("wall_ms is 20 milliseconds in one statement"), "{error}");
    let error = fixture.once(&target("recurse"), &[]).await.expect_err("it never ends");
    assert!(error.message().ends_with("stack_kib is 1024 KiB"), "{error}");
}

#[tokio::test]
async fn calls_that_come_at_once_are_limited() {
    let (fixture, prepared) =
        misbehaving(Limits { concurrent_calls: 1, instances: 2, wall_ms: 10_000, ..small() }).await;
    let fixture = Arc::new(fixture);
    let spinning = |procedure_id| {
        let (fixture, target) = (fixture.clone(), Target { procedure_id, ..target(&prepared, "spin") });
        tokio::spawn(async move { fixture.once(&target, &[]).await })
    };
    let first = spinning(20_000);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = fixture.once(&target(&prepared, "fine"), &[]).await.expect_err("it is taken");
    assert_eq!(
        fields(&error),
        ("53000", "procedure \"p\" is called by too many statements at once: the limit concurrent_calls is 1")
    );
    let second = spinning(20_001);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let third = Target { procedure_id: 20_002, ..target(&prepared, "fine") };
    let error = fixture.once(&third, &[]).await.expect_err("there is no room");
    assert_eq!(fields(&error), ("53000", "too many procedures: all 2 instances are in use"));
    // A future that is dropped takes its instance along.
    first.abort();
    second.abort();
    assert!(first.await.is_err() && second.await.is_err());
    assert!(fixture.once(&target(&prepared, "fine"), &[]).await.is_ok());
    assert_eq!(fixture.procedures.metrics().memory_bytes, 0);
}

#[tokio::test]
async fn a_request_stops_a_procedure() {
    let (fixture, prepared) = misbehaving(Limits { wall_ms: 60_000, ..small() }).await;
    let call = fixture.call().await;
    let interrupt = call.interrupt.clone();
    let (procedures, spin) = (fixture.procedures.clone(), target(&prepared, "spin"));
    let spinning = tokio::spawn(async move { procedures.call(call, &spin, &[], 1, None).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    interrupt.request();
    let (call, answer) = spinning.await.expect("no panic");
    assert_eq!(fields(&answer.expect_err("it was stopped")), ("57014", "canceling statement due to user request"));
    assert!(call.transaction.is_some(), "the caller has its transaction back");
}

#[tokio::test]
async fn the_statement_s_own_time_comes_first() {
    let (fixture, prepared) = misbehaving(Limits { wall_ms: 60_000, ..small() }).await;
    let mut call = fixture.call().await;
    let deadline = Instant::now() + Duration::from_millis(30);
    call.deadline = Some(deadline);
    let (call, answer) = fixture.procedures.call(call, &target(&prepared, "spin"), &[], 1, None).await;
    assert_eq!(fields(&answer.expect_err("late")), ("57014", "canceling statement due to statement timeout"));
    assert_eq!(call.deadline, Some(deadline));
}

#[tokio::test]
async fn instances_serve_one_statement() {
    let (fixture, prepared) = misbehaving(small()).await;
    let mut call = fixture.call().await;
    for _ in 0..3 {
        let answer;
        (call, answer) = fixture.procedures.call(call, &target(&prepared, "fine"), &[], 1, None).await;
        assert_eq!(answer.expect("one").count, 1);
        assert_eq!(fixture.procedures.metrics().instances, 1);
    }
    call.procedures.end_statement();
    assert_eq!(fixture.procedures.metrics().instances, 0);
    assert!(call.procedures.routine_called);
    call.procedures.depth = 16;
    let (_, answer) = fixture.procedures.call(call, &target(&prepared, "fine"), &[], 1, None).await;
    assert_eq!(fields(&answer.expect_err("too deep")), ("54001", "procedures call each other more than 16 deep"));
}

#[tokio::test]
async fn a_procedure_knows_whom_it_acts_for() {
    let (fixture, prepared) = misbehaving(small()).await;
    let who = target(&prepared, "who");
    assert_eq!(fixture.once(&who, &[]).await.expect("a name").rows, packed(&[Some(b"ann")]));
    let definer = Target { definer: true, ..who };
    assert_eq!(fixture.once(&definer, &[]).await.expect("a name").rows, packed(&[Some(b"p")]));
}

#[tokio::test]
async fn chance_belongs_to_the_transaction() {
    let (fixture, prepared) = misbehaving(small()).await;
    let chance = target(&prepared, "chance");
    let first = fixture.once(&chance, &[]).await.expect("a number");
    assert_eq!(fixture.once(&chance, &[]).await.expect("a number"), first);
    let mut other = fixture.call().await;
    other.transaction_id = isobar_replica::Ulid::from_parts(1, 3);
    let (_, answer) = fixture.procedures.call(other, &chance, &[], 1, None).await;
    assert_ne!(answer.expect("a number"), first);
}

#[tokio::test]
async fn messages_stay_when_the_call_fails() {
    let (fixture, prepared) = misbehaving(small()).await;
    fixture.once(&target(&prepared, "flood-log"), &[]).await.expect_err("it logs too much");
    let logs = fixture.procedures.logs();
    assert_eq!(logs.len(), 10);
    let entry = &logs[0];
    assert_eq!(
        (&*entry.procedure, &*entry.routine, &*entry.caller, entry.level.name()),
        ("p", "flood_log", "ann", "info")
    );
    assert_eq!((entry.time, entry.message.len()), (1_000_000, 1000));
}

#[tokio::test]
async fn compiled_code_outlives_the_node_and_comes_from_the_store_when_it_is_lost() {
    let (fixture, prepared) = misbehaving(small()).await;
    let again = |folder| {
        let options = super::Options { limits: small(), folder };
        super::Procedures::new(options).expect("procedures")
    };
    let folder = fixture._data.path().join("procedures");
    let fine = target(&prepared, "fine");
    let (_, answer) = again(Some(folder)).call(fixture.call().await, &fine, &[], 1, None).await;
    assert!(answer.is_ok(), "from disk: {answer:?}");
    let (_, answer) = again(None).call(fixture.call().await, &fine, &[], 1, None).await;
    assert_eq!(answer.expect_err("it is nowhere").sqlstate(), "XX001");
    let mut call = fixture.call().await;
    let key = super::super::chunk_key(prepared.digest, 0);
    let mut write = vec![1];
    for part in [&key, &prepared.component] {
        write.extend_from_slice(&u32::try_from(part.len()).expect("short").to_le_bytes());
        write.extend_from_slice(part);
    }
    call.transaction().expect("a transaction").write(&write).expect("written");
    let (_, answer) = again(None).call(call, &fine, &[], 1, None).await;
    assert!(answer.is_ok(), "from the store: {answer:?}");
}
