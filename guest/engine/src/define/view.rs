//! CREATE VIEW.

use super::DefineContext;
use super::source::{after_as, relation_names};
use super::table::column::check_column_names;
use crate::bind;
use crate::bind::logical::PlanColumn;
use crate::bind::name::{fold, qualified};
use crate::catalog::{Relation, RelationKind, TableColumn, View, ViewRelation, store};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::limits::VIEW_BYTES;
use crate::parse;
use crate::statement::Outcome;
use crate::types::DataType;
use sqlparser::ast::CreateView;

pub fn create(context: &DefineContext, create: &CreateView) -> Result<Outcome> {
    if create.materialized {
        return Err(Error::not_supported("a materialized view"));
    }
    if create.temporary {
        return Err(Error::not_supported("a temporary view"));
    }
    let sql = after_as(context.sql).ok_or_else(|| Error::internal("CREATE VIEW without AS"))?;
    if sql.len() > VIEW_BYTES {
        return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "view definition too large"));
    }
    let bound = bind::query(&context.bind_context(), &parse::parse(sql)?)?;
    if !bound.parameter_types.is_empty() {
        return Err(Error::new(sqlstate::UNDEFINED_PARAMETER, "there is no parameter $1"));
    }
    let names: Vec<String> = create.columns.iter().map(|column| fold(&column.name)).collect();
    let columns = columns(&bound.plan.columns(), &names)?;
    check_column_names(&columns)?;

    let name = qualified(&create.name)?;
    let schema = context.target_schema(&name)?;
    let existing = context.catalog.relation(Some(&schema.name), &name.name, &[]);
    let replaced = match existing {
        Some(existing) if create.or_replace => match existing.kind {
            RelationKind::View { .. } => Some(existing),
            _ => return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, format!("\"{}\" is not a view", name.name))),
        },
        Some(_) => {
            return Err(Error::new(sqlstate::DUPLICATE_TABLE, format!("relation \"{}\" already exists", name.name)));
        }
        None if context.is_taken(&schema, &name.name) => {
            return Err(Error::new(sqlstate::DUPLICATE_TABLE, format!("relation \"{}\" already exists", name.name)));
        }
        None => None,
    };
    if let Some(replaced) = &replaced {
        context.may(Action::Ddl, replaced)?;
        // It goes on reading with its owner's rights, whoever wrote the text.
        context.check_taking(&context.settings.user, &replaced.owner)?;
        check_replacement(&replaced.columns, &columns)?;
    }
    let id = match &replaced {
        Some(replaced) => replaced.id,
        None => store::allocate_oids(context.host, 1)?,
    };
    let view = Relation {
        id,
        schema_id: schema.id,
        name: name.name,
        kind: RelationKind::View(View { sql: sql.into(), relations: relations(context, sql)? }),
        columns,
        owner: replaced.as_ref().map_or_else(|| context.creator(), |replaced| replaced.owner.clone()),
        ..Relation::without_columns()
    };
    store::put_relation(context.host, replaced.as_deref(), &view)?;
    Ok(super::complete("CREATE VIEW"))
}

/// What the names of a view's text mean now. Names of its own common tables are among them when they are also names of
/// relations; the text never asks for those.
fn relations(context: &DefineContext, sql: &str) -> Result<Vec<ViewRelation>> {
    let mut relations: Vec<ViewRelation> = vec![];
    for name in relation_names(sql)? {
        let name = qualified(&name)?;
        let Some(meant) = context.find(&name) else { continue };
        let known = |column: &TableColumn| (!column.dropped).then(|| column.name.clone());
        let columns = meant.columns.iter().map(known).collect();
        let relation = ViewRelation { schema: name.schema, name: name.name, id: meant.id, columns };
        if !relations.contains(&relation) {
            relations.push(relation);
        }
    }
    Ok(relations)
}

fn columns(produced: &[PlanColumn], names: &[String]) -> Result<Vec<TableColumn>> {
    if names.len() > produced.len() {
        return Err(Error::new(sqlstate::SYNTAX_ERROR, "CREATE VIEW specifies more column names than columns"));
    }
    let column = |(position, column): (usize, &PlanColumn)| TableColumn {
        name: names.get(position).unwrap_or(&column.name).clone(),
        data_type: if column.data_type == DataType::Unknown { DataType::Text } else { column.data_type },
        modifier: column.modifier,
        not_null: false,
        default: None,
        dropped: false,
        missing: None,
    };
    Ok(produced.iter().enumerate().map(column).collect())
}

/// OR REPLACE may only add columns at the end.
fn check_replacement(old: &[TableColumn], new: &[TableColumn]) -> Result<()> {
    let invalid = |message: String| Err(Error::new(sqlstate::INVALID_TABLE_DEFINITION, message));
    if new.len() < old.len() {
        return invalid("cannot drop columns from view".into());
    }
    for (old, new) in old.iter().zip(new) {
        if old.name != new.name {
            return Err(Error::new(
                sqlstate::INVALID_TABLE_DEFINITION,
                format!("cannot change name of view column \"{}\" to \"{}\"", old.name, new.name),
            )
            .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead."));
        }
        if (old.data_type, old.modifier) != (new.data_type, new.modifier) {
            let shown = |column: &TableColumn| crate::catalog::definition::type_name(column.data_type, column.modifier);
            return invalid(format!(
                "cannot change data type of view column \"{}\" from {} to {}",
                old.name,
                shown(old),
                shown(new)
            ));
        }
    }
    Ok(())
}
