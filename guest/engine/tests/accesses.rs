//! What statements ask leave for: `accesses.txt` has each with what it does to what.

use isobar_engine::error::Error;
use isobar_engine::host::{Access, Action};
use isobar_engine::memory::{MemoryStore, Session};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// A store whose accesses are noted, and the notes.
fn recording() -> (MemoryStore, Rc<RefCell<Vec<Access>>>) {
    let store = MemoryStore::new();
    let notes = Rc::new(RefCell::new(vec![]));
    let kept = notes.clone();
    store.authorize(move |accesses| {
        kept.borrow_mut().extend(accesses.iter().cloned());
        Ok(())
    });
    (store, notes)
}

fn shown(access: &Access) -> String {
    let name =
        [&access.schema, &access.name].iter().filter(|part| !part.is_empty()).fold(String::new(), |text, part| {
            if text.is_empty() { part.to_string() } else { format!("{text}.{part}") }
        });
    let mut text = format!("{:?} {:?}", access.action, access.kind).to_lowercase();
    for (word, what) in [("", &name), ("of ", &access.owner), ("for ", &access.user)] {
        if !what.is_empty() {
            text.push_str(&format!(" {word}{what}"));
        }
    }
    text
}

/// Statements begin with `> `; what follows is what they ask for. `= ` runs a statement and asks nothing. With
/// ISOBAR_BLESS set the file is written anew.
#[test]
fn statements_ask_for_what_they_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accesses.txt");
    let expected = std::fs::read_to_string(&path).unwrap();
    let (store, notes) = recording();
    let mut session = Session::new(&store);
    let mut actual = String::new();
    for line in expected.lines() {
        let (sql, is_asked) = match (line.strip_prefix("> "), line.strip_prefix("= ")) {
            (Some(sql), _) => (sql, true),
            (_, Some(sql)) => (sql, false),
            _ if line.is_empty() || line.starts_with('#') => {
                actual.push_str(&format!("{line}\n"));
                continue;
            }
            _ => continue,
        };
        actual.push_str(&format!("{line}\n"));
        notes.borrow_mut().clear();
        let copied = if sql.starts_with("COPY") { session.copy_in(sql, b"") } else { session.execute(sql) };
        copied.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        if is_asked {
            notes.borrow().iter().for_each(|access| actual.push_str(&format!("{}\n", shown(access))));
        }
    }
    if std::env::var_os("ISOBAR_BLESS").is_some() {
        return std::fs::write(&path, &actual).unwrap();
    }
    for (number, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "accesses.txt:{}", number + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

#[test]
fn a_plan_that_is_kept_asks_once_for_each_user() {
    let (store, notes) = recording();
    let mut session = Session::new(&store);
    session.execute("CREATE TABLE t (a int PRIMARY KEY)").unwrap();
    let asked = |session: &mut Session| {
        notes.borrow_mut().clear();
        session.execute("SELECT a FROM t").unwrap();
        notes.borrow().len()
    };
    assert_eq!([asked(&mut session), asked(&mut session), asked(&mut session)], [1, 0, 0]);
    session.execute("SET SESSION AUTHORIZATION eve").unwrap();
    assert_eq!([asked(&mut session), asked(&mut session)], [1, 0]);
    // Policies are part of the catalog: whatever changes it changes what may be done.
    session.execute("CREATE TABLE other (a int)").unwrap();
    assert_eq!([asked(&mut session), asked(&mut session)], [1, 0]);
}

#[test]
fn what_is_denied_does_not_happen() {
    let store = MemoryStore::new();
    let mut session = Session::new(&store);
    session.execute_all("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE SCHEMA s").unwrap();
    store.authorize(|accesses| {
        let denied = accesses.iter().find(|access| access.action != Action::Select);
        denied.map_or(Ok(()), |access| Err(Error::new("42501", format!("permission denied for {}", access.name))))
    });
    for sql in [
        "INSERT INTO t VALUES (2)",
        "UPDATE t SET a = 3",
        "DELETE FROM t",
        "WITH gone AS (DELETE FROM t RETURNING a) SELECT * FROM gone",
        "EXPLAIN ANALYZE DELETE FROM t",
        "SELECT a FROM t FOR UPDATE",
        "TRUNCATE t",
        "DROP TABLE t",
        "ALTER TABLE t ADD COLUMN b int",
        "CREATE INDEX ON t (a)",
        "CREATE TABLE u (a int)",
        "CREATE TABLE u AS SELECT a FROM t",
        "CREATE VIEW v AS SELECT a FROM t",
        "CREATE SCHEMA z",
        "DROP SCHEMA s",
        "COMMENT ON TABLE t IS 'mine'",
        "COMMENT ON COLUMN t.a IS 'mine'",
        "ANALYZE t",
    ] {
        assert_eq!(session.execute(sql).map(|answer| answer.tag).unwrap_err().sqlstate(), "42501", "{sql}");
    }
    let denied = session.copy_in("COPY t FROM STDIN", b"7\n").unwrap_err();
    assert_eq!(denied.sqlstate(), "42501");
    let rows = session.execute("SELECT a FROM t").unwrap().rows;
    assert_eq!(rows, [[Some("1".to_string())]]);
}

#[test]
fn things_belong_to_who_made_them() {
    let store = MemoryStore::new();
    let mut session = Session::new(&store);
    session
        .execute_all(
            "CREATE TABLE first (a int); SET SESSION AUTHORIZATION ann; CREATE TABLE t (a int PRIMARY KEY);
             CREATE VIEW v AS SELECT a FROM t; CREATE SCHEMA s; SET SESSION AUTHORIZATION bob;
             CREATE OR REPLACE VIEW v AS SELECT a FROM t; ALTER TABLE first OWNER TO eve; ALTER TABLE first RENAME TO f",
        )
        .unwrap();
    let owners = "SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relname IN ('f', 't', 't_pkey', 'v')
                  UNION ALL SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname IN ('s', 'public')
                  UNION ALL SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1, 2";
    let rows = session.execute(owners).unwrap().rows;
    let rows: Vec<String> =
        rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows, ["f eve", "f eve", "public isobar", "s ann", "t ann", "t ann", "t_pkey ann", "v ann"]);
    let roles = session.execute("SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles").unwrap().rows;
    assert_eq!(roles, [[Some("ann bob eve isobar".to_string())]]);
}

