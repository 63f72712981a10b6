//! Procedures that run SQL, over an engine made by hand: what it does to a statement is known by its first letter.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::{component, fields, packed, target};
use crate::error::Error;
use crate::sandbox::procedure::call::Answer;
use crate::sandbox::procedure::{Limits, Options, Prepared, Target};
use crate::sandbox::{Call, Interrupt, Limits as SandboxLimits, Sandbox};

/// `w` writes the key "k…" named by the statement's second letter, `f` does so and fails, `q` answers two rows of one
/// integer, `d` defines something, `l` never ends, `c` asks for COMMIT, `s` for a savepoint, `n` gives a notice.
const ENGINE: &str = r#"(module
    (import "isobar:engine/transaction@0.1.0" "write" (func $write (param i32 i32 i32)))
    (import "isobar:engine/output@0.1.0" "describe" (func $describe (param i32 i32 i32)))
    (import "isobar:engine/output@0.1.0" "rows" (func $rows (param i32 i32 i32 i32)))
    (import "isobar:engine/output@0.1.0" "notice" (func $notice (param i32 i32 i32 i32 i32)))
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
        (global.set $next (i32.add (local.get $at) (local.get 3)))
        (local.get $at))
    ;; a put: 1, length 10, key, length 1, value
    (data (i32.const 512) "\01\0a\00\00\00\01\00\00\00\07\00\00\00\07k\01\00\00\00v")
    (data (i32.const 560) "INSERT 0 1SELECT 2OK22012division by zero01000careful")
    ;; a column: name, type OID, size, modifier, table, number
    (data (i32.const 640) "\c0\02\00\00\01\00\00\00\17\00\00\00\04\00\00\00\ff\ff\ff\ff\00\00\00\00\00\00\00\00")
    (data (i32.const 704) "a")
    (data (i32.const 720) "\00\00\00\04\00\00\00\07\00\00\00\04\00\00\00\08")
    (func $complete (param i32 i32) (result i32)
        (memory.fill (i32.const 16) (i32.const 0) (i32.const 128))
        (i32.store (i32.const 24) (local.get 0)) (i32.store (i32.const 28) (local.get 1)) (i32.const 16))
    (func $control (param i32) (result i32)
        (memory.fill (i32.const 16) (i32.const 0) (i32.const 128))
        (i32.store (i32.const 20) (i32.const 1)) (i32.store (i32.const 24) (local.get 0)) (i32.const 16))
    (func (export "isobar:engine/statement@0.1.0#execute")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
        (local $letter i32)
        (global.set $next (i32.const 4096))
        (local.set $letter (i32.load8_u (local.get 0)))
        (if (i32.eq (local.get $letter) (i32.const 108)) (then (loop (br 0))))
        (if (i32.eq (local.get $letter) (i32.const 99)) (then (return (call $control (i32.const 1)))))
        (if (i32.eq (local.get $letter) (i32.const 115)) (then (return (call $control (i32.const 3)))))
        (if (i32.eq (local.get $letter) (i32.const 110)) (then
            (call $notice (i32.const 3) (i32.const 601) (i32.const 5) (i32.const 606) (i32.const 7))
            (return (call $complete (i32.const 578) (i32.const 2)))))
        (if (i32.eq (local.get $letter) (i32.const 113)) (then
            (call $describe (i32.const 640) (i32.const 1) (i32.const 16))
            (call $rows (i32.const 720) (i32.const 16) (i32.const 2) (i32.const 16))
            ;; an error goes on as it is
            (if (i32.load8_u (i32.const 16)) (then (return (i32.const 16))))
            (return (call $complete (i32.const 570) (i32.const 8)))))
        ;; d writes to the catalog, w and f to a table
        (i32.store8 (i32.const 517) (i32.ne (local.get $letter) (i32.const 100)))
        (i32.store8 (i32.const 526) (i32.load8_u offset=1 (local.get 0)))
        (call $write (i32.const 512) (i32.const 20) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (i32.const 16))))
        (if (i32.eq (local.get $letter) (i32.const 102)) (then
            (memory.fill (i32.const 16) (i32.const 0) (i32.const 128))
            (i32.store (i32.const 16) (i32.const 1))
            (i32.store (i32.const 20) (i32.const 580)) (i32.store (i32.const 24) (i32.const 5))
            (i32.store (i32.const 28) (i32.const 585)) (i32.store (i32.const 32) (i32.const 16))
            (return (i32.const 16))))
        (call $complete (i32.const 560) (i32.const 10)))
    (func (export "isobar:engine/statement@0.1.0#describe")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
    (func (export "isobar:engine/statement@0.1.0#split") (param i32 i32) (result i32) unreachable)
)"#;

const WORLD: &str = "world test {
    include isobar:procedure/procedure@0.1.0;
    export run: func(sql: string) -> u64;
    export run-all: func(sql: string, times: s32) -> u64;
    export ask: func(sql: string) -> s64;
    export try-first: func(sql: string) -> bool;
}";

