//! Stored procedures: deploying them, calling their routines, and what the catalog says of them. Routines are ordinary
//! code here, which gets and gives the packed rows that a sandbox would.

use isobar_engine::encode::data_row::{self, Fields};
use isobar_engine::engine::Engine;
use isobar_engine::error::Error;
use isobar_engine::host::{LogEntry, Usage};
use isobar_engine::memory::{Answer, MemoryStore, MemoryTransaction, Session, nested};
use isobar_engine::statement::{Format, Request};
use std::cell::Cell;
use std::rc::Rc;

const INTEGER: u32 = 23;
const BIGINT: u32 = 20;
const TEXT: u32 = 25;
const RECORD: u32 = 2249;

type Field = Option<Vec<u8>>;

/// Name, type, and whether it may be NULL.
type Column<'a> = (&'a str, u32, bool);

fn columns(columns: &[Column]) -> String {
    let column = |(name, oid, nullable): &Column| {
        format!(r#"{{"name": "{name}", "type_oid": {oid}, "nullable": {nullable}, "wit": "w"}}"#)
    };
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn routine(name: &str, parameters: &[Column], returns: &str, answered: &[Column]) -> String {
    routine_with(name, &columns(parameters), returns, answered)
}

fn routine_with(name: &str, parameters: &str, returns: &str, answered: &[Column]) -> String {
    let answered = columns(answered);
    format!(
        r#"{{"export": "{name}", "name": "{name}", "parameters": [{parameters}], "returns": "{returns}",
            "columns": [{answered}]}}"#
    )
}

fn component(name: &str, digest: u8, routines: &[String]) -> String {
    let digest = format!("{digest:02x}").repeat(32);
    let routines = routines.join(", ");
    format!(
        r#"{{"name": "{name}", "digest": "{digest}", "size": 2500000, "definer": false, "deployed_at": 1767225600000000,
            "imports": ["isobar:procedure/sql@0.1.0"], "routines": [{routines}]}}"#
    )
}

fn integer(value: i32) -> Field {
    Some(value.to_be_bytes().to_vec())
}

fn text(value: &str) -> Field {
    Some(value.as_bytes().to_vec())
}

fn as_integer(field: &Field) -> i32 {
    i32::from_be_bytes(field.clone().expect("a value").try_into().expect("four bytes"))
}

fn packed(rows: &[Vec<Field>]) -> Vec<u8> {
    let mut bytes = vec![];
    rows.iter().flatten().for_each(|field| data_row::push(&mut bytes, field.as_deref()));
    bytes
}

/// Installs an export that answers rows for each row of its arguments.
fn install(
    store: &MemoryStore,
    export: &str,
    parameters: usize,
    body: impl Fn(&MemoryTransaction, &[Field]) -> Result<Vec<Vec<Field>>, Error> + 'static,
) {
    let routine = move |host: &MemoryTransaction, _: &_, arguments: &[u8], count: u32| {
        let mut fields = Fields(arguments);
        let mut answered = vec![];
        for _ in 0..count {
            let row: Vec<Field> =
                (0..parameters).map(|_| fields.take().expect("an argument").map(<[u8]>::to_vec)).collect();
            answered.extend(body(host, &row)?);
        }
        assert!(fields.is_empty(), "more arguments than parameters");
        Ok((packed(&answered), answered.len() as u32))
    };
    store.set_routine(export, Rc::new(routine));
}

fn run(session: &mut Session, statements: &[&str]) {
    for sql in statements {
        session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error} {:?}", error.0));
    }
}

