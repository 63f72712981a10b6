//! information_schema (PostgreSQL 15, chapter 37).

use super::constraints::check_columns;
use super::{Row, text, yes_or_no};
use crate::access::shown_owner;
use crate::catalog::{Relation, RelationKind, TableColumn, View, definition};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::{DataType, Value};
use std::rc::Rc;

/// Catalog, schema and name of a relation under a view's names for them.
fn place(context: &FunctionContext, relation: &Relation, columns: [&'static str; 3]) -> Row {
    let schema = context.catalog.schema_by_id(relation.schema_id).map_or("", |schema| &schema.name);
    let [catalog_column, schema_column, name_column] = columns;
    vec![
        (catalog_column, text(&context.settings.database)),
        (schema_column, text(schema)),
        (name_column, text(&relation.name)),
    ]
}

const TABLE: [&str; 3] = ["table_catalog", "table_schema", "table_name"];

fn is_view(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::View { .. })
}

pub fn catalog_name(context: &FunctionContext) -> Result<Vec<Row>> {
    Ok(vec![vec![("catalog_name", text(&context.settings.database))]])
}

pub fn enabled_roles(context: &FunctionContext) -> Result<Vec<Row>> {
    Ok(vec![vec![("role_name", text(&context.settings.user))]])
}

pub fn schemata(context: &FunctionContext) -> Result<Vec<Row>> {
    let row = |schema: &crate::catalog::Schema| {
        vec![
            ("catalog_name", text(&context.settings.database)),
            ("schema_name", text(&schema.name)),
            ("schema_owner", text(shown_owner(&schema.owner))),
        ]
    };
    Ok(context.catalog.schemas().iter().map(row).collect())
}

pub fn tables(context: &FunctionContext) -> Result<Vec<Row>> {
    let row = |relation: &Rc<Relation>| {
        let mut row = place(context, relation, TABLE);
        row.extend([
            ("table_type", text(if is_view(relation) { "VIEW" } else { "BASE TABLE" })),
            ("is_insertable_into", yes_or_no(relation.kind == RelationKind::Table)),
            ("is_typed", yes_or_no(false)),
        ]);
        row
    };
    Ok(context.catalog.relations().iter().map(row).collect())
}

pub fn views(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        let RelationKind::View(View { sql, .. }) = &relation.kind else { continue };
        let mut row = place(context, &relation, TABLE);
        row.extend([("view_definition", text(format!("{sql};"))), ("check_option", text("NONE"))]);
        let cannot = [
            "is_updatable",
            "is_insertable_into",
            "is_trigger_updatable",
            "is_trigger_deletable",
            "is_trigger_insertable_into",
        ];
        row.extend(cannot.map(|name| (name, yes_or_no(false))));
        rows.push(row);
    }
    Ok(rows)
}

pub fn columns(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        for (position, column) in relation.live_columns() {
            let mut row = place(context, &relation, TABLE);
            row.extend(column_row(context, &relation, position, column));
            rows.push(row);
        }
    }
    Ok(rows)
}

fn column_row(context: &FunctionContext, relation: &Relation, position: usize, column: &TableColumn) -> Row {
    let number = |number: Option<i32>| number.map_or(Value::Null, Value::Integer);
    let data_type = column.data_type;
    let is_array = data_type.element().is_some();
    let modifier = (column.modifier >= 0).then_some(column.modifier);
    let is_sized = matches!(data_type, DataType::Varchar | DataType::Char);
    let length = modifier.filter(|_| is_sized).map(|modifier| modifier - 4);
    let is_string = is_sized || matches!(data_type, DataType::Text);
    // What a string of any length may take, and one of a given length with four bytes a character.
    let octets = length.map(|length| length * 4).or(is_string.then_some(1 << 30));
    let (precision, radix, scale) = match data_type {
        DataType::SmallInt => (Some(16), Some(2), Some(0)),
        DataType::Integer => (Some(32), Some(2), Some(0)),
        DataType::BigInt => (Some(64), Some(2), Some(0)),
        DataType::Real => (Some(24), Some(2), None),
        DataType::Double => (Some(53), Some(2), None),
        DataType::Numeric => {
            let packed = modifier.map(|modifier| modifier - 4);
            let scale = packed.map(|packed| ((packed & 0x7ff) ^ 1024) - 1024);
            (packed.map(|packed| (packed >> 16) & 0xffff), Some(10), scale)
        }
        _ => (None, None, None),
    };
    let has_seconds = matches!(
        data_type,
        DataType::Time | DataType::TimeTz | DataType::Timestamp | DataType::Timestamptz | DataType::Interval
    );
    let seconds = match data_type {
        DataType::Date => Some(0),
        _ => has_seconds.then(|| modifier.map_or(6, |modifier| modifier & 0xffff)),
    };
    vec![
        ("column_name", text(&column.name)),
        ("ordinal_position", Value::Integer(position as i32 + 1)),
        ("column_default", definition::default(column).map_or(Value::Null, text)),
        ("is_nullable", yes_or_no(!column.not_null)),
        ("data_type", text(if is_array { "ARRAY".into() } else { data_type.name() })),
        ("character_maximum_length", number(length)),
        ("character_octet_length", number(octets)),
        ("numeric_precision", number(precision)),
        ("numeric_precision_radix", number(radix)),
        ("numeric_scale", number(scale)),
        ("datetime_precision", number(seconds)),
        ("udt_catalog", text(&context.settings.database)),
        ("udt_schema", text("pg_catalog")),
        ("udt_name", text(data_type.internal_name())),
        ("dtd_identifier", text((position + 1).to_string())),
        ("is_self_referencing", yes_or_no(false)),
        ("is_identity", yes_or_no(false)),
        ("identity_cycle", yes_or_no(false)),
        ("is_generated", text("NEVER")),
        ("is_updatable", yes_or_no(relation.kind == RelationKind::Table)),
    ]
}

