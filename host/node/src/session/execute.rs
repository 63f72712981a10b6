//! Runs statements: alone, each a transaction that may be run again, or inside the client's block.

use std::collections::VecDeque;
use std::time::Instant;

use isobar_replica::{Isolation, Transaction, TransactionOptions, Ulid};

use crate::error::{Error, Result, sqlstate};
use crate::policy::DEFAULT_USER;
use crate::sandbox::procedure::Nesting;
use crate::sandbox::{Call, Control, Format, Outcome, Request, Results, Role, Setting, Stopped};
use crate::session::identity::SESSION_AUTHORIZATION;
use crate::session::retry::Retry;
use crate::session::{Completion, Session, Statement, once};

/// What a statement runs in.
struct Surroundings {
    in_block: bool,
    options: TransactionOptions,
    /// Microseconds since the Unix epoch.
    transaction_time: i64,
    /// Names the transaction's commit.
    transaction_id: Ulid,
}

/// What a statement after another begins with when the client need not know of its failure (`wit/statement.wit`).
const OPTIONAL_FOLLOW_UP: &str = "\0isobar optional ";

/// Asks the engine for what has been left unfinished (`wit/statement.wit`).
const RESUME: &str = "\0isobar resume";

impl Session {
    /// A statement outside any block.
    pub(super) async fn execute_alone(
        &mut self,
        statement: &Statement,
        results: &mut Results,
        key: Option<Ulid>,
    ) -> Result<Completion> {
        let (completion, follow_up) = self.execute_until_committed(statement, results, key, &|_| Ok(())).await?;
        results.flush().await?;
        self.execute_follow_up(follow_up).await?;
        Ok(completion)
    }

