//! Statements that define: tables, indexes, views, schemas, settings, and what only the host can do.

pub mod analyze;
pub mod follow_up;
pub mod procedure;
pub mod settings;
pub mod table;
pub mod transaction;

mod comment;
mod context;
mod dependents;
mod drop;
mod index;
mod prepare;
mod removal;
mod rows;
mod schema;
mod source;
mod truncate;
mod unfinished;
mod view;

pub use context::DefineContext;

use crate::error::{Error, Result};
use crate::host::OutputColumn;
use crate::statement::Outcome;
use sqlparser::ast::{ObjectType, Statement};

/// Runs any statement but queries, EXPLAIN and COPY.
pub fn execute(context: &DefineContext, statement: &Statement) -> Result<Outcome> {
    match statement {
        Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Savepoint { .. }
        | Statement::ReleaseSavepoint { .. } => transaction::execute(statement),
        Statement::Set(set) => settings::set(context, set),
        Statement::Reset(reset) => settings::reset(reset),
        Statement::ShowVariable { variable } => settings::show(context, variable),
        Statement::Discard { object_type } => settings::discard(object_type),
        Statement::Prepare { name, data_types, .. } => prepare::prepare(context, name, data_types),
        Statement::Execute { name, parameters, .. } => prepare::execute(context, name.as_ref(), parameters),
        Statement::Deallocate { name, .. } => prepare::deallocate(name),
        Statement::CreateTable(create) => table::create(context, create),
        Statement::AlterTable(alter) => table::alter::execute(context, alter),
        Statement::Truncate(truncate) => truncate::execute(context, truncate),
        Statement::CreateIndex(create) => index::create::execute(context, create),
        Statement::AlterIndex { name, operation } => index::alter::execute(context, name, operation),
        Statement::CreateView(create) => view::create(context, create),
        Statement::CreateSchema { schema_name, if_not_exists, .. } => {
            schema::create(context, schema_name, *if_not_exists)
        }
        Statement::Comment { object_type, object_name, comment, if_exists } => {
            comment::execute(context, *object_type, object_name, comment.as_deref(), *if_exists)
        }
        Statement::Drop { object_type, if_exists, names, cascade, temporary: false, table: None, .. } => {
            match object_type {
                ObjectType::Table => drop::tables(context, names, *if_exists, *cascade),
                ObjectType::View => drop::views(context, names, *if_exists, *cascade),
                ObjectType::Index => index::drop(context, names, *if_exists),
                ObjectType::Schema => schema::drop(context, names, *if_exists, *cascade),
                other => Err(Error::not_supported(format!("DROP {other}"))),
            }
        }
        Statement::Analyze(analyze) => analyze::execute(context, analyze),
        // Old versions are collected in the background.
        Statement::Vacuum(_) => Ok(complete("VACUUM")),
        other => Err(Error::not_supported(first_words(&other.to_string()))),
    }
}

/// What a statement answers that is no query: SHOW's column.
pub fn columns(statement: &Statement) -> Option<Vec<OutputColumn>> {
    match statement {
        Statement::ShowVariable { variable } => Some(settings::show_columns(variable)),
        _ => None,
    }
}

fn complete(tag: &str) -> Outcome {
    Outcome::Complete { tag: tag.into(), follow_up: vec![] }
}

/// The words in capitals that a statement begins with, which name it.
fn first_words(sql: &str) -> String {
    let is_keyword = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase());
    let words: Vec<&str> = sql.split_whitespace().take_while(is_keyword).take(3).collect();
    if words.is_empty() { "this statement".into() } else { words.join(" ") }
}
