//! ON CONFLICT (PostgreSQL 15, INSERT, "ON CONFLICT Clause").

use super::super::binder::Binder;
use super::super::logical::{ConflictUpdate, OnConflict};
use super::super::name::{fold, qualified};
use super::super::scope::{FromNames, Scope};
use super::super::site::{Clause, Site};
use super::Target;
use crate::catalog::Index;
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use sqlparser::ast::{self, ConflictTarget, DoUpdate, Ident, OnConflictAction};

impl Binder<'_> {
    pub fn on_conflict(
        &mut self,
        target: &Target,
        conflict: &ast::OnConflict,
        outer: Option<&Scope>,
    ) -> Result<OnConflict> {
        let ast::OnConflict { conflict_target, action } = conflict;
        let arbiters = match conflict_target {
            None => None,
            Some(ConflictTarget::Columns(columns)) => Some(inferred(target, columns)?),
            Some(ConflictTarget::OnConstraint(name)) => {
                let name = qualified(name)?;
                let found = target.relation.indexes.iter().find(|index| index.constraint && index.name == name.name);
                let index = found.filter(|index| index.unique).ok_or_else(|| {
                    let message =
                        format!("constraint \"{}\" for table \"{}\" does not exist", name.name, target.relation.name);
                    Error::new(sqlstate::UNDEFINED_OBJECT, message)
                })?;
                Some(vec![index.id])
            }
        };
        if arbiters.is_some() {
            self.access(Action::Select, &target.relation);
        }
        let update = match action {
            OnConflictAction::DoNothing => None,
            OnConflictAction::DoUpdate(update) if arbiters.is_some() => {
                Some(self.conflict_update(target, update, outer)?)
            }
            OnConflictAction::DoUpdate(_) => {
                let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
                return Err(Error::new(sqlstate::SYNTAX_ERROR, message).hint("For example, ON CONFLICT (column_name)."));
            }
        };
        Ok(OnConflict { arbiters, update })
    }

    fn conflict_update(&mut self, target: &Target, update: &DoUpdate, outer: Option<&Scope>) -> Result<ConflictUpdate> {
        let DoUpdate { assignments, selection } = update;
        self.access(Action::Update, &target.relation);
        let proposed = Target { relation: target.relation.clone(), alias: "excluded".into(), schema: None };
        let existing = self.row_ids(target);
        let excluded = self.row_ids(&proposed);
        let names = FromNames::single(target.table(&existing)).join(FromNames::single(proposed.table(&excluded)))?;
        let scope = Scope::inside(outer, names);
        let mut site = Site::new(&scope, Clause::Update);
        let assignments = self.assignments(&mut site, target, assignments)?;
        let filter = match selection {
            Some(selection) => Some(self.boolean(&mut Site::new(&scope, Clause::Where), selection, "WHERE")?),
            None => None,
        };
        Ok(ConflictUpdate { existing, excluded, assignments, filter })
    }
}

/// The unique indexes over just these columns, in any order.
fn inferred(target: &Target, columns: &[Ident]) -> Result<Vec<u32>> {
    let mut places = vec![];
    for column in columns {
        let name = fold(column);
        let place = target.relation.live_columns().find(|(_, candidate)| candidate.name == name);
        let (place, _) = place.ok_or_else(|| {
            let message = format!("column \"{name}\" does not exist");
            Error::new(sqlstate::UNDEFINED_COLUMN, message)
        })?;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let covers = |index: &&Index| {
        index.unique
            && index.columns.len() == places.len()
            && index.columns.iter().all(|column| places.contains(&column.column))
    };
    let arbiters: Vec<u32> = target.relation.indexes.iter().filter(covers).map(|index| index.id).collect();
    if arbiters.is_empty() {
        let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        return Err(Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message));
    }
    Ok(arbiters)
}