/// A constraint's kind, name and columns.
fn constraints(relation: &Relation) -> Vec<(&'static str, String, Vec<usize>)> {
    let keys = relation.indexes.iter().filter(|index| index.constraint).map(|index| {
        let kind = if index.primary { "PRIMARY KEY" } else { "UNIQUE" };
        (kind, index.name.clone(), index.columns.iter().map(|column| column.column).collect())
    });
    let checks = relation.checks.iter().map(|check| ("CHECK", check.name.clone(), check_columns(relation, check)));
    keys.chain(checks).collect()
}

const CONSTRAINT: [&str; 3] = ["constraint_catalog", "constraint_schema", "constraint_name"];

/// The place of a constraint: its table's schema, its own name.
fn constraint_place(context: &FunctionContext, relation: &Relation, name: &str) -> Row {
    let mut row = place(context, relation, CONSTRAINT);
    row[2].1 = text(name);
    row
}

pub fn table_constraints(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        let not_null = relation
            .live_columns()
            .filter(|(_, column)| column.not_null)
            .map(|(position, _)| ("CHECK", not_null_name(&relation, position), vec![]));
        for (kind, name, _) in constraints(&relation).into_iter().chain(not_null) {
            let mut row = constraint_place(context, &relation, &name);
            row.extend(place(context, &relation, TABLE));
            row.extend([
                ("constraint_type", text(kind)),
                ("is_deferrable", yes_or_no(false)),
                ("initially_deferred", yes_or_no(false)),
                ("enforced", yes_or_no(true)),
            ]);
            if kind == "UNIQUE" {
                let distinct = relation.indexes.iter().any(|index| index.name == name && !index.nulls_not_distinct);
                row.push(("nulls_distinct", yes_or_no(distinct)));
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// NOT NULL is listed as a CHECK with a name of this form.
fn not_null_name(relation: &Relation, position: usize) -> String {
    format!("{}_{}_{}_not_null", relation.schema_id, relation.id, position + 1)
}

pub fn check_constraints(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        for check in &relation.checks {
            let mut row = constraint_place(context, &relation, &check.name);
            row.push(("check_clause", text(format!("({})", check.expression))));
            rows.push(row);
        }
        for (position, column) in relation.live_columns().filter(|(_, column)| column.not_null) {
            let mut row = constraint_place(context, &relation, &not_null_name(&relation, position));
            row.push(("check_clause", text(format!("{} IS NOT NULL", column.name))));
            rows.push(row);
        }
    }
    Ok(rows)
}

pub fn key_column_usage(context: &FunctionContext) -> Result<Vec<Row>> {
    column_usage(context, true)
}

pub fn constraint_column_usage(context: &FunctionContext) -> Result<Vec<Row>> {
    column_usage(context, false)
}

/// The columns of keys, with their places in them, or those of all constraints.
fn column_usage(context: &FunctionContext, keys: bool) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        for (kind, name, columns) in constraints(&relation) {
            if keys && kind == "CHECK" {
                continue;
            }
            for (number, position) in columns.into_iter().enumerate() {
                let mut row = constraint_place(context, &relation, &name);
                row.extend(place(context, &relation, TABLE));
                row.push(("column_name", text(&relation.columns[position].name)));
                if keys {
                    row.push(("ordinal_position", Value::Integer(number as i32 + 1)));
                }
                rows.push(row);
            }
        }
    }
    Ok(rows)
}
