//! Clients that append to lists and read them, and the history of what they saw.

use super::world::World;
use crate::disk::Random;
use isobar_history::{History, Isolation, Operation, Outcome, Transaction};
use isobar_replica::{Error, Replica, TransactionOptions, Ulid};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// What clients share: the history, and the time that it is told in.
#[derive(Clone)]
pub struct Record {
    pub history: Arc<Mutex<Vec<Transaction>>>,
    start: Instant,
    next_value: Arc<Mutex<u64>>,
    /// Places in the history of transactions whose outcome is open, with their commits' identifiers.
    open: Arc<Mutex<Vec<(usize, Ulid)>>>,
}

impl Record {
    pub fn new() -> Record {
        Record { history: Arc::default(), start: Instant::now(), next_value: Arc::default(), open: Arc::default() }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn value(&self) -> u64 {
        let mut next = self.next_value.lock().expect("no panic");
        *next += 1;
        *next
    }

    /// Asks what became of the commits whose clients were not told, and writes it down. A commit that nobody knows of is
    /// still open: only sending it again would decide about it.
    pub async fn ask_outcomes(&self, replica: &Replica) {
        let open = std::mem::take(&mut *self.open.lock().expect("no panic"));
        for (place, id) in open {
            let outcome = replica.outcome(id).await.expect("an answer");
            let mut history = self.history.lock().expect("no panic");
            match outcome {
                Some(isobar_replica::Outcome::Committed { timestamp }) => {
                    history[place].outcome = Outcome::Committed { timestamp: Some(timestamp) };
                    // Told only now, which is when it was certainly done; its session has gone on.
                    history[place].end = self.now();
                    history[place].session = 1_000_000 + place as u64;
                }
                Some(isobar_replica::Outcome::Refused { .. }) => history[place].outcome = Outcome::Aborted,
                None => {}
            }
        }
    }

    pub fn finish(&self) -> History {
        History { transactions: std::mem::take(&mut *self.history.lock().expect("no panic")) }
    }
}

/// Keys in use at once, and appends to a key before another takes its place.
const KEYS: u64 = 6;
const APPENDS: u64 = 40;

fn key(number: u64) -> Vec<u8> {
    [&[1, 0, 0, 0, 1, 0, 0, 0, 0], number.to_be_bytes().as_slice()].concat()
}

fn values(row: &[u8]) -> Vec<u64> {
    row.chunks_exact(8).map(|chunk| u64::from_be_bytes(chunk.try_into().expect("eight"))).collect()
}

fn write(number: u64, list: &[u64]) -> Vec<u8> {
    let (key, row) = (key(number), list.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<u8>>());
    let mut out = vec![1];
    for piece in [key, row] {
        out.extend_from_slice(&(piece.len() as u32).to_le_bytes());
        out.extend_from_slice(&piece);
    }
    out
}

/// A client of one node.
pub struct Client {
    pub session: u64,
    pub node: u64,
    pub random: Random,
    pub record: Record,
}

impl Client {
    /// One transaction at a replica. An error of the connection's kind leaves its outcome open.
    pub async fn run(&mut self, replica: &Replica) {
        let isolation = if self.random.chance(50) { Isolation::Snapshot } else { Isolation::Serializable };
        let reads_only = self.random.chance(40);
        let staleness = (reads_only && self.random.chance(20)).then_some(Duration::from_secs(1));
        let mut transaction = Transaction {
            session: self.session,
            node: format!("node-{}", self.node),
            isolation,
            staleness: staleness.map(|staleness| staleness.as_nanos() as u64 + CLOCK_ERROR),
            begin: self.record.now(),
            end: 0,
            operations: Vec::new(),
            outcome: Outcome::Aborted,
        };
        let id = Ulid::from_parts(self.random.next() >> 16, u128::from(self.random.next()));
        let result = self.attempt(replica, &mut transaction, reads_only, staleness, id).await;
        transaction.end = self.record.now();
        transaction.outcome = match result {
            Ok(timestamp) => Outcome::Committed { timestamp },
            Err(error) if error.sqlstate == "08007" => Outcome::Unknown,
            // Nothing was handed in, or it was refused.
            Err(error) if ["40001", "57P03", "53000", "53100"].contains(&error.sqlstate) => Outcome::Aborted,
            Err(_) => Outcome::Unknown,
        };
        let is_open = transaction.outcome == Outcome::Unknown;
        let place = {
            let mut history = self.record.history.lock().expect("no panic");
            history.push(transaction);
            history.len() - 1
        };
        if is_open {
            self.record.open.lock().expect("no panic").push((place, id));
        }
    }

