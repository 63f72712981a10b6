//! pg_catalog, information_schema and isobar: relations whose rows are made from the catalog when they are read.

mod classes;
mod columns;
mod constraints;
mod information;
mod layout;
mod procedures;
mod routines;
mod server;
mod statistics;
mod types;
mod views;

pub use routines::{arguments as routine_arguments, result as routine_result};

use super::{INFORMATION_SCHEMA, ISOBAR, PG_CATALOG, Relation, RelationKind, TableColumn};
use crate::access;
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::host::Routines;
use crate::types::text::registered::type_named;
use crate::types::value::Array;
use crate::types::{DataType, Value};
use hashbrown::HashMap;
use layout::Layout;
use std::cell::RefCell;
use std::rc::Rc;

/// The owner of what no user made.
const OWNER: u32 = 10;

/// The oid of a user who owns something.
fn owner(name: &str) -> Value {
    Value::Oid(access::user_oid(name))
}

/// A row by its columns' names; what is left out is NULL.
type Row = Vec<(&'static str, Value)>;

/// Makes a relation's rows.
type Rows = fn(&FunctionContext) -> Result<Vec<Row>>;

/// Relations that have rows; the others of `layout` are there for queries that join them.
const ROWS: &[(&str, Rows)] = &[
    ("pg_am", types::access_methods),
    ("pg_attrdef", columns::defaults),
    ("pg_attribute", columns::attributes),
    ("pg_class", classes::classes),
    ("pg_collation", types::collations),
    ("pg_constraint", constraints::constraints),
    ("pg_database", server::databases),
    ("pg_description", classes::descriptions),
    ("pg_index", constraints::indexes),
    ("pg_indexes", views::indexes),
    ("pg_language", types::languages),
    ("pg_namespace", classes::namespaces),
    ("pg_proc", routines::functions),
    ("pg_opclass", types::operator_classes),
    ("pg_roles", server::roles),
    ("pg_settings", server::settings),
    ("pg_stats", statistics::columns),
    ("pg_tables", views::tables),
    ("pg_tablespace", server::tablespaces),
    ("pg_type", types::types),
    ("pg_user", server::users),
    ("pg_views", views::views),
    ("check_constraints", information::check_constraints),
    ("columns", information::columns),
    ("constraint_column_usage", information::constraint_column_usage),
    ("enabled_roles", information::enabled_roles),
    ("information_schema_catalog_name", information::catalog_name),
    ("parameters", routines::parameters),
    ("routines", routines::routines),
    ("key_column_usage", information::key_column_usage),
    ("schemata", information::schemata),
    ("table_constraints", information::table_constraints),
    ("tables", information::tables),
    ("views", information::views),
];

/// Makes rows of what the host knows.
type HostRows = fn(&FunctionContext, &dyn Routines) -> Result<Vec<Row>>;

/// Relations of the schema isobar.
const HOST_ROWS: &[(&str, HostRows)] = &[
    ("procedures", procedures::procedures),
    ("procedure_versions", procedures::versions),
    ("procedure_calls", procedures::calls),
    ("procedure_logs", procedures::logs),
];

thread_local! {
    /// Each made once, when it is first asked for: they are the same in every catalog, and few statements need one.
    static RELATIONS: RefCell<HashMap<u32, Rc<Relation>>> = RefCell::default();
}

const SCHEMAS: [(u32, &[Layout]); 3] =
    [(PG_CATALOG, layout::PG_CATALOG), (INFORMATION_SCHEMA, layout::INFORMATION_SCHEMA), (ISOBAR, layout::ISOBAR)];

/// Every system relation.
pub fn relations() -> Vec<Rc<Relation>> {
    SCHEMAS.iter().flat_map(|(schema, layouts)| layouts.iter().map(|layout| relation(*schema, layout))).collect()
}

pub fn relation_by_name(schema: u32, name: &str) -> Option<Rc<Relation>> {
    let (_, layouts) = SCHEMAS.iter().find(|(id, _)| *id == schema)?;
    layouts.iter().find(|(_, known, _)| *known == name).map(|layout| relation(schema, layout))
}

pub fn relation_by_id(id: u32) -> Option<Rc<Relation>> {
    SCHEMAS.iter().find_map(|(schema, layouts)| {
        layouts.iter().find(|(known, _, _)| *known == id).map(|layout| relation(*schema, layout))
    })
}

fn relation(schema: u32, (id, name, columns): &Layout) -> Rc<Relation> {
    let make = || {
        Rc::new(Relation {
            id: *id,
            schema_id: schema,
            name: (*name).into(),
            kind: RelationKind::System,
            columns: columns.split(',').filter_map(column).collect(),
            ..Relation::without_columns()
        })
    };
    RELATIONS.with_borrow_mut(|made| made.entry(*id).or_insert_with(make).clone())
}

/// `name type`
fn column(text: &str) -> Option<TableColumn> {
    let (name, data_type) = text.trim().split_once(' ')?;
    // `char` is the one-byte type here.
    let data_type = match data_type.trim() {
        "char" => DataType::InternalChar,
        "_char" => DataType::Array(&DataType::InternalChar),
        other => type_named(other)?,
    };
    Some(TableColumn {
        name: name.into(),
        data_type,
        modifier: -1,
        not_null: false,
        default: None,
        dropped: false,
        missing: None,
    })
}

/// A system relation's rows: a value per column.
pub fn rows(context: &FunctionContext, host: &dyn Routines, relation: &Relation) -> Result<Vec<Vec<Value>>> {
    let made = if relation.schema_id == ISOBAR {
        let make = HOST_ROWS.iter().find(|(name, _)| *name == relation.name);
        make.map_or(Ok(vec![]), |(_, make)| make(context, host))?
    } else {
        let make = ROWS.iter().find(|(name, _)| *name == relation.name);
        make.map_or(Ok(vec![]), |(_, make)| make(context))?
    };
    let place = |row: Row| {
        let mut values = vec![Value::Null; relation.columns.len()];
        for (name, value) in row {
            let position = relation.columns.iter().position(|column| column.name == name);
            debug_assert!(position.is_some(), "{} has no column {name}", relation.name);
            if let Some(position) = position {
                values[position] = value;
            }
        }
        values
    };
    Ok(made.into_iter().map(place).collect())
}

fn text(text: impl AsRef<str>) -> Value {
    Value::text(text.as_ref())
}

fn yes_or_no(yes: bool) -> Value {
    text(if yes { "YES" } else { "NO" })
}

/// An int2vector, whose subscripts begin at 0.
fn small_vector(values: impl Iterator<Item = i16>) -> Value {
    vector(DataType::SmallInt, values.map(Value::SmallInt).collect())
}

/// An oidvector.
fn oid_vector(values: impl Iterator<Item = u32>) -> Value {
    vector(DataType::Oid, values.map(Value::Oid).collect())
}

fn vector(element_type: DataType, values: Vec<Value>) -> Value {
    let dimensions = if values.is_empty() { vec![] } else { vec![(values.len(), 0)] };
    Value::Array(Rc::new(Array { element_type, dimensions, values }))
}

fn array(element_type: DataType, values: Vec<Value>) -> Value {
    Value::Array(Rc::new(Array::from_values(element_type, values)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::functions::Settings;
    use crate::memory::MemoryStore;

    #[test]
    fn every_layout_is_readable() {
        for (relation, columns) in relations().iter().zip(
            layout::PG_CATALOG
                .iter()
                .chain(layout::INFORMATION_SCHEMA)
                .chain(layout::ISOBAR)
                .map(|(_, _, columns)| columns),
        ) {
            assert_eq!(relation.columns.len(), columns.split(',').count(), "{}", relation.name);
        }
    }

    #[test]
    fn rows_fit_their_relations() {
        let host = MemoryStore::new().begin();
        let (settings, catalog) = (Settings::default(), Catalog::new(vec![], vec![]));
        let context =
            FunctionContext { environment: &host, authorization: &host, settings: &settings, catalog: &catalog };
        for relation in relations() {
            for row in rows(&context, &host, &relation).unwrap() {
                for (value, column) in row.iter().zip(&relation.columns) {
                    // A builder refuses values of other types.
                    crate::types::ColumnBuilder::new(column.data_type).push(value);
                }
            }
        }
    }
}
