//! A new procedure, or a new version of one.

use super::super::{DefineContext, complete};
use super::description::{self, DescribedRoutine, Description};
use super::{VERSIONS_MAX, component, dependents};
use crate::access;
use crate::catalog::procedure::{Procedure, ProcedureVersion, Routine};
use crate::catalog::store;
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use std::collections::BTreeMap;

pub fn execute(context: &DefineContext, input: &[u8]) -> Result<Outcome> {
    let description = description::read(input)?;
    let previous = context.catalog.procedure(&description.name).map(|procedure| &**procedure);
    match previous {
        Some(previous) => context.may_deploy(previous)?,
        None => {
            let schema = context.schema(access::PROCEDURE_SCHEMA)?;
            context.host.check(&[access::schema(Action::Deploy, schema)])?;
        }
    }
    check_names(context, &description)?;

    // Routines keep their oids over all versions.
    let mut oids: BTreeMap<&str, u32> = BTreeMap::new();
    for version in previous.iter().flat_map(|procedure| &procedure.versions) {
        oids.extend(version.routines.iter().map(|routine| (routine.name.as_str(), routine.oid)));
    }
    let new: Vec<&str> = description
        .routines
        .iter()
        .map(|routine| routine.name.as_str())
        .filter(|name| !oids.contains_key(name))
        .collect();
    let needed = new.len() as u32 + u32::from(previous.is_none());
    let mut next = if needed == 0 { 0 } else { store::allocate_oids(context.host, needed)? };
    let mut take = || {
        next += 1;
        next - 1
    };
    oids.extend(new.into_iter().map(|name| (name, take())));

    let version = ProcedureVersion {
        number: previous.and_then(|procedure| procedure.versions.last()).map_or(1, |last| last.number + 1),
        digest: description.digest()?,
        size: description.size,
        definer: description.definer,
        deployed_at: description.deployed_at,
        imports: description.imports.clone(),
        routines: description.routines.iter().map(|routine| self::routine(routine, &oids)).collect::<Result<_>>()?,
    };
    let mut procedure = match previous {
        Some(previous) => previous.clone(),
        None => Procedure {
            id: take(),
            name: description.name.clone(),
            owner: context.settings.user.clone(),
            limits: Default::default(),
            active: 0,
            versions: vec![],
        },
    };
    if let Some(previous) = previous {
        dependents::check_change(context, previous, &version)?;
    }
    component::claim(context, &version.digest)?;
    procedure.active = version.number;
    procedure.versions.push(version);
    let surplus = procedure.versions.len().saturating_sub(VERSIONS_MAX);
    let removed: Vec<ProcedureVersion> = procedure.versions.drain(..surplus).collect();
    component::release(context, &removed, Some(&procedure), &[procedure.id])?;
    store::put_procedure(context.host, previous, &procedure)?;
    Ok(complete("DEPLOY PROCEDURE"))
}

/// 42723 where a routine has the name of another procedure's.
fn check_names(context: &DefineContext, description: &Description) -> Result<()> {
    for routine in &description.routines {
        let Some(taken) = context.catalog.routine(Some("public"), &routine.name, &[]) else { continue };
        if taken.target.procedure != description.name {
            let message = format!(
                "procedure \"{}\" exports function \"{}\", which procedure \"{}\" has already",
                description.name, routine.name, taken.target.procedure
            );
            return Err(Error::new(sqlstate::DUPLICATE_FUNCTION, message)
                .hint("Rename the exported function, or drop the other procedure."));
        }
    }
    Ok(())
}

fn routine(described: &DescribedRoutine, oids: &BTreeMap<&str, u32>) -> Result<Routine> {
    Ok(Routine {
        oid: oids.get(described.name.as_str()).copied().unwrap_or_default(),
        export: described.export.clone(),
        name: described.name.clone(),
        parameters: described.parameters()?,
        returns: described.returns(),
        columns: described.columns()?,
    })
}
