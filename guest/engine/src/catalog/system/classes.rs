//! pg_namespace, pg_class, pg_description.

use super::{Row, owner, text};
use crate::catalog::statistics::TableStatistics;
use crate::catalog::{Index, Relation, RelationKind};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::Value;
use std::rc::Rc;

/// pg_class's own oid, and pg_namespace's: what descriptions are of.
const PG_CLASS: u32 = 1259;
const PG_NAMESPACE: u32 = 2615;

/// pg_am: heap and btree.
pub const HEAP: u32 = 2;
pub const BTREE: u32 = 403;

pub fn namespaces(context: &FunctionContext) -> Result<Vec<Row>> {
    let row = |schema: &crate::catalog::Schema| {
        vec![("oid", Value::Oid(schema.id)), ("nspname", text(&schema.name)), ("nspowner", owner(&schema.owner))]
    };
    Ok(context.catalog.schemas().iter().map(row).collect())
}

pub fn classes(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        rows.push(relation_row(&relation, context.catalog.statistics(relation.id)));
        rows.extend(relation.indexes.iter().map(|index| index_row(&relation, index)));
    }
    Ok(rows)
}

fn relation_row(relation: &Relation, statistics: Option<&Rc<TableStatistics>>) -> Row {
    let is_view = matches!(relation.kind, RelationKind::View { .. });
    let mut row = class(relation.id, &relation.name, relation.schema_id, if is_view { "v" } else { "r" });
    row.extend([
        ("relowner", owner(&relation.owner)),
        ("reltuples", statistics.map_or(Value::Real(-1.0), |known| Value::Real(known.rows as f32))),
        ("relam", Value::Oid(if is_view { 0 } else { HEAP })),
        ("relfilenode", Value::Oid(if is_view { 0 } else { relation.id })),
        ("relhasindex", Value::Boolean(!relation.indexes.is_empty())),
        ("relnatts", Value::SmallInt(relation.columns.len() as i16)),
        ("relchecks", Value::SmallInt(relation.checks.len() as i16)),
        ("relhasrules", Value::Boolean(is_view)),
        ("relreplident", text(if relation.kind == RelationKind::Table { "d" } else { "n" })),
    ]);
    row
}

fn index_row(relation: &Relation, index: &Index) -> Row {
    let mut row = class(index.oid, &index.name, relation.schema_id, "i");
    row.extend([
        ("relowner", owner(&relation.owner)),
        ("relam", Value::Oid(BTREE)),
        ("relfilenode", Value::Oid(index.oid)),
        ("relhasindex", Value::Boolean(false)),
        ("relnatts", Value::SmallInt((index.columns.len() + index.include.len()) as i16)),
        ("relchecks", Value::SmallInt(0)),
        ("relhasrules", Value::Boolean(false)),
        ("relreplident", text("n")),
    ]);
    row
}

/// What tables, views and indexes have in common.
fn class(oid: u32, name: &str, schema: u32, kind: &str) -> Row {
    let mut row = vec![
        ("oid", Value::Oid(oid)),
        ("relname", text(name)),
        ("relnamespace", Value::Oid(schema)),
        ("relpages", Value::Integer(0)),
        // Not known, as for a table that was never analysed.
        ("reltuples", Value::Real(-1.0)),
        ("relallvisible", Value::Integer(0)),
        ("relpersistence", text("p")),
        ("relkind", text(kind)),
        ("relispopulated", Value::Boolean(true)),
    ];
    let zero = ["reltype", "reloftype", "reltablespace", "reltoastrelid", "relrewrite", "relfrozenxid", "relminmxid"];
    row.extend(zero.map(|name| (name, Value::Oid(0))));
    let never =
        ["relisshared", "relhastriggers", "relhassubclass", "relrowsecurity", "relforcerowsecurity", "relispartition"];
    row.extend(never.map(|name| (name, Value::Boolean(false))));
    row
}

pub fn descriptions(context: &FunctionContext) -> Result<Vec<Row>> {
    let catalog = context.catalog;
    let row = |(oid, column, comment): (u32, u32, &str)| {
        let class = if catalog.schema_by_id(oid).is_some() { PG_NAMESPACE } else { PG_CLASS };
        vec![
            ("objoid", Value::Oid(oid)),
            ("classoid", Value::Oid(class)),
            ("objsubid", Value::Integer(column as i32)),
            ("description", text(comment)),
        ]
    };
    let mut comments: Vec<_> = catalog.comments().collect();
    comments.sort_unstable();
    Ok(comments.into_iter().map(row).collect())
}
