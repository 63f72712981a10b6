//! DROP PROCEDURE, FUNCTION and ROUTINE.

use super::super::dependents::{notice_cascade, still_needed};
use super::super::{DefineContext, drop};
use super::{component, dependents, find};
use crate::catalog::procedure::Procedure;
use crate::catalog::{Relation, store};
use crate::error::{Result, sqlstate};
use crate::parse::ProcedureName;
use crate::statement::Outcome;
use std::rc::Rc;

pub fn execute(
    context: &DefineContext,
    kind: &str,
    names: &[ProcedureName],
    if_exists: bool,
    cascade: bool,
) -> Result<Outcome> {
    let mut procedures: Vec<Rc<Procedure>> = vec![];
    for name in names {
        match find(context, kind, name) {
            Ok(procedure) if procedures.iter().any(|known| known.id == procedure.id) => {}
            Ok(procedure) => {
                context.may_deploy(procedure)?;
                procedures.push(procedure.clone());
            }
            Err(error) if if_exists && error.sqlstate() == sqlstate::UNDEFINED_FUNCTION => {
                let kind = kind.to_ascii_lowercase();
                context.notice("00000", &format!("{kind} \"{}\" does not exist, skipping", name.name));
            }
            Err(error) => return Err(error),
        }
    }
    let mut views: Vec<Rc<Relation>> = vec![];
    for procedure in &procedures {
        let what = format!("procedure {}", procedure.name);
        let Some(version) = procedure.active_version() else { continue };
        let mut lines = vec![];
        for (view, routine) in dependents::views(context, version)? {
            lines.push(format!("view {} depends on function {}", context.shown(&view), routine.signature()));
            if !views.iter().any(|known| known.id == view.id) {
                views.push(view);
            }
        }
        if !cascade && !lines.is_empty() {
            return Err(still_needed(&what, &lines));
        }
    }
    notice_cascade(context, &views.iter().map(|view| format!("view {}", context.shown(view))).collect::<Vec<_>>());
    let follow_up = drop::relations(context, &views, "view", true)?;
    let gone: Vec<u32> = procedures.iter().map(|procedure| procedure.id).collect();
    let versions: Vec<_> = procedures.iter().flat_map(|procedure| procedure.versions.clone()).collect();
    component::release(context, &versions, None, &gone)?;
    for procedure in &procedures {
        store::delete_procedure(context.host, procedure)?;
    }
    Ok(Outcome::Complete { tag: format!("DROP {kind}"), follow_up })
}
