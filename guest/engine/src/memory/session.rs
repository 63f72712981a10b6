//! A session as a node would hold it: a transaction block, settings, prepared statements.

use super::store::{MemoryStore, MemoryTransaction, Sent};
use crate::define::follow_up::{FollowUp, is_optional};
use crate::engine::{Engine, pack_parameters};
use crate::error::{Error, Result};
use crate::host::{OutputColumn, Severity};
use crate::statement::{Control, Description, Format, Outcome, Request};
use std::collections::{BTreeMap, VecDeque};

/// What a statement answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// None: the statement answers no rows.
    pub columns: Option<Vec<OutputColumn>>,
    pub rows: Vec<Vec<Option<String>>>,
    /// The same as they came, in the request's format.
    pub bytes: Vec<Vec<Option<Vec<u8>>>>,
    pub tag: String,
    pub notices: Vec<Notice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    pub sqlstate: String,
    pub message: String,
}

/// A client's session on a store.
pub struct Session {
    engine: Engine,
    store: MemoryStore,
    block: Option<Block>,
    settings: BTreeMap<String, String>,
    prepared: BTreeMap<String, (String, Vec<u32>)>,
    /// Follow-ups are lost, as when the node dies after the commit that asks for them.
    pub loses_follow_ups: bool,
}

struct Block {
    transaction: MemoryTransaction,
    failed: bool,
    /// To be restored when the block does not commit.
    settings_before: BTreeMap<String, String>,
    /// SET LOCAL changes, undone at the block's end.
    local: BTreeMap<String, Option<String>>,
}

impl Session {
    pub fn new(store: &MemoryStore) -> Session {
        Session {
            engine: Engine::new(),
            store: store.clone(),
            block: None,
            settings: BTreeMap::new(),
            prepared: BTreeMap::new(),
            loses_follow_ups: false,
        }
    }

    /// Finishes what lost follow-ups have left, as a node does when it starts.
    pub fn resume(&mut self) -> Result<()> {
        self.loses_follow_ups = false;
        self.follow_up(vec![FollowUp::Resume.to_string()])
    }

    /// Runs one statement without parameters.
    pub fn execute(&mut self, sql: &str) -> Result<Answer> {
        self.run(Request { sql: sql.into(), ..Default::default() })
    }

    /// Runs one statement with parameters in text form.
    pub fn execute_with(&mut self, sql: &str, parameters: &[Option<&str>]) -> Result<Answer> {
        self.run(Request {
            sql: sql.into(),
            parameters: pack_parameters(parameters.iter().copied()),
            ..Default::default()
        })
    }

    /// Runs one statement with parameters in binary form, and for an answer in that form.
    pub fn execute_binary(&mut self, sql: &str, parameters: Vec<u8>) -> Result<Answer> {
        self.run(Request { sql: sql.into(), parameters, format: Format::Binary, ..Default::default() })
    }

    /// Deploys a procedure, as the host does: `description` is the JSON of what it exports.
    pub fn deploy(&mut self, description: &str) -> Result<Answer> {
        let input = Some(description.into());
        self.run(Request { sql: "\0isobar deploy".into(), input, ..Default::default() })
    }

    /// Runs a COPY … FROM STDIN with what follows it.
    pub fn copy_in(&mut self, sql: &str, input: &[u8]) -> Result<Answer> {
        self.run(Request { sql: sql.into(), input: Some(input.into()), ..Default::default() })
    }

    /// Runs the statements of a text one after the other, up to the first that fails.
    pub fn execute_all(&mut self, sql: &str) -> Result<Vec<Answer>> {
        let spans = self.engine.split(sql)?;
        spans.into_iter().map(|(start, end)| self.execute(&sql[start..end])).collect()
    }

    pub fn describe(&mut self, sql: &str, parameter_types: &[u32]) -> Result<Description> {
        let request = Request {
            sql: sql.into(),
            parameter_types: parameter_types.into(),
            settings: self.current_settings(),
            ..Default::default()
        };
        match &self.block {
            Some(block) => self.engine.describe(&block.transaction, &request),
            None => self.engine.describe(&self.store.begin(), &request),
        }
    }

