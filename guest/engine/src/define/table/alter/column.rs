//! Adding, dropping and constraining columns.

use super::super::{Draft, column, named_columns};
use crate::bind::{Expression, is_volatile};
use crate::catalog::Relation;
use crate::define::dependents::{notice_cascade, still_needed, views_on_column};
use crate::define::{drop as drop_relations, removal, rows};
use crate::encode::value;
use crate::error::{Error, Result, sqlstate};
use crate::modify::writer::{Row, TableWriter};
use crate::parse;
use crate::types::Value;
use sqlparser::ast::{ColumnDef, ColumnOption, Expr};

pub fn add(draft: &mut Draft, definition: &ColumnDef, if_not_exists: bool) -> Result<()> {
    let column = column::plain(definition)?;
    if draft.relation.live_columns().any(|(_, known)| known.name == column.name) {
        let message = format!("column \"{}\" of relation \"{}\" already exists", column.name, draft.relation.name);
        if if_not_exists {
            draft.context.notice(sqlstate::DUPLICATE_COLUMN, &format!("{message}, skipping"));
            return Ok(());
        }
        return Err(Error::new(sqlstate::DUPLICATE_COLUMN, message));
    }
    let before = draft.relation.clone();
    let position = draft.relation.columns.len();
    draft.relation.columns.push(column);
    column::check_columns(&draft.relation.columns)?;
    let is_key = |option: &ColumnOption| matches!(option, ColumnOption::PrimaryKey(_) | ColumnOption::Unique(_));
    let has_key = definition.options.iter().any(|option| is_key(&option.option));
    let has_check = definition.options.iter().any(|option| matches!(option.option, ColumnOption::Check(_)));
    let had = draft.relation.indexes.len();
    draft.add_constraints(std::slice::from_ref(definition), &[])?;

    rows::guard(draft.context.host, &before)?;
    let has_rows = rows::has_more_than(draft.context.host, &before, 0)?;
    let default = draft.relation.columns[position].default.clone();
    if !has_rows {
        return Ok(());
    }
    let added = &draft.relation.columns[position];
    let bound = default.map(|sql| draft.context.constant(&sql, added.data_type, added.modifier)).transpose()?;
    let value = match &bound {
        Some(bound) if is_volatile(bound) => return add_to_each_row(draft, &before, bound),
        Some(bound) => draft.context.evaluate(bound)?,
        None => Value::Null,
    };
    if value.is_null() && added.not_null {
        return Err(contains_nulls(&draft.relation, position));
    }
    if !value.is_null() {
        let mut bytes = vec![];
        value::encode(&value, &mut bytes)?;
        draft.relation.columns[position].missing = Some(bytes);
    }
    if has_check {
        super::constraint::check_all(draft)?;
    }
    if has_key {
        for index in had..draft.relation.indexes.len() {
            super::constraint::apply_index(draft, index)?;
        }
    }
    Ok(())
}

/// Gives every row a value of its own for the column that the draft has got.
fn add_to_each_row(draft: &Draft, before: &Relation, default: &Expression) -> Result<()> {
    let position = draft.relation.columns.len() - 1;
    let functions = draft.context.functions();
    let mut writer = TableWriter::new(draft.context.host, &functions, &draft.relation)?;
    let with_default = |row: &Row| {
        let mut values = row.values.clone();
        values.push(draft.context.evaluate(default)?);
        if values[position].is_null() && draft.relation.columns[position].not_null {
            return Err(contains_nulls(&draft.relation, position));
        }
        Ok(values)
    };
    rows::rewrite(&mut writer, before, &mut |rows| rows.iter().map(with_default).collect())?;
    super::constraint::check_all(draft)
}

