//! Runs `tests/slt/**/*.slt` against the engine on a host in memory. PostgreSQL has filled in the answers
//! (`tests/slt/fill.py`).
//!
//! Arguments are cargo test's: `cargo test --test slt -- select` runs the files whose path contains `select`.

use isobar_engine::error::Error;
use isobar_engine::memory::{Answer, MemoryStore, Session};
use sqllogictest::harness::{Arguments, Failed, Trial, run};
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// A session on a thread of its own: the runner may move its connections between threads, the engine may not.
struct Connection {
    statements: Sender<String>,
    answers: Receiver<Result<Answer, Error>>,
}

impl Connection {
    fn open() -> Connection {
        let (statements, incoming) = channel::<String>();
        let (outgoing, answers) = channel();
        thread::Builder::new()
            .name("session".into())
            .stack_size(16 << 20)
            .spawn(move || {
                let mut session = Session::new(&MemoryStore::new());
                for sql in incoming {
                    if outgoing.send(session.execute(&sql)).is_err() {
                        break;
                    }
                }
            })
            .expect("a thread");
        Connection { statements, answers }
    }
}

/// An error as the files spell it: `42P01: relation "t" does not exist`.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl DB for Connection {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    /// `skipif isobar` stands before the records that answer otherwise than PostgreSQL, with what they answer.
    fn engine_name(&self) -> &str {
        "isobar"
    }

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        let gone = || Failure("the session panicked".into());
        self.statements.send(sql.into()).map_err(|_| gone())?;
        let answer = self.answers.recv().map_err(|_| gone())?;
        let answer = answer.map_err(|error| Failure(format!("{}: {}", error.sqlstate(), error.message())))?;
        let Some(columns) = answer.columns else {
            let count = answer.tag.rsplit(' ').next().and_then(|count| count.parse().ok());
            return Ok(DBOutput::StatementComplete(count.unwrap_or(0)));
        };
        let shown = |field: Option<String>| match field {
            None => "NULL".into(),
            Some(text) if text.is_empty() => "(empty)".into(),
            Some(text) => text,
        };
        Ok(DBOutput::Rows {
            types: vec![DefaultColumnType::Text; columns.len()],
            rows: answer.rows.into_iter().map(|row| row.into_iter().map(shown).collect()).collect(),
        })
    }
}

/// Runs all of a file's records, and reports every one that fails.
fn test(path: &Path) -> Result<(), Failed> {
    let mut runner = Runner::new(|| async { Ok(Connection::open()) });
    let records = sqllogictest::parse_file(path).map_err(|error| Failed::from(error.to_string()))?;
    let mut failures = vec![];
    for record in records {
        if let Err(error) = runner.run(record) {
            failures.push(error.display(false).to_string());
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Failed::from(failures.join("\n\n"))) }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = folder.read_dir().expect("a folder of tests");
    for path in entries.map(|entry| entry.expect("a folder of tests").path()) {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "slt") {
            found.push(path);
        }
    }
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut paths = vec![];
    files(&root, &mut paths);
    paths.sort();
    let trial = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        Trial::test(name, move || test(&path))
    };
    run(&Arguments::from_args(), paths.into_iter().map(trial).collect()).exit();
}