    /// Runs a transaction of one statement again until it has neither won nor lost by conflict. `first`: what the
    /// transaction writes before the statement.
    pub(super) async fn execute_until_committed(
        &mut self,
        statement: &Statement,
        results: &mut Results,
        key: Option<Ulid>,
        first: &(dyn Fn(&mut Transaction) -> Result<()> + Sync),
    ) -> Result<(Completion, Vec<String>)> {
        let mut retry = Retry::new(&self.node.configuration.session);
        // The first attempt does not wait for writes on their way from other regions; it may find that it has to.
        let mut overtakes = true;
        loop {
            results.hold(true);
            let error = match self.attempt(statement, results, key, overtakes, first).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !error.is_conflict() || results.is_sent() {
                return Err(error);
            }
            // It did not wait, and has met what it would have waited for.
            if std::mem::take(&mut overtakes) && results.keeps() {
                results.discard();
                continue;
            }
            let Some(pause) = retry.next_pause() else { return Err(error) };
            self.node.metrics.conflict_retries.add(1);
            results.discard();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.interrupt.requested() => return Err(error),
            }
        }
    }

    async fn attempt(
        &mut self,
        statement: &Statement,
        results: &mut Results,
        key: Option<Ulid>,
        overtakes: bool,
        first: &(dyn Fn(&mut Transaction) -> Result<()> + Sync),
    ) -> Result<(Completion, Vec<String>)> {
        let modes = self.default_modes();
        let options = TransactionOptions {
            isolation: modes.isolation.unwrap_or_default(),
            read_only: modes.read_only.unwrap_or_default(),
            staleness: self.settings.read_staleness(),
            overtakes,
        };
        let mut transaction = self.node.replica.begin(options).await?;
        results.keep(transaction.has_overtaken());
        let request = key.map_or(0, |_| once::fingerprint(self.user(), std::slice::from_ref(statement)));
        if key.is_some() {
            self.admit(&mut transaction)?;
        }
        if let Some(key) = key
            && let Some(repeated) = once::stored_answers(&self.node, &mut transaction, key).await?
        {
            return Ok((repeat(repeated.of_request(request)?, results)?, Vec::new()));
        }
        first(&mut transaction)?;
        // Each attempt has a name of its own: a commit that was refused stays refused under its name.
        let id = Ulid::generate();
        let surroundings = Surroundings { in_block: false, options, transaction_time: self.now(), transaction_id: id };
        let (transaction, outcome) = self.run(Some(transaction), statement, &surroundings, results).await;
        match (outcome?, transaction) {
            (Outcome::Complete { tag, follow_up }, Some(mut transaction)) => {
                let wrote = transaction.has_writes();
                if let Some(key) = key.filter(|_| wrote) {
                    let answer = once::StoredAnswer::new(&tag, results.events());
                    once::store_answers(&mut transaction, key, id, request, vec![answer])?;
                }
                let commit = self.node.replica.commit(transaction, id).await?;
                Ok((Completion { tag, commit: wrote.then_some(commit), repeated: false }, follow_up))
            }
            (Outcome::Complete { .. }, None) => Err(Error::internal("a statement has lost its transaction")),
            (Outcome::Control(control), transaction) => {
                drop(transaction);
                let completion = self.control_alone(control, surroundings.transaction_time, results)?;
                Ok((completion, Vec::new()))
            }
        }
    }

    /// Runs what a statement asks for after itself: each in a transaction of its own, as often as it asks to. It runs
    /// on when the client goes away, since the schema change that asks for it is committed.
    pub(super) async fn execute_follow_up(&mut self, statements: Vec<String>) -> Result<()> {
        if statements.is_empty() {
            return Ok(());
        }
        let mut session = Session::of_node(self.node.clone(), self.settings.clone());
        session.interrupt = self.interrupt.clone();
        let work = tokio::spawn(async move { session.execute_all_follow_up(statements).await });
        work.await
            .unwrap_or_else(|failure| Err(Error::internal("a schema change broke off").detail(failure.to_string())))
    }

    /// Finishes the schema changes that a node which died has left half done.
    pub async fn resume_schema_changes(&mut self) -> Result<()> {
        self.execute_all_follow_up(vec![RESUME.into()]).await
    }

    async fn execute_all_follow_up(&mut self, statements: Vec<String>) -> Result<()> {
        let mut left = self.node.configuration.session.follow_up_statements;
        let mut waiting = VecDeque::from(statements);
        while let Some(sql) = waiting.pop_front() {
            left = left.checked_sub(1).ok_or_else(|| {
                Error::new(
                    sqlstate::PROGRAM_LIMIT_EXCEEDED,
                    "a schema change asks for too many statements after itself",
                )
            })?;
            let optional = sql.starts_with(OPTIONAL_FOLLOW_UP);
            if self.interrupt.is_requested() {
                if optional {
                    continue;
                }
                return Err(Stopped::Request.error());
            }
            let statement = Statement { sql, ..Statement::default() };
            let mut results = Results::held(self.node.configuration.session.held_result_bytes());
            let (_, more) = match self.execute_until_committed(&statement, &mut results, None, &|_| Ok(())).await {
                Err(_) if optional => continue,
                answer => answer?,
            };
            // What it asks for comes before what waits: the order in which a caller would run them.
            for sql in more.into_iter().rev() {
                waiting.push_front(sql);
            }
        }
        Ok(())
    }

    /// A statement inside a block.
    pub(super) async fn execute_in_block(
        &mut self,
        statement: &Statement,
        results: &mut Results,
    ) -> Result<Completion> {
        let Some(block) = &mut self.block else { return Err(Error::internal("there is no block")) };
        let was_failed = block.failed;
        let surroundings = Surroundings {
            in_block: true,
            options: block.options(),
            transaction_time: block.began,
            transaction_id: block.commit_id,
        };
        let mut transaction = block.transaction.take();
        // A future that is dropped half-way leaves a failed block behind.
        block.failed = true;
        // What an open transaction keeps for ROLLBACK TO SAVEPOINT is out of the statement's reach.
        let kept = if was_failed { transaction.take() } else { None };
        if !was_failed && transaction.is_none() {
            let staleness = self.settings.read_staleness();
            transaction =
                Some(self.node.replica.begin(TransactionOptions { staleness, ..surroundings.options }).await?);
        }
        results.hold(false);
        let (transaction, outcome) = self.run(transaction, statement, &surroundings, results).await;
        let Some(block) = &mut self.block else { return Err(Error::internal("there is no block")) };
        block.transaction = if was_failed { kept } else { transaction };
        block.failed = was_failed;
        let answer = if was_failed {
            self.finish_in_failed_block(outcome, results).await
        } else {
            self.finish_in_block(outcome, results).await
        };
        if let Some(block) = &mut self.block {
            match &answer {
                Ok(_) => block.refresh(),
                Err(_) => block.fail(),
            }
        }
        results.flush().await?;
        answer
    }

    async fn finish_in_block(&mut self, outcome: Result<Outcome>, results: &mut Results) -> Result<Completion> {
        match outcome? {
            Outcome::Complete { follow_up, .. } if !follow_up.is_empty() => {
                Err(Error::internal("a statement in a block asks for others after it"))
            }
            Outcome::Complete { tag, .. } => {
                if let Some(block) = &mut self.block {
                    // SHOW reads no data: PostgreSQL takes no snapshot for it either.
                    block.queried |= tag != "SHOW";
                }
                Ok(Completion::tag(tag))
            }
            Outcome::Control(control) => self.control_in_block(control, results).await,
        }
    }

    /// Only the end of the block or an older savepoint helps. A text that cannot be parsed is told so first, as
    /// PostgreSQL does.
    async fn finish_in_failed_block(&mut self, outcome: Result<Outcome>, results: &mut Results) -> Result<Completion> {
        results.discard();
        match outcome {
            Ok(Outcome::Control(control @ (Control::Commit | Control::Rollback | Control::RollbackToSavepoint(_)))) => {
                self.control_in_block(control, results).await
            }
            Err(error) if matches!(error.sqlstate(), sqlstate::SYNTAX_ERROR | sqlstate::QUERY_CANCELED) => Err(error),
            _ => Err(Error::aborted_block()),
        }
    }

    /// Runs one statement in the engine, and the one that it may name by EXECUTE.
    async fn run(
        // Exclusive, since a session is not to be looked at from two threads.
        &mut self,
        mut transaction: Option<Transaction>,
        statement: &Statement,
        surroundings: &Surroundings,
        results: &mut Results,
    ) -> (Option<Transaction>, Result<Outcome>) {
        if let Some(transaction) = &mut transaction
            && let Err(error) = transaction.begin_statement()
        {
            return (None, Err(error.into()));
        }
        let authority = self.authority();
        if let Some(open) = &mut transaction
            && let Err(error) = authority.admit(open)
        {
            open.finish_statement(false);
            return (transaction, Err(error));
        }
        let timeout = [self.settings.statement_timeout(), self.node.sandbox.limits().statement_time()];
        let mut request = self.request(statement, surroundings);
        let mut call = Box::new(Call {
            transaction,
            read_only: surroundings.options.read_only,
            results: std::mem::take(results),
            authority: authority.clone(),
            transaction_time: surroundings.transaction_time,
            statement_time: self.now(),
            clock: self.node.clock.clone(),
            interrupt: self.interrupt.clone(),
            deadline: timeout.into_iter().flatten().min().and_then(|timeout| Instant::now().checked_add(timeout)),
            transaction_id: surroundings.transaction_id,
            caller: self.user().into(),
            role: Role::default(),
            region: self.node.configuration.region.as_str().into(),
            settings: request.settings.as_slice().into(),
            procedures: Nesting::default(),
        });
        let mut outcome;
        (call, outcome) = self.node.sandbox.execute(call, &request).await;
        if let Ok(Outcome::Control(Control::ExecutePrepared { name, parameters })) = outcome {
            outcome = match self.find_prepared(&name) {
                Err(error) => Err(error),
                Ok(prepared) => {
                    request.sql = prepared.sql.clone();
                    request.parameter_types = prepared.parameter_types.clone();
                    request.parameters = parameters;
                    let answer;
                    (call, answer) = self.node.sandbox.execute(call, &request).await;
                    match answer {
                        Ok(Outcome::Control(_)) => Err(Error::new(
                            sqlstate::FEATURE_NOT_SUPPORTED,
                            "a prepared statement that controls the session is not supported",
                        )),
                        answer => answer,
                    }
                }
            };
        }
        if let Ok(Outcome::Control(control)) = &outcome
            && let Err(error) = self.check_change(control, &authority, call.transaction.as_mut())
        {
            outcome = Err(error);
        }
        *results = call.results;
        if let Some(transaction) = &mut call.transaction {
            transaction.finish_statement(outcome.is_ok());
        }
        (call.transaction, outcome)
    }

    fn request(&self, statement: &Statement, surroundings: &Surroundings) -> Request {
        let mut settings: Vec<_> = self
            .settings
            .effective()
            .filter(|(name, _)| !is_the_sessions(name))
            .map(|(name, value)| setting(name, value))
            .collect();
        // The engine takes the first user for granted.
        if self.user() != DEFAULT_USER {
            settings.push(setting(SESSION_AUTHORIZATION, self.user()));
        }
        if surroundings.options.isolation == Isolation::Serializable {
            settings.push(setting("transaction_isolation", "serializable"));
        }
        if surroundings.options.read_only {
            settings.push(setting("transaction_read_only", "on"));
        }
        Request {
            sql: statement.sql.clone(),
            parameters: statement.parameters.clone(),
            format: Format::Text,
            parameter_types: statement.parameter_types.clone(),
            settings,
            in_transaction_block: surroundings.in_block,
            input: statement.input.clone(),
        }
    }
}

/// Settings that the session itself gives, whatever the client has put there.
fn is_the_sessions(name: &str) -> bool {
    let names = [SESSION_AUTHORIZATION, "transaction_isolation", "transaction_read_only"];
    names.iter().any(|known| name.eq_ignore_ascii_case(known)) || name.starts_with('\0')
}

fn setting(name: &str, value: &str) -> Setting {
    Setting { name: name.into(), value: value.into() }
}

/// Answers what was answered before.
fn repeat(repeated: once::Repeated, results: &mut Results) -> Result<Completion> {
    let Some(answer) = repeated.answers.into_iter().next() else {
        return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "the idempotency key belongs to another request"));
    };
    let tag = answer.tag.clone();
    for event in answer.events() {
        results.add(event)?;
    }
    Ok(Completion { tag, commit: repeated.commit, repeated: true })
}
