//! pg_attribute, pg_attrdef.

use super::{Row, text};
use crate::catalog::{Index, Relation, RelationKind, TableColumn, definition};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::{DataType, Value};

pub fn attributes(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        for (position, column) in relation.columns.iter().enumerate() {
            rows.push(attribute(relation.id, position, column));
        }
        rows.extend(relation.indexes.iter().flat_map(|index| index_attributes(&relation, index)));
    }
    Ok(rows)
}

fn index_attributes(relation: &Relation, index: &Index) -> Vec<Row> {
    let carried = index.columns.iter().map(|column| column.column).chain(index.include.iter().copied());
    let plain = |position: usize| TableColumn { not_null: false, default: None, ..relation.columns[position].clone() };
    carried.enumerate().map(|(at, position)| attribute(index.oid, at, &plain(position))).collect()
}

fn attribute(owner: u32, position: usize, column: &TableColumn) -> Row {
    let data_type = column.data_type;
    let (by_value, align, storage) = layout(data_type);
    let type_oid = if column.dropped { 0 } else { data_type.oid() };
    let mut row = vec![
        ("attrelid", Value::Oid(owner)),
        ("attname", text(&column.name)),
        ("atttypid", Value::Oid(type_oid)),
        ("attstattarget", Value::Integer(-1)),
        ("attlen", Value::SmallInt(data_type.size())),
        ("attnum", Value::SmallInt(position as i16 + 1)),
        ("attndims", Value::Integer(data_type.element().is_some() as i32)),
        ("attcacheoff", Value::Integer(-1)),
        ("atttypmod", Value::Integer(column.modifier)),
        ("attbyval", Value::Boolean(by_value)),
        ("attalign", text(align)),
        ("attstorage", text(storage)),
        ("attnotnull", Value::Boolean(column.not_null)),
        ("atthasdef", Value::Boolean(column.default.is_some())),
        ("atthasmissing", Value::Boolean(column.missing.is_some())),
        ("attisdropped", Value::Boolean(column.dropped)),
        ("attislocal", Value::Boolean(true)),
        ("attinhcount", Value::Integer(0)),
        ("attcollation", Value::Oid(collation(data_type))),
    ];
    row.extend(["attcompression", "attidentity", "attgenerated"].map(|name| (name, text(""))));
    row
}

/// pg_type's typbyval, typalign and typstorage.
pub fn layout(data_type: DataType) -> (bool, &'static str, &'static str) {
    match data_type {
        DataType::Name | DataType::Uuid => (false, "c", "p"),
        DataType::Interval | DataType::TimeTz => (false, "d", "p"),
        DataType::Numeric => (false, "i", "m"),
        DataType::Record => (false, "d", "x"),
        DataType::Unknown => (false, "c", "p"),
        _ => match data_type.size() {
            1 => (true, "c", "p"),
            2 => (true, "s", "p"),
            4 => (true, "i", "p"),
            8 => (true, "d", "p"),
            _ => (false, "i", "x"),
        },
    }
}

/// The collation of a type's values: default, C for names, none for what is no text.
pub fn collation(data_type: DataType) -> u32 {
    match data_type {
        DataType::Name => 950,
        DataType::Text | DataType::Varchar | DataType::Char => 100,
        DataType::Array(element) => collation(*element),
        _ => 0,
    }
}

pub fn defaults(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        if relation.kind != RelationKind::Table {
            continue;
        }
        for (position, column) in relation.live_columns() {
            let Some(default) = definition::default(column) else { continue };
            rows.push(vec![
                // Unique among defaults: a table has fewer columns than that.
                ("oid", Value::Oid(relation.id.wrapping_mul(256).wrapping_add(position as u32))),
                ("adrelid", Value::Oid(relation.id)),
                ("adnum", Value::SmallInt(position as i16 + 1)),
                ("adbin", text(default)),
            ]);
        }
    }
    Ok(rows)
}