pub fn drop(draft: &mut Draft, name: &str, if_exists: bool, cascade: bool, follow_up: &mut Vec<String>) -> Result<()> {
    let relation_name = draft.relation.name.clone();
    let message = || format!("column \"{name}\" of relation \"{relation_name}\" does not exist");
    let position = match draft.position(name, message) {
        Ok(position) => position,
        Err(_) if if_exists => {
            draft.context.notice("00000", &format!("{}, skipping", message()));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let views = views_on_column(draft.context, &draft.relation, position)?;
    if !views.is_empty() {
        let what = format!("column {name} of table {relation_name}");
        let shown: Vec<String> = views.iter().map(|view| format!("view {}", draft.context.shown(view))).collect();
        if !cascade {
            let depends: Vec<_> = shown.iter().map(|view| format!("{view} depends on {what}")).collect();
            return Err(still_needed(&what, &depends));
        }
        notice_cascade(draft.context, &shown);
        drop_relations::relations(draft.context, &views, "view", true)?;
    }
    let uses = |expression: &str| -> Result<bool> {
        Ok(named_columns(&parse::parse_expression(expression)?).iter().any(|used| used == name))
    };
    let mut kept = vec![];
    for check in std::mem::take(&mut draft.relation.checks) {
        if !uses(&check.expression)? {
            kept.push(check);
        }
    }
    draft.relation.checks = kept;
    let in_key = |index: &crate::catalog::Index| {
        index.columns.iter().any(|column| column.column == position) || index.include.contains(&position)
    };
    let primary = draft.relation.primary_key().is_some_and(in_key);
    let dropped: Vec<u32> =
        draft.relation.indexes.iter().filter(|index| in_key(index) && !index.primary).map(|index| index.id).collect();
    draft.relation.indexes.retain(|index| index.primary || !in_key(index));
    for index in dropped {
        follow_up.extend(removal::index(draft.context, draft.relation.id, index)?);
    }
    let column = &mut draft.relation.columns[position];
    column.dropped = true;
    column.not_null = false;
    column.default = None;
    // No name can be given that collides with it.
    column.name = format!("........pg.dropped.{}........", position + 1);
    if primary {
        super::constraint::drop_primary_key(draft)?;
    }
    Ok(())
}

fn named(draft: &Draft, name: &str) -> Result<usize> {
    let relation = &draft.relation.name;
    draft.position(name, || format!("column \"{name}\" of relation \"{relation}\" does not exist"))
}

pub fn set_default(draft: &mut Draft, name: &str, default: Option<&Expr>) -> Result<()> {
    let position = named(draft, name)?;
    let text = match default {
        Some(default) => column::default_text(draft.context, &draft.relation.columns[position], default)?,
        None => None,
    };
    draft.relation.columns[position].default = text;
    Ok(())
}

pub fn set_not_null(draft: &mut Draft, name: &str) -> Result<()> {
    let position = named(draft, name)?;
    rows::guard(draft.context.host, &draft.relation)?;
    rows::each_chunk(draft.context.host, &draft.relation, None, &mut |rows| {
        if rows.iter().any(|row| row.values[position].is_null()) {
            return Err(contains_nulls(&draft.relation, position));
        }
        Ok(true)
    })?;
    draft.relation.columns[position].not_null = true;
    Ok(())
}

pub fn drop_not_null(draft: &mut Draft, name: &str) -> Result<()> {
    let position = named(draft, name)?;
    if draft.relation.primary_key().is_some_and(|key| key.columns.iter().any(|column| column.column == position)) {
        let message = format!("column \"{name}\" is in a primary key");
        return Err(Error::new(sqlstate::INVALID_TABLE_DEFINITION, message));
    }
    draft.relation.columns[position].not_null = false;
    Ok(())
}

pub fn contains_nulls(relation: &Relation, position: usize) -> Error {
    let column = &relation.columns[position].name;
    let message = format!("column \"{column}\" of relation \"{}\" contains null values", relation.name);
    let mut error = Error::new(sqlstate::NOT_NULL_VIOLATION, message);
    error.0.table_name = Some(relation.name.clone());
    error.0.column_name = Some(column.clone());
    error
}
