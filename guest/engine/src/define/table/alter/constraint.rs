//! Adding and dropping constraints of a table that may have rows.

use super::super::Draft;
use super::column::contains_nulls;
use crate::catalog::Relation;
use crate::define::{removal, rows};
use crate::error::{Error, Result, sqlstate};
use crate::execute::Execution;
use crate::execute::expression::evaluate;
use crate::modify::writer::{Row, TableWriter};
use crate::types::Value;
use sqlparser::ast::TableConstraint;

pub fn add(draft: &mut Draft, constraint: &TableConstraint) -> Result<()> {
    match draft.add_constraint(constraint)? {
        Some(index) => apply_index(draft, index),
        None => check_all(draft),
    }
}

/// Makes the stored rows follow a key that the draft has got.
pub fn apply_index(draft: &mut Draft, index: usize) -> Result<()> {
    if !draft.relation.indexes[index].primary {
        return draft.fill_index(index);
    }
    let Some(previous) = draft.previous().cloned() else { return Ok(()) };
    // Rows may lack columns that this statement adds.
    let before =
        Relation { columns: draft.relation.columns.clone(), indexes: previous.indexes.clone(), ..(*previous).clone() };
    let keys: Vec<usize> = draft.relation.indexes[index].columns.iter().map(|column| column.column).collect();
    let relation = draft.relation.clone();
    rekey(draft, &before, &mut |rows| {
        for row in rows {
            if let Some(position) = keys.iter().find(|position| row.values[**position].is_null()) {
                return Err(contains_nulls(&relation, *position));
            }
        }
        Ok(())
    })
}

/// Rows of a table that has lost its primary key get ids instead.
pub fn drop_primary_key(draft: &mut Draft) -> Result<()> {
    let before = draft.relation.clone();
    draft.relation.indexes.retain(|index| !index.primary);
    rekey(draft, &before, &mut |_| Ok(()))
}

fn rekey(draft: &Draft, before: &Relation, check: &mut dyn FnMut(&[Row]) -> Result<()>) -> Result<()> {
    let functions = draft.context.functions();
    let mut writer = TableWriter::new(draft.context.host, &functions, &draft.relation)?;
    rows::rewrite(&mut writer, before, &mut |rows| {
        check(rows)?;
        Ok(rows.iter().map(|row| row.values.clone()).collect())
    })
}

/// 23514 when a stored row does not satisfy one of the draft's CHECKs that were not there before.
pub fn check_all(draft: &Draft) -> Result<()> {
    rows::guard(draft.context.host, &draft.relation)?;
    let known = draft.previous().map(|previous| previous.checks.as_slice()).unwrap_or_default();
    for check in draft.relation.checks.iter().filter(|check| !known.contains(check)) {
        let compiled = draft.context.check(&draft.relation, &check.expression)?;
        let context = draft.context.execute_context();
        let execution = Execution::without_plan(&context);
        rows::each_chunk(draft.context.host, &draft.relation, None, &mut |rows| {
            let holds = evaluate(&execution, &compiled, &rows::columns(&draft.relation, &rows))?;
            if (0..rows.len()).any(|row| matches!(holds.value(row), Value::Boolean(false))) {
                let message = format!(
                    "check constraint \"{}\" of relation \"{}\" is violated by some row",
                    check.name, draft.relation.name
                );
                let mut error = Error::new(sqlstate::CHECK_VIOLATION, message);
                error.0.table_name = Some(draft.relation.name.clone());
                error.0.constraint_name = Some(check.name.clone());
                return Err(error);
            }
            Ok(true)
        })?;
    }
    Ok(())
}

pub fn drop(draft: &mut Draft, name: &str, if_exists: bool, follow_up: &mut Vec<String>) -> Result<()> {
    if let Some(at) = draft.relation.checks.iter().position(|check| check.name == name) {
        draft.relation.checks.remove(at);
        return Ok(());
    }
    let found = draft.relation.indexes.iter().find(|index| index.constraint && index.name == name);
    match found.map(|index| (index.primary, index.id)) {
        Some((true, _)) => drop_primary_key(draft),
        Some((false, id)) => {
            draft.relation.indexes.retain(|index| index.id != id);
            follow_up.extend(removal::index(draft.context, draft.relation.id, id)?);
            Ok(())
        }
        None => {
            let missing = missing(draft, name);
            if if_exists {
                draft.context.notice("00000", &format!("{}, skipping", missing.message()));
                return Ok(());
            }
            Err(missing)
        }
    }
}

fn missing(draft: &Draft, name: &str) -> Error {
    let message = format!("constraint \"{name}\" of relation \"{}\" does not exist", draft.relation.name);
    Error::new(sqlstate::UNDEFINED_OBJECT, message)
}

/// Every CHECK holds for every row since it was added: there is nothing to do for one that is there.
pub fn validate(draft: &Draft, name: &str) -> Result<()> {
    if draft.relation.checks.iter().any(|check| check.name == name) {
        return Ok(());
    }
    if draft.relation.indexes.iter().any(|index| index.constraint && index.name == name) {
        let message = format!(
            "constraint \"{name}\" of relation \"{}\" is not a foreign key or check constraint",
            draft.relation.name
        );
        return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message));
    }
    Err(missing(draft, name))
}
