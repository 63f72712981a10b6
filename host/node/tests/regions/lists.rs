//! Appends to lists and reads of them, as single statements, batches and interactive transactions.

use isobar_history::{Isolation, Operation, Outcome, Transaction};
use isobar_replica::Ulid;
use rand::RngExt;
use serde_json::{Value, json};

use crate::client::rows;
use crate::record::Missing;
use crate::work::{Client, Heard, STALENESS, STALENESS_SETTING, with_isolation};

/// Keys in use at once, and numbers handed out before the next key takes the place of the oldest one.
const KEYS: u64 = 6;
const NUMBERS: u64 = 60;

const READ: &str = "SELECT vals FROM lists WHERE key = $1";
const APPEND: &str = "INSERT INTO lists VALUES ($1, $2) ON CONFLICT (key) DO UPDATE \
                      SET vals = lists.vals || ',' || excluded.vals";
const RETURNING: &str = " RETURNING vals";

/// A list as its row has it.
pub fn values(text: &str) -> Vec<u64> {
    text.split(',').filter(|value| !value.is_empty()).map(|value| value.parse().expect("a number")).collect()
}

/// What is to be done to one key.
#[derive(Clone, Copy)]
struct Step {
    key: u64,
    /// The value to append; none: only read.
    append: Option<u64>,
    /// Whether the append answers the list.
    returning: bool,
}

impl Step {
    fn sql(&self) -> String {
        match (self.append, self.returning) {
            (None, _) => READ.into(),
            (Some(_), false) => APPEND.into(),
            (Some(_), true) => format!("{APPEND}{RETURNING}"),
        }
    }

    fn parameters(&self) -> Vec<String> {
        std::iter::once(self.key).chain(self.append).map(|number| number.to_string()).collect()
    }

    /// What was done and seen.
    fn note(&self, result: Option<&Value>, seen: &mut Vec<Operation>) {
        let Step { key, append, returning } = *self;
        if let Some(value) = append {
            seen.push(Operation::Append { key, value });
        }
        if let Some(result) = result
            && (append.is_none() || returning)
        {
            let rows = rows(result);
            let text = rows.first().and_then(|row| row.first().cloned().flatten()).unwrap_or_default();
            seen.push(Operation::Read { key, values: values(&text) });
        }
    }
}

impl Client {
    pub async fn lists(&mut self) {
        let reads_only = self.random.random_bool(0.4);
        let isolation = self.isolation();
        let (_, staleness) = if reads_only { self.staleness(0.3) } else { (json!({}), None) };
        let mut transaction = Transaction {
            session: self.session,
            node: self.node(),
            isolation,
            staleness,
            begin: self.world.record.now(),
            end: 0,
            operations: vec![],
            outcome: Outcome::Aborted,
        };
        let count = if self.random.random_bool(0.4) { 1 } else { self.random.random_range(1..=4) };
        let steps: Vec<_> = (0..count).map(|_| self.step(reads_only)).collect();
        let (heard, id) = match (self.random.random_bool(0.4), steps.as_slice()) {
            (true, _) => self.interactive(&steps, &mut transaction, reads_only).await,
            (false, [step]) => self.single(*step, &mut transaction).await,
            (false, _) => self.batch(&steps, &mut transaction).await,
        };
        transaction.outcome = heard.outcome;
        transaction.end = self.world.record.now();
        let mut told = self.world.record.told.lock();
        let place = told.lists.len();
        told.lists.push(transaction);
        told.leave_open(Missing::List(place), id);
    }

    fn step(&mut self, reads_only: bool) -> Step {
        let number = self.world.record.number();
        let key = number / NUMBERS + self.random.random_range(0..KEYS);
        let reads = reads_only || self.random.random_bool(0.4);
        Step { key, append: (!reads).then_some(number), returning: self.random.random_bool(0.5) }
    }

    async fn single(&mut self, step: Step, transaction: &mut Transaction) -> (Heard, Option<Ulid>) {
        let mut settings = with_isolation(json!({}), transaction.isolation);
        if transaction.staleness.is_some() {
            settings[STALENESS_SETTING] = json!("2s");
        }
        let body = json!({"query": step.sql(), "params": step.parameters(), "settings": settings});
        let key = step.append.map(|_| self.key());
        let heard = self.submit(&[], &body, key).await;
        if step.append.is_some() || heard.answer.is_some() {
            step.note(heard.answer.as_ref(), &mut transaction.operations);
        }
        (heard, key)
    }

    async fn batch(&mut self, steps: &[Step], transaction: &mut Transaction) -> (Heard, Option<Ulid>) {
        let queries: Vec<_> =
            steps.iter().map(|step| json!({"query": step.sql(), "params": step.parameters()})).collect();
        let mut body = json!({ "queries": queries });
        if transaction.staleness.is_some() {
            body["settings"] = json!({STALENESS_SETTING: "2s"});
        }
        let level = match transaction.isolation {
            Isolation::Snapshot => "RepeatableRead",
            Isolation::Serializable => "Serializable",
        };
        let key = steps.iter().any(|step| step.append.is_some()).then(|| self.key());
        let heard = self.submit(&[("neon-batch-isolation-level", level)], &body, key).await;
        for (number, step) in steps.iter().enumerate() {
            let result = heard.answer.as_ref().map(|answer| &answer["results"][number]);
            if step.append.is_some() || result.is_some() {
                step.note(result, &mut transaction.operations);
            }
        }
        (heard, key)
    }

    async fn interactive(
        &mut self,
        steps: &[Step],
        transaction: &mut Transaction,
        reads_only: bool,
    ) -> (Heard, Option<Ulid>) {
        let aborted = Heard { outcome: Outcome::Aborted, answer: None };
        let Some(id) = self.begin(transaction.isolation, reads_only).await else { return (aborted, None) };
        if transaction.staleness.is_some() {
            let sql = format!("SET {STALENESS_SETTING} = '{}ms'", STALENESS.as_millis());
            if self.statement(id, &sql, &[]).await.is_none() {
                return (aborted, None);
            }
        }
        for step in steps {
            // What may have been written was rolled back with the rest, and what was read before still counts.
            let Some(result) = self.statement(id, &step.sql(), &step.parameters()).await else {
                return (aborted, None);
            };
            step.note(Some(&result), &mut transaction.operations);
            if self.random.random_bool(0.2) {
                let pause = self.random.random_range(0..100);
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            }
        }
        let mut heard = self.commit(id).await;
        if heard.answer.as_ref().is_some_and(|answer| answer["command"] == "ROLLBACK") {
            heard.outcome = Outcome::Aborted;
        }
        (heard, Some(id))
    }
}
