//! Registers, each written and read alone; and a log to which each request adds one row, however often it is sent.

use isobar_history::{Access, Outcome, RegisterOperation};
use rand::RngExt;
use serde_json::json;

use crate::client::{self, rows};
use crate::nodes::REGIONS;
use crate::record::{Entry, Missing};
use crate::work::Client;

const REGISTERS: u64 = 5;
/// Numbers handed out before other registers take the place of these.
const NUMBERS: u64 = 500;

const READ: &str = "SELECT value FROM registers WHERE key = $1";
const WRITE: &str = "INSERT INTO registers VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const LOG: &str = "INSERT INTO log (request) VALUES ($1)";

impl Client {
    pub async fn register(&mut self) {
        let number = self.world.record.number();
        let key = number / NUMBERS * REGISTERS + self.random.random_range(0..REGISTERS);
        let begin = self.world.record.now();
        let (access, heard, id) = if self.random.random_bool(0.5) {
            let body = json!({"query": READ, "params": [key.to_string()]});
            let heard = self.submit(&[], &body, None).await;
            let Some(answer) = &heard.answer else { return };
            let value = rows(answer).first().and_then(|row| row[0].as_ref()?.parse().ok());
            (Access::Read(value), heard, None)
        } else {
            let id = self.key();
            let body = json!({"query": WRITE, "params": [key.to_string(), number.to_string()]});
            (Access::Write(number), self.submit(&[], &body, Some(id)).await, Some(id))
        };
        let (session, node, end) = (self.session, self.node(), self.world.record.now());
        let operation = RegisterOperation { session, node, begin, end, key, access, outcome: heard.outcome };
        let mut told = self.world.record.told.lock();
        let place = told.registers.len();
        told.registers.push(operation);
        told.leave_open(Missing::Register(place), id);
    }

    pub async fn log(&mut self) {
        let (request, id) = (self.world.record.number(), self.key());
        let begin = self.world.record.now();
        let body = json!({"query": LOG, "params": [request.to_string()]});
        let mut outcome = Outcome::Aborted;
        if self.random.random_bool(0.3) {
            // Impatient: the same at another region before the first has answered.
            let other = (self.place + 1) % REGIONS.len();
            let key = id.to_string();
            let headers = [("idempotency-key", key.as_str())];
            let world = self.world.clone();
            let twin = client::post(world.cluster.http(other), "/sql", &headers, &body);
            let (heard, twin) = futures::future::join(self.submit(&[], &body, Some(id)), twin).await;
            // What the twin may have done is left to be asked for.
            outcome = match (heard.outcome, twin) {
                (committed @ Outcome::Committed { .. }, _) => committed,
                (_, Ok(answer)) if answer.is_success() => {
                    Outcome::Committed { timestamp: answer.body["commit"]["timestamp"].as_u64() }
                }
                _ => Outcome::Unknown,
            };
        } else if let heard @ (Outcome::Committed { .. } | Outcome::Unknown) =
            self.submit(&[], &body, Some(id)).await.outcome
        {
            outcome = heard;
        }
        let (node, end) = (self.node(), self.world.record.now());
        let mut told = self.world.record.told.lock();
        let place = told.entries.len();
        told.entries.push(Entry { node, begin, end, request, outcome, found: vec![] });
        told.leave_open(Missing::Entry(place), Some(id));
    }
}
