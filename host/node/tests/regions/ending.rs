//! After the faults: all nodes serve, nobody is left in doubt, and all regions have the same.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use isobar_history::{Access, Balances, Isolation, Operation, Outcome, RegisterOperation, Transaction};

use crate::client::{self, Answer, rows};
use crate::lists::values;
use crate::nodes::{PATIENCE, REGIONS, voters};
use crate::work::{TABLES, World};
use crate::{bank, nodes};

/// Sessions of those who read in the end.
const LAST_SESSIONS: u64 = 1000;

impl World {
    /// Undoes all faults and waits until every node serves again.
    pub async fn restore(&self) {
        self.cluster.network.heal(nodes::DELAY);
        self.cluster.revive();
        for place in 0..REGIONS.len() {
            self.cluster.until(place, "all votes are here", |status| voters(status) == REGIONS.len()).await;
            self.insist(place, "INSERT INTO log (request) VALUES (0)").await;
            self.insist(place, "SELECT 1").await;
        }
    }

    /// Runs a statement until it succeeds.
    pub async fn insist(&self, place: usize, sql: &str) -> Answer {
        let begin = Instant::now();
        loop {
            let answer = client::sql(self.cluster.http(place), sql).await;
            match answer {
                Ok(answer) if answer.is_success() => return answer,
                answer => {
                    assert!(begin.elapsed() < PATIENCE, "{}: {sql}: still {answer:?}", REGIONS[place]);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Asks what became of all that is in doubt. `settled`: so long after the last request that what nobody knows
    /// has not happened.
    pub async fn resolve(&self, settled: bool) -> String {
        let open = std::mem::take(&mut self.record.told.lock().open);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (number, doubt) in open.iter().enumerate() {
            let address = self.cluster.http(number % REGIONS.len());
            let path = format!("/v1/commits/{}", doubt.id);
            let answer = client::request(address, "GET", &path, &[], String::new()).await.expect("an answer");
            let status = answer.body["status"].as_str().unwrap_or("no status").to_string();
            let outcome = match status.as_str() {
                "committed" => Some(Outcome::Committed { timestamp: answer.body["timestamp"].as_u64() }),
                "refused" => Some(Outcome::Aborted),
                "unknown" => settled.then_some(Outcome::Aborted),
                _ => panic!("asked for {}: {}", doubt.id, answer.body),
            };
            *counts.entry(status).or_default() += 1;
            if let Some(outcome) = outcome {
                let now = self.record.now();
                self.record.told.lock().resolve(doubt.missing, outcome, now);
            }
        }
        format!("{counts:?}")
    }

    /// Reads everything once more at every region, into the histories.
    pub async fn read_all(&self) {
        let mut contents: BTreeMap<&str, Vec<Answer>> = BTreeMap::new();
        for place in 0..REGIONS.len() {
            for table in TABLES {
                let begin = self.record.now();
                let answer = self.insist(place, &format!("SELECT * FROM {table} ORDER BY 1")).await;
                self.note(place, table, begin, &answer);
                contents.entry(table).or_default().push(answer);
            }
        }
        for (table, answers) in contents {
            let differs = answers.iter().any(|answer| answer.body["rows"] != answers[0].body["rows"]);
            if differs {
                let rows: Vec<_> = answers.iter().map(|answer| answer.body["rows"].to_string()).collect();
                self.record.surprise(format!("{table} is not the same in all regions: {rows:#?}"));
            }
        }
    }

    fn note(&self, place: usize, table: &str, begin: u64, answer: &Answer) {
        let (session, node, end) = (LAST_SESSIONS + place as u64, REGIONS[place].to_string(), self.record.now());
        let mut told = self.record.told.lock();
        let found = rows(&answer.body);
        let cell = |row: &[Option<String>], column: usize| row[column].clone().expect("no NULL");
        let number = |row: &[Option<String>], column: usize| cell(row, column).parse::<u64>().expect("a number");
        match table {
            "lists" => {
                let mut lists: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
                // Keys that nobody has appended to are read as well.
                for operation in told.lists.iter().flat_map(|transaction| &transaction.operations) {
                    let (Operation::Append { key, .. } | Operation::Read { key, .. }) = operation;
                    lists.entry(*key).or_default();
                }
                lists.extend(found.iter().map(|row| (number(row, 0), values(&cell(row, 1)))));
                let operations = lists.into_iter().map(|(key, values)| Operation::Read { key, values }).collect();
                let (isolation, outcome) = (Isolation::Snapshot, Outcome::Committed { timestamp: None });
                let staleness = None;
                let read = Transaction { session, node, isolation, staleness, begin, end, operations, outcome };
                told.lists.push(read);
            }
            "accounts" => {
                let balances = bank::balances(&answer.body);
                told.balances.push(Balances { session, node, begin, end, staleness: None, balances });
            }
            "registers" => {
                let read = |row: &Vec<Option<String>>| RegisterOperation {
                    session,
                    node: node.clone(),
                    begin,
                    end,
                    key: number(row, 0),
                    access: Access::Read(Some(number(row, 1))),
                    outcome: Outcome::Committed { timestamp: None },
                };
                let reads: Vec<_> = found.iter().map(read).collect();
                told.registers.extend(reads);
            }
            _ => {
                let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
                found.iter().for_each(|row| *counts.entry(number(row, 1)).or_default() += 1);
                for entry in &mut told.entries {
                    entry.found.push(counts.get(&entry.request).copied().unwrap_or(0));
                }
            }
        }
    }
}
