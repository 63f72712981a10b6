//! Clients at all regions: what they send, and what they make of what they hear.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use isobar_history::{Isolation, Outcome};
use isobar_replica::Ulid;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::client::{self, Answer, Failure};
use crate::nodes::{Cluster, REGIONS};
use crate::record::Record;

pub const TABLES: [&str; 4] = ["lists", "accounts", "registers", "log"];

const SCHEMA: [&str; 4] = [
    "CREATE TABLE lists (key bigint PRIMARY KEY, vals text NOT NULL)",
    "CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0))",
    "CREATE TABLE registers (key bigint PRIMARY KEY, value bigint NOT NULL)",
    "CREATE TABLE log (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), request bigint NOT NULL)",
];

/// The cluster, and what is told of it.
pub struct World {
    pub cluster: Cluster,
    pub record: Record,
    stop: AtomicBool,
}

pub struct Client {
    pub session: u64,
    /// The region that it asks first.
    home: usize,
    /// The one that it asks now.
    pub place: usize,
    pub random: StdRng,
    pub world: Arc<World>,
}

/// What became of something that was sent.
pub struct Heard {
    pub outcome: Outcome,
    /// The answer, when it was a success.
    pub answer: Option<Value>,
}

impl Heard {
    fn of(outcome: Outcome) -> Heard {
        Heard { outcome, answer: None }
    }
}

/// How old bounded reads may be.
pub const STALENESS: Duration = Duration::from_secs(2);
pub const STALENESS_SETTING: &str = "isobar.read_staleness";

/// Clients in each region.
const CLIENTS: usize = 3;

impl World {
    pub async fn new() -> Arc<World> {
        let world = World { cluster: Cluster::form().await, record: Record::new(), stop: AtomicBool::new(false) };
        let accounts = (0..crate::bank::ACCOUNTS).map(|id| format!("({id}, {})", crate::bank::BALANCE));
        let accounts = format!("INSERT INTO accounts VALUES {}", accounts.collect::<Vec<_>>().join(", "));
        for sql in SCHEMA.into_iter().chain([accounts.as_str()]) {
            let answer = client::sql(world.cluster.http(0), sql).await.expect("an answer");
            assert!(answer.is_success(), "{sql}: {}", answer.body);
        }
        // What may be as old as that must not be from before the accounts.
        tokio::time::sleep(STALENESS).await;
        Arc::new(world)
    }

    pub fn start_clients(self: &Arc<Self>, seed: u64) -> Vec<tokio::task::JoinHandle<()>> {
        let start = |number: usize| {
            let random = StdRng::seed_from_u64(seed ^ (number as u64 + 1) << 32);
            let home = number % REGIONS.len();
            let client = Client { session: number as u64, home, place: home, random, world: self.clone() };
            tokio::spawn(client.run())
        };
        (0..CLIENTS * REGIONS.len()).map(start).collect()
    }

