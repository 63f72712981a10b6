//! ALTER INDEX … RENAME.

use super::super::{DefineContext, complete, table::Draft};
use crate::bind::name::{fold, qualified, simple};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use sqlparser::ast::{AlterIndexOperation, ObjectName};

pub fn execute(context: &DefineContext, name: &ObjectName, operation: &AlterIndexOperation) -> Result<Outcome> {
    let AlterIndexOperation::RenameIndex { index_name } = operation;
    let name = qualified(name)?;
    let (relation, position) = context.find_index(&name).ok_or_else(|| {
        Error::new(sqlstate::UNDEFINED_TABLE, format!("relation \"{}\" does not exist", name.shown()))
    })?;
    context.may(Action::Ddl, &relation)?;
    let mut draft = Draft::of(context, &relation)?;
    let new = fold(simple(index_name)?);
    if draft.is_taken(&new) {
        return Err(Error::new(sqlstate::DUPLICATE_TABLE, format!("relation \"{new}\" already exists")));
    }
    draft.relation.indexes[position].name = new;
    draft.finish()?;
    Ok(complete("ALTER INDEX"))
}
