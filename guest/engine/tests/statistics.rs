//! ANALYZE, what it makes of estimates, and when it runs by itself.

use isobar_engine::engine::Engine;
use isobar_engine::memory::{MemoryStore, Session};
use isobar_engine::statement::{Outcome, Request};

fn execute(session: &mut Session, sql: &str) -> Vec<Vec<Option<String>>> {
    session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

fn first(session: &mut Session, sql: &str) -> String {
    let rows = execute(session, sql);
    rows.first().and_then(|row| row[0].clone()).unwrap_or_else(|| panic!("{sql}: no value"))
}

/// The rows that the topmost node of a query's plan is estimated to have.
fn estimated(session: &mut Session, query: &str) -> f64 {
    let line = first(session, &format!("EXPLAIN {query}"));
    let rows = line.split("rows=").nth(1).and_then(|rest| rest.split(' ').next());
    rows.and_then(|rows| rows.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

/// 40,000 rows: too many to be read as a whole. `city` has 7 values of which one is in half of the rows, `street`
/// belongs to the city, `day` grows with the key, `note` is NULL in a quarter of the rows.
const FILL: &str = "INSERT INTO houses SELECT n, CASE WHEN n % 2 = 0 THEN 0 ELSE n % 7 END, \
    CASE WHEN n % 2 = 0 THEN 0 ELSE n % 7 * 100 + n % 35 / 7 END, n / 20, \
    CASE WHEN n % 4 <> 3 THEN 'note ' || n % 1000 END, sqrt(n) FROM generate_series(1, 40000) AS n";

fn houses(store: &MemoryStore) -> Session {
    let mut session = Session::new(store);
    for sql in [
        "CREATE TABLE houses (id int PRIMARY KEY, city smallint, street int, day int, note text, size float8)",
        "CREATE INDEX houses_street ON houses (city, street)",
        FILL,
    ] {
        execute(&mut session, sql);
    }
    session
}

#[test]
fn estimates_are_near_what_queries_find() {
    let mut session = houses(&MemoryStore::new());
    execute(&mut session, "ANALYZE houses");
    let conditions = [
        "city = 0",
        "city = 3",
        "city <> 0",
        "city IN (1, 2, 3)",
        "city = 99",
        "id < 10000",
        "id BETWEEN 10000 AND 12000",
        "day = 500",
        "day >= 1500 AND day < 1600",
        "note IS NULL",
        "note IS NOT NULL",
        "note LIKE 'note 1%'",
        "size > 150 AND size <= 180",
        "city = 3 AND street = 302",
        "(city = 1 OR city = 2) AND id < 20000",
    ];
    for condition in conditions {
        let found = first(&mut session, &format!("SELECT count(*) FROM houses WHERE {condition}"));
        let found = found.parse::<f64>().expect("a count").max(1.0);
        let estimate = estimated(&mut session, &format!("SELECT id FROM houses WHERE {condition}"));
        let factor = if found < 100.0 { 4.0 } else { 1.5 };
        let is_near = estimate <= (found * factor).max(20.0) && estimate >= found / factor;
        assert!(is_near, "{condition}: {estimate} estimated, {found} found");
    }
}

#[test]
fn groups_and_joins_are_estimated_by_distinct_values() {
    let mut session = houses(&MemoryStore::new());
    execute(&mut session, "CREATE TABLE cities (id int PRIMARY KEY, name text)");
    execute(&mut session, "INSERT INTO cities SELECT n, 'city ' || n FROM generate_series(0, 6) AS n");
    execute(&mut session, "ANALYZE");
    let groups = estimated(&mut session, "SELECT city, count(*) FROM houses GROUP BY city");
    assert!((7.0..=8.0).contains(&groups), "{groups}");
    let days = estimated(&mut session, "SELECT day, count(*) FROM houses GROUP BY day");
    assert!((1000.0..=4000.0).contains(&days), "{days}");
    let joined = estimated(&mut session, "SELECT 1 FROM houses h JOIN cities c ON c.id = h.city");
    assert!((30_000.0..=45_000.0).contains(&joined), "{joined}");
}

#[test]
fn statistics_are_gathered_after_a_statement_that_is_planned_without() {
    let store = MemoryStore::new();
    let mut session = houses(&store);
    let known = "SELECT reltuples FROM pg_class WHERE relname = 'houses'";
    assert_eq!(first(&mut session, known), "-1");
    execute(&mut session, "SELECT count(*) FROM houses WHERE city = 1");
    assert_eq!(first(&mut session, known), "40000");
    // A table that grows by less than half is left as it is.
    execute(&mut session, "INSERT INTO houses (id) SELECT n FROM generate_series(50001, 60000) AS n");
    execute(&mut session, "SELECT count(*) FROM houses WHERE city = 2");
    assert_eq!(first(&mut session, known), "40000");
    execute(&mut session, "INSERT INTO houses (id) SELECT n FROM generate_series(60001, 80000) AS n");
    execute(&mut session, "SELECT count(*) FROM houses WHERE city = 3");
    assert_eq!(first(&mut session, known), "70000");
}

#[test]
fn blocks_small_tables_and_read_only_transactions_ask_for_no_statistics() {
    let store = MemoryStore::new();
    let mut session = houses(&store);
    let known = "SELECT count(*) FROM pg_stats";
    for sql in ["BEGIN", "SELECT count(*) FROM houses", "COMMIT", "CREATE TABLE few (n int)"] {
        execute(&mut session, sql);
    }
    execute(&mut session, "INSERT INTO few SELECT n FROM generate_series(1, 100) AS n");
    execute(&mut session, "SELECT count(*) FROM few");
    assert_eq!(first(&mut session, known), "0");
    let asks = |settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let request = Request { sql: "SELECT count(*) FROM houses".into(), settings, ..Default::default() };
        match Engine::new().execute(&store.begin(), &request) {
            Ok(Outcome::Complete { follow_up, .. }) => follow_up.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(asks(&[("transaction_read_only", "on")]), 0);
    assert_eq!(asks(&[]), 1);
}

#[test]
fn a_kept_plan_is_made_anew_when_its_table_has_grown() {
    let mut session = Session::new(&MemoryStore::new());
    execute(&mut session, "CREATE TABLE t (id int PRIMARY KEY)");
    let query = "SELECT count(*) FROM t WHERE id > 5";
    execute(&mut session, query);
    execute(&mut session, "INSERT INTO t SELECT n FROM generate_series(1, 3000) AS n");
    for _ in 0..64 {
        assert_eq!(first(&mut session, query), "2995");
    }
    assert_eq!(first(&mut session, "SELECT reltuples FROM pg_class WHERE relname = 't'"), "3000");
}

#[test]
fn new_statistics_do_not_conflict_with_writers() {
    let store = MemoryStore::new();
    let mut session = houses(&store);
    let mut writer = Session::new(&store);
    execute(&mut writer, "BEGIN");
    execute(&mut writer, "UPDATE houses SET note = 'changed' WHERE id = 7");
    execute(&mut session, "ANALYZE houses");
    execute(&mut writer, "COMMIT");
    assert_eq!(first(&mut session, "SELECT note FROM houses WHERE id = 7"), "changed");
}

#[test]
fn dropped_tables_take_their_statistics_along() {
    let store = MemoryStore::new();
    let mut session = Session::new(&store);
    execute(&mut session, "CREATE TABLE t (id int PRIMARY KEY, gone text, kept text)");
    execute(&mut session, "INSERT INTO t VALUES (1, 'a', 'b')");
    let before = store.len();
    execute(&mut session, "ANALYZE t");
    assert_eq!(store.len(), before + 1);
    execute(&mut session, "ALTER TABLE t DROP COLUMN gone");
    assert_eq!(first(&mut session, "SELECT count(*) FROM pg_stats WHERE tablename = 't'"), "2");
    execute(&mut session, "DROP TABLE t");
    assert_eq!(first(&mut session, "SELECT count(*) FROM pg_stats"), "0");
}

#[test]
fn rows_behind_gaps_between_keys_do_not_stand_for_all() {
    let mut session = Session::new(&MemoryStore::new());
    // 40 departures an hour: nearly all keys that could be sought lie between two hours.
    execute(
        &mut session,
        "CREATE TABLE departures (hour timestamptz, carrier int, gate int, PRIMARY KEY (hour, carrier))",
    );
    execute(
        &mut session,
        "INSERT INTO departures SELECT '2026-01-01 00:00:00Z'::timestamptz + n / 40 * interval '1 hour', n % 40, n * 7 % 900 \
         FROM generate_series(0, 23999) AS n",
    );
    execute(&mut session, "ANALYZE departures");
    let mut distinct = |column: &str| {
        let query = format!("SELECT {column}, count(*) FROM departures GROUP BY {column}");
        estimated(&mut session, &query)
    };
    let (hours, carriers, gates) = (distinct("hour"), distinct("carrier"), distinct("gate"));
    assert!((400.0..900.0).contains(&hours), "{hours} hours of 600");
    assert!((40.0..42.0).contains(&carriers), "{carriers} carriers of 40");
    assert!((700.0..1100.0).contains(&gates), "{gates} gates of 900");
}
