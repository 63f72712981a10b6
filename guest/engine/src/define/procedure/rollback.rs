//! Calls run an earlier version again, or a later one.

use super::super::{DefineContext, complete};
use super::{dependents, undefined};
use crate::catalog::store;
use crate::error::{Error, Result, sqlstate};
use crate::statement::Outcome;

pub fn execute(context: &DefineContext, name: &str, number: Option<u32>) -> Result<Outcome> {
    let previous = context.catalog.procedure(name).ok_or_else(|| undefined("procedure", name))?;
    context.may_deploy(previous)?;
    let version = match number {
        Some(number) => previous.version(number),
        None => previous.versions.iter().rev().find(|version| version.number < previous.active),
    };
    let version = version.ok_or_else(|| {
        let what = number.map_or("version before the active one".into(), |number| format!("version {number}"));
        Error::new(sqlstate::UNDEFINED_OBJECT, format!("procedure \"{name}\" has no {what}"))
            .hint("The versions that are kept are in isobar.procedure_versions.")
    })?;
    for routine in &version.routines {
        if let Some(taken) = context.catalog.routine(Some("public"), &routine.name, &[])
            && taken.target.procedure_id != previous.id
        {
            let message = format!(
                "version {} of procedure \"{name}\" exports function \"{}\", which procedure \"{}\" has now",
                version.number, routine.name, taken.target.procedure
            );
            return Err(Error::new(sqlstate::DUPLICATE_FUNCTION, message));
        }
    }
    dependents::check_change(context, previous, version)?;
    let mut procedure = (**previous).clone();
    procedure.active = version.number;
    store::put_procedure(context.host, Some(previous), &procedure)?;
    Ok(complete("ROLLBACK PROCEDURE"))
}
