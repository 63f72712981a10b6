//! A transaction block: what lives between BEGIN and its end.

use isobar_replica::{Isolation, Transaction, TransactionOptions, Ulid};

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::TransactionModes;
use crate::session::settings::Settings;

pub struct Block {
    pub isolation: Isolation,
    pub read_only: bool,
    /// Opened by the first statement that needs it, so that the snapshot is as young as can be. None as well while a
    /// statement runs, and after a failure that nothing can undo.
    pub transaction: Option<Transaction>,
    /// A statement has failed, or was dropped half-way: only the block's end or an older savepoint helps.
    pub failed: bool,
    /// A statement has used the snapshot: the isolation level stands.
    pub queried: bool,
    /// The node owns begin and end: the client's own are refused.
    pub atomic: bool,
    /// Microseconds since the Unix epoch, `now()` of all its statements.
    pub began: i64,
    /// Names the commit.
    pub commit_id: Ulid,
    /// What a rollback returns to.
    pub settings: Settings,
    pub savepoints: Vec<Savepoint>,
}

pub struct Savepoint {
    pub name: String,
    pub settings: Settings,
}

impl Block {
    pub fn options(&self) -> TransactionOptions {
        TransactionOptions { isolation: self.isolation, read_only: self.read_only, ..TransactionOptions::default() }
    }

    /// SET TRANSACTION, and the same by way of SET transaction_isolation and SET transaction_read_only.
    pub fn set_modes(&mut self, modes: TransactionModes) -> Result<()> {
        let used = self.queried || !self.savepoints.is_empty();
        if let Some(isolation) = modes.isolation
            && isolation != self.isolation
        {
            if used {
                let why = if self.queried {
                    "must be called before any query"
                } else {
                    "must not be called in a subtransaction"
                };
                return Err(Error::new(
                    sqlstate::ACTIVE_SQL_TRANSACTION,
                    format!("SET TRANSACTION ISOLATION LEVEL {why}"),
                ));
            }
            self.isolation = isolation;
            self.transaction = None;
        }
        if let Some(read_only) = modes.read_only
            && read_only != self.read_only
        {
            if used && !read_only {
                return Err(Error::new(
                    sqlstate::ACTIVE_SQL_TRANSACTION,
                    "transaction read-write mode must be set before any query",
                ));
            }
            self.read_only = read_only;
            if !used {
                self.transaction = None;
            }
        }
        Ok(())
    }

    /// 25P02 when a statement that was dropped half-way has taken it along.
    pub fn transaction(&mut self) -> Result<&mut Transaction> {
        self.transaction
            .as_mut()
            .ok_or_else(|| Error::aborted_block().hint("Its savepoints are gone with it: only ROLLBACK helps."))
    }

    /// A savepoint is a mark in the transaction and the settings to return to.
    pub fn savepoint(&mut self, name: String, settings: Settings, savepoints_max: usize) -> Result<()> {
        if self.savepoints.len() >= savepoints_max {
            return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "too many savepoints in one transaction"));
        }
        self.transaction()?.savepoint(&name)?;
        self.savepoints.push(Savepoint { name, settings });
        Ok(())
    }

    /// A statement has failed. Without a savepoint nothing can bring the transaction back: its memory is free at once.
    pub fn fail(&mut self) {
        self.failed = true;
        if self.savepoints.is_empty() {
            self.transaction = None;
        }
    }

    /// Lets go of a snapshot that nothing has used yet: the next statement takes a younger one.
    pub fn refresh(&mut self) {
        if !self.queried && self.savepoints.is_empty() {
            self.transaction = None;
        }
    }

    /// The newest savepoint of this name.
    pub fn find_savepoint(&self, name: &str) -> Result<usize> {
        self.savepoints.iter().rposition(|savepoint| savepoint.name == name).ok_or_else(|| {
            Error::new(sqlstate::INVALID_SAVEPOINT_SPECIFICATION, format!("savepoint \"{name}\" does not exist"))
        })
    }
}
