//! The session's transaction blocks, savepoints, settings and prepared statements against what PostgreSQL 15 answers.

use std::sync::Arc;

use isobar_node::config::Configuration;
use isobar_node::node::Node;
use isobar_node::policy::DEFAULT_USER;
use isobar_node::sandbox::{Event, Results, TransactionModes};
use isobar_node::session::{Session, Settings, Statement, once};
use isobar_replica::Ulid;

struct Fixture {
    node: Arc<Node>,
    _data: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let data = tempfile::tempdir().expect("a directory");
    let mut configuration = Configuration { data: data.path().into(), ..Configuration::default() };
    configuration.store.cache_mb = 16;
    configuration.store.disk_reserve_mb = 0;
    let node = Node::open(configuration).await.expect("a node");
    Fixture { node: Arc::new(node), _data: data }
}

impl Fixture {
    fn session(&self) -> Session {
        Session::new(self.node.clone(), DEFAULT_USER, Settings::default())
    }
}

/// What a client sees: notices, rows, and the tag or the error.
async fn seen(session: &mut Session, sql: &str) -> String {
    let mut results = Results::held(1 << 20);
    let statement = Statement { sql: sql.into(), ..Statement::default() };
    let answer = session.execute(&statement, &mut results, None).await;
    let mut lines = Vec::new();
    let mut columns = 0;
    for event in results.take() {
        match event {
            Event::Columns(described) => columns = described.len(),
            Event::Notice(notice) => {
                lines.push(format!("{} {}: {}", notice.severity.name(), notice.sqlstate, notice.message));
            }
            Event::Rows { batch, count } => lines.extend(rows(&batch, count, columns)),
        }
    }
    lines.push(match answer {
        Ok(completion) => completion.tag,
        Err(error) => format!("ERROR {}: {}", error.sqlstate(), error.message()),
    });
    lines.join("\n")
}

fn rows(batch: &[u8], count: u32, columns: usize) -> Vec<String> {
    let mut rest = batch;
    let mut row = || {
        let values: Vec<String> = (0..columns)
            .map(|_| {
                let (length, after) = rest.split_first_chunk::<4>().expect("a length");
                let length = i32::from_be_bytes(*length);
                let (value, after) = after.split_at(usize::try_from(length).unwrap_or(0));
                rest = after;
                if length < 0 { "NULL".into() } else { String::from_utf8_lossy(value).into_owned() }
            })
            .collect();
        values.join("|")
    };
    (0..count).map(|_| row()).collect()
}