/// `run` gives what its SQL counts, or traps; `run-all` does it again and again; `ask` adds up the rows' first values;
/// `try-first` says whether it failed and goes on.
const MODULE: &str = r#"
    (import "isobar:procedure/sql@0.1.0" "execute" (func $execute (param i32 i32 i32 i32 i32)))
    (import "isobar:procedure/sql@0.1.0" "query" (func $query (param i32 i32 i32 i32 i32)))
    (import "isobar:procedure/sql@0.1.0" "[method]rows.next" (func $next (param i32 i32 i32)))
    (import "isobar:procedure/sql@0.1.0" "[resource-drop]rows" (func $drop (param i32)))
---
    (func $run (export "run") (param i32 i32) (result i64)
        (call $execute (local.get 0) (local.get 1) (i32.const 0) (i32.const 0) (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then unreachable))
        (i64.load (i32.const 72)))
    (func (export "run-all") (param i32 i32 i32) (result i64)
        (local $count i64)
        (loop $again
            (local.set $count (i64.add (local.get $count) (call $run (local.get 0) (local.get 1))))
            (local.set 2 (i32.sub (local.get 2) (i32.const 1)))
            (br_if $again (local.get 2)))
        (local.get $count))
    (func (export "try-first") (param i32 i32) (result i32)
        (call $execute (local.get 0) (local.get 1) (i32.const 0) (i32.const 0) (i32.const 64))
        (i32.load8_u (i32.const 64)))
    (func (export "ask") (param i32 i32) (result i64)
        (local $rows i32) (local $row i32) (local $left i32) (local $sum i64)
        (call $query (local.get 0) (local.get 1) (i32.const 0) (i32.const 0) (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then unreachable))
        (local.set $rows (i32.load (i32.const 68)))
        (call $next (local.get $rows) (i32.const 10) (i32.const 80))
        (local.set $row (i32.load (i32.const 80)))
        (local.set $left (i32.load (i32.const 84)))
        (loop $again
            ;; a row is a pointer to its values and their number; an integer's value is after its tag
            (local.set $sum (i64.add (local.get $sum) (i64.load32_s offset=8 (i32.load (local.get $row)))))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br_if $again (local.get $left)))
        (call $drop (local.get $rows))
        (local.get $sum))
"#;

fn engine() -> Vec<u8> {
    let mut bytes = wat::parse_str(ENGINE).unwrap_or_else(|error| panic!("{error}"));
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_path(wit).expect("wit/ parses");
    let world = resolve.select_world(&[package], Some("engine")).expect("the world is there");
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let encoder = ComponentEncoder::default().validate(true).module(&bytes);
    encoder.and_then(|mut encoder| encoder.encode()).unwrap_or_else(|error| panic!("{error:#}"))
}

struct Fixture {
    sandbox: Sandbox,
    /// Only its replica and its way of making calls are used.
    plain: super::Fixture,
    prepared: Prepared,
}

async fn fixture(limits: Limits) -> Fixture {
    let sandbox_limits = SandboxLimits { instances: 1, idle_instances: 2, memory_mb: 16, ..SandboxLimits::default() };
    let options = Options { limits: limits.clone(), folder: None };
    let sandbox = Sandbox::from_component(&sandbox_limits, options, &engine()).expect("a sandbox");
    let plain = super::fixture(limits).await;
    let prepared = sandbox.procedures().prepare(component::module(WORLD, MODULE)).await.expect("a procedure");
    Fixture { sandbox, plain, prepared }
}

impl Fixture {
    async fn call(&self, target: &Target, arguments: &[u8]) -> (Box<Call>, Result<Answer, Error>) {
        let call = self.plain.call().await;
        self.sandbox.procedures().call(call, target, arguments, 1, Some(self.sandbox.clone())).await
    }

    fn target(&self, export: &str) -> Target {
        target(&self.prepared, export)
    }
}

fn key(space: u8, letter: u8) -> Vec<u8> {
    vec![space, 0, 0, 0, 7, 0, 0, 0, 7, letter]
}

fn text(sql: &str) -> Vec<u8> {
    packed(&[Some(sql.as_bytes())])
}

fn count(count: i64) -> Vec<u8> {
    packed(&[Some(&count.to_be_bytes())])
}

#[tokio::test]
async fn statements_belong_to_the_caller_s_transaction() {
    let fixture = fixture(Limits::default()).await;
    let (mut call, answer) = fixture.call(&fixture.target("try-first"), &text("wa")).await;
    assert_eq!(answer.expect("it writes").rows, packed(&[Some(&[0])]));
    let transaction = call.transaction().expect("it comes back");
    assert_eq!(transaction.get(&key(1, b'a')).expect("read"), Some(b"v".to_vec()));
    // What failed has undone itself and nothing else.
    let (mut call, answer) = {
        let target = fixture.target("try-first");
        fixture.sandbox.procedures().call(call, &target, &text("fb"), 1, Some(fixture.sandbox.clone())).await
    };
    assert_eq!(answer.expect("it goes on").rows, packed(&[Some(&[1])]));
    let transaction = call.transaction().expect("it comes back");
    assert_eq!(transaction.get(&key(1, b'a')).expect("read"), Some(b"v".to_vec()));
    assert_eq!(transaction.get(&key(1, b'b')).expect("read"), None);
    let (_, answer) = fixture.call(&fixture.target("ask"), &text("q")).await;
    assert_eq!(answer.expect("rows").rows, count(15));
}

