//! Deploying, rolling back, changing and dropping stored procedures.

mod alter;
mod component;
mod dependents;
mod deploy;
mod description;
mod drop;
mod rollback;

use super::DefineContext;
use crate::catalog::procedure::{Procedure, limit};
use crate::error::{Error, Result, sqlstate};
use crate::parse::{ProcedureName, ProcedureStatement};
use crate::statement::Outcome;
use std::rc::Rc;

/// Versions that a procedure keeps.
const VERSIONS_MAX: usize = 100;

/// What the host's own statements begin with; no user's can, as U+0000 is in no SQL.
const DEPLOY: &str = "\0isobar deploy";
const ROLLBACK: &str = "\0isobar rollback ";

/// A statement of the host's own about procedures (`docs/procedures.md`).
pub enum Internal<'a> {
    /// What to deploy is in the request's input, as JSON.
    Deploy,
    /// The version before the active one, or that with a number.
    Rollback { name: &'a str, version: Option<u32> },
}

/// None when the text is another statement.
pub fn internal(sql: &str) -> Option<Internal<'_>> {
    if sql == DEPLOY {
        return Some(Internal::Deploy);
    }
    let rest = sql.strip_prefix(ROLLBACK)?;
    // A name may have blanks in it; a version is a number behind the last one.
    let numbered = rest.rsplit_once(' ').and_then(|(name, version)| Some((name, version.parse().ok()?)));
    Some(match numbered {
        Some((name, version)) => Internal::Rollback { name, version: Some(version) },
        None => Internal::Rollback { name: rest, version: None },
    })
}

pub fn run_internal(context: &DefineContext, statement: &Internal, input: Option<&[u8]>) -> Result<Outcome> {
    match statement {
        Internal::Deploy => deploy::execute(context, input.unwrap_or_default()),
        Internal::Rollback { name, version } => rollback::execute(context, name, *version),
    }
}

pub fn execute(context: &DefineContext, statement: &ProcedureStatement) -> Result<Outcome> {
    match statement {
        ProcedureStatement::Drop { kind, names, if_exists, cascade } => {
            drop::execute(context, kind, names, *if_exists, *cascade)
        }
        ProcedureStatement::Alter { kind, name, change } => alter::procedure(context, kind, name, change),
        ProcedureStatement::System { limit, value } => alter::system(context, limit.as_deref(), *value),
    }
}

/// The statement's name, for messages.
pub fn command(statement: &ProcedureStatement) -> &'static str {
    match statement {
        ProcedureStatement::Drop { kind: "FUNCTION", .. } => "DROP FUNCTION",
        ProcedureStatement::Drop { kind: "ROUTINE", .. } => "DROP ROUTINE",
        ProcedureStatement::Drop { .. } => "DROP PROCEDURE",
        ProcedureStatement::Alter { kind: "FUNCTION", .. } => "ALTER FUNCTION",
        ProcedureStatement::Alter { kind: "ROUTINE", .. } => "ALTER ROUTINE",
        ProcedureStatement::Alter { .. } => "ALTER PROCEDURE",
        ProcedureStatement::System { .. } => "ALTER SYSTEM",
    }
}

/// A procedure by its own name. 42809 where it is that of a routine of another one, 42883 where there is none.
fn find<'c>(context: &'c DefineContext, kind: &str, name: &ProcedureName) -> Result<&'c Rc<Procedure>> {
    if let Some(schema) = &name.schema {
        context.schema(schema)?;
    }
    let in_public = name.schema.as_deref().is_none_or(|schema| schema == "public");
    if let Some(procedure) = context.catalog.procedure(&name.name).filter(|_| in_public) {
        return Ok(procedure);
    }
    let kind = kind.to_ascii_lowercase();
    match context.catalog.routine(Some("public"), &name.name, &[]).filter(|_| in_public) {
        Some(callable) => {
            let procedure = &callable.target.procedure;
            let message = format!("\"{}\" is a function of procedure \"{procedure}\"", name.name);
            Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message)
                .hint(format!("A procedure is changed and dropped as a whole, by its name \"{procedure}\"."))
                .at(name.position))
        }
        None => Err(undefined(&kind, &name.name).at(name.position)),
    }
}

/// 42883
fn undefined(kind: &str, name: &str) -> Error {
    Error::new(sqlstate::UNDEFINED_FUNCTION, format!("could not find a {kind} named \"{name}\""))
}

/// 22023 where no limit has this name.
fn check_limit(name: &str) -> Result<()> {
    match limit(&Default::default(), name) {
        Some(_) => Ok(()),
        None => Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("procedures have no limit \"{name}\""))
            .hint(format!("The limits are {}.", crate::catalog::procedure::LIMITS.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollbacks_name_a_version_or_none() {
        for (sql, expected) in [
            ("\0isobar rollback ledger", ("ledger", None)),
            ("\0isobar rollback ledger 3", ("ledger", Some(3))),
            ("\0isobar rollback my ledger 3", ("my ledger", Some(3))),
            ("\0isobar rollback my ledger", ("my ledger", None)),
        ] {
            let Some(Internal::Rollback { name, version }) = internal(sql) else { panic!("{sql}") };
            assert_eq!((name, version), expected);
        }
        assert!(internal("select 1").is_none());
        assert!(internal("\0isobar resume").is_none());
    }
}
