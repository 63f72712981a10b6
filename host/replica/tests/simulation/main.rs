//! A replica on a disk that loses power, fails or fills up at chosen moments, again and again, while writers and
//! readers are at work. Whatever was acknowledged is there afterwards, nothing is there by half, and both files are
//! sound.
//!
//! `ISOBAR_SEED=7` runs one seed, `ISOBAR_SEEDS=1000` so many of them. A seed fixes the work and the moment of every
//! fault in operations of the disk; threads still run as they like.

mod acknowledged;
mod catch_up;
mod cluster;
mod conflicts;
mod disk;
mod exactly_once;
mod full_disk;
mod local_reads;
mod members;
mod minority;
mod strict;

use disk::{Disk, Fault, Random};
use isobar_replica::{
    Clock, Commit, Execution, KeyRange, Limits, Options, Outcome, Replica, Storage, Transaction, TransactionOptions,
    Ulid,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const SEEDS: u64 = 60;
/// What a writer still does when a fault has not stopped the replica.
const COMMITS_AFTER_FAULT: u32 = 20;
const ROUNDS: u64 = 6;
const PAIRS: u64 = 12;
const WRITERS: u64 = 4;

/// A millisecond passes with every look at it.
struct SimulatedClock(AtomicU64);

impl Clock for SimulatedClock {
    fn now_micros(&self) -> u64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }

    fn monotonic_micros(&self) -> u64 {
        self.now_micros()
    }
}

/// A transaction that was handed in, and what was said about it.
#[derive(Clone)]
struct Attempt {
    id: Ulid,
    /// Pair → its new value; none: deleted.
    writes: BTreeMap<u64, Option<u64>>,
    acknowledged: Option<u64>,
}

#[derive(Default)]
struct History {
    attempts: Vec<Attempt>,
    /// What the store held at the end of an earlier round, as of its newest commit.
    contents: BTreeMap<u64, u64>,
}

fn key(pair: u64, half: u8) -> Vec<u8> {
    [&[1, 0, 0, 0, 1, 0, 0, 0, half], pair.to_be_bytes().as_slice()].concat()
}

fn pack(writes: &BTreeMap<u64, Option<u64>>) -> Vec<u8> {
    let mut out = Vec::new();
    let piece = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    for (pair, value) in writes {
        for half in [0, 1] {
            out.push(value.is_some() as u8);
            piece(&mut out, &key(*pair, half));
            if let Some(value) = value {
                // Some rows are longer than a page.
                let length = 16 + (value % 7 == 0) as usize * 5000;
                let mut row = value.to_be_bytes().to_vec();
                row.resize(length, *value as u8);
                piece(&mut out, &row);
            }
        }
    }
    out
}

