//! What a statement asks of its session instead of the store: PostgreSQL's transaction blocks, savepoints, settings
//! and prepared statements, with its warnings and errors (PostgreSQL 15, xact.c is the reference for what is heard
//! when).

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::{Control, Results, TransactionModes};
use crate::session::settings::is_true;
use crate::session::{Completion, Prepared, Session, isolation_named, warn};

impl Session {
    /// Outside any block. `began`: when the statement did, in microseconds since the Unix epoch.
    pub(super) fn control_alone(&mut self, control: Control, began: i64, results: &mut Results) -> Result<Completion> {
        let only_in_block = |command: &str| {
            Err(Error::new(
                sqlstate::NO_ACTIVE_SQL_TRANSACTION,
                format!("{command} can only be used in transaction blocks"),
            ))
        };
        let tag = match control {
            Control::Begin(modes) => {
                self.open_block(modes, began);
                "BEGIN"
            }
            Control::Commit => {
                warn(results, sqlstate::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")?;
                "COMMIT"
            }
            Control::Rollback => {
                warn(results, sqlstate::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")?;
                "ROLLBACK"
            }
            Control::Savepoint(_) => return only_in_block("SAVEPOINT"),
            Control::ReleaseSavepoint(_) => return only_in_block("RELEASE SAVEPOINT"),
            Control::RollbackToSavepoint(_) => return only_in_block("ROLLBACK TO SAVEPOINT"),
            Control::SetTransaction(_) => {
                let message = "SET TRANSACTION can only be used in transaction blocks";
                warn(results, sqlstate::NO_ACTIVE_SQL_TRANSACTION, message)?;
                "SET"
            }
            Control::Set { local: true, .. } => {
                let message = "SET LOCAL can only be used in transaction blocks";
                warn(results, sqlstate::NO_ACTIVE_SQL_TRANSACTION, message)?;
                "SET"
            }
            // They speak of the transaction that is just this statement.
            Control::Set { name, .. } if transaction_setting(&name) => "SET",
            control => return self.control_anywhere(control),
        };
        Ok(Completion::tag(tag))
    }

    /// Inside a block that has not failed, or one that this control ends or repairs.
    pub(super) async fn control_in_block(&mut self, control: Control, results: &mut Results) -> Result<Completion> {
        let Some(block) = &mut self.block else { return Err(Error::internal("there is no block")) };
        if block.atomic && matches!(control, Control::Begin(_) | Control::Commit | Control::Rollback) {
            return Err(Error::new(
                sqlstate::INVALID_TRANSACTION_TERMINATION,
                "the transaction of a batch cannot be begun or ended inside it",
            ));
        }
        let savepoints_max = self.node.configuration.session.savepoints as usize;
        let tag = match control {
            Control::Begin(_) => {
                warn(results, sqlstate::ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress")?;
                "BEGIN"
            }
            Control::Commit => return self.commit().await,
            Control::Rollback => return Ok(self.rollback()),
            Control::Savepoint(name) => {
                block.savepoint(name, self.settings.clone(), savepoints_max)?;
                "SAVEPOINT"
            }
            Control::ReleaseSavepoint(name) => {
                let index = block.find_savepoint(&name)?;
                block.transaction()?.release(&name)?;
                block.savepoints.truncate(index);
                "RELEASE"
            }
            Control::RollbackToSavepoint(name) => {
                let index = block.find_savepoint(&name)?;
                block.transaction()?.rollback_to(&name)?;
                block.savepoints.truncate(index + 1);
                if let Some(savepoint) = block.savepoints.last() {
                    self.settings = savepoint.settings.clone();
                }
                block.failed = false;
                "ROLLBACK"
            }
            Control::SetTransaction(modes) => {
                block.set_modes(modes)?;
                "SET"
            }
            Control::Set { name, value: Some(value), .. } if transaction_setting(&name) => {
                block.set_modes(modes_of(&name, &value))?;
                "SET"
            }
            Control::Set { name, value, local: true } => {
                self.settings.set_local(name, value);
                "SET"
            }
            control => return self.control_anywhere(control),
        };
        Ok(Completion::tag(tag))
    }

    /// What is the same inside a block and outside.
    fn control_anywhere(&mut self, control: Control) -> Result<Completion> {
        let limits = &self.node.configuration.session;
        let tag = match control {
            Control::Set { name, value, .. } => {
                let tag = if value.is_some() { "SET" } else { "RESET" };
                if self.settings.session().len() >= limits.settings as usize && self.settings.get(&name).is_none() {
                    return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "too many settings in one session"));
                }
                self.settings.set(name, value);
                tag
            }
            Control::ResetAll => {
                self.settings.reset_all();
                "RESET"
            }
            Control::Prepare { name, sql, parameter_types } => {
                if self.prepared.contains_key(&name) {
                    return Err(Error::new(
                        sqlstate::DUPLICATE_PREPARED_STATEMENT,
                        format!("prepared statement \"{name}\" already exists"),
                    ));
                }
                if self.prepared.len() >= limits.prepared_statements as usize {
                    return Err(Error::new(
                        sqlstate::PROGRAM_LIMIT_EXCEEDED,
                        "too many prepared statements in one session",
                    ));
                }
                self.prepared.insert(name, Prepared { sql, parameter_types });
                "PREPARE"
            }
            Control::Deallocate(Some(name)) => {
                self.find_prepared(&name)?;
                self.prepared.remove(&name);
                "DEALLOCATE"
            }
            Control::Deallocate(None) => {
                self.prepared.clear();
                "DEALLOCATE ALL"
            }
            other => return Err(Error::internal(format!("the session cannot do this here: {other:?}"))),
        };
        Ok(Completion::tag(tag))
    }

    pub(super) fn find_prepared(&self, name: &str) -> Result<&Prepared> {
        self.prepared.get(name).ok_or_else(|| {
            Error::new(sqlstate::INVALID_SQL_STATEMENT_NAME, format!("prepared statement \"{name}\" does not exist"))
        })
    }
}

/// Settings that are modes of the current transaction under another name.
fn transaction_setting(name: &str) -> bool {
    matches!(name, "transaction_isolation" | "transaction_read_only")
}

fn modes_of(name: &str, value: &str) -> TransactionModes {
    if name == "transaction_isolation" {
        TransactionModes { isolation: Some(isolation_named(value)), read_only: None }
    } else {
        TransactionModes { isolation: None, read_only: Some(is_true(value)) }
    }
}
