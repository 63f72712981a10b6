//! Rows per second read by key and by scan: `cargo bench --bench reads`.

use isobar_replica::{Clock, KeyRange, Options, Replica, Transaction, TransactionOptions, Ulid};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

struct SystemClock;

impl Clock for SystemClock {
    fn now_micros(&self) -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
    }

    fn monotonic_micros(&self) -> u64 {
        self.now_micros()
    }
}

const ROWS: u64 = 1_000_000;
const ROWS_PER_COMMIT: u64 = 50_000;
const VALUE: usize = 60;

fn key(row: u64) -> Vec<u8> {
    [&[1, 0, 0, 0, 1, 0, 0, 0, 0, 1], row.to_be_bytes().as_slice()].concat()
}

async fn begin(replica: &Replica) -> Transaction {
    let mut transaction = replica.begin(TransactionOptions::default()).await.expect("a transaction");
    transaction.begin_statement().expect("a statement");
    transaction
}

async fn load(replica: &Replica) {
    for first in (0..ROWS).step_by(ROWS_PER_COMMIT as usize) {
        let mut transaction = begin(replica).await;
        for row in first..first + ROWS_PER_COMMIT {
            let mut packed = vec![1];
            for piece in [key(row), vec![row as u8; VALUE]] {
                packed.extend_from_slice(&(piece.len() as u32).to_le_bytes());
                packed.extend_from_slice(&piece);
            }
            transaction.write(&packed).expect("a write");
        }
        replica.commit(transaction, Ulid::generate()).await.expect("no conflict");
    }
}

/// Scans all rows, does `work` on every pair, and answers nanoseconds per row.
async fn scan(replica: &Replica, reverse: bool, work: bool) -> f64 {
    let mut transaction = begin(replica).await;
    let start = Instant::now();
    let range = KeyRange { start: key(0), end: key(ROWS), reverse, expected_rows: 0 };
    let cursor = transaction.scan(range).expect("a cursor");
    let (mut rows, mut sum) = (0u64, 0u64);
    loop {
        let batch = transaction.next_batch(cursor, 64 << 10).expect("a batch");
        if batch.is_empty() {
            break;
        }
        let mut rest: &[u8] = &batch;
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let key = u32::from_le_bytes(*length) as usize;
            let value = u32::from_le_bytes(after[key..key + 4].try_into().expect("four bytes")) as usize;
            if work {
                sum += after[key + 4..key + 4 + value].iter().map(|byte| *byte as u64).sum::<u64>();
            }
            rest = &after[key + 4 + value..];
            rows += 1;
        }
    }
    black_box(sum);
    assert_eq!(rows, ROWS);
    start.elapsed().as_nanos() as f64 / rows as f64
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let replica = Replica::open(Options::new(directory.path(), Arc::new(SystemClock))).await.expect("opened");
    let start = Instant::now();
    load(&replica).await;
    println!("load            {:8.0} ns/row", start.elapsed().as_nanos() as f64 / ROWS as f64);

    let mut transaction = begin(&replica).await;
    let (start, reads) = (Instant::now(), 200_000);
    for read in 0..reads {
        let row = read * 7919 % ROWS;
        black_box(transaction.get(&key(row)).expect("a read"));
    }
    println!("get             {:8.0} ns/row", start.elapsed().as_nanos() as f64 / reads as f64);

    let (start, reads) = (Instant::now(), 20_000);
    for read in 0..reads {
        let row = read * 7919 % ROWS;
        let range = KeyRange { start: key(row), end: key(row + 10), reverse: false, expected_rows: 10 };
        let cursor = transaction.scan(range).expect("a cursor");
        black_box(transaction.next_batch(cursor, 64 << 10).expect("a batch"));
        transaction.close_cursor(cursor);
    }
    println!("scan of 10      {:8.0} ns/scan", start.elapsed().as_nanos() as f64 / reads as f64);

    let plain = scan(&replica, false, false).await;
    println!("scan            {plain:8.0} ns/row");
    for (name, reverse, work) in
        [("scan again", false, false), ("scan, with work", false, true), ("scan, reverse", true, false)]
    {
        let time = scan(&replica, reverse, work).await;
        println!("{name:15} {time:8.0} ns/row  {:5.2} x the first", plain / time);
    }
    replica.shutdown().await.expect("shut down");
}