    async fn attempt(
        &mut self,
        replica: &Replica,
        seen: &mut Transaction,
        reads_only: bool,
        staleness: Option<Duration>,
        id: Ulid,
    ) -> Result<Option<u64>, Error> {
        let isolation = match seen.isolation {
            Isolation::Snapshot => isobar_replica::Isolation::Snapshot,
            Isolation::Serializable => isobar_replica::Isolation::Serializable,
        };
        let overtakes = self.random.chance(70);
        let options = TransactionOptions { isolation, read_only: reads_only, staleness, overtakes };
        let mut transaction = replica.begin(options).await?;
        let current = self.record.value() / APPENDS;
        for _ in 0..1 + self.random.below(3) {
            let number = current + self.random.below(KEYS);
            transaction.begin_statement()?;
            let list = values(&transaction.get(&key(number))?.unwrap_or_default());
            if reads_only || self.random.chance(40) {
                seen.operations.push(Operation::Read { key: number, values: list });
            } else {
                let value = self.record.value();
                let mut list = list;
                list.push(value);
                transaction.write(&write(number, &list))?;
                seen.operations.push(Operation::Append { key: number, value });
            }
            transaction.finish_statement(true);
            if self.random.chance(30) {
                tokio::time::sleep(Duration::from_millis(self.random.below(50))).await;
            }
        }
        let wrote = seen.operations.iter().any(|operation| matches!(operation, Operation::Append { .. }));
        let commit = replica.commit(transaction, id).await?;
        Ok(wrote.then_some(commit.timestamp))
    }
}

/// What a second of one node's clock may be off by.
const CLOCK_ERROR: u64 = 50_000_000;

/// Runs clients at every node until told to stop: each finds its node anew, as it may have been started anew.
pub fn start_clients(
    world: &Arc<tokio::sync::Mutex<World>>,
    record: &Record,
    seed: u64,
    nodes: &[u64],
    each: u64,
) -> Clients {
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut random = Random(seed ^ 0x5eed);
    let mut tasks = Vec::new();
    for (number, node) in nodes.iter().flat_map(|node| std::iter::repeat_n(*node, each as usize)).enumerate() {
        let mut client =
            Client { session: node * 100 + number as u64, node, random: Random(random.next()), record: record.clone() };
        let (world, stop) = (world.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let replica = world.lock().await.replica(node);
                match replica {
                    // A client whose node dies hears nothing more.
                    Some(replica) => {
                        let limit = Duration::from_secs(30);
                        tokio::time::timeout(limit, client.run(&replica)).await.expect("an answer in bounded time");
                    }
                    None => tokio::time::sleep(Duration::from_millis(100)).await,
                }
                tokio::time::sleep(Duration::from_millis(client.random.below(100))).await;
            }
        }));
    }
    Clients { stop, tasks }
}

pub struct Clients {
    stop: Arc<std::sync::atomic::AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Clients {
    pub async fn finish(self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no panic");
        }
    }
}

/// Reads every list once more, at one node.
pub async fn read_all(record: &Record, node: u64, replica: &Replica) {
    let last = record.value() / APPENDS + KEYS;
    let begin = record.now();
    let mut transaction = replica.begin(TransactionOptions::default()).await.expect("a transaction");
    let mut operations = Vec::new();
    transaction.begin_statement().expect("a statement");
    for number in 0..=last {
        let list = values(&transaction.get(&key(number)).expect("read").unwrap_or_default());
        operations.push(Operation::Read { key: number, values: list });
    }
    transaction.finish_statement(true);
    record.history.lock().expect("no panic").push(Transaction {
        session: 100_000 + node,
        node: format!("node-{node}"),
        isolation: Isolation::Snapshot,
        staleness: None,
        begin,
        end: record.now(),
        operations,
        outcome: Outcome::Committed { timestamp: None },
    });
}
