//! `wit/statement.wit`: runs and describes one statement.

use isobar_replica::Isolation;

use crate::error::{Error, Result};
use crate::sandbox::bindings::exports::isobar::engine::statement as wit;
use crate::sandbox::instance::Instance;
use crate::sandbox::pool::Permit;
use crate::sandbox::{Call, Column, Sandbox, trap};

pub use wit::{Format, Request, Setting};

/// How a transaction runs, as far as the statement says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionModes {
    pub isolation: Option<Isolation>,
    pub read_only: Option<bool>,
}

/// What the session must do for the statement. Field meanings are in `wit/statement.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    Begin(TransactionModes),
    Commit,
    Rollback,
    Savepoint(String),
    ReleaseSavepoint(String),
    RollbackToSavepoint(String),
    SetTransaction(TransactionModes),
    Set { name: String, value: Option<String>, local: bool },
    ResetAll,
    Prepare { name: String, sql: String, parameter_types: Vec<u32> },
    ExecutePrepared { name: String, parameters: Vec<u8> },
    Deallocate(Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Complete { tag: String, follow_up: Vec<String> },
    Control(Control),
}

/// Types of a statement's parameters and result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub parameter_types: Vec<u32>,
    /// None: the statement answers no rows.
    pub columns: Option<Vec<Column>>,
}

impl Sandbox {
    /// Runs one statement. The call always comes back. Dropping the future stops the statement and costs the instance.
    pub async fn execute(&self, call: Box<Call>, request: &Request) -> (Box<Call>, Result<Outcome>) {
        let permit = self.pool().permit().await;
        self.execute_with(permit, call, request).await
    }

    /// Runs one statement of a procedure, in an instance of its own beside the one that waits for the procedure.
    pub(crate) async fn execute_nested(&self, call: Box<Call>, request: &Request) -> (Box<Call>, Result<Outcome>) {
        let permit = self.pool().nested_permit();
        self.execute_with(permit, call, request).await
    }

    async fn execute_with(
        &self,
        permit: Result<Permit>,
        call: Box<Call>,
        request: &Request,
    ) -> (Box<Call>, Result<Outcome>) {
        let mut lent = match self.lend(permit, call).await {
            Ok(lent) => lent,
            Err((call, error)) => return (call, Err(error)),
        };
        let Instance { store, engine } = &mut lent.instance;
        let answer = engine.isobar_engine_statement().call_execute(store, request).await;
        self.give_back(lent, answer.map(|answer| answer.map(Outcome::from).map_err(Error::from)))
    }

    /// Describes one statement without running it.
    pub async fn describe(&self, call: Box<Call>, request: &Request) -> (Box<Call>, Result<Description>) {
        let permit = self.pool().permit().await;
        self.describe_with(permit, call, request).await
    }

    /// Describes one statement of a procedure.
    pub(crate) async fn describe_nested(&self, call: Box<Call>, request: &Request) -> (Box<Call>, Result<Description>) {
        let permit = self.pool().nested_permit();
        self.describe_with(permit, call, request).await
    }

    async fn describe_with(
        &self,
        permit: Result<Permit>,
        call: Box<Call>,
        request: &Request,
    ) -> (Box<Call>, Result<Description>) {
        let mut lent = match self.lend(permit, call).await {
            Ok(lent) => lent,
            Err((call, error)) => return (call, Err(error)),
        };
        let Instance { store, engine } = &mut lent.instance;
        let answer = engine.isobar_engine_statement().call_describe(store, request).await;
        self.give_back(lent, answer.map(|answer| answer.map(Description::from).map_err(Error::from)))
    }

    /// Puts the call into an instance.
    async fn lend(&self, permit: Result<Permit>, call: Box<Call>) -> Result<Lent, (Box<Call>, Error)> {
        let permit = match permit {
            Ok(permit) => permit,
            Err(error) => return Err((call, error)),
        };
        let mut instance = match self.instance().await {
            Ok(instance) => instance,
            Err(error) => return Err((call, error)),
        };
        let state = instance.store.data_mut();
        state.call = Some(call);
        state.memory.exhausted = false;
        instance.store.set_epoch_deadline(1);
        Ok(Lent { instance, _permit: permit })
    }

    /// Takes the call out again, and keeps the instance only when it has not trapped.
    fn give_back<T>(&self, mut lent: Lent, answer: wasmtime::Result<Result<T>>) -> (Box<Call>, Result<T>) {
        let state = lent.instance.store.data_mut();
        let exhausted = state.memory.exhausted;
        let Some(mut call) = state.call.take() else { unreachable!("a call stays until it is taken here") };
        call.procedures.end_statement();
        match answer {
            Ok(answer) => {
                self.pool().keep(lent.instance);
                (call, answer)
            }
            Err(failure) => {
                let error = trap::explain(&failure, exhausted);
                tracing::debug!(%error, trap = format!("{failure:#}"), "an engine instance is discarded");
                self.pool().discard(lent.instance);
                (call, Err(error))
            }
        }
    }
}

/// An instance with a call inside it.
struct Lent {
    instance: Instance,
    _permit: Permit,
}

impl From<wit::TransactionModes> for TransactionModes {
    fn from(modes: wit::TransactionModes) -> TransactionModes {
        TransactionModes {
            isolation: modes.isolation.map(|isolation| match isolation {
                wit::Isolation::RepeatableRead => Isolation::Snapshot,
                wit::Isolation::Serializable => Isolation::Serializable,
            }),
            read_only: modes.read_only,
        }
    }
}

impl From<wit::Outcome> for Outcome {
    fn from(outcome: wit::Outcome) -> Outcome {
        match outcome {
            wit::Outcome::Complete(complete) => Outcome::Complete { tag: complete.tag, follow_up: complete.follow_up },
            wit::Outcome::Control(control) => Outcome::Control(control.into()),
        }
    }
}

impl From<wit::Control> for Control {
    fn from(control: wit::Control) -> Control {
        match control {
            wit::Control::Begin(modes) => Control::Begin(modes.into()),
            wit::Control::Commit => Control::Commit,
            wit::Control::Rollback => Control::Rollback,
            wit::Control::Savepoint(name) => Control::Savepoint(name),
            wit::Control::ReleaseSavepoint(name) => Control::ReleaseSavepoint(name),
            wit::Control::RollbackToSavepoint(name) => Control::RollbackToSavepoint(name),
            wit::Control::SetTransaction(modes) => Control::SetTransaction(modes.into()),
            wit::Control::Set(change) => Control::Set { name: change.name, value: change.value, local: change.local },
            wit::Control::ResetAll => Control::ResetAll,
            wit::Control::Prepare(prepared) => {
                Control::Prepare { name: prepared.name, sql: prepared.sql, parameter_types: prepared.parameter_types }
            }
            wit::Control::ExecutePrepared(execution) => {
                Control::ExecutePrepared { name: execution.name, parameters: execution.parameters }
            }
            wit::Control::Deallocate(name) => Control::Deallocate(name),
        }
    }
}

impl From<wit::Description> for Description {
    fn from(description: wit::Description) -> Description {
        Description {
            parameter_types: description.parameter_types,
            columns: description.columns.map(|columns| columns.into_iter().map(Column::from).collect()),
        }
    }
}
