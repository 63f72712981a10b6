//! Transfers between accounts, and reads of all balances.

use std::collections::BTreeMap;

use isobar_history::{Balances, Bank, Outcome, Transfer};
use isobar_replica::Ulid;
use rand::RngExt;
use serde_json::{Value, json};

use crate::client::rows;
use crate::record::{Missing, Told};
use crate::work::{Client, Heard, with_isolation};

pub const ACCOUNTS: u64 = 8;
pub const BALANCE: i64 = 100;

pub const READ: &str = "SELECT id, balance FROM accounts ORDER BY id";
const ADD: &str = "UPDATE accounts SET balance = balance + $2 WHERE id = $1";
const MOVE: &str = "UPDATE accounts SET balance = balance + CASE id WHEN $1 THEN -$3::bigint ELSE $3::bigint END \
                    WHERE id = $1 OR id = $2";

/// The whole history of the bank.
pub fn bank(told: &Told) -> Bank {
    Bank {
        initial: (0..ACCOUNTS).map(|account| (account, BALANCE)).collect(),
        may_be_negative: false,
        transfers: told.transfers.clone(),
        reads: told.balances.clone(),
    }
}

/// Balances as a SELECT answers them.
pub fn balances(result: &Value) -> BTreeMap<u64, i64> {
    let number = |cell: &Option<String>| cell.as_ref().and_then(|cell| cell.parse::<i64>().ok()).expect("a number");
    rows(result).iter().map(|row| (number(&row[0]) as u64, number(&row[1]))).collect()
}

impl Client {
    pub async fn bank(&mut self) {
        if self.random.random_bool(0.4) {
            self.read_balances().await;
        } else {
            self.transfer().await;
        }
    }

    async fn read_balances(&mut self) {
        let isolation = self.isolation();
        let (settings, staleness) = self.staleness(0.3);
        let begin = self.world.record.now();
        let body = json!({"query": READ, "params": [], "settings": with_isolation(settings, isolation)});
        if let Some(answer) = self.submit(&[], &body, None).await.answer {
            let (session, node, end) = (self.session, self.node(), self.world.record.now());
            let read = Balances { session, node, begin, end, staleness, balances: balances(&answer) };
            self.world.record.told.lock().balances.push(read);
        }
    }

    async fn transfer(&mut self) {
        let from = self.random.random_range(0..ACCOUNTS);
        let to = (from + self.random.random_range(1..ACCOUNTS)) % ACCOUNTS;
        let amount = self.random.random_range(1..=20);
        let begin = self.world.record.now();
        let (heard, id) = match self.random.random_range(0..3) {
            0 => {
                let key = self.key();
                let parameters = [from.to_string(), to.to_string(), amount.to_string()];
                (self.submit(&[], &json!({"query": MOVE, "params": parameters}), Some(key)).await, Some(key))
            }
            1 => {
                let key = self.key();
                let add = |account: u64, amount: i64| json!({"query": ADD, "params": [account.to_string(), amount.to_string()]});
                let body = json!({"queries": [add(from, -amount), add(to, amount)]});
                (self.submit(&[], &body, Some(key)).await, Some(key))
            }
            _ => self.transfer_step_by_step(from, to, amount).await,
        };
        let (session, node, end) = (self.session, self.node(), self.world.record.now());
        let transfer = Transfer { session, node, begin, end, from, to, amount, outcome: heard.outcome };
        let mut told = self.world.record.told.lock();
        let place = told.transfers.len();
        told.transfers.push(transfer);
        told.leave_open(Missing::Transfer(place), id);
    }

    async fn transfer_step_by_step(&mut self, from: u64, to: u64, amount: i64) -> (Heard, Option<Ulid>) {
        let aborted = Heard { outcome: Outcome::Aborted, answer: None };
        let isolation = self.isolation();
        let Some(id) = self.begin(isolation, false).await else { return (aborted, None) };
        for (account, amount) in [(from, -amount), (to, amount)] {
            let parameters = [account.to_string(), amount.to_string()];
            if self.statement(id, ADD, &parameters).await.is_none() {
                return (aborted, None);
            }
        }
        (self.commit(id).await, Some(id))
    }
}
