//! ALTER PROCEDURE, and the limits of ALTER SYSTEM.

use super::super::{DefineContext, complete};
use super::{check_limit, find};
use crate::access;
use crate::catalog::procedure::limit_mut;
use crate::catalog::store;
use crate::error::{Error, Result, sqlstate};
use crate::host::{Action, ProcedureLimits};
use crate::parse::{ProcedureChange, ProcedureName};
use crate::statement::Outcome;

/// Limits that let nothing run when they are 0.
const POSITIVE: [&str; 4] = ["memory_kib", "wall_ms", "stack_kib", "concurrent_calls"];

pub fn procedure(
    context: &DefineContext,
    kind: &str,
    name: &ProcedureName,
    change: &ProcedureChange,
) -> Result<Outcome> {
    let previous = find(context, kind, name)?;
    context.may_deploy(previous)?;
    let mut procedure = (**previous).clone();
    match change {
        ProcedureChange::Set { limit, value } => set(&mut procedure.limits, limit, Some(*value))?,
        ProcedureChange::Reset(Some(limit)) => set(&mut procedure.limits, limit, None)?,
        ProcedureChange::Reset(None) => procedure.limits = ProcedureLimits::default(),
        ProcedureChange::Owner(owner) => {
            context.check_taking(owner, &previous.owner)?;
            procedure.owner.clone_from(owner);
        }
    }
    store::put_procedure(context.host, Some(previous), &procedure)?;
    Ok(complete(&format!("ALTER {kind}")))
}

/// `limit` none: all of them.
pub fn system(context: &DefineContext, limit: Option<&str>, value: Option<u32>) -> Result<Outcome> {
    context.host.check(&[access::database(Action::Admin)])?;
    let mut limits = context.catalog.procedure_limits().clone();
    match limit {
        Some(limit) => set(&mut limits, limit, value)?,
        None => limits = ProcedureLimits::default(),
    }
    store::put_procedure_limits(context.host, &limits)?;
    Ok(complete("ALTER SYSTEM"))
}

fn set(limits: &mut ProcedureLimits, name: &str, value: Option<u32>) -> Result<()> {
    check_limit(name)?;
    if value == Some(0) && POSITIVE.contains(&name) {
        let message = format!("invalid value for the limit \"{name}\": 0");
        return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, message).hint("It must be 1 at least."));
    }
    if let Some(limit) = limit_mut(limits, name) {
        *limit = value;
    }
    Ok(())
}
