//! What the sandbox costs: the same engine over the same transactions, as native code and as a component; and what
//! one statement, one instance and one session cost in the node. Prints a table; a number is worth something only
//! beside the others of its run.
//!
//! `cargo bench -p isobar --bench sandbox`

// A statement's future holds those of all its parts, commits in other regions among them.
#![recursion_limit = "256"]

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isobar_engine::engine::Engine;
use isobar_engine::error::{Error as EngineError, Result as EngineResult};
use isobar_engine::host;
use isobar_engine::statement::Request as NativeRequest;
use isobar_node::config::Configuration;
use isobar_node::node::Node;
use isobar_node::policy::{DEFAULT_USER, Principal};
use isobar_node::sandbox::procedure::{self, Nesting};
use isobar_node::sandbox::{Call, Format, Interrupt, Limits, Request, Results, Role, Sandbox};
use isobar_node::session::{Session, Settings, Statement};
use isobar_replica::{Transaction, TransactionOptions};

const ROWS: u32 = 100_000;
const ROUNDS: u32 = 5;

/// What is measured, and how often in one round.
const STATEMENTS: [(&str, &str, u32); 6] = [
    ("point read", "SELECT value FROM item WHERE id = 4711", 500),
    ("index range, 100 rows", "SELECT id, name FROM item WHERE id BETWEEN 1000 AND 1099", 200),
    ("scan and sum, 100 000 rows", "SELECT count(*), sum(value) FROM item", 1),
    ("group by, 100 000 rows", "SELECT value % 100, count(*), avg(value) FROM item GROUP BY 1", 1),
    ("sort and limit, 100 000 rows", "SELECT id FROM item ORDER BY name DESC LIMIT 10", 1),
    ("compute, a million rows", "SELECT sum(a * 3 % 7) FROM generate_series(1, 1000000) AS a", 1),
];

#[tokio::main]
async fn main() {
    let data = tempfile::tempdir().expect("a directory");
    let mut configuration = Configuration { data: data.path().into(), ..Configuration::default() };
    configuration.store.disk_reserve_mb = 0;
    let node = Arc::new(Node::open(configuration).await.expect("a node"));
    let mut session = Session::new(node.clone(), DEFAULT_USER, Settings::default());
    run(&mut session, "CREATE TABLE item (id integer PRIMARY KEY, value integer, name text)").await;
    let fill = format!(
        "INSERT INTO item SELECT g, g * 7919 % 100003, 'item ' || g * 7919 % 100003 FROM generate_series(1, {ROWS}) AS g"
    );
    run(&mut session, &fill).await;

    println!("{:<34}{:>14}{:>14}{:>8}", "in one open transaction", "native", "component", "ratio");
    let mut native = Engine::new();
    for (name, sql, times) in STATEMENTS {
        let native = measure_native(&node, &mut native, sql, times).await;
        let component = measure_component(&node, &node.sandbox, sql, times).await;
        let ratio = component.as_secs_f64() / native.as_secs_f64();
        println!("{name:<34}{:>14}{:>14}{ratio:>8.2}", shown(native), shown(component));
    }

    let whole = measure_session(&mut session, "SELECT value FROM item WHERE id = 4711", 500).await;
    println!("\n{:<34}{:>14}", "point read by a session", shown(whole));
    let write = measure_session(&mut session, "UPDATE item SET value = value + 1 WHERE id = 4711", 50).await;
    println!("{:<34}{:>14}", "update by a session, durable", shown(write));

    // Nothing is kept: every statement makes its instance and drops it.
    let cold = Sandbox::new(&Limits { idle_instances: 0, ..Limits::default() }, procedure::Options::default())
        .expect("a sandbox");
    let warm = measure_component(&node, &node.sandbox, "SHOW server_version", 200).await;
    let created = measure_component(&node, &cold, "SHOW server_version", 200).await;
    println!("{:<34}{:>14}", "call of a warm instance", shown(warm));
    println!("{:<34}{:>14}", "instance made, called, dropped", shown(created));

    measure_routine(&node).await;

    println!("{:<34}{:>12} B", "idle session", idle_session_bytes(&node).await);
}

async fn run(session: &mut Session, sql: &str) {
    let statement = Statement { sql: sql.into(), ..Statement::default() };
    let mut results = Results::held(64 << 20);
    session.execute(&statement, &mut results, None).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    black_box(results.take());
}

