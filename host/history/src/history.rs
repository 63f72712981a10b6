//! What clients did and saw.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, BufRead, Write};

/// The isolation level that a transaction asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Strong snapshot isolation: the snapshot holds all that was acknowledged before the transaction began.
    Snapshot,
    /// Strict serializability.
    Serializable,
}

/// One operation with what it answered. An operation that was not answered is left out when it was a read, and kept
/// when it was an append that may have been done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Appends a value to a key's list. No two appends to one key have the same value.
    Append { key: u64, value: u64 },
    /// Reads a key's whole list.
    Read { key: u64, values: Vec<u64> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Acknowledged. The commit timestamp, if the client was told; without meaning when nothing was appended.
    Committed { timestamp: Option<u64> },
    /// Certainly undone.
    Aborted,
    /// The client does not know. Counts as committed when somebody saw one of its appends, and as undone otherwise.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The session: a session runs one transaction after the other.
    pub session: u64,
    /// The node, or region, that it ran at. For the reader of a report.
    pub node: String,
    pub isolation: Isolation,
    /// How old its snapshot may be at `begin`, in nanoseconds; `None` when it must be current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness: Option<u64>,
    /// Nanoseconds of one observer's clock before the first request was sent.
    pub begin: u64,
    /// The same clock after the last answer came. Without meaning when the outcome is unknown.
    pub end: u64,
    pub operations: Vec<Operation>,
    pub outcome: Outcome,
}

impl Transaction {
    pub fn is_committed(&self) -> bool {
        matches!(self.outcome, Outcome::Committed { .. })
    }

    /// Everything acknowledged before this must be seen.
    pub fn must_see_before(&self) -> u64 {
        self.begin.saturating_sub(self.staleness.unwrap_or(0))
    }

    pub(crate) fn commit_timestamp(&self) -> Option<u64> {
        let Outcome::Committed { timestamp } = self.outcome else { return None };
        let has_written = self.operations.iter().any(|operation| matches!(operation, Operation::Append { .. }));
        timestamp.filter(|_| has_written)
    }
}

/// Transactions in any order. Reports call them T0, T1, ... by their places here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub transactions: Vec<Transaction>,
}

impl History {
    /// One transaction a line.
    pub fn write_json_lines(&self, mut to: impl Write) -> io::Result<()> {
        for transaction in &self.transactions {
            serde_json::to_writer(&mut to, transaction)?;
            to.write_all(b"\n")?;
        }
        to.flush()
    }

    /// Reads what [`History::write_json_lines`] wrote; passes over empty lines.
    pub fn read_json_lines(from: impl BufRead) -> io::Result<History> {
        let mut transactions = vec![];
        for (number, line) in from.lines().enumerate() {
            let line = line?;
            if !line.trim().is_empty() {
                let wrong = |error| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("line {} of the history: {error}", number + 1))
                };
                transactions.push(serde_json::from_str(&line).map_err(wrong)?);
            }
        }
        Ok(History { transactions })
    }

    /// A transaction on one line: who, when and what.
    pub(crate) fn describe(&self, place: u32) -> String {
        let transaction = &self.transactions[place as usize];
        let Transaction { session, node, begin, end, operations, .. } = transaction;
        let isolation = match transaction.isolation {
            Isolation::Snapshot => "snapshot",
            Isolation::Serializable => "serializable",
        };
        let staleness = match transaction.staleness {
            Some(staleness) => format!(", may be {} old", Time(staleness)),
            None => String::new(),
        };
        let outcome = match transaction.outcome {
            Outcome::Committed { timestamp: Some(timestamp) } => format!("committed at timestamp {timestamp}"),
            Outcome::Committed { timestamp: None } => "committed".to_owned(),
            Outcome::Aborted => "aborted".to_owned(),
            Outcome::Unknown => "unknown outcome".to_owned(),
        };
        let mut done: Vec<String> = operations.iter().take(OPERATIONS_SHOWN).map(ToString::to_string).collect();
        if operations.len() > OPERATIONS_SHOWN {
            done.push(format!("and {} more", operations.len() - OPERATIONS_SHOWN));
        }
        format!(
            "T{place} (session {session} at {node}, {isolation}{staleness}, {} to {}, {outcome}): {}",
            Time(*begin),
            Time(*end),
            done.join("; ")
        )
    }
}

const OPERATIONS_SHOWN: usize = 12;

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Append { key, value } => write!(formatter, "append {value} to key {key}"),
            Operation::Read { key, values } => write!(formatter, "read key {key} as {}", List(values)),
        }
    }
}

/// Nanoseconds, shown as milliseconds.
pub(crate) struct Time(pub u64);

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:06} ms", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// A list's last values: those in front are seldom what matters.
pub(crate) struct List<'a>(pub &'a [u64]);

const VALUES_SHOWN: usize = 8;

impl fmt::Display for List<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.len().saturating_sub(VALUES_SHOWN);
        let mut shown: Vec<String> = self.0[hidden..].iter().map(ToString::to_string).collect();
        if hidden > 0 {
            shown.insert(0, format!("({hidden} more)"));
        }
        write!(formatter, "[{}]", shown.join(", "))
    }
}