async fn check(session: &mut Session, script: &[(&str, &str)]) {
    for (sql, expected) in script {
        assert_eq!(&seen(session, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn blocks_commit_or_roll_back_as_a_whole() {
    let fixture = fixture().await;
    let mut session = fixture.session();
    check(
        &mut session,
        &[
            ("CREATE TABLE t (a integer PRIMARY KEY, b text)", "CREATE TABLE"),
            ("BEGIN", "BEGIN"),
            ("INSERT INTO t VALUES (1, 'one')", "INSERT 0 1"),
            ("SELECT * FROM t", "1|one\nSELECT 1"),
        ],
    )
    .await;
    assert_eq!(seen(&mut fixture.session(), "SELECT * FROM t").await, "SELECT 0");
    check(
        &mut session,
        &[
            ("COMMIT", "COMMIT"),
            ("BEGIN", "BEGIN"),
            ("DELETE FROM t", "DELETE 1"),
            ("ROLLBACK", "ROLLBACK"),
            ("SELECT a FROM t", "1\nSELECT 1"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_failed_block_ignores_everything_but_its_end() {
    let fixture = fixture().await;
    const ABORTED: &str =
        "ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block";
    check(
        &mut fixture.session(),
        &[
            ("CREATE TABLE t (a integer PRIMARY KEY)", "CREATE TABLE"),
            ("BEGIN", "BEGIN"),
            ("INSERT INTO t VALUES (1)", "INSERT 0 1"),
            ("SELECT 1/0", "ERROR 22012: division by zero"),
            ("SELECT 1", ABORTED),
            ("INSERT INTO t VALUES (2)", ABORTED),
            ("SELECT * FROM missing", ABORTED),
            ("SET work_mem = '1MB'", ABORTED),
            ("BEGIN", ABORTED),
            ("SAVEPOINT s", ABORTED),
            ("SELEC 1", "ERROR 42601: syntax error at or near \"SELEC\""),
            ("COMMIT", "ROLLBACK"),
            ("SELECT count(*) FROM t", "0\nSELECT 1"),
        ],
    )
    .await;
}

#[tokio::test]
async fn block_commands_in_the_wrong_place_warn_or_fail() {
    let fixture = fixture().await;
    check(
        &mut fixture.session(),
        &[
            ("COMMIT", "WARNING 25P01: there is no transaction in progress\nCOMMIT"),
            ("ROLLBACK", "WARNING 25P01: there is no transaction in progress\nROLLBACK"),
            ("SAVEPOINT s", "ERROR 25P01: SAVEPOINT can only be used in transaction blocks"),
            ("RELEASE SAVEPOINT s", "ERROR 25P01: RELEASE SAVEPOINT can only be used in transaction blocks"),
            ("ROLLBACK TO SAVEPOINT s", "ERROR 25P01: ROLLBACK TO SAVEPOINT can only be used in transaction blocks"),
            ("SET LOCAL work_mem = '1MB'", "WARNING 25P01: SET LOCAL can only be used in transaction blocks\nSET"),
            (
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "WARNING 25P01: SET TRANSACTION can only be used in transaction blocks\nSET",
            ),
            ("BEGIN", "BEGIN"),
            ("BEGIN", "WARNING 25001: there is already a transaction in progress\nBEGIN"),
            ("RELEASE SAVEPOINT s", "ERROR 3B001: savepoint \"s\" does not exist"),
            ("ROLLBACK", "ROLLBACK"),
        ],
    )
    .await;
}

#[tokio::test]
async fn savepoints_undo_what_came_after_them() {
    let fixture = fixture().await;
    check(
        &mut fixture.session(),
        &[
            ("CREATE TABLE t (a integer PRIMARY KEY)", "CREATE TABLE"),
            ("BEGIN", "BEGIN"),
            ("INSERT INTO t VALUES (1)", "INSERT 0 1"),
            ("SAVEPOINT one", "SAVEPOINT"),
            ("INSERT INTO t VALUES (2)", "INSERT 0 1"),
            ("SAVEPOINT two", "SAVEPOINT"),
            ("INSERT INTO t VALUES (2)", "ERROR 23505: duplicate key value violates unique constraint \"t_pkey\""),
            ("ROLLBACK TO SAVEPOINT missing", "ERROR 3B001: savepoint \"missing\" does not exist"),
            ("ROLLBACK TO SAVEPOINT two", "ROLLBACK"),
            ("SELECT a FROM t ORDER BY a", "1\n2\nSELECT 2"),
            ("ROLLBACK TO SAVEPOINT one", "ROLLBACK"),
            ("SELECT a FROM t ORDER BY a", "1\nSELECT 1"),
            ("RELEASE SAVEPOINT one", "RELEASE"),
            ("INSERT INTO t VALUES (3)", "INSERT 0 1"),
            ("COMMIT", "COMMIT"),
            ("SELECT a FROM t ORDER BY a", "1\n3\nSELECT 2"),
        ],
    )
    .await;
}

#[tokio::test]
async fn settings_follow_the_transaction() {
    let fixture = fixture().await;
    check(
        &mut fixture.session(),
        &[
            ("SET application_name = 'one'", "SET"),
            ("SHOW application_name", "one\nSHOW"),
            ("BEGIN", "BEGIN"),
            ("SET application_name = 'two'", "SET"),
            ("SAVEPOINT s", "SAVEPOINT"),
            ("SET LOCAL application_name = 'three'", "SET"),
            ("SHOW application_name", "three\nSHOW"),
            ("ROLLBACK TO SAVEPOINT s", "ROLLBACK"),
            ("SHOW application_name", "two\nSHOW"),
            ("ROLLBACK", "ROLLBACK"),
            ("SHOW application_name", "one\nSHOW"),
            ("BEGIN", "BEGIN"),
            ("SET LOCAL application_name = 'four'", "SET"),
            ("COMMIT", "COMMIT"),
            ("SHOW application_name", "one\nSHOW"),
            ("RESET application_name", "RESET"),
            ("SHOW application_name", "\nSHOW"),
        ],
    )
    .await;
}

#[tokio::test]
async fn modes_are_set_before_the_first_query() {
    let fixture = fixture().await;
    check(
        &mut fixture.session(),
        &[
            ("CREATE TABLE t (a integer PRIMARY KEY)", "CREATE TABLE"),
            ("BEGIN", "BEGIN"),
            ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET"),
            ("SHOW transaction_isolation", "serializable\nSHOW"),
            ("SELECT count(*) FROM t", "0\nSELECT 1"),
            (
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "ERROR 25001: SET TRANSACTION ISOLATION LEVEL must be called before any query",
            ),
            ("ROLLBACK", "ROLLBACK"),
            ("BEGIN READ ONLY", "BEGIN"),
            ("INSERT INTO t SELECT 1 WHERE false", "ERROR 25006: cannot execute INSERT in a read-only transaction"),
            ("ROLLBACK", "ROLLBACK"),
            ("BEGIN READ ONLY", "BEGIN"),
            ("SELECT * FROM t FOR UPDATE", "ERROR 25006: cannot execute SELECT FOR UPDATE in a read-only transaction"),
            ("ROLLBACK", "ROLLBACK"),
            ("BEGIN READ ONLY", "BEGIN"),
            (
                "WITH new AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM new",
                "ERROR 25006: cannot execute SELECT in a read-only transaction",
            ),
            ("ROLLBACK", "ROLLBACK"),
            ("BEGIN READ ONLY", "BEGIN"),
            ("DROP TABLE t", "ERROR 25006: cannot execute DROP TABLE in a read-only transaction"),
            ("ROLLBACK", "ROLLBACK"),
            ("SET default_transaction_read_only = on", "SET"),
            ("INSERT INTO t VALUES (1)", "ERROR 25006: cannot execute INSERT in a read-only transaction"),
            ("BEGIN READ WRITE", "BEGIN"),
            ("INSERT INTO t VALUES (1)", "INSERT 0 1"),
            ("COMMIT", "COMMIT"),
        ],
    )
    .await;
}

#[tokio::test]
async fn statements_are_prepared_by_name() {
    let fixture = fixture().await;
    check(
        &mut fixture.session(),
        &[
            ("PREPARE add (integer, integer) AS SELECT $1 + $2", "PREPARE"),
            ("PREPARE add AS SELECT 1", "ERROR 42P05: prepared statement \"add\" already exists"),
            ("EXECUTE add(1, 2)", "3\nSELECT 1"),
            ("EXECUTE add(40, 2)", "42\nSELECT 1"),
            ("DEALLOCATE add", "DEALLOCATE"),
            ("EXECUTE add(1, 2)", "ERROR 26000: prepared statement \"add\" does not exist"),
            ("DEALLOCATE add", "ERROR 26000: prepared statement \"add\" does not exist"),
            ("DEALLOCATE ALL", "DEALLOCATE ALL"),
        ],
    )
    .await;
}

#[tokio::test]
async fn statement_timeout_ends_a_statement() {
    let fixture = fixture().await;
    let mut session = fixture.session();
    check(
        &mut session,
        &[
            ("SET statement_timeout = '100ms'", "SET"),
            (
                "SELECT count(*) FROM generate_series(1, 100000000) AS a, generate_series(1, 1000) AS b",
                "ERROR 57014: canceling statement due to statement timeout",
            ),
            ("SET statement_timeout = 0", "SET"),
            ("SELECT 1", "1\nSELECT 1"),
        ],
    )
    .await;
}

#[tokio::test]
async fn conflicts_are_retried_outside_blocks_and_reported_inside() {
    let fixture = fixture().await;
    let mut one = fixture.session();
    check(
        &mut one,
        &[
            ("CREATE TABLE counter (id integer PRIMARY KEY, value integer)", "CREATE TABLE"),
            ("INSERT INTO counter VALUES (1, 0)", "INSERT 0 1"),
        ],
    )
    .await;
    let mut two = fixture.session();
    check(&mut one, &[("BEGIN", "BEGIN"), ("UPDATE counter SET value = value + 1", "UPDATE 1")]).await;
    check(&mut two, &[("BEGIN", "BEGIN"), ("UPDATE counter SET value = value + 1", "UPDATE 1"), ("COMMIT", "COMMIT")])
        .await;
    let lost = seen(&mut one, "COMMIT").await;
    assert!(lost.starts_with("ERROR 40001"), "{lost}");

    const SESSIONS: usize = 8;
    const STATEMENTS: usize = 10;
    let work: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let mut session = fixture.session();
            tokio::spawn(async move {
                for _ in 0..STATEMENTS {
                    assert_eq!(seen(&mut session, "UPDATE counter SET value = value + 1").await, "UPDATE 1");
                }
            })
        })
        .collect();
    for session in work {
        session.await.expect("every update succeeds");
    }
    assert_eq!(seen(&mut one, "SELECT value FROM counter").await, format!("{}\nSELECT 1", 1 + SESSIONS * STATEMENTS));
}

#[tokio::test]
async fn a_statement_that_is_dropped_half_way_fails_its_block() {
    let fixture = fixture().await;
    let mut session = fixture.session();
    check(&mut session, &[("BEGIN", "BEGIN"), ("SELECT 1", "1\nSELECT 1")]).await;
    let endless = "SELECT count(*) FROM generate_series(1, 100000000) AS a, generate_series(1, 1000) AS b";
    let started = tokio::time::timeout(std::time::Duration::from_millis(50), seen(&mut session, endless)).await;
    assert!(started.is_err(), "it takes longer");
    assert_eq!(seen(&mut session, "COMMIT").await, "ROLLBACK");
    assert_eq!(seen(&mut session, "SELECT 1").await, "1\nSELECT 1");
}

#[tokio::test]
async fn a_batch_runs_whole_or_not_at_all() {
    let fixture = fixture().await;
    let mut session = fixture.session();
    let statement = |sql: &str| Statement { sql: sql.into(), ..Statement::default() };
    let modes = TransactionModes::default();
    let good = ["CREATE TABLE t (a integer PRIMARY KEY)", "INSERT INTO t VALUES (1)", "SELECT a FROM t"].map(statement);
    let answer = session.execute_batch(&good, modes, 1 << 20, None).await.expect("it commits");
    let tags: Vec<_> = answer.answers.iter().map(|answer| answer.tag.as_str()).collect();
    assert_eq!(tags, ["CREATE TABLE", "INSERT 0 1", "SELECT 1"]);
    assert!(answer.commit.is_some());
    let bad = ["INSERT INTO t VALUES (2)", "SELECT 1/0"].map(statement);
    let error = session.execute_batch(&bad, modes, 1 << 20, None).await.expect_err("it fails");
    assert_eq!(error.sqlstate(), "22012");
    let ending = ["INSERT INTO t VALUES (2)", "COMMIT"].map(statement);
    let error = session.execute_batch(&ending, modes, 1 << 20, None).await.expect_err("it is refused");
    assert_eq!(error.sqlstate(), "2D000");
    assert_eq!(seen(&mut session, "SELECT a FROM t").await, "1\nSELECT 1");
}

#[tokio::test]
async fn answers_are_forgotten_by_the_time_of_their_commits() {
    let fixture = fixture().await;
    let (node, mut session) = (&fixture.node, fixture.session());
    seen(&mut session, "CREATE TABLE notes (note text)").await;
    // Keys that say that they are from 2001 and from 2200.
    for key in [1_000_000_000_000, 7_258_118_400_000].map(|time| Ulid::from_parts(time, 1)) {
        let write = Statement { sql: "INSERT INTO notes VALUES ('x')".into(), ..Statement::default() };
        let mut send =
            async |statement: &Statement| session.execute(statement, &mut Results::held(1 << 20), Some(key)).await;
        assert!(!send(&write).await.expect("it is written").repeated);
        let now_ms = node.clock.now_micros() / 1000;
        once::forget_old_answers(node, now_ms - 60_000).await.expect("a commit");
        assert!(send(&write).await.expect("it is remembered").repeated);
        let other = Statement { sql: "INSERT INTO notes VALUES ('y')".into(), ..Statement::default() };
        assert_eq!(send(&other).await.expect_err("it is another request").sqlstate(), "22023");
        once::forget_old_answers(node, now_ms + 60_000).await.expect("a commit");
        assert!(!send(&write).await.expect("it is written").repeated);
        once::forget_old_answers(node, now_ms + 60_000).await.expect("a commit");
    }
    assert_eq!(seen(&mut session, "SELECT count(*) FROM notes").await, "4\nSELECT 1");
}
