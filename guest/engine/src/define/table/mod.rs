//! CREATE TABLE, and ALTER TABLE in `alter`.

pub mod alter;
pub mod column;

mod constraint;
mod draft;
mod generated_name;

pub use constraint::{KeyDefinition, named_columns};
pub use draft::Draft;

use super::DefineContext;
use crate::bind::logical::PlanColumn;
use crate::bind::name::{fold, qualified};
use crate::catalog::{Relation, TableColumn};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use crate::types::DataType;
use sqlparser::ast::{CreateTable, CreateTableLikeDefaults, CreateTableLikeKind};

pub fn create(context: &DefineContext, create: &CreateTable) -> Result<Outcome> {
    check_form(create)?;
    if let Some(draft) = begin(context, create)? {
        let mut draft = draft;
        if let Some(CreateTableLikeKind::Parenthesized(like) | CreateTableLikeKind::Plain(like)) = &create.like {
            let source = context.table(&like.name)?;
            context.may(Action::Select, &source)?;
            let with_defaults = matches!(like.defaults, Some(CreateTableLikeDefaults::Including));
            draft.relation.columns.extend(source.live_columns().map(|(_, column)| TableColumn {
                default: column.default.clone().filter(|_| with_defaults),
                missing: None,
                ..column.clone()
            }));
        }
        draft.add_columns(&create.columns)?;
        draft.add_constraints(&create.columns, &create.constraints)?;
        draft.finish()?;
    }
    Ok(super::complete("CREATE TABLE"))
}

/// Makes the table of CREATE TABLE AS, without rows; none when it exists already and that is fine.
pub fn create_as(context: &DefineContext, create: &CreateTable, produced: &[PlanColumn]) -> Result<Option<Relation>> {
    check_form(create)?;
    let Some(mut draft) = begin(context, create)? else { return Ok(None) };
    if create.columns.len() > produced.len() {
        return Err(Error::new(sqlstate::SYNTAX_ERROR, "too many column names were specified"));
    }
    for (position, column) in produced.iter().enumerate() {
        draft.relation.columns.push(TableColumn {
            name: create.columns.get(position).map_or_else(|| column.name.clone(), |column| fold(&column.name)),
            data_type: if column.data_type == DataType::Unknown { DataType::Text } else { column.data_type },
            modifier: column.modifier,
            not_null: false,
            default: None,
            dropped: false,
            missing: None,
        });
    }
    column::check_columns(&draft.relation.columns)?;
    Ok(Some(draft.finish()?))
}

/// A draft with the table's name, unless a table with that name exists and IF NOT EXISTS allows it.
fn begin<'a>(context: &'a DefineContext<'a>, create: &CreateTable) -> Result<Option<Draft<'a>>> {
    let name = qualified(&create.name)?;
    let schema = context.target_schema(&name)?;
    if context.is_taken(&schema, &name.name) {
        if create.if_not_exists {
            let message = format!("relation \"{}\" already exists, skipping", name.name);
            context.notice(sqlstate::DUPLICATE_TABLE, &message);
            return Ok(None);
        }
        return Err(Error::new(sqlstate::DUPLICATE_TABLE, format!("relation \"{}\" already exists", name.name)));
    }
    Draft::new(context, schema, name.name).map(Some)
}

/// Refuses what a table cannot be here.
fn check_form(create: &CreateTable) -> Result<()> {
    let refused = [
        (create.temporary, "a temporary table"),
        (create.or_replace, "CREATE OR REPLACE TABLE"),
        (create.external, "an external table"),
        (create.inherits.is_some(), "table inheritance"),
        (create.partition_by.is_some() || create.partition_of.is_some(), "table partitioning"),
        (create.on_commit.is_some(), "ON COMMIT"),
        (create.clone.is_some(), "CLONE"),
    ];
    match refused.into_iter().find(|(is_asked, _)| *is_asked) {
        Some((_, what)) => Err(Error::not_supported(what)),
        None => Ok(()),
    }
}