#[test]
fn privileges_are_what_the_host_says() {
    let store = MemoryStore::new();
    let mut session = Session::new(&store);
    session.execute("CREATE TABLE t (a int PRIMARY KEY)").unwrap();
    store.authorize(|accesses| {
        let is_eves = |access: &Access| access.user == "eve" && access.action != Action::Select;
        if accesses.iter().any(is_eves) { Err(Error::new("42501", "permission denied")) } else { Ok(()) }
    });
    session.execute("SET SESSION AUTHORIZATION eve").unwrap();
    for (question, answer) in [
        ("has_table_privilege('t', 'select')", Some("t")),
        ("has_table_privilege('t', 'UPDATE')", Some("f")),
        ("has_table_privilege('t', 'update, select')", Some("t")),
        ("has_table_privilege('t', 'select with grant option')", Some("f")),
        ("has_table_privilege('ann', 't', 'delete')", Some("t")),
        ("has_table_privilege('pg_class', 'select')", Some("t")),
        ("has_table_privilege('pg_class', 'delete')", Some("f")),
        ("has_table_privilege('t'::regclass::oid, 'insert')", Some("f")),
        ("has_table_privilege(1::oid, 'insert')", None),
        ("has_column_privilege('t'::regclass::oid, 'a', 'insert')", Some("f")),
        ("has_schema_privilege('public', 'usage')", Some("t")),
        ("has_schema_privilege('public', 'create')", Some("f")),
        ("has_database_privilege('isobar', 'connect')", Some("t")),
        ("has_database_privilege('isobar', 'create')", Some("f")),
        ("pg_has_role('eve', 'member')", Some("t")),
        ("pg_has_role('isobar', 'usage')", Some("f")),
    ] {
        let rows =
            session.execute(&format!("SELECT {question}")).unwrap_or_else(|error| panic!("{question}: {error:?}"));
        assert_eq!(rows.rows, [[answer.map(String::from)]], "{question}");
    }
    for (question, sqlstate) in
        [("has_table_privilege('t', 'fly')", "22023"), ("has_table_privilege('u', 'select')", "42P01")]
    {
        assert_eq!(session.execute(&format!("SELECT {question}")).unwrap_err().sqlstate(), sqlstate, "{question}");
    }
}
