//! The shell's side of a session: settings travel with every request, and a transaction block is an interactive
//! transaction of the node's (`POST /v1/transactions`).

use std::collections::BTreeMap;

use serde_json::json;

use crate::command::client::{Answer, Client, Failure, Notice, Query};

/// A node, and what a session remembers between statements.
pub struct Connection {
    client: Client,
    settings: BTreeMap<String, String>,
    transaction: Option<Transaction>,
}

struct Transaction {
    id: String,
    /// A statement has failed: only its end is heard.
    failed: bool,
}

/// Where the session stands, which the prompt shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Idle,
    InTransaction,
    Failed,
}

/// What of transaction control a statement is, by its first words.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Control {
    Begin { isolation: Option<&'static str>, read_only: bool },
    Commit,
    Rollback,
}

impl Connection {
    pub fn new(client: Client) -> Connection {
        Connection { client, settings: BTreeMap::new(), transaction: None }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn status(&self) -> Status {
        match &self.transaction {
            None => Status::Idle,
            Some(transaction) if transaction.failed => Status::Failed,
            Some(_) => Status::InTransaction,
        }
    }

    /// Runs one statement; `input` is what follows COPY … FROM STDIN.
    pub async fn run(&mut self, sql: &str, input: Option<&str>) -> Result<Answer, Failure> {
        match (control_of(sql), &self.transaction) {
            (Some(Control::Begin { isolation, read_only }), None) => self.begin(isolation, read_only).await,
            (Some(Control::Begin { .. }), Some(_)) => {
                Ok(warning("BEGIN", "there is already a transaction in progress"))
            }
            (Some(Control::Commit), None) => Ok(warning("COMMIT", "there is no transaction in progress")),
            (Some(Control::Rollback), None) => Ok(warning("ROLLBACK", "there is no transaction in progress")),
            (Some(control), Some(_)) => self.end(control == Control::Commit).await,
            (None, _) => self.statement(sql, &[], input).await,
        }
    }

    /// Runs a statement of the shell's own, with parameters.
    pub async fn ask(&mut self, sql: &str, parameters: &[Option<&str>]) -> Result<Answer, Failure> {
        self.statement(sql, parameters, None).await
    }

    /// Forgets the transaction, when its statement was cancelled or the shell ends: the node rolls it back.
    pub async fn abandon(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            // Best effort: an unheard rollback happens anyway once the transaction has been idle for long enough.
            let _ = self.client.post(&format!("/v1/transactions/{}/rollback", transaction.id), &json!({})).await;
        }
    }

    async fn begin(&mut self, isolation: Option<&'static str>, read_only: bool) -> Result<Answer, Failure> {
        let mut body = json!({"read_only": read_only});
        if let Some(isolation) = isolation {
            body["isolation"] = json!(isolation);
        }
        let answer = self.client.post("/v1/transactions", &body).await?;
        let Some(id) = answer["id"].as_str() else {
            return Err(Failure::Lost("the node began a transaction without a name".into()));
        };
        self.transaction = Some(Transaction { id: id.to_string(), failed: false });
        for (name, value) in self.settings.clone() {
            self.statement("SELECT set_config($1, $2, false)", &[Some(&name), Some(&value)], None).await?;
        }
        Ok(Answer { command: "BEGIN".into(), ..Answer::default() })
    }

    async fn end(&mut self, commit: bool) -> Result<Answer, Failure> {
        let Some(transaction) = self.transaction.take() else { return Ok(Answer::default()) };
        // PostgreSQL answers ROLLBACK to the COMMIT of a failed block.
        let commit = commit && !transaction.failed;
        let (verb, command) = if commit { ("commit", "COMMIT") } else { ("rollback", "ROLLBACK") };
        self.client.post(&format!("/v1/transactions/{}/{verb}", transaction.id), &json!({})).await?;
        Ok(Answer { command: command.into(), ..Answer::default() })
    }

