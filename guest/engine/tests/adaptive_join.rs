//! Index joins whose estimates are far off: they turn to a hash join while they run, and answer the same.

use isobar_engine::memory::{MemoryStore, Session};

/// The three conditions on orders are one, which no estimate of single columns can know: about 5 rows are expected,
/// and 500 come.
const ORDERS: &str = "orders o";
const FILTER: &str = "o.a = 3 AND o.b = 3 AND o.c = 3";

fn skewed() -> Session {
    let mut session = Session::new(&MemoryStore::new());
    let statements = [
        "CREATE TABLE orders (id int PRIMARY KEY, a int NOT NULL, b int NOT NULL, c int NOT NULL, part int)",
        "CREATE TABLE parts (id int PRIMARY KEY, number int, size int NOT NULL, name text)",
        "CREATE INDEX parts_number ON parts (number)",
        "INSERT INTO orders SELECT n, n % 10, n % 10, n % 10, CASE WHEN n % 70 = 3 THEN NULL ELSE n / 10 % 97 END \
         FROM generate_series(1, 5000) AS n",
        "INSERT INTO parts SELECT n, CASE WHEN n % 90 = 0 THEN NULL ELSE n % 60 END, n % 7, 'part ' || n % 11 \
         FROM generate_series(1, 3000) AS n",
    ];
    for sql in statements {
        session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    session
}

fn lines(session: &mut Session, sql: &str) -> Vec<String> {
    let answer = session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    answer.rows.iter().map(|row| format!("{row:?}")).collect()
}

/// The query with its join condition as it is, and with one that no index can answer.
fn both(query: &str) -> (String, String) {
    let with = |condition: &str| {
        query.replace("ORDERS", ORDERS).replace("FILTER", FILTER).replace("p.number = o.part", condition)
    };
    (with("p.number = o.part"), with("p.number + 0 = o.part"))
}

const QUERIES: [&str; 7] = [
    "SELECT o.id, p.id, p.name FROM ORDERS JOIN parts p ON p.number = o.part WHERE FILTER",
    "SELECT o.id, p.id FROM ORDERS JOIN parts p ON p.number = o.part AND p.size < o.id % 5 WHERE FILTER",
    "SELECT o.id, p.id, p.name FROM ORDERS LEFT JOIN parts p ON p.number = o.part WHERE FILTER",
    "SELECT o.id, p.id FROM ORDERS LEFT JOIN parts p ON p.number = o.part AND p.size > 5 AND o.id > p.id WHERE FILTER",
    "SELECT o.id FROM ORDERS WHERE FILTER AND EXISTS (SELECT 1 FROM parts p WHERE p.number = o.part AND p.size = 2)",
    "SELECT o.id FROM ORDERS WHERE FILTER AND NOT EXISTS \
     (SELECT 1 FROM parts p WHERE p.number = o.part AND p.size < 3)",
    "SELECT p.name, count(*), sum(o.id) FROM ORDERS JOIN parts p ON p.number = o.part WHERE FILTER GROUP BY p.name",
];

#[test]
fn joins_that_switch_answer_what_others_answer() {
    let mut session = skewed();
    for query in QUERIES {
        let (by_index, other) = both(query);
        let plan = lines(&mut session, &format!("EXPLAIN (ANALYZE, TIMING OFF) {by_index}")).join("\n");
        assert!(plan.contains("Switched to hash join after: "), "{query}\n{plan}");
        let (mut found, mut wanted) = (lines(&mut session, &by_index), lines(&mut session, &other));
        found.sort();
        wanted.sort();
        assert!(!found.is_empty() && found == wanted, "{query}: {} rows, not {}", found.len(), wanted.len());
    }
}

#[test]
fn the_hash_join_reads_the_same_snapshot_and_own_writes() {
    let mut session = skewed();
    let changes = [
        "BEGIN",
        "DELETE FROM parts WHERE id % 3 = 0",
        "UPDATE parts SET number = number + 1 WHERE id % 3 = 1",
        "INSERT INTO parts SELECT n, n % 60, 6, 'new' FROM generate_series(4001, 4200) AS n",
    ];
    for sql in changes {
        session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    for query in QUERIES {
        let (by_index, other) = both(query);
        let (mut found, mut wanted) = (lines(&mut session, &by_index), lines(&mut session, &other));
        found.sort();
        wanted.sort();
        assert!(!found.is_empty() && found == wanted, "{query}: {} rows, not {}", found.len(), wanted.len());
    }
}

#[test]
fn rows_of_the_left_side_keep_their_order() {
    let mut session = skewed();
    let (by_index, _) = both("SELECT o.id FROM ORDERS JOIN parts p ON p.number = o.part WHERE FILTER ORDER BY o.id");
    let answer = session.execute(&by_index).expect("the query runs");
    let ids: Vec<i64> = answer.rows.iter().filter_map(|row| row[0].as_ref()?.parse().ok()).collect();
    assert!(ids.len() > 10_000 && ids.is_sorted());
}

#[test]
fn joins_that_are_as_small_as_estimated_do_not_switch() {
    let mut session = skewed();
    let query = "EXPLAIN (ANALYZE, TIMING OFF) SELECT p.id FROM orders o JOIN parts p ON p.number = o.part \
                 WHERE o.id IN (100, 101, 103)";
    let plan = lines(&mut session, query).join("\n");
    assert!(plan.contains("Index Scan using parts_number") && !plan.contains("Switched"), "{plan}");
}
