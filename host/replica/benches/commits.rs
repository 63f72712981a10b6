//! Commits per second of one writer and of many, against the disk's own syncs: `cargo bench --bench commits`.
//! Goals: one writer near one sync per commit, 32 writers at least eight times as many commits.

use isobar_replica::{Clock, Options, Replica, TransactionOptions, Ulid};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

struct SystemClock;

impl Clock for SystemClock {
    fn now_micros(&self) -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
    }

    fn monotonic_micros(&self) -> u64 {
        self.now_micros()
    }
}

const PERIOD: Duration = Duration::from_secs(3);

fn put(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut packed = vec![1];
    for piece in [key, value] {
        packed.extend_from_slice(&(piece.len() as u32).to_le_bytes());
        packed.extend_from_slice(piece);
    }
    packed
}

async fn write(replica: Replica, writer: u64) -> u64 {
    let start = Instant::now();
    let mut commits = 0u64;
    while start.elapsed() < PERIOD {
        let mut transaction = replica.begin(TransactionOptions::default()).await.expect("a transaction");
        let key = [&[1, 0, 0, 0, 1, 0, 0, 0, 0], writer.to_be_bytes().as_slice(), &commits.to_be_bytes()].concat();
        transaction.begin_statement().expect("a statement");
        transaction.write(&put(&key, &[7; 100])).expect("a write");
        transaction.finish_statement(true);
        replica.commit(transaction, Ulid::generate()).await.expect("no conflict");
        commits += 1;
    }
    commits
}

/// Syncs per second of a file that is overwritten in place.
fn syncs() -> f64 {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(&vec![0; 1 << 20]).expect("written");
    file.sync_all().expect("synced");
    let (start, mut count) = (Instant::now(), 0u64);
    while start.elapsed() < Duration::from_secs(1) {
        use std::os::unix::fs::FileExt;
        file.write_all_at(&[count as u8; 4096], (count % 256) * 4096).expect("written");
        file.sync_data().expect("synced");
        count += 1;
    }
    count as f64 / start.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    let disk = syncs();
    println!("disk         {disk:8.0} syncs/s");
    let mut one = 0.0;
    for writers in [1, 8, 32] {
        let directory = tempfile::tempdir().expect("a directory");
        let replica = Replica::open(Options::new(directory.path(), Arc::new(SystemClock))).await.expect("opened");
        let start = Instant::now();
        let tasks: Vec<_> = (0..writers).map(|writer| tokio::spawn(write(replica.clone(), writer))).collect();
        let mut commits = 0;
        for task in tasks {
            commits += task.await.expect("no panic");
        }
        let rate = commits as f64 / start.elapsed().as_secs_f64();
        if writers == 1 {
            one = rate;
        }
        let metrics = replica.metrics();
        println!(
            "{writers:2} writers   {rate:8.0} commits/s  {:5.2} x one writer  {:5.2} x the disk  {:5.1} commits/entry  {:5.2} syncs/entry",
            rate / one,
            rate / disk,
            metrics.committed as f64 / metrics.entries as f64,
            metrics.journal_syncs as f64 / metrics.entries as f64,
        );
        replica.shutdown().await.expect("shut down");
    }
}
