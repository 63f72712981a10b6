//! What a session sees beyond single statements: transactions, conflicts, COPY, online index builds, prepared
//! statements, settings.

use isobar_engine::error::Error;
use isobar_engine::memory::{Answer, MemoryStore, Session};

fn open() -> (MemoryStore, Session) {
    let store = MemoryStore::new();
    let session = Session::new(&store);
    (store, session)
}

/// Runs statements that must succeed.
fn run(session: &mut Session, statements: &[&str]) {
    for sql in statements {
        session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error} {:?}", error.0));
    }
}

fn rows(session: &mut Session, sql: &str) -> String {
    let answer = session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    shown(&answer)
}

/// Rows as lines, fields with blanks between them.
fn shown(answer: &Answer) -> String {
    let line = |row: &Vec<Option<String>>| {
        let fields: Vec<&str> = row.iter().map(|field| field.as_deref().unwrap_or("NULL")).collect();
        fields.join(" ")
    };
    answer.rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn failure(session: &mut Session, sql: &str) -> String {
    match session.execute(sql) {
        Err(error) => format!("{}: {}", error.sqlstate(), error.message()),
        Ok(answer) => panic!("{sql} succeeded: {}", answer.tag),
    }
}

fn tag(session: &mut Session, sql: &str) -> String {
    session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).tag
}

#[test]
fn definitions_and_changes_share_a_transaction() {
    let (_, mut session) = open();
    run(
        &mut session,
        &[
            "BEGIN",
            "CREATE TABLE t (id int PRIMARY KEY, a text)",
            "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
            "ALTER TABLE t ADD COLUMN b int DEFAULT 7",
            "CREATE UNIQUE INDEX t_a ON t (a)",
            "INSERT INTO t VALUES (3, 'z', 8)",
            "SAVEPOINT s",
            "DROP TABLE t",
            "CREATE TABLE t (only_one int)",
            "ROLLBACK TO SAVEPOINT s",
        ],
    );
    assert_eq!(rows(&mut session, "SELECT * FROM t ORDER BY id"), "1 x 7\n2 y 7\n3 z 8");
    run(&mut session, &["COMMIT"]);
    assert_eq!(rows(&mut session, "SELECT b FROM t WHERE a = 'y'"), "7");
    run(&mut session, &["BEGIN", "DROP TABLE t", "ROLLBACK"]);
    assert_eq!(rows(&mut session, "SELECT count(*) FROM t"), "3");
}

#[test]
fn a_failed_block_takes_only_its_end() {
    let (_, mut session) = open();
    run(&mut session, &["CREATE TABLE t (id int PRIMARY KEY)", "BEGIN", "INSERT INTO t VALUES (1)"]);
    assert!(failure(&mut session, "INSERT INTO t VALUES (1)").starts_with("23505"));
    assert!(failure(&mut session, "SELECT 1").starts_with("25P02"));
    assert_eq!(tag(&mut session, "COMMIT"), "ROLLBACK");
    assert_eq!(rows(&mut session, "SELECT count(*) FROM t"), "0");
}

#[test]
fn the_first_committer_wins() {
    let (store, mut first) = open();
    let mut second = Session::new(&store);
    run(&mut first, &["CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 0)"]);
    run(&mut first, &["BEGIN", "UPDATE t SET n = n + 1"]);
    run(&mut second, &["BEGIN", "UPDATE t SET n = n + 10"]);
    run(&mut first, &["COMMIT"]);
    assert!(failure(&mut second, "COMMIT").starts_with("40001"));
    assert_eq!(rows(&mut first, "SELECT n FROM t"), "1");
}

/// Whoever of a writer and a definition commits first, the other must not commit on what it has not seen.
#[test]
fn writers_and_definitions_conflict() {
    let definitions = [
        "ALTER TABLE t ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE t ADD CHECK (n > 0)",
        "ALTER TABLE t ADD COLUMN m int DEFAULT 1",
        "ALTER TABLE t ALTER COLUMN n TYPE text",
        "CREATE INDEX ON t (n)",
    ];
    for definition in definitions {
        for definition_first in [true, false] {
            let (store, mut definer) = open();
            let mut writer = Session::new(&store);
            run(&mut definer, &["CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 1)"]);
            run(&mut definer, &["BEGIN", definition]);
            run(&mut writer, &["BEGIN", "INSERT INTO t VALUES (2, -2)"]);
            let (earlier, later) =
                if definition_first { (&mut definer, &mut writer) } else { (&mut writer, &mut definer) };
            run(earlier, &["COMMIT"]);
            assert!(failure(later, "COMMIT").starts_with("40001"), "{definition}");
        }
    }
}