    fn run(&mut self, mut request: Request) -> Result<Answer> {
        request.settings = self.current_settings();
        match self.block.take() {
            Some(block) => self.run_in_block(block, request),
            None => self.run_alone(&request),
        }
    }

    fn run_alone(&mut self, request: &Request) -> Result<Answer> {
        let transaction = self.store.begin();
        transaction.begin_statement();
        let outcome = self.engine.execute(&transaction, request)?;
        let sent = transaction.take_sent();
        match outcome {
            Outcome::Complete { tag, follow_up } => {
                transaction.commit()?;
                self.follow_up(follow_up)?;
                Ok(answer(sent, tag))
            }
            Outcome::Control(Control::Begin(_)) => {
                let settings_before = self.settings.clone();
                self.block = Some(Block { transaction, failed: false, settings_before, local: BTreeMap::new() });
                Ok(answer(sent, "BEGIN".into()))
            }
            Outcome::Control(control @ (Control::Commit | Control::Rollback)) => {
                let mut answer = answer(sent, if control == Control::Commit { "COMMIT" } else { "ROLLBACK" }.into());
                answer.notices.push(Notice {
                    severity: Severity::Warning,
                    sqlstate: "25P01".into(),
                    message: "there is no transaction in progress".into(),
                });
                Ok(answer)
            }
            Outcome::Control(Control::ExecutePrepared { name, parameters }) => {
                let request = self.prepared_request(&name, parameters)?;
                self.run(request)
            }
            Outcome::Control(control) => self.control(control, None).map(|tag| answer(sent, tag)),
        }
    }

