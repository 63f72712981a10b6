//! pg_tables, pg_views, pg_indexes.

use super::{Row, text};
use crate::access::shown_owner;
use crate::catalog::{Relation, RelationKind, View, definition};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::Value;

fn schema_name(context: &FunctionContext, relation: &Relation) -> Value {
    context.catalog.schema_by_id(relation.schema_id).map_or(Value::Null, |schema| text(&schema.name))
}

pub fn tables(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        if matches!(relation.kind, RelationKind::View { .. }) {
            continue;
        }
        rows.push(vec![
            ("schemaname", schema_name(context, &relation)),
            ("tablename", text(&relation.name)),
            ("tableowner", text(shown_owner(&relation.owner))),
            ("hasindexes", Value::Boolean(!relation.indexes.is_empty())),
            ("hasrules", Value::Boolean(false)),
            ("hastriggers", Value::Boolean(false)),
            ("rowsecurity", Value::Boolean(false)),
        ]);
    }
    Ok(rows)
}

pub fn views(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        let RelationKind::View(View { sql, .. }) = &relation.kind else { continue };
        rows.push(vec![
            ("schemaname", schema_name(context, &relation)),
            ("viewname", text(&relation.name)),
            ("viewowner", text(shown_owner(&relation.owner))),
            ("definition", text(format!("{sql};"))),
        ]);
    }
    Ok(rows)
}

pub fn indexes(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        for index in &relation.indexes {
            rows.push(vec![
                ("schemaname", schema_name(context, &relation)),
                ("tablename", text(&relation.name)),
                ("indexname", text(&index.name)),
                ("indexdef", text(definition::index(context.catalog, &relation, index))),
            ]);
        }
    }
    Ok(rows)
}
