//! CREATE INDEX.

use super::super::table::{Draft, KeyDefinition};
use super::super::{DefineContext, complete, follow_up::FollowUp, rows};
use crate::bind::name::{fold, qualified};
use crate::catalog::{IndexColumn, IndexState};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::limits::BACKFILL_ROWS;
use crate::statement::Outcome;
use sqlparser::ast::{self, CreateIndex, Expr, IndexType, OrderBySort};

pub fn execute(context: &DefineContext, create: &CreateIndex) -> Result<Outcome> {
    let relation = context.table(&create.table_name)?;
    context.may(Action::Ddl, &relation)?;
    match &create.using {
        None | Some(IndexType::BTree) => {}
        // A btree answers all that a hash index does.
        Some(IndexType::Hash) => {
            context.notice("00000", "the index method \"hash\" is not there, a btree index is made instead");
        }
        Some(other) => return Err(Error::not_supported(format!("the index method {other}"))),
    }
    if create.predicate.is_some() {
        return Err(Error::not_supported("a partial index"));
    }
    if create.concurrently && context.in_transaction_block {
        let message = "CREATE INDEX CONCURRENTLY cannot run inside a transaction block";
        return Err(Error::new(sqlstate::ACTIVE_SQL_TRANSACTION, message));
    }
    let mut draft = Draft::of(context, &relation)?;
    let name = match &create.name {
        Some(name) => Some(qualified(name)?.name),
        None => None,
    };
    if let Some(name) = name.as_ref().filter(|name| create.if_not_exists && draft.is_taken(name)) {
        let message = format!("relation \"{name}\" already exists, skipping");
        context.notice(sqlstate::DUPLICATE_TABLE, &message);
        return Ok(complete("CREATE INDEX"));
    }
    let columns = create.columns.iter().map(|column| index_column(&draft, column)).collect::<Result<Vec<_>>>()?;
    let included = |name: &ast::Ident| {
        let name = fold(name);
        draft.position(&name, || format!("column \"{name}\" does not exist"))
    };
    let include = create.include.iter().map(included).collect::<Result<Vec<_>>>()?;
    let position = draft.add_index(KeyDefinition {
        name,
        columns,
        include,
        unique: create.unique,
        nulls_not_distinct: create.nulls_distinct == Some(false),
        ..KeyDefinition::default()
    })?;
    let index = draft.relation.indexes[position].id;
    // A big table's index is built beside its writers, in as many transactions as it takes.
    if !context.in_transaction_block && rows::has_more_than(context.host, &relation, BACKFILL_ROWS)? {
        draft.relation.indexes[position].state = IndexState::Building;
        let relation = draft.finish()?;
        let follow_up = vec![FollowUp::BuildIndex { table: relation.id, index }.to_string()];
        return Ok(Outcome::Complete { tag: "CREATE INDEX".into(), follow_up });
    }
    draft.fill_index(position)?;
    draft.finish()?;
    Ok(complete("CREATE INDEX"))
}

fn index_column(draft: &Draft, column: &ast::IndexColumn) -> Result<IndexColumn> {
    let mut expression = &column.column.expr;
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    let Expr::Identifier(name) = expression else { return Err(Error::not_supported("an index on an expression")) };
    let name = fold(name);
    let position = draft.position(&name, || format!("column \"{name}\" does not exist"))?;
    // Classes that only make LIKE work under other collations order as C does.
    if let Some(class) = &column.operator_class
        && !class.to_string().ends_with("_ops")
    {
        return Err(Error::not_supported(format!("the operator class {class}")));
    }
    let descending = matches!(column.column.options.sort, Some(OrderBySort::Desc));
    Ok(IndexColumn {
        column: position,
        descending,
        nulls_first: column.column.options.nulls_first.unwrap_or(descending),
    })
}