#[test]
fn an_index_of_a_big_table_is_built_in_steps() {
    let (_, mut session) = open();
    run(
        &mut session,
        &[
            "CREATE TABLE big (id int PRIMARY KEY, n int, s text)",
            "INSERT INTO big SELECT g, g % 100, 'row ' || g FROM generate_series(1, 9000) g",
            "CREATE INDEX big_n ON big (n) INCLUDE (s)",
            "CREATE UNIQUE INDEX big_s ON big (s)",
        ],
    );
    let state = "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid \
                 WHERE indrelid = 'big'::regclass ORDER BY 1";
    assert_eq!(rows(&mut session, state), "big_n t\nbig_pkey t\nbig_s t");
    assert_eq!(rows(&mut session, "SELECT count(*), min(s) FROM big WHERE n = 42"), "90 row 1042");
    assert!(failure(&mut session, "INSERT INTO big VALUES (0, 0, 'row 8999')").starts_with("23505"));
    let duplicate = "23505: could not create unique index \"big_bad\"";
    assert_eq!(failure(&mut session, "CREATE UNIQUE INDEX big_bad ON big (n)"), duplicate);
    assert_eq!(rows(&mut session, state), "big_n t\nbig_pkey t\nbig_s t");
}

#[test]
fn nothing_is_left_of_dropped_tables_and_indexes() {
    let (store, mut session) = open();
    run(&mut session, &["CREATE TABLE small (id int PRIMARY KEY)"]);
    let before = store.len();
    run(
        &mut session,
        &[
            "CREATE TABLE big (id int PRIMARY KEY, n int)",
            "INSERT INTO big SELECT g, g FROM generate_series(1, 5000) g",
            "CREATE INDEX big_n ON big (n)",
            "CREATE INDEX big_other ON big (n DESC)",
            "DROP INDEX big_other",
            "DROP TABLE big",
        ],
    );
    assert_eq!(store.len(), before);
}

#[test]
fn copy_reads_text_and_csv() {
    let (_, mut session) = open();
    run(
        &mut session,
        &[
            "CREATE TABLE t (id int PRIMARY KEY, s text NOT NULL, n numeric(6, 2) CHECK (n >= 0), d date DEFAULT '2024-01-01')",
        ],
    );
    let answer = session.copy_in("COPY t FROM STDIN", b"1\ta\\tb\t1.5\t2024-02-03\n2\t\t\\N\t\\N\n\\.\n").unwrap();
    assert_eq!(answer.tag, "COPY 2");
    let csv = "COPY t (n, id, s) FROM STDIN WITH (FORMAT csv, HEADER, NULL '-')";
    session.copy_in(csv, b"n,id,s\n2,3,\"a \"\"quoted\"\", one\"\r\n-,4,-x\r\n").unwrap();
    assert_eq!(
        rows(&mut session, "SELECT * FROM t ORDER BY id"),
        "1 a\tb 1.50 2024-02-03\n2  NULL NULL\n3 a \"quoted\", one 2.00 2024-01-01\n4 -x NULL 2024-01-01"
    );
}