    pub fn stop_clients(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Client {
    async fn run(mut self) {
        while !self.world.stop.load(Ordering::Relaxed) {
            // Clients of a dead node connect elsewhere, sometimes before they know.
            self.place = self.home;
            if self.random.random_bool(0.1) {
                self.place = self.random.random_range(0..REGIONS.len());
            }
            match self.random.random_range(0..10) {
                0..5 => self.lists().await,
                5..7 => self.bank().await,
                7..9 => self.register().await,
                _ => self.log().await,
            }
            let pause = self.random.random_range(0..60);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    pub fn node(&self) -> String {
        REGIONS[self.place].into()
    }

    pub fn key(&mut self) -> Ulid {
        Ulid::from_parts(self.random.random::<u64>() >> 16, self.random.random())
    }

    pub fn isolation(&mut self) -> Isolation {
        if self.random.random_bool(0.5) { Isolation::Snapshot } else { Isolation::Serializable }
    }

    /// What an answer that is no success, or none at all, says of the request.
    fn heard(&self, answer: Result<Answer, Failure>) -> Heard {
        let record = &self.world.record;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Failure::NotSent) => {
                record.count("nobody listens");
                return Heard::of(Outcome::Aborted);
            }
            Err(Failure::Lost(why)) => {
                record.count(&format!("lost: {why}"));
                return Heard::of(Outcome::Unknown);
            }
            Err(Failure::Late) => {
                record.surprise(format!("{} did not answer in {:?}", self.node(), client::ANSWER_LIMIT));
                return Heard::of(Outcome::Unknown);
            }
        };
        if answer.is_success() {
            record.count("success");
            let timestamp = answer.body["commit"]["timestamp"].as_u64();
            return Heard { outcome: Outcome::Committed { timestamp }, answer: Some(answer.body) };
        }
        let code = answer.code();
        record.count(code);
        Heard::of(match code {
            // A conflict, no majority, a full disk, a check, and an open transaction that went with its node.
            "40001" | "57P03" | "53100" | "23514" | "25P01" => Outcome::Aborted,
            "08007" => Outcome::Unknown,
            _ => {
                record.surprise(answer.body.to_string());
                Outcome::Unknown
            }
        })
    }

    /// Posts to the client's region. When it stays open what became of it, the same may be sent again, to any region:
    /// the key makes it one.
    pub async fn submit(&mut self, headers: &[(&str, &str)], body: &Value, key: Option<Ulid>) -> Heard {
        let key = key.map(|key| key.to_string());
        let mut headers = headers.to_vec();
        if let Some(key) = &key {
            headers.push(("idempotency-key", key));
        }
        let cluster = &self.world.cluster;
        let heard = self.heard(client::post(cluster.http(self.place), "/sql", &headers, body).await);
        if key.is_none() || heard.outcome != Outcome::Unknown || self.random.random_bool(0.5) {
            return heard;
        }
        for _ in 0..AGAIN {
            let place = self.random.random_range(0..REGIONS.len());
            let again = self.heard(client::post(cluster.http(place), "/sql", &headers, body).await);
            // A refusal is of this attempt, and not of the first one.
            if again.answer.is_some() {
                return again;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        heard
    }

    /// Opens an interactive transaction.
    pub async fn begin(&self, isolation: Isolation, read_only: bool) -> Option<Ulid> {
        let isolation = match isolation {
            Isolation::Snapshot => "repeatable read",
            Isolation::Serializable => "serializable",
        };
        let body = json!({"isolation": isolation, "read_only": read_only});
        let answer = client::post(self.world.cluster.http(self.place), "/v1/transactions", &[], &body).await;
        let answer = self.heard(answer).answer?;
        answer["id"].as_str().and_then(|id| Ulid::from_string(id).ok())
    }

    /// A statement of an interactive transaction; without an answer the transaction is given up.
    pub async fn statement(&self, transaction: Ulid, sql: &str, parameters: &[String]) -> Option<Value> {
        let path = format!("/v1/transactions/{transaction}/sql");
        let body = json!({"query": sql, "params": parameters});
        let address = self.world.cluster.http(self.place);
        let answer = self.heard(client::post(address, &path, &[], &body).await).answer;
        if answer.is_none() {
            // It may be gone already.
            let _ = client::post(address, &format!("/v1/transactions/{transaction}/rollback"), &[], &json!({})).await;
        }
        answer
    }

    pub async fn commit(&mut self, transaction: Ulid) -> Heard {
        let path = format!("/v1/transactions/{transaction}/commit");
        let address = self.world.cluster.http(self.place);
        let heard = self.heard(client::post(address, &path, &[], &json!({})).await);
        if heard.outcome != Outcome::Unknown || self.random.random_bool(0.5) {
            return heard;
        }
        for _ in 0..AGAIN {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let again = self.heard(client::post(address, &path, &[], &json!({})).await);
            if again.answer.is_some() {
                return again;
            }
        }
        heard
    }

    /// What answers a request of strict reads, or of reads that may be old: the settings, and how old in nanoseconds.
    pub fn staleness(&mut self, chance: f64) -> (Value, Option<u64>) {
        if !self.random.random_bool(chance) {
            return (json!({}), None);
        }
        let setting = format!("{}ms", STALENESS.as_millis());
        (json!({ STALENESS_SETTING: setting }), Some(STALENESS.as_nanos() as u64))
    }
}

/// How often something is sent again.
const AGAIN: usize = 3;

/// The isolation level of single statements, added to settings.
pub fn with_isolation(mut settings: Value, isolation: Isolation) -> Value {
    if isolation == Isolation::Serializable {
        settings["default_transaction_isolation"] = json!("serializable");
    }
    settings
}
