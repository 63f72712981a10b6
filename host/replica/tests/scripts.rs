//! Runs `testscripts/`: what transactions see and which of them may commit, written down as conversations. After a
//! change that is meant, run with `UPDATE_GOLDENFILES=1` and read the difference.

use goldenscript::{Argument, ArgumentConsumer, Command, Context, Runner};
use isobar_replica::{
    Clock, Error, Execution, Isolation, KeyRange, Limits, Options, Outcome, Replica, Storage, Transaction,
    TransactionOptions, Ulid,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Answer = Result<String, Box<dyn std::error::Error>>;

/// Stands still until told otherwise, so that timestamps are the same in every run.
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now_micros(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic_micros(&self) -> u64 {
        self.now_micros()
    }
}

struct Scripts {
    runtime: tokio::runtime::Runtime,
    clock: Arc<TestClock>,
    replica: Option<Replica>,
    directory: tempfile::TempDir,
    limits: Limits,
    transactions: BTreeMap<String, Transaction>,
    /// The cursor that each has open over its commands.
    cursors: BTreeMap<String, u32>,
    /// Whom the current command is for.
    prefix: Option<String>,
}

/// The value of `key=value`, if there is one.
fn take<T: std::str::FromStr>(arguments: &mut ArgumentConsumer<'_>, key: &str) -> Result<Option<T>, T::Err> {
    arguments.take_key(key).map(str::parse).transpose()
}

impl Scripts {
    fn new() -> Scripts {
        let mut scripts = Scripts {
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
            clock: Arc::new(TestClock(AtomicU64::new(1000))),
            replica: None,
            directory: tempfile::tempdir().unwrap(),
            limits: Limits { durable_milliseconds: 5, disk_reserve_bytes: 0, ..Limits::default() },
            transactions: BTreeMap::new(),
            cursors: BTreeMap::new(),
            prefix: None,
        };
        scripts.open().unwrap();
        scripts
    }

    fn open(&mut self) -> Result<(), Error> {
        let options = Options {
            storage: Storage::Directory(self.directory.path().to_owned()),
            limits: self.limits.clone(),
            clock: self.clock.clone(),
            node_id: 1,
            execution: Execution::Threads,
            cluster: None,
        };
        self.replica = Some(self.runtime.block_on(Replica::open(options))?);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        self.transactions.clear();
        match self.replica.take() {
            Some(replica) => self.runtime.block_on(replica.shutdown()),
            None => Ok(()),
        }
    }

    fn replica(&self) -> Replica {
        self.replica.clone().expect("the replica is open")
    }

    fn transaction(&mut self) -> Result<(String, &mut Transaction), String> {
        let name = self.prefix.clone().ok_or("which transaction?")?;
        let transaction = self.transactions.get_mut(&name).ok_or(format!("{name} is not open"))?;
        Ok((name, transaction))
    }

    fn begin(&mut self, command: &Command) -> Answer {
        let name = self.prefix.clone().ok_or("which transaction?")?;
        let has = |word: &str| command.args.contains(&Argument::Positional(word.into()));
        let isolation = if has("serializable") { Isolation::Serializable } else { Isolation::Snapshot };
        let options = TransactionOptions { isolation, read_only: has("read-only"), ..TransactionOptions::default() };
        let transaction = self.runtime.block_on(self.replica().begin(options))?;
        let answer = format!("snapshot {}", transaction.snapshot());
        self.transactions.insert(name, transaction);
        Ok(answer)
    }

    fn commit(&mut self, command: &Command) -> Answer {
        let (name, _) = self.transaction()?;
        let transaction = self.transactions.remove(&name).expect("was there");
        let mut arguments = command.consume_args();
        let id = take(&mut arguments, "id")?.map_or_else(Ulid::generate, |id| Ulid::from_parts(id, 0));
        let commit = self.runtime.block_on(self.replica().commit(transaction, id))?;
        Ok(format!("committed at {}", commit.timestamp))
    }

    /// Runs `work` as a statement of the command's transaction.
    fn statement(&mut self, work: impl FnOnce(&mut Transaction) -> Answer) -> Answer {
        let (_, transaction) = self.transaction()?;
        transaction.begin_statement()?;
        let answer = work(transaction);
        transaction.finish_statement(answer.is_ok());
        answer
    }

    /// Waits until nothing more is collected.
    fn collect(&mut self) -> Answer {
        let (mut last, mut quiet) = (u64::MAX, 0);
        while quiet < 10 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let collected = self.replica().metrics().collected;
            quiet = if collected == last { quiet + 1 } else { 0 };
            last = collected;
        }
        Ok(format!("collected {last}"))
    }
}