#[test]
fn copy_says_where_it_failed() {
    let cases: &[(&str, &[u8], &str, &str)] = &[
        (
            "COPY t FROM STDIN",
            b"1\tx\n2\ty\nthree\tz\n",
            "22P02: invalid input syntax for type integer: \"three\"",
            "COPY t, line 3, column id: \"three\"",
        ),
        ("COPY t FROM STDIN", b"1\n", "22P04: missing data for column \"s\"", "COPY t, line 1: \"1\""),
        (
            "COPY t FROM STDIN",
            b"1\tx\ty\n",
            "22P04: extra data after last expected column",
            "COPY t, line 1: \"1\tx\ty\"",
        ),
        (
            "COPY t FROM STDIN",
            b"1\tx\n1\ty\n",
            "23505: duplicate key value violates unique constraint \"t_pkey\"",
            "COPY t, line 2",
        ),
        (
            "COPY t FROM STDIN CSV",
            b"1,x\n2,\n",
            "23502: null value in column \"s\" of relation \"t\" violates not-null constraint",
            "COPY t, line 2: \"2,\"",
        ),
        (
            "COPY t FROM STDIN CSV",
            b"-1,x\n",
            "23514: new row for relation \"t\" violates check constraint \"t_id_check\"",
            "COPY t, line 1: \"-1,x\"",
        ),
    ];
    for (sql, input, message, context) in cases {
        let (_, mut session) = open();
        run(&mut session, &["CREATE TABLE t (id int PRIMARY KEY CHECK (id > 0), s text NOT NULL)"]);
        let error: Error = session.copy_in(sql, input).unwrap_err();
        assert_eq!(format!("{}: {}", error.sqlstate(), error.message()), *message);
        assert_eq!(error.0.context.as_deref(), Some(*context));
        assert_eq!(rows(&mut session, "SELECT count(*) FROM t"), "0");
    }
}

#[test]
fn parameters_and_prepared_statements() {
    let (_, mut session) = open();
    run(&mut session, &["CREATE TABLE t (id int PRIMARY KEY, s text)"]);
    let insert = "INSERT INTO t VALUES ($1, $2) RETURNING id + 1";
    let description = session.describe(insert, &[]).unwrap();
    assert_eq!(description.parameter_types, [23, 25]);
    assert_eq!(description.columns.unwrap()[0].type_oid, 23);
    assert_eq!(shown(&session.execute_with(insert, &[Some("7"), None]).unwrap()), "8");
    let error = session.execute_with(insert, &[Some("x"), None]).unwrap_err();
    assert_eq!(error.sqlstate(), "22P02");
    run(&mut session, &["PREPARE p (int) AS SELECT id, s FROM t WHERE id = $1"]);
    assert_eq!(rows(&mut session, "EXECUTE p (3 + 4)"), "7 NULL");
    assert_eq!(failure(&mut session, "PREPARE p AS SELECT 1"), "42P05: prepared statement \"p\" already exists");
    run(&mut session, &["DEALLOCATE p"]);
    assert_eq!(failure(&mut session, "EXECUTE p (1)"), "26000: prepared statement \"p\" does not exist");
}

/// A cached plan must not outlive what it was made for.
#[test]
fn plans_follow_the_catalog_and_the_settings() {
    let (store, mut session) = open();
    let mut other = Session::new(&store);
    run(&mut session, &["CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)"]);
    assert_eq!(rows(&mut session, "SELECT * FROM t"), "1");
    run(&mut other, &["ALTER TABLE t ADD COLUMN b text DEFAULT 'new'"]);
    assert_eq!(rows(&mut session, "SELECT * FROM t"), "1 new");
    run(&mut session, &["CREATE SCHEMA s", "CREATE TABLE s.t (c text)", "SET search_path = s"]);
    assert_eq!(rows(&mut session, "SELECT count(*) FROM t"), "0");
    run(&mut session, &["RESET search_path"]);
    assert_eq!(rows(&mut session, "SELECT * FROM t"), "1 new");
}

#[test]
fn settings_last_as_long_as_they_should() {
    let (_, mut session) = open();
    assert_eq!(rows(&mut session, "SELECT set_config('application_name', 'me', false)"), "me");
    assert_eq!(rows(&mut session, "SHOW application_name"), "me");
    run(&mut session, &["BEGIN", "SET LOCAL application_name = 'local'", "SET statement_timeout = 5000"]);
    assert_eq!(rows(&mut session, "SHOW application_name"), "local");
    run(&mut session, &["COMMIT"]);
    assert_eq!(rows(&mut session, "SHOW application_name"), "me");
    assert_eq!(rows(&mut session, "SHOW statement_timeout"), "5s");
    run(&mut session, &["BEGIN", "SET application_name = 'undone'", "ROLLBACK"]);
    assert_eq!(rows(&mut session, "SHOW application_name"), "me");
    assert!(failure(&mut session, "SELECT count(set_config('a.b', 'x', false))").starts_with("0A000"));
}