/// Pairs of one half of the store.
fn read(transaction: &mut Transaction, half: u8, reverse: bool) -> Result<BTreeMap<u64, u64>, isobar_replica::Error> {
    let range = KeyRange { start: key(0, half), end: key(u64::MAX, half), reverse, expected_rows: 0 };
    let cursor = transaction.scan(range)?;
    let mut rows = BTreeMap::new();
    loop {
        let batch = transaction.next_batch(cursor, 300)?;
        let mut rest: &[u8] = &batch;
        if rest.is_empty() {
            transaction.close_cursor(cursor);
            return Ok(rows);
        }
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (key, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            let (length, after) = after.split_first_chunk::<4>().expect("a value follows");
            let (row, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            let value = u64::from_be_bytes(row[..8].try_into().expect("eight bytes"));
            assert!(row[8..].iter().all(|byte| *byte == value as u8), "a torn row");
            rows.insert(u64::from_be_bytes(key[9..].try_into().expect("eight bytes")), value);
            rest = after;
        }
    }
}

/// Both halves, which every transaction writes alike.
fn read_whole(transaction: &mut Transaction) -> Result<BTreeMap<u64, u64>, isobar_replica::Error> {
    transaction.begin_statement()?;
    let halves = (read(transaction, 0, false)?, read(transaction, 1, true)?);
    transaction.finish_statement(true);
    assert_eq!(halves.0, halves.1, "half a transaction is seen");
    Ok(halves.0)
}

/// Commits until the replica refuses. A fault may meet a reader alone, when a page of the store is written to make room
/// for the one that is read: then the replica goes on, and the writer only for a while.
async fn write(replica: Replica, disk: Disk, mut random: Random, history: Arc<Mutex<History>>) {
    let mut left = COMMITS_AFTER_FAULT;
    while left > 0 {
        if disk.fault_has_happened() {
            left -= 1;
        }
        let writes: BTreeMap<u64, Option<u64>> = (0..1 + random.below(3))
            .map(|_| (random.below(PAIRS), (!random.chance(15)).then(|| random.next())))
            .collect();
        let id = Ulid::from_bytes(
            [random.next().to_be_bytes(), random.next().to_be_bytes()].concat().try_into().expect("16"),
        );
        let Ok(mut transaction) = replica.begin(TransactionOptions::default()).await else { return };
        if transaction.begin_statement().is_err() || transaction.write(&pack(&writes)).is_err() {
            return;
        }
        transaction.finish_statement(true);
        let attempt = {
            let mut history = history.lock().expect("no panic");
            history.attempts.push(Attempt { id, writes, acknowledged: None });
            history.attempts.len() - 1
        };
        match replica.commit(transaction, id).await {
            Ok(Commit { timestamp, .. }) => {
                history.lock().expect("no panic").attempts[attempt].acknowledged = Some(timestamp);
            }
            Err(error) if error.sqlstate == "40001" => {}
            Err(_) => return,
        }
        tokio::task::yield_now().await;
    }
}

/// Sees the same all along, and no halves, until the disk fails. That may show in the writers alone: what is read again
/// and again is in memory.
async fn watch(replica: Replica, writers_are_gone: Arc<AtomicBool>) {
    while !writers_are_gone.load(Ordering::Relaxed) {
        let Ok(mut transaction) = replica.begin(TransactionOptions::default()).await else { return };
        let Ok(first) = read_whole(&mut transaction) else { return };
        for _ in 0..3 {
            tokio::task::yield_now().await;
            let Ok(again) = read_whole(&mut transaction) else { return };
            assert_eq!(again, first, "a snapshot has changed");
        }
    }
}

async fn open(disk: &Disk, clock: &Arc<SimulatedClock>) -> Result<Replica, isobar_replica::Error> {
    let limits = Limits {
        durable_milliseconds: 3,
        journal_entries_kept: 25,
        journal_cache_bytes: 20_000,
        retention_seconds: 1,
        collection_step: 50,
        store_cache_bytes: 1 << 20,
        journal_file_cache_bytes: 1 << 20,
        ..Limits::default()
    };
    let storage = Storage::Backends { store: disk.file("store"), journal: disk.file("journal"), free: None };
    Replica::open(Options {
        storage,
        limits,
        clock: clock.clone(),
        node_id: 1,
        execution: Execution::Threads,
        cluster: None,
    })
    .await
}

/// Compares the replica with what its clients know.
async fn verify(replica: &Replica, history: &mut History) {
    let mut committed: Vec<(u64, Attempt)> = Vec::new();
    for attempt in history.attempts.drain(..) {
        let outcome = replica.outcome(attempt.id).await.expect("an answer");
        match (outcome, attempt.acknowledged) {
            (Some(Outcome::Committed { timestamp }), acknowledged) => {
                assert!(acknowledged.is_none_or(|first| first == timestamp), "two timestamps of one commit");
                committed.push((timestamp, attempt));
            }
            (outcome, Some(timestamp)) => panic!("the commit at {timestamp} is lost: {outcome:?}"),
            (_, None) => {}
        }
    }
    committed.sort_by_key(|(timestamp, _)| *timestamp);
    for (_, attempt) in committed {
        for (pair, value) in attempt.writes {
            match value {
                Some(value) => history.contents.insert(pair, value),
                None => history.contents.remove(&pair),
            };
        }
    }
    let mut transaction = replica.begin(TransactionOptions::default()).await.expect("a transaction");
    let contents = read_whole(&mut transaction).expect("read");
    assert_eq!(contents, history.contents, "the store is not what its commits made it");
    for half in [0, 1] {
        let count = transaction.estimate_count(&key(0, half)[..9]);
        assert_eq!(count, contents.len() as u64, "live keys are miscounted");
    }
}

async fn run(seed: u64) {
    let mut random = Random(seed);
    let mut disk = Disk::new(Random(random.next()));
    let clock = Arc::new(SimulatedClock(AtomicU64::new(1_000_000_000)));
    let history = Arc::new(Mutex::new(History::default()));
    for _ in 0..ROUNDS {
        let fault = match random.below(10) {
            0 => Fault::Error(std::io::ErrorKind::StorageFull),
            1 | 2 => Fault::Error(std::io::ErrorKind::Other),
            _ => Fault::PowerLoss,
        };
        // Some faults come while the replica recovers.
        let within = if random.chance(30) { 60 } else { 1500 };
        let at = 1 + random.below(within);
        disk.plan(fault, at);
        if let Ok(replica) = open(&disk, &clock).await {
            let mut tasks = Vec::new();
            for _ in 0..WRITERS {
                tasks.push(tokio::spawn(write(replica.clone(), disk.clone(), Random(random.next()), history.clone())));
            }
            let writers_are_gone = Arc::new(AtomicBool::new(false));
            let watcher = tokio::spawn(watch(replica.clone(), writers_are_gone.clone()));
            for task in tasks {
                task.await.expect("no panic");
            }
            writers_are_gone.store(true, Ordering::Relaxed);
            watcher.await.expect("no panic");
            assert!(disk.fault_has_happened(), "the replica has stopped by itself");
            drop(replica);
        }
        disk = if fault == Fault::PowerLoss || random.chance(50) { disk.after_power_loss() } else { disk.after_kill() };
        let replica = open(&disk, &clock).await.expect("recovery");
        let mut known = std::mem::take(&mut *history.lock().expect("no panic"));
        verify(&replica, &mut known).await;
        *history.lock().expect("no panic") = known;
        if random.chance(50) {
            replica.shutdown().await.expect("shut down");
        }
        drop(replica);
        disk = disk.after_kill();
    }
    for name in ["store", "journal"] {
        let mut database = redb::Database::builder().create_with_backend(Boxed(disk.file(name))).expect("opened");
        assert!(database.check_integrity().expect("checked"), "{name} was not sound");
    }
}

#[derive(Debug)]
struct Boxed(Box<dyn redb::StorageBackend>);

impl redb::StorageBackend for Boxed {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn nothing_acknowledged_is_lost() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let seeds = match number("ISOBAR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ISOBAR_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run(seed))));
        if let Err(panic) = result {
            eprintln!("ISOBAR_SEED={seed} fails");
            std::panic::resume_unwind(panic);
        }
    }
}