fn key(text: &str) -> Vec<u8> {
    // `cat/x` is a catalog key, everything else a row of index 1.
    match text.strip_prefix("cat/") {
        Some(name) => [&[0, 0, 0, 0, 1, 0, 0, 0, 0], name.as_bytes()].concat(),
        None => [&[1, 0, 0, 0, 1, 0, 0, 0, 0], text.as_bytes()].concat(),
    }
}

fn key_name(key: &[u8]) -> String {
    let name = String::from_utf8_lossy(&key[9..]);
    if key[0] == 0 { format!("cat/{name}") } else { name.into_owned() }
}

fn packed(writes: &[(Vec<u8>, Option<String>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in writes {
        out.push(value.is_some() as u8);
        out.extend_from_slice(&(key.len() as u32).to_le_bytes());
        out.extend_from_slice(key);
        if let Some(value) = value {
            out.extend_from_slice(&(value.len() as u32).to_le_bytes());
            out.extend_from_slice(value.as_bytes());
        }
    }
    out
}

fn pairs(mut batch: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut piece = || {
        let (length, rest) = batch.split_first_chunk::<4>()?;
        let (piece, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        batch = rest;
        Some(piece.to_vec())
    };
    let mut out = Vec::new();
    while let Some(key) = piece() {
        out.push((key, piece().expect("a value follows")));
    }
    out
}

fn scan(transaction: &mut Transaction, command: &Command) -> Answer {
    let mut arguments = command.consume_args();
    let start = arguments.next_pos().map_or_else(|| key(""), key);
    let end = arguments.next_pos().map_or_else(|| key("~"), key);
    let reverse = take(&mut arguments, "reverse")?.unwrap_or(false);
    let limit = take(&mut arguments, "limit")?.unwrap_or(usize::MAX);
    let bytes = take(&mut arguments, "bytes")?.unwrap_or(1000);
    let mut out = String::new();
    let expected_rows = if limit == usize::MAX { 0 } else { limit as u32 };
    let cursor = transaction.scan(KeyRange { start, end, reverse, expected_rows })?;
    let mut count = 0;
    while count < limit {
        let batch = transaction.next_batch(cursor, bytes)?;
        if batch.is_empty() {
            break;
        }
        for (key, value) in pairs(&batch).into_iter().take(limit - count) {
            count += 1;
            write!(out, "{}={} ", key_name(&key), String::from_utf8_lossy(&value))?;
        }
    }
    transaction.close_cursor(cursor);
    Ok(if out.is_empty() { "nothing".into() } else { out.trim_end().into() })
}

impl Runner for Scripts {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &Context) -> Answer {
        self.prefix.clone_from(&context.prefix);
        let mut texts: Vec<&str> = Vec::new();
        let mut assignments: Vec<(&str, &str)> = Vec::new();
        for argument in &command.args {
            match argument {
                Argument::Positional(value) => texts.push(value),
                Argument::KeyValue(key, value) => assignments.push((key, value)),
                other => return Err(format!("what is {other}?").into()),
            }
        }
        match command.name.as_str() {
            "begin" => self.begin(command),
            "commit" => self.commit(command),
            "rollback" => {
                let (name, _) = self.transaction()?;
                self.transactions.remove(&name);
                Ok(String::new())
            }
            "put" | "put-and-fail" => {
                let writes: Vec<_> =
                    assignments.iter().map(|(name, value)| (key(name), Some(value.to_string()))).collect();
                let fails = command.name == "put-and-fail";
                let answer = self.statement(|transaction| {
                    transaction.write(&packed(&writes))?;
                    if fails { Err("the statement fails".into()) } else { Ok(String::new()) }
                });
                if fails { Ok(String::new()) } else { answer }
            }
            "delete" => {
                let writes: Vec<_> = texts.iter().map(|text| (key(text), None)).collect();
                self.statement(|transaction| {
                    transaction.write(&packed(&writes))?;
                    Ok(String::new())
                })
            }
            "get" => self.statement(|transaction| {
                let mut out = Vec::new();
                for text in &texts {
                    let value = transaction.get(&key(text))?;
                    out.push(value.map_or("none".into(), |value| String::from_utf8_lossy(&value).into_owned()));
                }
                Ok(out.join(" "))
            }),
            "scan" => self.statement(|transaction| scan(transaction, command)),
            "guard" => self.statement(|transaction| {
                for text in &texts {
                    transaction.guard(&key(text))?;
                }
                Ok(String::new())
            }),
            // Statements that later commands are nested in.
            "begin-statement" => {
                let (_, transaction) = self.transaction()?;
                transaction.begin_statement()?;
                Ok(String::new())
            }
            "finish-statement" | "fail-statement" => {
                let (name, transaction) = self.transaction()?;
                transaction.finish_statement(command.name == "finish-statement");
                self.cursors.remove(&name);
                Ok(String::new())
            }
            // A cursor that stays open over later commands, and its pairs one by one.
            "open" => {
                let range = KeyRange { start: key(""), end: key("~"), reverse: false, expected_rows: 1 };
                let (name, transaction) = self.transaction()?;
                let cursor = transaction.scan(range)?;
                self.cursors.insert(name, cursor);
                Ok(String::new())
            }
            "next" => {
                let name = self.prefix.clone().ok_or("which transaction?")?;
                let cursor = *self.cursors.get(&name).ok_or("no cursor is open")?;
                let (_, transaction) = self.transaction()?;
                let batch = transaction.next_batch(cursor, 1)?;
                let pair = |(key, value): (Vec<u8>, Vec<u8>)| {
                    format!("{}={}", key_name(&key), String::from_utf8_lossy(&value))
                };
                let shown: Vec<_> = pairs(&batch).into_iter().map(pair).collect();
                Ok(if shown.is_empty() { "end".into() } else { shown.join(" ") })
            }
            "freeze-catalog" => {
                let (_, transaction) = self.transaction()?;
                transaction.freeze_catalog(texts[0] == "on");
                Ok(String::new())
            }
            // Scans and writes in one statement: the scan must not see the writes.
            "copy-all" => self.statement(|transaction| {
                let range = KeyRange { start: key(""), end: key("~"), reverse: false, expected_rows: 1 };
                let cursor = transaction.scan(range)?;
                let mut copied = 0;
                loop {
                    let batch = transaction.next_batch(cursor, 1)?;
                    if batch.is_empty() {
                        return Ok(format!("copied {copied}"));
                    }
                    for (key, value) in pairs(&batch) {
                        copied += 1;
                        let copy = [&key, b"'".as_slice()].concat();
                        transaction.write(&packed(&[(copy, Some(String::from_utf8(value)?))]))?;
                    }
                }
            }),
            "catalog-version" => {
                let (_, transaction) = self.transaction()?;
                let version = transaction.catalog_version();
                Ok(if version >> 63 == 1 { "its own".into() } else { version.to_string() })
            }
            "savepoint" | "release" | "rollback-to" => {
                let (_, transaction) = self.transaction()?;
                match command.name.as_str() {
                    "savepoint" => transaction.savepoint(texts[0])?,
                    "release" => transaction.release(texts[0])?,
                    _ => transaction.rollback_to(texts[0])?,
                }
                Ok(String::new())
            }
            "count" => {
                let (_, transaction) = self.transaction()?;
                Ok(transaction.estimate_count(&key("")).to_string())
            }
            "outcome" => {
                let id = Ulid::from_parts(texts[0].parse()?, 0);
                Ok(match self.runtime.block_on(self.replica().outcome(id))? {
                    None => "unknown".into(),
                    Some(Outcome::Committed { timestamp }) => format!("committed at {timestamp}"),
                    Some(Outcome::Refused { error }) => format!("refused: {error}"),
                })
            }
            "clock" => {
                self.clock.0.store(texts[0].parse()?, Ordering::SeqCst);
                Ok(String::new())
            }
            "limit" => {
                let mut arguments = command.consume_args();
                self.close()?;
                let limits = &mut self.limits;
                for (name, limit) in [
                    ("transaction-bytes", &mut limits.transaction_bytes),
                    ("value-bytes", &mut limits.value_bytes),
                    ("certifier-keys", &mut limits.certifier_keys),
                    ("transactions", &mut limits.transactions),
                    ("read-set-bytes", &mut limits.read_set_bytes),
                ] {
                    *limit = take(&mut arguments, name)?.unwrap_or(*limit);
                }
                limits.transaction_rows = take(&mut arguments, "transaction-rows")?.or(limits.transaction_rows);
                limits.disk_reserve_bytes = take(&mut arguments, "disk-reserve")?.unwrap_or(limits.disk_reserve_bytes);
                arguments.reject_next()?;
                self.open()?;
                Ok(String::new())
            }
            "reopen" => {
                self.close()?;
                self.open()?;
                Ok(String::new())
            }
            // One of the two files is gone.
            "lose" => {
                self.close()?;
                std::fs::remove_file(self.directory.path().join(format!("{}.redb", texts[0])))?;
                self.open()?;
                Ok(String::new())
            }
            "open-again" => {
                let options = Options::new(self.directory.path(), self.clock.clone());
                match self.runtime.block_on(Replica::open(options)) {
                    Ok(_) => Ok("opened twice".into()),
                    Err(error) => {
                        let message = error.to_string();
                        Err(message.replace(&*self.directory.path().to_string_lossy(), "DIRECTORY").into())
                    }
                }
            }
            "collect" => self.collect(),
            other => Err(format!("unknown command {other}").into()),
        }
    }
}

#[test]
fn scripts() {
    let mut paths: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/testscripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        println!("{}", path.display());
        goldenscript::run(&mut Scripts::new(), path).unwrap();
    }
}