#[tokio::test]
async fn definitions_need_leave() {
    let fixture = fixture(Limits::default()).await;
    let (mut call, answer) = fixture.call(&fixture.target("try-first"), &text("da")).await;
    assert_eq!(answer.expect("it goes on").rows, packed(&[Some(&[1])]));
    assert_eq!(call.transaction().expect("there").get(&key(0, b'a')).expect("read"), None);
    let allowed = Target { may_define: true, ..fixture.target("try-first") };
    let (mut call, answer) = fixture.call(&allowed, &text("da")).await;
    assert_eq!(answer.expect("it may").rows, packed(&[Some(&[0])]));
    assert_eq!(call.transaction().expect("there").get(&key(0, b'a')).expect("read"), Some(b"v".to_vec()));
}

#[tokio::test]
async fn controls_and_the_engine_s_own_texts_are_refused() {
    let fixture = fixture(Limits::default()).await;
    for sql in ["c", "s", "\0w"] {
        let (_, answer) = fixture.call(&fixture.target("try-first"), &text(sql)).await;
        match answer {
            Ok(answer) => assert_eq!(answer.rows, packed(&[Some(&[1])]), "{sql:?}"),
            Err(error) => panic!("{sql:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn notices_reach_the_client() {
    let fixture = fixture(Limits::default()).await;
    let (mut call, answer) = fixture.call(&fixture.target("try-first"), &text("n")).await;
    assert!(answer.is_ok());
    let notices: Vec<_> = call.results.take().iter().map(|event| format!("{event:?}")).collect();
    assert!(notices.len() == 1 && notices[0].contains("careful"), "{notices:?}");
}

#[tokio::test]
async fn statements_and_their_rows_are_limited() {
    let fixture = fixture(Limits { statements: 3, rows_in: 5, ..Limits::default() }).await;
    let run = |sql: &str, times: i32| packed(&[Some(sql.as_bytes()), Some(&times.to_be_bytes())]);
    let all = fixture.target("run-all");
    let (_, answer) = fixture.call(&all, &run("wa", 3)).await;
    assert!(answer.is_ok(), "{answer:?}");
    let (call, answer) = fixture.call(&all, &run("wa", 4)).await;
    let message = "procedure \"p\" runs too many SQL statements: the limit statements is 3";
    assert_eq!(fields(&answer.expect_err("one too many")), ("39P11", message));
    assert!(call.transaction.is_some());
    assert!(fixture.call(&all, &run("q", 2)).await.1.is_ok());
    let (call, answer) = fixture.call(&all, &run("q", 3)).await;
    let message = "procedure \"p\" reads too many rows: the limit rows_in is 5 rows";
    assert_eq!(fields(&answer.expect_err("six rows")), ("39P12", message));
    assert!(call.transaction.is_some());
    assert_eq!(fixture.sandbox.procedures().usage()[0].statements, 3 + 3 + 2 + 3 + 1);
}

#[tokio::test]
async fn a_procedure_s_time_counts_that_of_its_statements() {
    let fixture = fixture(Limits { wall_ms: 50, ..Limits::default() }).await;
    let (call, answer) = fixture.call(&fixture.target("try-first"), &text("l")).await;
    let error = answer.expect_err("it never ends");
    assert_eq!(error.sqlstate(), "57014");
    assert!(error.message().contains("wall_ms"), "{error}");
    assert!(call.transaction.is_some(), "the caller has its transaction back");
}

#[tokio::test]
async fn a_request_stops_a_nested_statement() {
    let fixture = Arc::new(fixture(Limits { wall_ms: 60_000, ..Limits::default() }).await);
    let call = fixture.plain.call().await;
    let interrupt: Arc<Interrupt> = call.interrupt.clone();
    let looping = {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            let target = fixture.target("try-first");
            let sandbox = Some(fixture.sandbox.clone());
            fixture.sandbox.procedures().call(call, &target, &text("l"), 1, sandbox).await
        })
    };
    tokio::time::sleep(Duration::from_millis(30)).await;
    interrupt.request();
    let (call, answer) = looping.await.expect("no panic");
    assert_eq!(fields(&answer.expect_err("stopped")), ("57014", "canceling statement due to user request"));
    assert!(call.transaction.is_some());
    // A future that is dropped half-way leaves nothing behind.
    let (endless, sql) = (fixture.target("try-first"), text("l"));
    assert!(tokio::time::timeout(Duration::from_millis(30), fixture.call(&endless, &sql)).await.is_err());
    let metrics = fixture.sandbox.procedures().metrics();
    assert_eq!((metrics.instances, metrics.memory_bytes), (0, 0));
    assert!(fixture.call(&fixture.target("try-first"), &text("wa")).await.1.is_ok());
}