    fn run_in_block(&mut self, mut block: Block, mut request: Request) -> Result<Answer> {
        request.in_transaction_block = true;
        block.transaction.begin_statement();
        if block.failed && !ends_failure(&request.sql) {
            self.block = Some(block);
            let message = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Error::new("25P02", message));
        }
        let outcome = self.engine.execute(&block.transaction, &request);
        let sent = block.transaction.take_sent();
        let result = match outcome {
            Ok(Outcome::Complete { tag, .. }) => Ok(tag),
            Ok(Outcome::Control(Control::Begin(_))) => Ok("BEGIN".into()),
            Ok(Outcome::Control(Control::Commit)) if !block.failed => {
                self.end_local(&mut block);
                let before = block.settings_before;
                return match block.transaction.commit() {
                    Ok(()) => Ok(answer(sent, "COMMIT".into())),
                    Err(error) => {
                        self.settings = before;
                        Err(error)
                    }
                };
            }
            Ok(Outcome::Control(Control::Commit | Control::Rollback)) => {
                self.settings = block.settings_before;
                return Ok(answer(sent, "ROLLBACK".into()));
            }
            Ok(Outcome::Control(Control::ExecutePrepared { name, parameters })) => {
                self.block = Some(block);
                let request = self.prepared_request(&name, parameters)?;
                return self.run(request);
            }
            Ok(Outcome::Control(control)) => self.control(control, Some(&mut block)),
            Err(error) => Err(error),
        };
        block.failed |= result.is_err();
        self.block = Some(block);
        result.map(|tag| answer(sent, tag))
    }

    /// What a statement asks for after itself comes before what waits.
    fn follow_up(&mut self, statements: Vec<String>) -> Result<()> {
        let mut waiting = if self.loses_follow_ups { VecDeque::new() } else { VecDeque::from(statements) };
        while let Some(sql) = waiting.pop_front() {
            let request = Request { sql, settings: self.current_settings(), ..Default::default() };
            let transaction = self.store.begin();
            let optional = is_optional(&request.sql);
            let outcome = self.engine.execute(&transaction, &request);
            let outcome = outcome.and_then(|outcome| transaction.commit().map(|()| outcome));
            if outcome.is_err() && optional {
                continue;
            }
            if let Outcome::Complete { follow_up, .. } = outcome? {
                follow_up.into_iter().rev().for_each(|sql| waiting.push_front(sql));
            }
        }
        Ok(())
    }

    /// Everything but the beginning and end of blocks. Answers the command tag.
    fn control(&mut self, control: Control, block: Option<&mut Block>) -> Result<String> {
        let needs_block = |what: &str| Error::new("25P01", format!("{what} can only be used in transaction blocks"));
        let tag = match control {
            Control::Savepoint(name) => {
                block.ok_or_else(|| needs_block("SAVEPOINT"))?.transaction.savepoint(&name);
                "SAVEPOINT"
            }
            Control::ReleaseSavepoint(name) => {
                block.ok_or_else(|| needs_block("RELEASE SAVEPOINT"))?.transaction.release_savepoint(&name)?;
                "RELEASE"
            }
            Control::RollbackToSavepoint(name) => {
                let block = block.ok_or_else(|| needs_block("ROLLBACK TO SAVEPOINT"))?;
                block.transaction.rollback_to_savepoint(&name)?;
                block.failed = false;
                "ROLLBACK"
            }
            Control::Set { name, value, local } => {
                let tag = if value.is_some() { "SET" } else { "RESET" };
                match (local, block) {
                    (false, _) => self.change_setting(name, value),
                    (true, Some(block)) => {
                        let before = self.settings.get(&name).cloned();
                        block.local.entry(name.clone()).or_insert(before);
                        self.change_setting(name, value);
                    }
                    (true, None) => {}
                }
                tag
            }
            Control::ResetAll => {
                self.settings.clear();
                "RESET"
            }
            Control::Prepare { name, sql, parameter_types } => {
                if self.prepared.contains_key(&name) {
                    return Err(Error::new("42P05", format!("prepared statement \"{name}\" already exists")));
                }
                self.prepared.insert(name, (sql, parameter_types));
                "PREPARE"
            }
            Control::Deallocate(Some(name)) => {
                self.prepared.remove(&name).ok_or_else(|| no_statement(&name))?;
                "DEALLOCATE"
            }
            Control::Deallocate(None) => {
                self.prepared.clear();
                "DEALLOCATE ALL"
            }
            Control::SetTransaction(_) => "SET",
            Control::Begin(_) | Control::Commit | Control::Rollback | Control::ExecutePrepared { .. } => {
                return Err(Error::internal("a control statement came where it cannot be"));
            }
        };
        Ok(tag.into())
    }

    fn prepared_request(&self, name: &str, parameters: Vec<u8>) -> Result<Request> {
        let (sql, parameter_types) = self.prepared.get(name).ok_or_else(|| no_statement(name))?;
        Ok(Request { sql: sql.clone(), parameter_types: parameter_types.clone(), parameters, ..Default::default() })
    }

    fn change_setting(&mut self, name: String, value: Option<String>) {
        match value {
            Some(value) => self.settings.insert(name, value),
            None => self.settings.remove(&name),
        };
    }

    fn end_local(&mut self, block: &mut Block) {
        for (name, before) in std::mem::take(&mut block.local) {
            self.change_setting(name, before);
        }
    }

    fn current_settings(&self) -> Vec<(String, String)> {
        self.settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn answer(sent: Sent, tag: String) -> Answer {
    let notice = |(severity, sqlstate, message)| Notice { severity, sqlstate, message };
    let text = |row: &Vec<Option<Vec<u8>>>| {
        let texts = row.iter().map(|field| field.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
        texts.collect()
    };
    Answer {
        columns: sent.columns,
        rows: sent.rows.iter().map(text).collect(),
        bytes: sent.rows,
        tag,
        notices: sent.notices.into_iter().map(notice).collect(),
    }
}

fn no_statement(name: &str) -> Error {
    Error::new("26000", format!("prepared statement \"{name}\" does not exist"))
}

/// Whether a failed block takes this statement.
fn ends_failure(sql: &str) -> bool {
    let word = sql.split_whitespace().next().unwrap_or_default().trim_end_matches(';').to_ascii_lowercase();
    matches!(word.as_str(), "rollback" | "commit" | "end" | "abort")
}
