//! BEGIN, COMMIT, ROLLBACK, savepoints and SET TRANSACTION: the host holds the transaction, so it is told.

use crate::bind::name::fold;
use crate::error::{Error, Result};
use crate::statement::{Control, Isolation, Outcome, TransactionModes};
use sqlparser::ast::{Statement, TransactionAccessMode, TransactionIsolationLevel, TransactionMode};

pub fn execute(statement: &Statement) -> Result<Outcome> {
    Ok(Outcome::Control(match statement {
        Statement::StartTransaction { modes: modes_given, statements, .. } if statements.is_empty() => {
            Control::Begin(modes(modes_given)?)
        }
        Statement::Commit { chain: false, .. } => Control::Commit,
        Statement::Rollback { chain: false, savepoint: None } => Control::Rollback,
        Statement::Rollback { chain: false, savepoint: Some(name) } => Control::RollbackToSavepoint(fold(name)),
        Statement::Savepoint { name } => Control::Savepoint(fold(name)),
        Statement::ReleaseSavepoint { name } => Control::ReleaseSavepoint(fold(name)),
        Statement::Commit { .. } | Statement::Rollback { .. } => return Err(Error::not_supported("AND CHAIN")),
        _ => return Err(Error::not_supported("a block of statements")),
    }))
}

/// READ COMMITTED and READ UNCOMMITTED get the next stronger level that there is.
pub fn modes(modes: &[TransactionMode]) -> Result<TransactionModes> {
    let mut all = TransactionModes::default();
    for mode in modes {
        match mode {
            TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => all.read_only = Some(true),
            TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => all.read_only = Some(false),
            TransactionMode::IsolationLevel(level) => {
                all.isolation = Some(match level {
                    TransactionIsolationLevel::Serializable => Isolation::Serializable,
                    TransactionIsolationLevel::ReadUncommitted
                    | TransactionIsolationLevel::ReadCommitted
                    | TransactionIsolationLevel::RepeatableRead
                    | TransactionIsolationLevel::Snapshot => Isolation::RepeatableRead,
                });
            }
        }
    }
    Ok(all)
}