#[test]
fn notices_and_tags_are_those_of_postgresql() {
    let (_, mut session) = open();
    let cases = [
        ("CREATE TABLE t (a int)", "CREATE TABLE", None),
        ("CREATE TABLE IF NOT EXISTS t (a int)", "CREATE TABLE", Some("relation \"t\" already exists, skipping")),
        ("DROP TABLE IF EXISTS nothing", "DROP TABLE", Some("table \"nothing\" does not exist, skipping")),
        ("INSERT INTO t VALUES (1), (2)", "INSERT 0 2", None),
        ("UPDATE t SET a = a + 1 WHERE a > 1", "UPDATE 1", None),
        ("SELECT * FROM t", "SELECT 2", None),
        ("CREATE TABLE u AS SELECT * FROM t", "SELECT 2", None),
        ("CREATE VIEW v AS SELECT * FROM t", "CREATE VIEW", None),
        ("DELETE FROM t", "DELETE 2", None),
        ("TRUNCATE u", "TRUNCATE TABLE", None),
        ("CREATE SCHEMA s", "CREATE SCHEMA", None),
        ("DROP TABLE t CASCADE", "DROP TABLE", Some("drop cascades to view v")),
        ("DROP SCHEMA s", "DROP SCHEMA", None),
        ("SET extra_float_digits = 0", "SET", None),
        ("ANALYZE", "ANALYZE", None),
    ];
    for (sql, tag, notice) in cases {
        let answer = session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(answer.tag, tag, "{sql}");
        let notices: Vec<&str> = answer.notices.iter().map(|notice| notice.message.as_str()).collect();
        assert_eq!(notices, notice.into_iter().collect::<Vec<_>>(), "{sql}");
    }
}

#[test]
fn what_is_not_there_says_so() {
    let (_, mut session) = open();
    run(&mut session, &["CREATE TABLE t (a int)"]);
    let statements = [
        "CREATE TABLE s (id serial)",
        "CREATE TEMP TABLE s (id int)",
        "CREATE TABLE s (id int REFERENCES t)",
        "CREATE TABLE s (id int GENERATED ALWAYS AS IDENTITY)",
        "CREATE INDEX ON t ((a + 1))",
        "CREATE INDEX ON t (a) WHERE a > 1",
        "CREATE MATERIALIZED VIEW m AS SELECT 1",
        "GRANT SELECT ON t TO someone",
        "LISTEN channel",
        "CREATE SEQUENCE s",
        "COPY t TO STDOUT",
    ];
    for sql in statements {
        assert!(failure(&mut session, sql).starts_with("0A000: "), "{sql}");
    }
}

#[test]
fn what_a_dead_node_left_is_finished() {
    let (store, mut session) = open();
    let fill = |table: &str| format!("INSERT INTO {table} SELECT g, g % 100 FROM generate_series(1, 5000) g");
    run(&mut session, &["CREATE TABLE kept (id int PRIMARY KEY, n int)", &fill("kept")]);
    run(&mut session, &["CREATE TABLE gone (id int PRIMARY KEY, n int)", &fill("gone")]);
    run(&mut session, &["CREATE INDEX kept_old ON kept (n)"]);
    session.loses_follow_ups = true;
    run(&mut session, &["CREATE INDEX kept_n ON kept (n)", "DROP INDEX kept_old", "DROP TABLE gone"]);
    let state = "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = 'kept_n'";
    assert_eq!(rows(&mut session, state), "kept_n f");
    let left = store.len();
    session.resume().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rows(&mut session, state), "kept_n t");
    // The entries of the new index came; those of the old one and the rows of the table went.
    assert_eq!(left - store.len(), 5000);
    assert_eq!(rows(&mut session, "SELECT count(*) FROM kept WHERE n = 42"), "50");
    session.resume().unwrap_or_else(|error| panic!("{error}"));
}
