//! Guests that misbehave: each costs its statement and nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use isobar_replica::Clock;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, InstructionSink, MemArg, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::policy::{Authority, InForce, Principal};
use crate::sandbox::procedure::{self, Nesting};
use crate::sandbox::{Call, Format, Interrupt, Limits, Outcome, Request, Results, Role, Sandbox};

/// Where the guest's answer lies: an `ok` of a completion with the tag `OK`.
const ANSWER: i32 = 16;
const ANSWER_BYTES: &[u8] = b"\0\0\0\0\0\0\0\0\x30\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0";
const TAG: i32 = 0x30;

/// A component whose `execute` does what the statement's first letter says: `t`raps, `l`oops, hogs `m`emory,
/// `r`ecurses, reads `o`ut of bounds; and answers `OK` to everything else.
fn hostile_component() -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 13], [ValType::I32]);
    types.ty().function([ValType::I32; 2], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    types.ty().function([ValType::I32], [ValType::I32]);
    module.section(&types);
    let mut functions = FunctionSection::new();
    for type_index in [0, 0, 1, 2, 3] {
        functions.function(type_index);
    }
    module.section(&functions);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 2, maximum: None, memory64: false, shared: false, page_size_log2: None });
    module.section(&memories);
    let mut globals = GlobalSection::new();
    globals.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(1024));
    module.section(&globals);
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (index, name) in ["execute", "describe", "split"].iter().enumerate() {
        let index = u32::try_from(index).expect("three functions");
        exports.export(&format!("isobar:engine/statement@0.1.0#{name}"), ExportKind::Func, index);
    }
    exports.export("cabi_realloc", ExportKind::Func, 3);
    module.section(&exports);
    let mut code = CodeSection::new();
    code.function(&execute());
    for _ in 0..2 {
        let mut function = Function::new([]);
        function.instructions().unreachable().end();
        code.function(&function);
    }
    code.function(&allocate());
    let mut recurse = Function::new([]);
    recurse.instructions().local_get(0).call(4).local_get(0).i32_add().end();
    code.function(&recurse);
    module.section(&code);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(ANSWER), ANSWER_BYTES.iter().copied());
    data.active(0, &ConstExpr::i32_const(TAG), b"OK".iter().copied());
    module.section(&data);
    let mut bytes = module.finish();

    let mut resolve = Resolve::default();
    let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_path(wit).expect("wit/ parses");
    let world = resolve.select_world(&[package], Some("engine")).expect("the world is there");
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).expect("metadata");
    ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .expect("a component")
}

fn execute() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    on(&mut code, b't', |code| {
        code.unreachable();
    });
    on(&mut code, b'l', |code| {
        code.loop_(BlockType::Empty).br(0).end();
    });
    on(&mut code, b'm', |code| {
        // As an allocator does: ask for more until there is none, then give up.
        code.loop_(BlockType::Empty).i32_const(16).memory_grow(0).i32_const(-1).i32_ne().br_if(0).end().unreachable();
    });
    on(&mut code, b'r', |code| {
        code.i32_const(1).call(4).drop();
    });
    on(&mut code, b'o', |code| {
        code.i32_const(-8).i32_load(MemArg { offset: 0, align: 2, memory_index: 0 }).drop();
    });
    code.i32_const(ANSWER).end();
    function
}

/// Runs `body` when the statement begins with this letter.
fn on(code: &mut InstructionSink<'_>, letter: u8, body: impl FnOnce(&mut InstructionSink<'_>)) {
    code.local_get(0).i32_load8_u(MemArg { offset: 0, align: 0, memory_index: 0 });
    code.i32_const(letter.into()).i32_eq().if_(BlockType::Empty);
    body(code);
    code.end();
}

/// `cabi_realloc`, which only ever takes more.
fn allocate() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    code.global_get(0).global_get(0).local_get(3).i32_add().i32_const(7).i32_add().i32_const(-8).i32_and();
    code.global_set(0).end();
    function
}

struct Still;