async fn measure_session(session: &mut Session, sql: &str, times: u32) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..times {
            run(session, sql).await;
        }
        best = best.min(started.elapsed() / times);
    }
    best
}

async fn begin(node: &Node) -> Transaction {
    let mut transaction = node.replica.begin(TransactionOptions::default()).await.expect("a transaction");
    transaction.begin_statement().expect("a statement");
    transaction
}

async fn call_in(node: &Node) -> Box<Call> {
    Box::new(Call {
        transaction: Some(begin(node).await),
        read_only: false,
        results: Results::held(64 << 20),
        authority: node.authority(Principal::Node),
        transaction_time: 0,
        statement_time: 0,
        clock: node.clock.clone(),
        interrupt: Arc::new(Interrupt::default()),
        deadline: None,
        transaction_id: isobar_replica::Ulid::generate(),
        caller: "isobar".into(),
        role: Role::default(),
        region: "local".into(),
        settings: Arc::default(),
        procedures: Nesting::default(),
    })
}

async fn measure_component(node: &Node, sandbox: &Sandbox, sql: &str, times: u32) -> Duration {
    let request = Request {
        sql: sql.into(),
        parameters: vec![],
        format: Format::Text,
        parameter_types: vec![],
        settings: vec![],
        in_transaction_block: true,
        input: None,
    };
    let mut call = call_in(node).await;
    let mut best = Duration::MAX;
    for round in 0..=ROUNDS {
        let started = Instant::now();
        for _ in 0..times {
            let outcome;
            (call, outcome) = sandbox.execute(call, &request).await;
            outcome.unwrap_or_else(|error| panic!("{sql}: {error}"));
            black_box(call.results.take());
            if let Some(transaction) = &mut call.transaction {
                transaction.finish_statement(true);
                transaction.begin_statement().expect("a statement");
            }
        }
        // The first round fills caches.
        if round > 0 {
            best = best.min(started.elapsed() / times);
        }
    }
    best
}

async fn measure_native(node: &Node, engine: &mut Engine, sql: &str, times: u32) -> Duration {
    let request = NativeRequest { sql: sql.into(), in_transaction_block: true, ..NativeRequest::default() };
    let host = NativeHost { transaction: RefCell::new(begin(node).await), bytes: Cell::new(0) };
    let mut best = Duration::MAX;
    for round in 0..=ROUNDS {
        let started = Instant::now();
        for _ in 0..times {
            black_box(engine.execute(&host, &request).unwrap_or_else(|error| panic!("{sql}: {error}")));
            let mut transaction = host.transaction.borrow_mut();
            transaction.finish_statement(true);
            transaction.begin_statement().expect("a statement");
        }
        if round > 0 {
            best = best.min(started.elapsed() / times);
        }
    }
    black_box(host.bytes.get());
    best
}

