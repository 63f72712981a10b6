//! A procedure's statement: the caller's transaction moves on into another instance of the engine, where the statement
//! is nested in the calling one, and comes back.

use std::sync::Arc;

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::procedure::bindings::isobar::procedure::types::Value;
use crate::sandbox::procedure::failure::stop;
use crate::sandbox::procedure::imports::parameters::{self, Parameters};
use crate::sandbox::procedure::instance::State;
use crate::sandbox::{Call, Control, Event, Format, Outcome, Request, Results, Role, Sandbox, Setting};

/// What is to become of a statement's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    Held,
    /// Only their number is wanted.
    Counted,
}

/// What a statement has answered.
pub struct Answer {
    /// Its columns and rows, where they were wanted.
    pub events: Vec<Event>,
    /// Rows written or read.
    pub count: u64,
}

impl State {
    /// Runs one statement. The outer error stops the procedure; the inner one is the statement's, which has undone what
    /// it did.
    pub async fn run(&mut self, sql: &str, values: &[Value], rows: Rows) -> wasmtime::Result<Result<Answer>> {
        self.statements += 1;
        if self.statements > self.limits.statements {
            let limit = self.limits.statements;
            let what = "runs too many SQL statements";
            return Err(stop(self.target.exceeded(sqlstate::STATEMENT_LIMIT_EXCEEDED, what, "statements", limit, "")));
        }
        // A text that begins with it is the engine speaking to itself.
        if sql.contains('\0') {
            return Ok(Err(Error::new(
                sqlstate::CHARACTER_NOT_IN_REPERTOIRE,
                "invalid byte sequence for encoding \"UTF8\": 0x00",
            )));
        }
        let Some(sandbox) = self.sandbox.clone() else {
            return Ok(Err(Error::internal("there is no SQL engine")));
        };
        let Some(mut call) = self.call.take() else {
            return Err(stop(Error::internal("no statement is running")));
        };
        let rows_left = u64::from(self.limits.rows_in).saturating_sub(self.rows_in);
        let bytes_left = self.limits.value_bytes().saturating_sub(self.result_bytes);
        let results = Results::nested(bytes_left, rows_left, rows == Rows::Held);
        let outer_results = std::mem::replace(&mut call.results, results);
        let outer_instances = std::mem::take(&mut call.procedures.instances);

        let (mut call, outcome) = self.run_apart(&sandbox, call, sql, values).await;

        call.procedures.instances = outer_instances;
        let mut results = std::mem::replace(&mut call.results, outer_results);
        let mut events = results.take();
        events.retain_mut(|event| match event {
            Event::Notice(notice) => {
                // One too many is dropped: a notice is never worth a statement.
                let _ = call.results.add(Event::Notice(notice.clone()));
                false
            }
            _ => true,
        });
        let stopped = call.check(std::time::Instant::now());
        self.call = Some(call);
        self.rows_in += results.rows();
        // What a procedure must not catch.
        stopped?;
        if self.rows_in > u64::from(self.limits.rows_in) {
            let limit = self.limits.rows_in;
            let what = "reads too many rows";
            return Err(stop(self.target.exceeded(sqlstate::ROWS_IN_LIMIT_EXCEEDED, what, "rows_in", limit, "rows")));
        }
        Ok(outcome.and_then(completed).map(|count| Answer { events, count: count.unwrap_or(results.rows()) }))
    }

    async fn run_apart(
        &mut self,
        sandbox: &Sandbox,
        mut call: Box<Call>,
        sql: &str,
        values: &[Value],
    ) -> (Box<Call>, Result<Outcome>) {
        match call.transaction().and_then(|transaction| Ok(transaction.begin_statement()?)) {
            Ok(()) => {}
            Err(error) => return (call, Err(error)),
        }
        let (mut call, parameters) = self.parameters(sandbox, call, sql, values).await;
        let outcome = match parameters {
            Ok(Parameters { packed, types }) => {
                let request = request(&call, sql, packed, types);
                let outcome;
                (call, outcome) = sandbox.execute_nested(call, &request).await;
                outcome
            }
            Err(error) => Err(error),
        };
        if let Some(transaction) = &mut call.transaction {
            transaction.finish_statement(outcome.is_ok());
        }
        (call, outcome)
    }

    /// Values in the form that the statement wants them in.
    async fn parameters(
        &mut self,
        sandbox: &Sandbox,
        mut call: Box<Call>,
        sql: &str,
        values: &[Value],
    ) -> (Box<Call>, Result<Parameters>) {
        if values.is_empty() {
            return (call, Ok(Parameters::default()));
        }
        let version = match call.transaction() {
            Ok(transaction) => transaction.catalog_version(),
            Err(error) => return (call, Err(error)),
        };
        let described = &self.procedures.shared().described;
        // What a name means depends on the path as well.
        let path = call.settings.iter().find(|setting| setting.name == "search_path");
        let text = path.map_or_else(|| sql.to_owned(), |path| format!("{}\0{sql}", path.value));
        let types = match described.get(version, &text) {
            Some(types) => types,
            None => {
                let described_now;
                let request = request(&call, sql, Vec::new(), Vec::new());
                (call, described_now) = sandbox.describe_nested(call, &request).await;
                match described_now {
                    Ok(description) => {
                        let types: Arc<[u32]> = description.parameter_types.into();
                        described.insert(version, &text, types.clone());
                        types
                    }
                    // The values' own types may say what the statement does not.
                    Err(error)
                        if matches!(
                            error.sqlstate(),
                            sqlstate::INDETERMINATE_DATATYPE | sqlstate::AMBIGUOUS_FUNCTION
                        ) =>
                    {
                        Arc::default()
                    }
                    Err(error) => return (call, Err(error)),
                }
            }
        };
        (call, parameters::pack(values, &types))
    }
}

fn request(call: &Call, sql: &str, parameters: Vec<u8>, parameter_types: Vec<u32>) -> Request {
    let mut settings = call.settings.to_vec();
    // The engine keeps plans by settings, and what a plan does is checked when it is made: what a procedure does as
    // itself must not find what its caller was allowed. No client can bring a setting of this name.
    if let Role::Procedure(name) = &call.role {
        settings.push(Setting { name: "\0acting_as".into(), value: name.to_string() });
    }
    Request {
        sql: sql.to_owned(),
        parameters,
        format: Format::Binary,
        parameter_types,
        settings,
        in_transaction_block: true,
        input: None,
    }
}

/// How many rows a statement has written or read, as its tag says; none where it does not.
fn completed(outcome: Outcome) -> Result<Option<u64>> {
    match outcome {
        Outcome::Complete { tag, follow_up } if follow_up.is_empty() => {
            Ok(tag.rsplit_once(' ').and_then(|(_, count)| count.parse().ok()))
        }
        Outcome::Complete { .. } => Err(Error::internal("a nested statement asks for others after it")),
        Outcome::Control(Control::Begin(_) | Control::Commit | Control::Rollback) => Err(Error::new(
            sqlstate::INVALID_TRANSACTION_TERMINATION,
            "a procedure runs in its caller's transaction and cannot begin or end one",
        )),
        Outcome::Control(control) => {
            let what = match control {
                Control::Savepoint(_) | Control::ReleaseSavepoint(_) | Control::RollbackToSavepoint(_) => "savepoints",
                Control::SetTransaction(_) => "SET TRANSACTION",
                Control::Set { .. } | Control::ResetAll => "settings",
                _ => "prepared statements",
            };
            Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, format!("{what} in procedures are not supported"))
                .hint("A statement that fails undoes what it did and nothing else; the procedure may go on."))
        }
    }
}