impl Clock for Still {
    fn now_micros(&self) -> u64 {
        0
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

fn call() -> Box<Call> {
    Box::new(Call {
        transaction: None,
        read_only: false,
        results: Results::held(1 << 20),
        authority: Authority::new(Arc::new(InForce::new().expect("policies")), Principal::Node),
        transaction_time: 0,
        statement_time: 0,
        clock: Arc::new(Still),
        interrupt: Arc::new(Interrupt::default()),
        deadline: Some(Instant::now() + Duration::from_secs(30)),
        transaction_id: isobar_replica::Ulid::from_parts(1, 2),
        caller: "ann".into(),
        role: Role::default(),
        region: "here".into(),
        settings: Arc::default(),
        procedures: Nesting::default(),
    })
}

fn request(sql: &str) -> Request {
    Request {
        sql: sql.into(),
        parameters: vec![],
        format: Format::Text,
        parameter_types: vec![],
        settings: vec![],
        in_transaction_block: false,
        input: None,
    }
}

fn sandbox(limits: Limits) -> Sandbox {
    Sandbox::from_component(&limits, procedure::Options::default(), &hostile_component()).expect("a sandbox")
}

fn small() -> Limits {
    Limits { instances: 2, idle_instances: 2, memory_mb: 16, retained_memory_mb: 8, ..Limits::default() }
}

async fn run(sandbox: &Sandbox, sql: &str) -> Result<Outcome, (String, String)> {
    let (_, outcome) = sandbox.execute(call(), &request(sql)).await;
    outcome.map_err(|error| (error.sqlstate().to_owned(), error.message().to_owned()))
}

fn ok() -> Result<Outcome, (String, String)> {
    Ok(Outcome::Complete { tag: "OK".into(), follow_up: vec![] })
}

#[tokio::test]
async fn traps_cost_their_statement_and_their_instance() {
    let sandbox = sandbox(small());
    for (sql, sqlstate, message) in [
        ("trap", "XX000", "the SQL engine failed"),
        ("memory", "53200", "out of memory"),
        ("recursion", "54001", "stack depth limit exceeded"),
        ("out of bounds", "54001", "stack depth limit exceeded"),
    ] {
        assert_eq!(run(&sandbox, "fine").await, ok());
        let before = sandbox.metrics();
        assert_eq!(run(&sandbox, sql).await, Err((sqlstate.into(), message.into())), "{sql}");
        assert_eq!(sandbox.metrics().discarded, before.discarded + 1, "{sql}");
        assert_eq!(run(&sandbox, "fine").await, ok(), "after {sql}");
    }
}

#[tokio::test]
async fn instances_share_what_memory_there_is() {
    let sandbox = sandbox(Limits { memory_mb: 4096, total_memory_mb: 16, ..small() });
    for _ in 0..3 {
        assert_eq!(run(&sandbox, "memory").await, Err(("53200".into(), "out of memory".into())));
        assert_eq!(run(&sandbox, "fine").await, ok(), "what a discarded instance had is free again");
        let bytes = sandbox.metrics().memory_bytes;
        assert!(bytes > 0 && bytes < 1 << 20, "{bytes} bytes for two pages");
    }
}

#[tokio::test]
async fn endless_loops_end_with_their_time() {
    let sandbox = sandbox(small());
    let mut late = call();
    late.deadline = Some(Instant::now() + Duration::from_millis(60));
    let started = Instant::now();
    let (_, outcome) = sandbox.execute(late, &request("loop")).await;
    let error = outcome.expect_err("it never ends");
    assert_eq!((error.sqlstate(), error.message()), ("57014", "canceling statement due to statement timeout"));
    assert!(started.elapsed() >= Duration::from_millis(60));
    assert_eq!(run(&sandbox, "fine").await, ok());
}

#[tokio::test]
async fn endless_loops_let_others_run_and_can_be_cancelled() {
    let sandbox = sandbox(small());
    let endless = call();
    let interrupt = endless.interrupt.clone();
    // One thread for both: the loop must yield for the others to get on.
    let looping = {
        let sandbox = sandbox.clone();
        tokio::spawn(async move { sandbox.execute(endless, &request("loop")).await.1 })
    };
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(sandbox.metrics().running, 1);
    assert_eq!(run(&sandbox, "fine").await, ok());
    interrupt.request();
    let error = looping.await.expect("no panic").expect_err("it was cancelled");
    assert_eq!((error.sqlstate(), error.message()), ("57014", "canceling statement due to user request"));
}

#[tokio::test]
async fn a_dropped_call_frees_its_instance() {
    let sandbox = sandbox(small());
    for _ in 0..4 {
        let started = tokio::time::timeout(Duration::from_millis(20), sandbox.execute(call(), &request("loop"))).await;
        assert!(started.is_err(), "it never ends");
    }
    assert_eq!(sandbox.metrics().running, 0);
    assert_eq!(run(&sandbox, "fine").await, ok());
}

#[tokio::test]
async fn statements_wait_for_an_instance_only_so_long() {
    let sandbox = sandbox(Limits { instances: 1, wait_ms: 30, ..small() });
    let endless = call();
    let interrupt = endless.interrupt.clone();
    let looping = {
        let sandbox = sandbox.clone();
        tokio::spawn(async move { sandbox.execute(endless, &request("loop")).await.1 })
    };
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(run(&sandbox, "fine").await.map_err(|(sqlstate, _)| sqlstate), Err("53000".to_owned()));
    interrupt.request();
    assert!(looping.await.expect("no panic").is_err());
    assert_eq!(run(&sandbox, "fine").await, ok());
}

#[tokio::test]
async fn warm_instances_are_used_again() {
    let sandbox = sandbox(small());
    for _ in 0..10 {
        assert_eq!(run(&sandbox, "fine").await, ok());
    }
    let metrics = sandbox.metrics();
    assert_eq!((metrics.created, metrics.discarded, metrics.idle), (1, 0, 1));
}
