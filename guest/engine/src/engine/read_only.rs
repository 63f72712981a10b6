//! Read-only transactions: what would write is refused before it runs, whether or not it would find a row to write
//! (PostgreSQL's `ExecCheckXactReadOnly` and `PreventCommandIfReadOnly`).

use super::Session;
use crate::bind::{self, Command};
use crate::error::{Error, Result, sqlstate};
use crate::plan::walk;
use sqlparser::ast::{LockType, ObjectType, Statement};

/// 25006 in a read-only transaction. `command` is the statement's name, where it writes.
pub fn check(session: &Session, command: Option<&str>) -> Result<()> {
    match command {
        Some(command) if is_on(session) => {
            let message = format!("cannot execute {command} in a read-only transaction");
            Err(Error::new(sqlstate::READ_ONLY_SQL_TRANSACTION, message))
        }
        _ => Ok(()),
    }
}

/// Whether the transaction is read-only.
pub fn is_on(session: &Session) -> bool {
    session.request.settings.iter().any(|(name, value)| name == "transaction_read_only" && value == "on")
}

/// The name of a query, INSERT, UPDATE or DELETE, where it writes or locks.
pub fn writing_query(statement: &Statement, command: Command, plan: &bind::Plan) -> Option<&'static str> {
    match command {
        Command::Insert => Some("INSERT"),
        Command::Update => Some("UPDATE"),
        Command::Delete => Some("DELETE"),
        // Its statements are checked one by one.
        Command::Call => None,
        Command::Select => {
            if !walk::contains(plan, &|plan| matches!(plan, bind::Plan::Modify(_) | bind::Plan::Lock { .. })) {
                return None;
            }
            let Statement::Query(query) = statement else { return Some("SELECT") };
            Some(match query.locks.last().map(|lock| &lock.lock_type) {
                Some(LockType::Update) => "SELECT FOR UPDATE",
                Some(LockType::Share) => "SELECT FOR SHARE",
                None => "SELECT",
            })
        }
    }
}

/// The name of any other statement, where it writes.
pub fn writing_statement(statement: &Statement) -> Option<&'static str> {
    Some(match statement {
        Statement::CreateTable(create) if create.query.is_some() => "CREATE TABLE AS",
        Statement::CreateTable(_) => "CREATE TABLE",
        Statement::AlterTable(_) => "ALTER TABLE",
        Statement::Truncate(_) => "TRUNCATE TABLE",
        Statement::CreateIndex(_) => "CREATE INDEX",
        Statement::AlterIndex { .. } => "ALTER INDEX",
        Statement::CreateView(_) => "CREATE VIEW",
        Statement::CreateSchema { .. } => "CREATE SCHEMA",
        Statement::Comment { .. } => "COMMENT",
        Statement::Copy { to: false, .. } => "COPY FROM",
        Statement::Drop { object_type, .. } => match object_type {
            ObjectType::Table => "DROP TABLE",
            ObjectType::View => "DROP VIEW",
            ObjectType::Index => "DROP INDEX",
            ObjectType::Schema => "DROP SCHEMA",
            _ => "DROP",
        },
        _ => return None,
    })
}