/// Rows as lines, fields with bars between them.
fn shown(answer: &Answer) -> String {
    let line = |row: &Vec<Option<String>>| {
        row.iter().map(|field| field.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("|")
    };
    answer.rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn rows(session: &mut Session, sql: &str) -> String {
    shown(&session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error} {:?}", error.0)))
}

fn failed(error: &Error) -> String {
    format!("{}: {}", error.sqlstate(), error.message())
}

fn failure(session: &mut Session, sql: &str) -> String {
    match session.execute(sql) {
        Err(error) => failed(&error),
        Ok(answer) => panic!("{sql} succeeded: {} {}", answer.tag, shown(&answer)),
    }
}

/// Arithmetic: `add` of two integers, `maybe` of one that may be NULL, `note` without result, `split` with a row,
/// `series` with rows, `point` that takes a row.
fn arithmetic() -> (MemoryStore, Session) {
    let store = MemoryStore::new();
    let mut session = Session::new(&store);
    let add = routine("add", &[("a", INTEGER, false), ("b", INTEGER, false)], "value", &[("add", INTEGER, false)]);
    let maybe = routine("maybe", &[("a", INTEGER, true)], "value", &[("maybe", INTEGER, true)]);
    let note = routine("note", &[("message", TEXT, false)], "nothing", &[]);
    let split =
        routine("split", &[("a", INTEGER, false)], "row", &[("tens", INTEGER, false), ("ones", INTEGER, false)]);
    let series = routine("series", &[("upto", INTEGER, false)], "rows", &[("n", INTEGER, false), ("name", TEXT, true)]);
    let fields = columns(&[("x", INTEGER, false), ("label", TEXT, true)]);
    let point = routine_with(
        "point",
        &format!(r#"{{"name": "p", "type_oid": {RECORD}, "nullable": true, "wit": "point", "fields": [{fields}]}}"#),
        "value",
        &[("point", TEXT, false)],
    );
    session.deploy(&component("arithmetic", 1, &[add, maybe, note, split, series, point])).expect("a deployment");
    install(&store, "add", 2, |_, row| Ok(vec![vec![integer(as_integer(&row[0]) + as_integer(&row[1]))]]));
    install(&store, "maybe", 1, |_, row| Ok(vec![vec![row[0].as_ref().map(|_| (-1i32).to_be_bytes().to_vec())]]));
    install(&store, "note", 1, |_, _| Ok(vec![vec![]]));
    install(&store, "split", 1, |_, row| {
        let number = as_integer(&row[0]);
        Ok(vec![vec![integer(number / 10), integer(number % 10)]])
    });
    install(&store, "series", 1, |_, row| {
        let name = |n: i32| if n % 2 == 0 { text(&format!("n{n}")) } else { None };
        Ok((1..=as_integer(&row[0])).map(|n| vec![integer(n), name(n)]).collect())
    });
    install(&store, "point", 1, |_, row| {
        let bytes = row[0].clone().unwrap_or_default();
        Ok(vec![vec![text(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())]])
    });
    store.take_calls();
    (store, session)
}

fn rows_called(store: &MemoryStore) -> Vec<u32> {
    store.take_calls().into_iter().map(|(_, count)| count).collect()
}

#[test]
fn a_batch_of_rows_is_one_call() {
    let (store, mut session) = arithmetic();
    assert_eq!(rows(&mut session, "SELECT sum(add(n, 1)) FROM generate_series(1, 3000) n"), "4504500");
    assert_eq!(rows_called(&store), [1024, 1024, 952]);
    assert_eq!(rows(&mut session, "SELECT add(1, 2), add(3, 4) AS seven"), "3|7");
    run(&mut session, &["CREATE TABLE t (id int PRIMARY KEY, n int)"]);
    run(&mut session, &["INSERT INTO t SELECT n, add(n, n) FROM generate_series(1, 10) n"]);
    store.take_calls();
    assert_eq!(rows(&mut session, "SELECT id FROM t WHERE add(id, n) > 24 ORDER BY add(-id, 0)"), "10\n9");
    assert_eq!(rows_called(&store), [10, 2]);
    assert_eq!(
        rows(&mut session, "SELECT add(n / 10, 0), count(*) FROM t GROUP BY add(n / 10, 0) ORDER BY 1"),
        "0|4\n1|5\n2|1"
    );
    assert_eq!(rows(&mut session, "UPDATE t SET n = add(n, 100) WHERE id < 3 RETURNING add(n, 1)"), "103\n105");
    assert_eq!(rows(&mut session, "VALUES (add(1, 1)), (add(2, 2))"), "2\n4");
    assert_eq!(rows(&mut session, "SELECT id FROM t ORDER BY add(0, -id) LIMIT 2"), "10\n9");
}

#[test]
fn only_rows_that_need_it_call() {
    let (store, mut session) = arithmetic();
    let cases: &[(&str, &[u32])] = &[
        ("SELECT CASE WHEN n > 7 THEN add(n, 1) ELSE 0 END FROM generate_series(1, 10) n", &[3]),
        ("SELECT coalesce(nullif(n, 4), add(n, 1)) FROM generate_series(1, 10) n", &[1]),
        ("SELECT n > 8 AND add(n, 1) > 0 FROM generate_series(1, 10) n", &[2]),
        ("SELECT n < 9 OR add(n, 1) > 0 FROM generate_series(1, 10) n", &[2]),
        ("SELECT add(n, 1) FROM generate_series(1, 2000) n LIMIT 5", &[5]),
        ("SELECT add(n, 1) FROM generate_series(1, 2000) n ORDER BY n DESC LIMIT 5", &[5]),
        ("SELECT add(n, 1) FROM generate_series(1, 20) n ORDER BY n % 7, n LIMIT 3", &[3]),
        ("SELECT add(n, 1) FROM generate_series(1, 20) n ORDER BY 1 LIMIT 3", &[20]),
        ("SELECT 1 WHERE false AND add(1, 1) = 2", &[]),
        ("EXPLAIN SELECT add(1, 1)", &[]),
    ];
    for (sql, expected) in cases {
        session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(rows_called(&store), *expected, "{sql}");
    }
}

#[test]
fn calls_are_volatile() {
    let (store, mut session) = arithmetic();
    let ticks = Rc::new(Cell::new(0));
    let counted = ticks.clone();
    install(&store, "add", 2, move |_, _| {
        counted.set(counted.get() + 1);
        Ok(vec![vec![integer(counted.get())]])
    });
    assert_eq!(rows(&mut session, "SELECT add(1, 1), add(1, 1)"), "1|2");
    assert_eq!(rows(&mut session, "SELECT add(1, 1), add(1, 1)"), "3|4", "a plan that is kept calls again");
    assert_eq!(rows(&mut session, "SELECT x, x FROM (SELECT add(1, 1) AS x) s"), "5|5");
    assert_eq!(rows(&mut session, "WITH s AS (SELECT add(1, 1) AS x) SELECT x, x FROM s"), "6|6");
    assert_eq!(rows(&mut session, "SELECT add(1, 1) BETWEEN 7 AND 7"), "t");
    assert_eq!(rows(&mut session, "SELECT count(DISTINCT add(1, n)) FROM generate_series(1, 5) n"), "5");
    assert_eq!(ticks.get(), 12);
}

#[test]
fn nulls_reach_those_who_take_them() {
    let (_, mut session) = arithmetic();
    assert_eq!(rows(&mut session, "SELECT maybe(NULL), maybe(5)"), "NULL|-1");
    assert_eq!(
        failure(&mut session, "SELECT add(1, NULL)"),
        "22004: null value not allowed for parameter \"b\" of add"
    );
    let error = "22004: null value not allowed for parameter \"x\" of point";
    assert_eq!(failure(&mut session, "SELECT point(ROW(NULL, 'a'))"), error);
}

#[test]
fn arguments_resolve_as_postgresql_resolves_them() {
    let (_, mut session) = arithmetic();
    for (sql, expected) in [
        ("SELECT add('1', 2::smallint)", "3"),
        ("SELECT public.add(1, 2)", "3"),
        ("SELECT add(b => 1, a => 5)", "6"),
        ("SELECT \"add\"(1, 5)", "6"),
        ("SELECT add(add(1, 2), add(3, 4))", "10"),
    ] {
        assert_eq!(rows(&mut session, sql), expected, "{sql}");
    }
    for (sql, expected) in [
        ("SELECT add(1)", "42883: function add(integer) does not exist"),
        ("SELECT add(1, 2, 3)", "42883: function add(integer, integer, integer) does not exist"),
        ("SELECT add(1, 2.5)", "42883: function add(integer, numeric) does not exist"),
        ("SELECT add(1, 'x'::text)", "42883: function add(integer, text) does not exist"),
        ("SELECT add(1, c => 2)", "42883: function add(integer, c => integer) does not exist"),
        ("SELECT add(1, a => 2)", "42883: function add(integer, a => integer) does not exist"),
        ("SELECT nothing_such(1)", "42883: function nothing_such(integer) does not exist"),
        ("SELECT add(1, 'x')", "22P02: invalid input syntax for type integer: \"x\""),
        ("SELECT add(DISTINCT 1, 2)", "42809: DISTINCT specified, but add is not an aggregate function"),
        (
            "SELECT add(1, 2) OVER ()",
            "42809: OVER specified, but add is not a window function nor an aggregate function",
        ),
        (
            "CREATE TABLE u (a int CHECK (add(a, 1) > 0))",
            "0A000: a procedure's function in check constraints is not supported",
        ),
        (
            "CREATE TABLE u (a int DEFAULT add(1, 1))",
            "0A000: a procedure's function in DEFAULT expressions is not supported",
        ),
    ] {
        assert_eq!(failure(&mut session, sql), expected, "{sql}");
    }
    let error = session.execute("SELECT add(1)").unwrap_err();
    let hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
    assert_eq!((error.0.hint.as_deref(), error.0.position), (Some(hint), Some(8)));
    run(&mut session, &["SET search_path TO pg_catalog"]);
    assert_eq!(failure(&mut session, "SELECT add(1, 2)"), "42883: function add(integer, integer) does not exist");
    assert_eq!(rows(&mut session, "SELECT public.add(1, 2)"), "3");
}

#[test]
fn rows_stand_in_from_and_in_select_lists() {
    let (store, mut session) = arithmetic();
    for (sql, expected) in [
        ("SELECT * FROM series(3)", "1|NULL\n2|n2\n3|NULL"),
        ("SELECT s.name, n FROM series(2) AS s ORDER BY n DESC", "n2|2\nNULL|1"),
        ("SELECT number, label FROM series(2) AS s (number, label)", "1|NULL\n2|n2"),
        ("SELECT * FROM series(2) WITH ORDINALITY AS s (a, b, c)", "1|NULL|1\n2|n2|2"),
        ("SELECT g, n FROM generate_series(1, 3) g, series(g) WHERE n > 1 ORDER BY 1, 2", "2|2\n3|2\n3|3"),
        (
            "SELECT g, n FROM generate_series(0, 2) g LEFT JOIN LATERAL series(g) ON true ORDER BY 1, 2",
            "0|NULL\n1|1\n2|1\n2|2",
        ),
        ("SELECT a.n, b.n FROM series(2) a JOIN series(3) b ON a.n = b.n - 1 ORDER BY 1", "1|2\n2|3"),
        ("SELECT series(2)", "(1,)\n(2,n2)"),
        ("SELECT * FROM split(42)", "4|2"),
        ("SELECT s.tens FROM split(42) s", "4"),
        ("SELECT split(42)", "(4,2)"),
        ("SELECT * FROM add(1, 2)", "3"),
        ("SELECT sum FROM add(1, 2) AS sum", "3"),
        ("SELECT count(*) FROM generate_series(1, 2) g, add(1, 2)", "2"),
        ("SELECT n FROM series(5) WHERE n IN (SELECT n FROM series(2))", "1\n2"),
        ("SELECT * FROM ROWS FROM (series(1), add(1, 2))", "1|NULL|3"),
        ("SELECT note('x'), note('y') IS NULL", "|f"),
    ] {
        assert_eq!(rows(&mut session, sql), expected, "{sql}");
    }
    store.take_calls();
    rows(&mut session, "SELECT count(*) FROM generate_series(1, 100) g JOIN series(3) ON g > n");
    assert_eq!(rows_called(&store), [1], "what does not depend on the row is called once");
    assert_eq!(
        failure(&mut session, "SELECT 1 WHERE series(1) IS NULL"),
        "0A000: set-returning functions are not allowed in WHERE"
    );
    let plan = rows(&mut session, "EXPLAIN (COSTS false) SELECT add(n, 1) FROM series(2) WHERE add(n, 1) > 1");
    assert_eq!(plan, "Result\n  Filter: (add(series, 1) > 1)\n  ->  Function Scan on series");
}

#[test]
fn rows_are_arguments() {
    let (_, mut session) = arithmetic();
    // Two fields: an integer of type 23 and a text of type 25.
    let bytes = "0000000200000017000000040000000700000019000000026869";
    assert_eq!(rows(&mut session, "SELECT point(ROW(7, 'hi'))"), bytes);
    assert_eq!(rows(&mut session, "SELECT point((7::smallint, 'hi'::varchar))"), bytes);
    assert_eq!(rows(&mut session, "SELECT point(NULL)"), "");
    assert_eq!(failure(&mut session, "SELECT point(ROW(7))"), "42883: function point(record) does not exist");
    assert_eq!(
        failure(&mut session, "SELECT point(ROW('a'::text, 'b'))"),
        "42883: function point(record) does not exist"
    );
    assert_eq!(
        failure(&mut session, "SELECT point(split(1))"),
        "0A000: parameter \"p\" takes a row that is written as ROW(…)"
    );
}

#[test]
fn call_answers_what_the_routine_does() {
    let (store, mut session) = arithmetic();
    let answer = session.execute("CALL note('hello')").unwrap();
    assert_eq!((answer.tag.as_str(), answer.columns.is_none(), answer.rows.len()), ("CALL", true, 0));
    let answer = session.execute_with("CALL add($1, $2)", &[Some("20"), Some("22")]).unwrap();
    assert_eq!((answer.tag.as_str(), shown(&answer).as_str()), ("CALL", "42"));
    assert_eq!(rows(&mut session, "CALL split(42)"), "4|2");
    assert_eq!(rows(&mut session, "CALL series(2)"), "1|NULL\n2|n2");
    run(&mut session, &["BEGIN", "CALL note('in a block')", "COMMIT"]);
    let description = session.describe("CALL add($1, $2)", &[]).unwrap();
    assert_eq!(description.parameter_types, [INTEGER, INTEGER]);
    assert_eq!(description.columns.unwrap()[0].name, "add");
    assert!(session.describe("CALL note($1)", &[]).unwrap().columns.is_none());
    assert_eq!(failure(&mut session, "CALL add(1)"), "42883: procedure add(integer) does not exist");
    assert_eq!(failure(&mut session, "CALL missing()"), "42883: procedure missing() does not exist");
    assert_eq!(failure(&mut session, "CALL abs(1)"), "42809: abs is not a procedure");
    store.take_calls();
    run(
        &mut session,
        &[
            "CREATE TABLE t (a int)",
            "CALL note('x')",
            "SELECT note('x')",
            "SELECT note('x') FROM t",
            "INSERT INTO t VALUES (1)",
        ],
    );
    run(&mut session, &["SELECT note('x') FROM t"]);
    let may_define: Vec<bool> = store.take_calls().into_iter().map(|(target, _)| target.may_define).collect();
    assert_eq!(may_define, [true, true, false]);
}

/// A routine that runs SQL: `insert_more(id)` adds a row whose id is that of another one and 100, and changes `t`.
fn with_table() -> (MemoryStore, Session) {
    let (store, mut session) = arithmetic();
    run(
        &mut session,
        &[
            "CREATE TABLE t (id int PRIMARY KEY, n int)",
            "CREATE INDEX t_n ON t (n)",
            "INSERT INTO t SELECT g, g * 10 FROM generate_series(1, 5) g",
        ],
    );
    let change = routine("change", &[("id", INTEGER, false)], "value", &[("change", INTEGER, false)]);
    session.deploy(&component("changing", 2, &[change])).unwrap();
    install(&store, "change", 1, |host, row| {
        let id = as_integer(&row[0]);
        nested(host, &format!("INSERT INTO t VALUES ({id} + 100, {id}) ON CONFLICT DO NOTHING"), Format::Text)?;
        nested(host, "UPDATE t SET n = n + 1000 WHERE id < 100", Format::Text)?;
        let found = nested(host, "SELECT count(*)::int FROM t", Format::Binary)?;
        Ok(vec![vec![found[0][0].clone()]])
    });
    (store, session)
}

#[test]
fn a_statement_goes_on_seeing_what_there_was() {
    let (_, mut session) = with_table();
    run(&mut session, &["BEGIN"]);
    assert_eq!(
        rows(&mut session, "SELECT id, n, change(id) FROM t ORDER BY id"),
        "1|10|6\n2|20|7\n3|30|8\n4|40|9\n5|50|10"
    );
    assert_eq!(rows(&mut session, "SELECT count(*), max(n) FROM t"), "10|5050");
    run(&mut session, &["ROLLBACK", "BEGIN"]);
    // The second scan, the lookups and the subqueries begin after the first call.
    let sql = "SELECT c, (SELECT n FROM t WHERE t.id = s.id), (SELECT count(*) FROM t)
               FROM (SELECT id, change(id) AS c FROM t WHERE id = 2 OFFSET 0) s";
    assert_eq!(rows(&mut session, sql), "6|20|5");
    run(&mut session, &["ROLLBACK", "BEGIN"]);
    let sql = "SELECT c.x, t.id, t.n FROM change(1) AS c (x), LATERAL (SELECT * FROM t WHERE n > x - 10 OFFSET 0) t ORDER BY 2";
    assert_eq!(rows(&mut session, sql), "6|1|10\n6|2|20\n6|3|30\n6|4|40\n6|5|50");
    run(&mut session, &["ROLLBACK"]);
}

#[test]
fn rows_that_a_routine_has_changed_are_not_changed_again() {
    let (_, mut session) = with_table();
    let changed = "27000: tuple to be updated was already modified by an operation triggered by the current command";
    assert_eq!(failure(&mut session, "UPDATE t SET n = change(id)"), changed);
    assert_eq!(rows(&mut session, "SELECT count(*), max(n) FROM t"), "5|50");
    assert_eq!(rows(&mut session, "INSERT INTO t SELECT 50, change(id) FROM t WHERE id = 1 RETURNING n"), "6");
    assert_eq!(
        rows(&mut session, "SELECT id, n FROM t ORDER BY id"),
        "1|1010\n2|1020\n3|1030\n4|1040\n5|1050\n50|6\n101|1"
    );
    let taken = failure(&mut session, "INSERT INTO t SELECT 150, 0 WHERE change(50) > 0");
    assert_eq!(taken, "23505: duplicate key value violates unique constraint \"t_pkey\"");
}

#[test]
fn a_failure_within_is_the_statements_failure() {
    let (store, mut session) = with_table();
    install(&store, "change", 1, |host, _| {
        let missing = nested(host, "INSERT INTO missing VALUES (1)", Format::Text).unwrap_err();
        assert_eq!(missing.sqlstate(), "42P01");
        nested(host, "INSERT INTO t VALUES (77, 1)", Format::Text)?;
        Err(Error::new("P0001", "no funds"))
    });
    run(&mut session, &["BEGIN", "SAVEPOINT s"]);
    assert_eq!(failure(&mut session, "SELECT change(1)"), "P0001: no funds");
    run(&mut session, &["ROLLBACK"]);
    assert_eq!(rows(&mut session, "SELECT count(*) FROM t"), "5");
}

#[test]
fn a_routine_may_define_tables() {
    let (store, mut session) = arithmetic();
    install(&store, "add", 2, |host, row| {
        let name = as_integer(&row[0]);
        nested(host, &format!("CREATE TABLE made_{name} (a int)"), Format::Text)?;
        nested(host, &format!("INSERT INTO made_{name} VALUES ({name})"), Format::Text)?;
        Ok(vec![vec![row[0].clone()]])
    });
    assert_eq!(rows(&mut session, "SELECT add(1, 1), add(2, 2), to_regclass('made_1')"), "1|2|NULL");
    assert_eq!(rows(&mut session, "SELECT * FROM made_1, made_2"), "1|2");
    run(&mut session, &["BEGIN", "CALL add(3, 3)", "INSERT INTO made_3 VALUES (4)"]);
    assert_eq!(rows(&mut session, "SELECT sum(a) FROM made_3"), "7");
    run(&mut session, &["ROLLBACK"]);
    assert_eq!(failure(&mut session, "SELECT * FROM made_3"), "42P01: relation \"made_3\" does not exist");
    assert_eq!(failure(&mut session, "SELECT add(1, 1)"), "42P07: relation \"made_1\" already exists");
}

#[test]
fn what_a_definer_creates_belongs_to_its_owner() {
    let (store, mut session) = arithmetic();
    install(&store, "add", 2, |host, row| {
        let setting = |name: &str, value: &str| (name.to_string(), value.to_string());
        let mut settings = vec![setting("session_authorization", "bob")];
        if as_integer(&row[1]) == 1 {
            settings.push(setting("\0acting_as", "arithmetic"));
        }
        for sql in ["CREATE TABLE made_{} (a int)", "CREATE VIEW seen_{} AS SELECT 1 AS a", "CREATE SCHEMA place_{}"] {
            let sql = sql.replace("{}", &as_integer(&row[1]).to_string());
            let request = Request { sql, settings: settings.clone(), in_transaction_block: true, ..Request::default() };
            Engine::new().execute(host, &request)?;
        }
        Ok(vec![vec![row[0].clone()]])
    });
    run(&mut session, &["SELECT add(0, 0)", "SELECT add(0, 1)"]);
    let owners = "SELECT relname, pg_get_userbyid(relowner) FROM pg_class
        WHERE relname LIKE 'made_%' OR relname LIKE 'seen_%' UNION ALL
        SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname LIKE 'place_%' ORDER BY 1";
    assert_eq!(
        rows(&mut session, owners),
        "made_0|bob\nmade_1|isobar\nplace_0|bob\nplace_1|isobar\nseen_0|bob\nseen_1|isobar"
    );
}

#[test]
fn prepared_calls_and_writes_of_rows() {
    let (store, mut session) = with_table();
    run(&mut session, &["PREPARE p AS CALL add($1, $2)", "PREPARE q (int) AS SELECT split($1)"]);
    assert_eq!(rows(&mut session, "EXECUTE p (20, 22)"), "42");
    assert_eq!(rows(&mut session, "EXECUTE q (42)"), "(4,2)");
    store.take_calls();
    let sql = "INSERT INTO t (id, n) SELECT g, add(g, 1) FROM generate_series(1000, 3999) g RETURNING add(n, 0)";
    assert_eq!(session.execute(sql).unwrap().tag, "INSERT 0 3000");
    assert_eq!(rows_called(&store).iter().sum::<u32>(), 6000);
    assert_eq!(rows(&mut session, "DELETE FROM t WHERE add(id, 0) > 3997 RETURNING id"), "3998\n3999");
    let sql = "INSERT INTO t VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET n = add(t.n, excluded.n) RETURNING n";
    assert_eq!(rows(&mut session, sql), "15");
    let sql = "SELECT id, s.n, name FROM t, series(id) AS s WHERE id = 2 ORDER BY 2";
    assert_eq!(rows(&mut session, sql), "2|1|NULL\n2|2|n2");
    let sql = "SELECT id, add(id, (SELECT max(b.id) FROM t b WHERE b.id < 100)) FROM t WHERE id IN (1, 2) ORDER BY 1";
    assert_eq!(rows(&mut session, sql), "1|6\n2|7");
    let sql = "SELECT a.id FROM t a JOIN t b ON add(a.id, 1) = b.id WHERE a.id < 4 AND b.id < 4 ORDER BY 1";
    assert_eq!(rows(&mut session, sql), "1\n2");
    let sql =
        "SELECT sum(add(id, 0)) FILTER (WHERE add(id, 0) < 3), max(add(id, 1)) OVER () FROM t WHERE id < 6 GROUP BY id";
    assert_eq!(rows(&mut session, &format!("SELECT count(*) FROM ({sql}) s")), "5");
}

#[test]
fn nonsense_from_the_host_is_an_internal_error() {
    let (store, mut session) = arithmetic();
    for (bytes, count) in [
        (vec![], 1),
        (packed(&[vec![integer(1)]]), 2),
        (packed(&[vec![None]]), 1),
        (packed(&[vec![text("abc")]]), 1),
        (vec![9; 3], 1),
        (packed(&[vec![integer(1), integer(2)]]), 1),
    ] {
        store.set_routine("add", Rc::new(move |_: &_, _: &_, _: &_, _| Ok((bytes.clone(), count))));
        let error = session.execute("SELECT add(1, 2)").unwrap_err();
        assert_eq!(error.sqlstate(), "XX000", "{error}");
    }
}

#[test]
fn values_travel_in_binary_form() {
    let (_, mut session) = arithmetic();
    let parameters = packed(&[vec![integer(40), integer(2), text("é")]]);
    let answer = session.execute_binary("SELECT add($1, $2), $3::text, NULL, ARRAY[1], 1.5", parameters).unwrap();
    let array = [0u32, 0, 23].iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let array = [
        &1u32.to_be_bytes()[..],
        &array[4..],
        &1u32.to_be_bytes(),
        &1u32.to_be_bytes(),
        &4u32.to_be_bytes(),
        &1u32.to_be_bytes(),
    ]
    .concat();
    let number = vec![0, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0x13, 0x88];
    assert_eq!(answer.bytes, [vec![integer(42), text("é"), None, Some(array), Some(number)]]);
    let error = session.execute_binary("SELECT $1::int", packed(&[vec![text("12345")]])).unwrap_err();
    assert_eq!(failed(&error), "22P03: incorrect binary data format");
    let plan = session.execute_binary("EXPLAIN SELECT 1", vec![]).unwrap();
    assert!(shown(&plan).starts_with("Result"));
    assert_eq!(shown(&session.execute_binary("SHOW timezone", vec![]).unwrap()), "UTC");
}

#[test]
fn hostile_descriptions_are_refused() {
    let (_, mut session) = arithmetic();
    let value = |name: &str, parameters: &[Column]| routine(name, parameters, "value", &[("r", INTEGER, false)]);
    let huge = "x".repeat(10 << 20);
    let wide: Vec<String> = (0..101).map(|number| format!("p{number}")).collect();
    let wide: Vec<Column> = wide.iter().map(|name| (name.as_str(), INTEGER, false)).collect();
    for (description, sqlstate) in [
        (String::new(), "22023"),
        ("{}".into(), "22023"),
        (component("p", 9, &[value("f", &[("a", 999_999, false)])]), "42704"),
        (component("p", 9, &[value("f", &[("a", 705, false)])]), "0A000"),
        (component("p", 9, &[value("f", &[("a", 2287, false)])]), "0A000"),
        (component("p", 9, &[value("f", &[("a", RECORD, false)])]), "42P13"),
        (component("p", 9, &[value("f", &[("a", INTEGER, false), ("a", TEXT, false)])]), "42P13"),
        (component("p", 9, &[value("f", &[]), value("f", &[])]), "42723"),
        (component("p", 9, &[value("add", &[])]), "42723"),
        (component("p", 9, &[value("abs", &[])]), "42723"),
        (component("p", 9, &[value("coalesce", &[])]), "42723"),
        (component("p", 9, &[routine("f", &[], "value", &[])]), "42P13"),
        (component("p", 9, &[routine("f", &[], "nothing", &[("r", INTEGER, false)])]), "42P13"),
        (component("p", 9, &[routine("f", &[], "some", &[])]), "22023"),
        (component("p", 9, &[value("f", &wide)]), "54000"),
        (component(&"x".repeat(64), 9, &[]), "42622"),
        (component("", 9, &[]), "42602"),
        (component(&huge, 9, &[]), "54000"),
        (component("p", 9, &[value(&"y".repeat(1 << 20), &[])]), "42622"),
        (component("p", 9, &[]).replace("2500000", "18446744073709551615"), "54000"),
        (component("p", 9, &[]).replace("0909", "zz09"), "22023"),
    ] {
        let error = session.deploy(&description).unwrap_err();
        assert_eq!(error.sqlstate(), sqlstate, "{error}: {}", description.chars().take(200).collect::<String>());
        assert!(error.message().len() < 500, "a message of {} bytes", error.message().len());
    }
    assert_eq!(rows(&mut session, "SELECT count(*) FROM isobar.procedures"), "1");
    let error = session.deploy(&component("p", 9, &[value("add", &[])])).unwrap_err();
    assert_eq!(error.message(), "procedure \"p\" exports function \"add\", which procedure \"arithmetic\" has already");
}

#[test]
fn versions_come_and_go() {
    let (store, mut session) = arithmetic();
    let one = routine("one", &[], "value", &[("one", INTEGER, false)]);
    let two = routine("two", &[], "value", &[("two", INTEGER, false)]);
    session.deploy(&component("numbers", 3, std::slice::from_ref(&one))).unwrap();
    install(&store, "one", 0, |_, _| Ok(vec![vec![integer(1)]]));
    install(&store, "two", 0, |_, _| Ok(vec![vec![integer(2)]]));
    assert_eq!(rows(&mut session, "SELECT one()"), "1");
    let oid = rows(&mut session, "SELECT oid FROM pg_proc WHERE proname = 'one'");
    session.deploy(&component("numbers", 4, &[one.clone(), two.clone()])).unwrap();
    assert_eq!(rows(&mut session, "SELECT one(), two()"), "1|2");
    assert_eq!(rows(&mut session, "SELECT oid FROM pg_proc WHERE proname = 'one'"), oid);
    let versions = "SELECT version, active, left(digest, 4) FROM isobar.procedure_versions WHERE name = 'numbers'";
    assert_eq!(rows(&mut session, versions), "1|f|0303\n2|t|0404");

    assert_eq!(session.execute("\0isobar rollback numbers").unwrap().tag, "ROLLBACK PROCEDURE");
    assert_eq!(failure(&mut session, "SELECT two()"), "42883: function two() does not exist");
    assert_eq!(
        failure(&mut session, "\0isobar rollback numbers"),
        "42704: procedure \"numbers\" has no version before the active one"
    );
    run(&mut session, &["\0isobar rollback numbers 2", "SELECT two()"]);
    assert_eq!(failure(&mut session, "\0isobar rollback numbers 7"), "42704: procedure \"numbers\" has no version 7");

    // A view keeps what it calls.
    run(&mut session, &["CREATE VIEW v AS SELECT two() AS x", "CREATE VIEW w AS SELECT x FROM v"]);
    let needed = "2BP01: cannot change procedure \"numbers\": view v calls function two(), which is not there in the new version";
    assert_eq!(failure(&mut session, "\0isobar rollback numbers 1"), needed);
    let other = routine("two", &[], "value", &[("two", BIGINT, false)]);
    let error = session.deploy(&component("numbers", 5, &[one.clone(), other])).unwrap_err();
    assert!(
        error
            .message()
            .ends_with("view v calls function two(), which has other parameters or results in the new version"),
        "{error}"
    );
    let error = session.execute("DROP PROCEDURE numbers").unwrap_err();
    assert_eq!(failed(&error), "2BP01: cannot drop procedure numbers because other objects depend on it");
    assert_eq!(error.0.detail.as_deref(), Some("view v depends on function two()"));
    assert_eq!(rows(&mut session, "SELECT * FROM w"), "2");
    run(&mut session, &["DROP FUNCTION numbers CASCADE"]);
    assert_eq!(rows(&mut session, "SELECT count(*) FROM pg_views"), "0");
    assert_eq!(failure(&mut session, "SELECT one()"), "42883: function one() does not exist");

    // The oldest go when there are too many, and the names are free.
    for _ in 0..103 {
        session.deploy(&component("more", 6, std::slice::from_ref(&one))).unwrap();
    }
    assert_eq!(
        rows(
            &mut session,
            "SELECT min(version), max(version), count(*) FROM isobar.procedure_versions WHERE name = 'more'"
        ),
        "4|103|100"
    );
}

#[test]
fn components_go_with_their_last_version() {
    let store = MemoryStore::new();
    let mut session = Session::new(&store);
    let empty = store.len();
    let f = |name: &str| routine(name, &[], "nothing", &[]);
    session.deploy(&component("a", 1, &[f("fa")])).unwrap();
    session.deploy(&component("b", 1, &[f("fb")])).unwrap();
    // What the host writes beside: three chunks of a component of 2,500,000 bytes.
    let transaction = store.begin();
    let mut writes = isobar_engine::encode::writes::WriteBuffer::new();
    for chunk in 0..3u32 {
        writes.put(&[&[2, 0, 0, 0, 0, 0, 0, 0, 2][..], &[1; 32], &chunk.to_be_bytes()].concat(), b"x");
    }
    writes.flush(&transaction).unwrap();
    transaction.commit().unwrap();
    let chunks = |store: &MemoryStore| {
        use isobar_engine::host::Transaction;
        (0..3u32)
            .filter(|chunk| {
                let key = [&[2, 0, 0, 0, 0, 0, 0, 0, 2][..], &[1; 32], &chunk.to_be_bytes()].concat();
                store.begin().get(&key).unwrap().is_some()
            })
            .count()
    };
    run(&mut session, &["DROP PROCEDURE a"]);
    assert_eq!(chunks(&store), 3);
    run(&mut session, &["DROP PROCEDURE b"]);
    assert_eq!(chunks(&store), 0);
    // The counter of oids stays.
    assert_eq!(store.len(), empty + 1);
}

#[test]
fn deployments_of_one_name_conflict() {
    let store = MemoryStore::new();
    let (mut first, mut second) = (Session::new(&store), Session::new(&store));
    run(&mut first, &["BEGIN"]);
    run(&mut second, &["BEGIN"]);
    let f = routine("f", &[], "nothing", &[]);
    first.deploy(&component("a", 1, std::slice::from_ref(&f))).unwrap();
    second.deploy(&component("b", 2, &[f])).unwrap();
    run(&mut first, &["COMMIT"]);
    assert_eq!(second.execute("COMMIT").unwrap_err().sqlstate(), "40001");
}

#[test]
fn procedures_are_dropped_and_changed_by_their_names() {
    let (store, mut session) = arithmetic();
    for (sql, expected) in [
        ("DROP PROCEDURE missing", "42883: could not find a procedure named \"missing\""),
        ("DROP ROUTINE add", "42809: \"add\" is a function of procedure \"arithmetic\""),
        ("ALTER PROCEDURE arithmetic SET patience TO 5", "22023: procedures have no limit \"patience\""),
        ("ALTER PROCEDURE arithmetic SET wall_ms TO 0", "22023: invalid value for the limit \"wall_ms\": 0"),
        ("ALTER PROCEDURE add SET wall_ms TO 5", "42809: \"add\" is a function of procedure \"arithmetic\""),
        ("ALTER SYSTEM SET work_mem TO 5", "0A000: ALTER SYSTEM of the setting \"work_mem\" is not supported"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'", "0A000: CREATE FUNCTION is not supported"),
        ("CREATE OR REPLACE PROCEDURE f() LANGUAGE sql AS 'select 1'", "0A000: CREATE PROCEDURE is not supported"),
        ("COMMENT ON PROCEDURE missing IS 'x'", "42883: could not find a procedure named \"missing\""),
    ] {
        assert_eq!(failure(&mut session, sql), expected, "{sql}");
    }
    let answer = session.execute("DROP PROCEDURE IF EXISTS missing").unwrap();
    assert_eq!(
        (answer.tag.as_str(), answer.notices[0].message.as_str()),
        ("DROP PROCEDURE", "procedure \"missing\" does not exist, skipping")
    );
    run(
        &mut session,
        &[
            "ALTER SYSTEM SET procedure.wall_ms TO 70",
            "ALTER SYSTEM SET procedure.statements = 9",
            "ALTER PROCEDURE arithmetic SET wall_ms TO 50",
            "ALTER PROCEDURE arithmetic OWNER TO mira",
            "COMMENT ON PROCEDURE arithmetic IS 'sums'",
            "COMMENT ON FUNCTION add IS 'a sum'",
            "CALL note('x')",
        ],
    );
    let limits = store.take_calls().pop().unwrap().0.limits;
    assert_eq!((limits.wall_ms, limits.statements, limits.rows_in), (Some(50), Some(9), None));
    assert_eq!(rows(&mut session, "SELECT owner, limits FROM isobar.procedures"), "mira|{\"wall_ms\": 50}");
    assert_eq!(
        rows(&mut session, "SELECT obj_description(oid, 'pg_proc') FROM pg_proc WHERE proname = 'add'"),
        "a sum"
    );
    run(
        &mut session,
        &["ALTER PROCEDURE arithmetic RESET wall_ms", "ALTER SYSTEM RESET procedure.statements", "CALL note('x')"],
    );
    let limits = store.take_calls().pop().unwrap().0.limits;
    assert_eq!((limits.wall_ms, limits.statements), (Some(70), None));
    let settings = vec![("transaction_read_only".to_string(), "on".to_string())];
    let request = Request { sql: "DROP PROCEDURE arithmetic".into(), settings, ..Default::default() };
    let error = Engine::new().execute(&store.begin(), &request).unwrap_err();
    assert_eq!(failed(&error), "25006: cannot execute DROP PROCEDURE in a read-only transaction");
    run(&mut session, &["DROP PROCEDURE public.arithmetic"]);
    assert_eq!(rows(&mut session, "SELECT count(*) FROM pg_description"), "0");
}

#[test]
fn the_catalog_lists_routines() {
    let (store, mut session) = arithmetic();
    // What psql's \df sends.
    let sql = r#"SELECT n.nspname as "Schema", p.proname as "Name",
          pg_catalog.pg_get_function_result(p.oid) as "Result data type",
          pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types",
         CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' WHEN 'p' THEN 'proc' ELSE 'func' END as "Type"
        FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE pg_catalog.pg_function_is_visible(p.oid)
              AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema'
        ORDER BY 1, 2, 4"#;
    let expected = "public|add|integer|a integer, b integer|func\n\
                    public|maybe|integer|a integer|func\n\
                    public|note|void|message text|func\n\
                    public|point|text|p record|func\n\
                    public|series|TABLE(n integer, name text)|upto integer|func\n\
                    public|split|record|a integer, OUT tens integer, OUT ones integer|func";
    assert_eq!(rows(&mut session, sql), expected);
    // What \df+ asks for beside.
    let sql = r#"SELECT p.proname, p.provolatile, p.proparallel, prosecdef, pg_catalog.array_to_string(p.proacl, E'\n'),
         l.lanname, COALESCE(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), proargnames, proargmodes, proretset
        FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE p.proname ~ '^(series)$'"#;
    assert_eq!(rows(&mut session, sql), "series|v|u|f|NULL|wasm|series|{upto,n,name}|{i,t,t}|t");
    let sql =
        "SELECT name, version, digest = repeat('01', 32), size, definer, deployed_at, imports FROM isobar.procedures";
    assert_eq!(rows(&mut session, sql), "arithmetic|1|t|2500000|f|2026-01-01 00:00:00+00|{isobar:procedure/sql@0.1.0}");
    let sql = "SELECT split_part(routines, E'\\n', 1) FROM isobar.procedures";
    assert_eq!(rows(&mut session, sql), "add(a integer, b integer) returns integer");
    let sql =
        "SELECT routine_name, data_type, external_language FROM information_schema.routines WHERE routine_name = 'add'";
    assert_eq!(rows(&mut session, sql), "add|integer|WASM");
    let sql = "SELECT parameter_name, parameter_mode, data_type FROM information_schema.parameters
               WHERE specific_name LIKE 'split_%' ORDER BY ordinal_position";
    assert_eq!(rows(&mut session, sql), "a|IN|integer\ntens|OUT|integer\nones|OUT|integer");

    let usage = Usage {
        procedure: "arithmetic".into(),
        routine: "add".into(),
        calls: 7,
        errors: vec![("22004".into(), 2)],
        median_time: 10,
        p99_time: 20,
        longest_time: 30,
        total_time: 90,
        memory_peak: 65536,
        statements: u64::MAX,
    };
    let log = |procedure: &str| LogEntry {
        time: 1_767_225_600_000_000,
        procedure: procedure.into(),
        routine: "add".into(),
        caller: "mira".into(),
        level: "info".into(),
        message: "hello".into(),
    };
    store.set_usage(vec![usage], vec![log("arithmetic"), log("another")]);
    assert_eq!(
        rows(&mut session, "SELECT * FROM isobar.procedure_calls"),
        "arithmetic|add|7|{\"22004\": 2}|10|20|30|90|65536|9223372036854775807"
    );
    assert_eq!(
        rows(&mut session, "SELECT procedure, message FROM isobar.procedure_logs"),
        "arithmetic|hello\nanother|hello"
    );
    run(&mut session, &["ALTER PROCEDURE arithmetic OWNER TO mira"]);
    // Whoever may deploy a procedure sees its logs.
    store.authorize(|accesses| match accesses.iter().any(|access| access.owner != "mira") {
        true => Err(isobar_engine::error::Error::new("42501", "permission denied")),
        false => Ok(()),
    });
    assert_eq!(rows(&mut session, "SELECT procedure, level FROM isobar.procedure_logs"), "arithmetic|info");
    store.authorize(|_| Ok(()));
    assert_eq!(failure(&mut session, "CREATE TABLE isobar.t (a int)"), "42501: permission denied for schema isobar");
}