    async fn statement(
        &mut self,
        sql: &str,
        parameters: &[Option<&str>],
        input: Option<&str>,
    ) -> Result<Answer, Failure> {
        let Some(transaction) = &mut self.transaction else {
            let query = Query { sql, parameters, input, settings: Some(&self.settings), ..Query::default() };
            let answer = self.client.query("/sql", &query).await?;
            self.remember(&answer);
            return Ok(answer);
        };
        let query = Query { sql, parameters, input, ..Query::default() };
        let result = self.client.query(&format!("/v1/transactions/{}/sql", transaction.id), &query).await;
        match &result {
            Ok(answer) => {
                // ROLLBACK TO SAVEPOINT repairs a failed block.
                transaction.failed &= answer.command != "ROLLBACK";
                let answer = answer.clone();
                self.remember(&answer);
            }
            Err(failure) if failure.code() == Some(NO_TRANSACTION) => self.transaction = None,
            Err(_) => transaction.failed = true,
        }
        result
    }

    fn remember(&mut self, answer: &Answer) {
        if let Some(settings) = &answer.settings {
            self.settings = settings.clone();
        } else if answer.command == "RESET" {
            self.settings.clear();
        }
    }
}

/// SQLSTATE of a statement that needs a transaction which is not, or no longer, open.
const NO_TRANSACTION: &str = "25P01";

fn warning(command: &str, message: &str) -> Answer {
    let notice = Notice { severity: "WARNING".into(), message: message.into() };
    Answer { command: command.into(), notices: vec![notice], ..Answer::default() }
}

/// Words of a statement in upper case, comments left out, as many as transaction control can have.
fn words(sql: &str) -> Vec<String> {
    let mut rest = sql.trim_start();
    let mut found = vec![];
    while found.len() < 16 {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after).trim_start();
            continue;
        }
        let Some(first) = rest.chars().next() else { break };
        let letters = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(letters.max(first.len_utf8()));
        found.push(word.to_uppercase());
        rest = after.trim_start();
    }
    found
}

fn control_of(sql: &str) -> Option<Control> {
    let words = words(sql);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let rest = match words.as_slice() {
        ["COMMIT" | "END"] | ["COMMIT" | "END", "WORK" | "TRANSACTION"] => return Some(Control::Commit),
        ["ROLLBACK" | "ABORT"] | ["ROLLBACK" | "ABORT", "WORK" | "TRANSACTION"] => return Some(Control::Rollback),
        ["BEGIN", "WORK" | "TRANSACTION", rest @ ..] | ["BEGIN", rest @ ..] => rest,
        ["START", "TRANSACTION", rest @ ..] => rest,
        _ => return None,
    };
    let (mut isolation, mut read_only, mut rest) = (None, false, rest);
    while !rest.is_empty() {
        rest = match rest {
            ["ISOLATION", "LEVEL", "SERIALIZABLE", rest @ ..] => {
                isolation = Some("serializable");
                rest
            }
            ["ISOLATION", "LEVEL", "REPEATABLE", "READ", rest @ ..]
            | ["ISOLATION", "LEVEL", "READ", "COMMITTED" | "UNCOMMITTED", rest @ ..] => {
                isolation = Some("repeatable-read");
                rest
            }
            ["READ", "ONLY", rest @ ..] => {
                read_only = true;
                rest
            }
            ["READ", "WRITE", rest @ ..] => {
                read_only = false;
                rest
            }
            [",", rest @ ..] => rest,
            // Not a form that the shell knows: the node says what is wrong with it.
            _ => return None,
        };
    }
    Some(Control::Begin { isolation, read_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_control_is_recognised() {
        let begin = |isolation, read_only| Some(Control::Begin { isolation, read_only });
        for (sql, expected) in [
            ("begin", begin(None, false)),
            ("BEGIN WORK", begin(None, false)),
            ("-- now\n/* go */ start transaction read only", begin(None, true)),
            ("begin transaction isolation level serializable, read write", begin(Some("serializable"), false)),
            ("begin isolation level read committed read only", begin(Some("repeatable-read"), true)),
            ("begin nonsense", None),
            ("commit", Some(Control::Commit)),
            ("end transaction", Some(Control::Commit)),
            ("rollback", Some(Control::Rollback)),
            ("abort work", Some(Control::Rollback)),
            ("rollback to savepoint a", None),
            ("commit and chain", None),
            ("select 'begin'", None),
            ("", None),
        ] {
            assert_eq!(control_of(sql), expected, "{sql}");
        }
    }
}