/// Adds two numbers, in a procedure.
const ADD: &str = "(module
    (memory (export \"memory\") 1)
    (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))";

fn add_component() -> Vec<u8> {
    let mut module = wat::parse_str(ADD).expect("a module");
    let mut resolve = wit_parser::Resolve::default();
    let text = "package bench:add; world add { export add: func(a: s32, b: s32) -> s32; }";
    let package = resolve.push_str("add.wit", text).expect("a package");
    let world = resolve.select_world(&[package], None).expect("a world");
    wit_component::embed_component_metadata(&mut module, &resolve, world, Default::default()).expect("metadata");
    module
}

/// What a routine costs: a call in a fresh instance, and each row of a batch.
async fn measure_routine(node: &Node) {
    const ROUTINE_ROWS: u32 = 100_000;
    let procedures = node.sandbox.procedures();
    let prepared = procedures.prepare(add_component()).await.expect("a procedure");
    let target = procedure::Target {
        procedure: "bench".into(),
        procedure_id: 1,
        version: 1,
        digest: prepared.digest,
        export: "add".into(),
        routine: "add".into(),
        definer: false,
        limits: procedure::TargetLimits::default(),
        may_define: false,
    };
    let row = [0u8, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2];
    let rows = row.repeat(ROUTINE_ROWS as usize);
    let mut call = call_in(node).await;
    let (mut fresh, mut batch) = (Duration::MAX, Duration::MAX);
    for round in 0..=ROUNDS {
        let started = Instant::now();
        for _ in 0..100 {
            let answer;
            (call, answer) = procedures.call(call, &target, &row, 1, None).await;
            black_box(answer.expect("a sum"));
            call.procedures.end_statement();
        }
        let one = started.elapsed() / 100;
        let started = Instant::now();
        let answer;
        (call, answer) = procedures.call(call, &target, &rows, ROUTINE_ROWS, None).await;
        black_box(answer.expect("sums"));
        if round > 0 {
            fresh = fresh.min(one);
            batch = batch.min(started.elapsed() / ROUTINE_ROWS);
        }
    }
    println!("{:<34}{:>14}", "routine in a fresh instance", shown(fresh));
    println!("{:<34}{:>11} ns", "routine, each row of a batch", batch.as_nanos());
}

/// How much memory many sessions take, each after one statement, divided by their number.
async fn idle_session_bytes(node: &Arc<Node>) -> u64 {
    const SESSIONS: u64 = 10_000;
    let mut sessions = Vec::new();
    let before = resident_bytes();
    for _ in 0..SESSIONS {
        let mut session = Session::new(node.clone(), DEFAULT_USER, Settings::default());
        run(&mut session, "SET application_name = 'bench'").await;
        sessions.push(session);
    }
    let bytes = resident_bytes().saturating_sub(before) / SESSIONS;
    drop(sessions);
    bytes
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

fn shown(time: Duration) -> String {
    let microseconds = time.as_secs_f64() * 1e6;
    if microseconds < 1000.0 { format!("{microseconds:.1} us") } else { format!("{:.2} ms", microseconds / 1000.0) }
}

/// The engine's host without a sandbox between them.
struct NativeHost {
    transaction: RefCell<Transaction>,
    bytes: Cell<usize>,
}

fn refused(error: isobar_replica::Error) -> EngineError {
    EngineError::new(error.sqlstate, error.message)
}

impl host::Transaction for NativeHost {
    fn catalog_version(&self) -> u64 {
        self.transaction.borrow().catalog_version()
    }

    fn get(&self, key: &[u8]) -> EngineResult<Option<Vec<u8>>> {
        self.transaction.borrow_mut().get(key).map_err(refused)
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> EngineResult<Vec<Option<Vec<u8>>>> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    fn scan(&self, range: &host::KeyRange) -> EngineResult<u32> {
        let host::KeyRange { start, end, reverse, expected_rows } = range.clone();
        let range = isobar_replica::KeyRange { start, end, reverse, expected_rows };
        self.transaction.borrow_mut().scan(range).map_err(refused)
    }

    fn next_batch(&self, cursor: u32, max_bytes: u32) -> EngineResult<Vec<u8>> {
        Ok(self.transaction.borrow_mut().next_batch(cursor, max_bytes).map_err(refused)?.into())
    }

    fn close_cursor(&self, cursor: u32) {
        self.transaction.borrow_mut().close_cursor(cursor);
    }

    fn write(&self, writes: &[u8]) -> EngineResult<()> {
        self.transaction.borrow_mut().write(writes).map_err(refused)
    }

    fn guard(&self, key: &[u8]) -> EngineResult<()> {
        self.transaction.borrow_mut().guard(key).map_err(refused)
    }

    fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        self.transaction.borrow().estimate_count(index_prefix)
    }
}

impl host::Environment for NativeHost {
    fn transaction_time(&self) -> i64 {
        0
    }

    fn statement_time(&self) -> i64 {
        0
    }

    fn clock_time(&self) -> i64 {
        0
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

impl host::Output for NativeHost {
    fn describe(&self, columns: &[host::OutputColumn]) -> EngineResult<()> {
        self.bytes.set(self.bytes.get() + columns.len());
        Ok(())
    }

    fn rows(&self, batch: &[u8], _: u32) -> EngineResult<()> {
        self.bytes.set(self.bytes.get() + batch.len());
        Ok(())
    }

    fn notice(&self, _: host::Severity, _: &str, message: &str) {
        self.bytes.set(self.bytes.get() + message.len());
    }
}

impl host::Routines for NativeHost {
    fn call(&self, target: &host::Target, _: &[u8], _: u32) -> EngineResult<host::RoutineAnswer> {
        Err(isobar_engine::error::Error::not_supported(format!("procedure {}", target.procedure)))
    }

    fn usage(&self) -> Vec<host::Usage> {
        vec![]
    }

    fn logs(&self) -> Vec<host::LogEntry> {
        vec![]
    }
}

impl host::Authorization for NativeHost {
    fn check(&self, _: &[host::Access]) -> EngineResult<()> {
        Ok(())
    }
}
