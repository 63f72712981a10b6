//! pg_index, pg_constraint.

use super::columns::collation;
use super::types::operator_class;
use super::{Row, oid_vector, small_vector, text};
use crate::catalog::{Check, Index, IndexState, Relation};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::{DataType, Value};

/// pg_index.indoption's bits.
const DESCENDING: i16 = 1;
const NULLS_FIRST: i16 = 2;

pub fn indexes(context: &FunctionContext) -> Result<Vec<Row>> {
    let relations = context.catalog.relations();
    let rows = relations.iter().flat_map(|relation| relation.indexes.iter().map(|index| index_row(relation, index)));
    Ok(rows.collect())
}

fn index_row(relation: &Relation, index: &Index) -> Row {
    let keys = || index.columns.iter().map(|column| column.column);
    let carried = keys().chain(index.include.iter().copied());
    let data_type = |position: usize| relation.columns[position].data_type;
    let options = index
        .columns
        .iter()
        .map(|column| i16::from(column.descending) * DESCENDING + i16::from(column.nulls_first) * NULLS_FIRST);
    let mut row = vec![
        ("indexrelid", Value::Oid(index.oid)),
        ("indrelid", Value::Oid(relation.id)),
        ("indnatts", Value::SmallInt((index.columns.len() + index.include.len()) as i16)),
        ("indnkeyatts", Value::SmallInt(index.columns.len() as i16)),
        ("indisunique", Value::Boolean(index.unique)),
        ("indnullsnotdistinct", Value::Boolean(index.nulls_not_distinct)),
        ("indisprimary", Value::Boolean(index.primary)),
        ("indimmediate", Value::Boolean(true)),
        ("indisvalid", Value::Boolean(index.state == IndexState::Public)),
        ("indisready", Value::Boolean(index.state != IndexState::Invalid)),
        ("indislive", Value::Boolean(true)),
        ("indkey", small_vector(carried.map(|position| position as i16 + 1))),
        ("indcollation", oid_vector(keys().map(|position| collation(data_type(position))))),
        ("indclass", oid_vector(keys().map(|position| operator_class(data_type(position))))),
        ("indoption", small_vector(options)),
    ];
    let never = ["indisexclusion", "indisclustered", "indcheckxmin", "indisreplident"];
    row.extend(never.map(|name| (name, Value::Boolean(false))));
    row
}

pub fn constraints(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.relations() {
        for index in relation.indexes.iter().filter(|index| index.constraint) {
            let columns = index.columns.iter().map(|column| column.column).collect();
            let kind = if index.primary { "p" } else { "u" };
            let mut row = constraint(&relation, index.oid, &index.name, kind, columns);
            row.push(("conindid", Value::Oid(index.oid)));
            row.push(("connoinherit", Value::Boolean(true)));
            rows.push(row);
        }
        for check in &relation.checks {
            let mut row = constraint(&relation, check.oid, &check.name, "c", check_columns(&relation, check));
            row.push(("conindid", Value::Oid(0)));
            row.push(("connoinherit", Value::Boolean(false)));
            row.push(("conbin", text(&check.expression)));
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Positions of the columns that a CHECK names.
pub fn check_columns(relation: &Relation, check: &Check) -> Vec<usize> {
    let names = crate::parse::parse_expression(&check.expression)
        .map(|expression| crate::define::table::named_columns(&expression))
        .unwrap_or_default();
    let is_named =
        |(position, column): (usize, &crate::catalog::TableColumn)| names.contains(&column.name).then_some(position);
    relation.live_columns().filter_map(is_named).collect()
}

fn constraint(relation: &Relation, oid: u32, name: &str, kind: &str, columns: Vec<usize>) -> Row {
    let numbers = columns.into_iter().map(|position| Value::SmallInt(position as i16 + 1)).collect();
    let mut row = vec![
        ("oid", Value::Oid(oid)),
        ("conname", text(name)),
        ("connamespace", Value::Oid(relation.schema_id)),
        ("contype", text(kind)),
        ("condeferrable", Value::Boolean(false)),
        ("condeferred", Value::Boolean(false)),
        ("convalidated", Value::Boolean(true)),
        ("conrelid", Value::Oid(relation.id)),
        ("conislocal", Value::Boolean(true)),
        ("coninhcount", Value::Integer(0)),
        ("conkey", super::array(DataType::SmallInt, numbers)),
    ];
    row.extend(["contypid", "conparentid", "confrelid"].map(|name| (name, Value::Oid(0))));
    row.extend(["confupdtype", "confdeltype", "confmatchtype"].map(|name| (name, text(" "))));
    row
}
