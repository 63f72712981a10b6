//! Views whose text calls routines.

use super::super::DefineContext;
use crate::bind::name::fold;
use crate::catalog::procedure::{Procedure, ProcedureVersion, Routine};
use crate::catalog::{Relation, RelationKind, View};
use crate::error::{Error, Result, sqlstate};
use crate::parse;
use sqlparser::ast::{Expr, ObjectName, ObjectNamePart, TableFactor, Visit, Visitor};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Views that call routines of a version themselves, with the first of those.
pub fn views<'v>(context: &DefineContext, version: &'v ProcedureVersion) -> Result<Vec<(Rc<Relation>, &'v Routine)>> {
    let mut found = vec![];
    for relation in context.catalog.user_relations() {
        let RelationKind::View(View { sql, .. }) = &relation.kind else { continue };
        // Few views call any: most are not parsed.
        if !version.routines.iter().any(|routine| sql.to_lowercase().contains(&routine.name.to_lowercase())) {
            continue;
        }
        let called = called(sql)?;
        if let Some(routine) = version.routines.iter().find(|routine| called.contains(&routine.name)) {
            found.push((relation.clone(), routine));
        }
    }
    Ok(found)
}

/// 2BP01 where a view calls a routine that the new version has not, or has with other parameters or results.
pub fn check_change(context: &DefineContext, procedure: &Procedure, new: &ProcedureVersion) -> Result<()> {
    let Some(active) = procedure.active_version() else { return Ok(()) };
    let changed = active.routines.iter().filter(|routine| {
        let same = new.routines.iter().find(|candidate| candidate.name == routine.name);
        same.is_none_or(|same| !same.has_signature_of(routine))
    });
    let changed = ProcedureVersion { routines: changed.cloned().collect(), ..active.clone() };
    let Some((view, routine)) = views(context, &changed)?.into_iter().next() else { return Ok(()) };
    let what = match new.routines.iter().any(|candidate| candidate.name == routine.name) {
        true => "has other parameters or results",
        false => "is not there",
    };
    let message = format!(
        "cannot change procedure \"{}\": view {} calls function {}, which {what} in the new version",
        procedure.name,
        context.shown(&view),
        routine.signature()
    );
    Err(Error::new(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST, message)
        .hint("Drop the view first, and create it again afterwards."))
}

/// The names of all functions that a query calls.
fn called(sql: &str) -> Result<BTreeSet<String>> {
    #[derive(Default)]
    struct Calls(BTreeSet<String>);
    impl Calls {
        fn note(&mut self, name: &ObjectName) {
            if let Some(ObjectNamePart::Identifier(name)) = name.0.last() {
                self.0.insert(fold(name));
            }
        }
    }
    impl Visitor for Calls {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let Expr::Function(function) = expression {
                self.note(&function.name);
            }
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::Function { name, .. } | TableFactor::Table { name, args: Some(_), .. } = factor {
                self.note(name);
            }
            ControlFlow::Continue(())
        }
    }
    let mut calls = Calls::default();
    let _ = parse::parse(sql)?.visit(&mut calls);
    Ok(calls.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_wherever_they_stand() {
        let found = called("select f(1), (select public.G(x) from h(2) join lateral i(3) on j()) from t").unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["f", "g", "h", "i", "j"]);
    }
}
