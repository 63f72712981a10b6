//! Columns of a table: their types, their names, their defaults.

use super::super::DefineContext;
use super::constraint::check_characteristics;
use crate::bind::data_type;
use crate::bind::name::fold;
use crate::catalog::TableColumn;
use crate::encode::key::is_orderable;
use crate::error::{Error, Result, sqlstate};
use crate::functions::Settings;
use crate::limits::TABLE_COLUMNS;
use crate::types::{DataType, text};
use sqlparser::ast::{self, ColumnDef, ColumnOption, Expr, ObjectNamePart};

/// A column without what its constraints add.
pub fn plain(definition: &ColumnDef) -> Result<TableColumn> {
    let name = fold(&definition.name);
    let (data_type, modifier) = resolve_type(&definition.data_type)?;
    if matches!(data_type, DataType::Record | DataType::Void | DataType::Unknown) {
        return Err(Error::new(
            sqlstate::INVALID_TABLE_DEFINITION,
            format!("column \"{name}\" has pseudo-type {}", data_type.name()),
        ));
    }
    Ok(TableColumn { name, data_type, modifier, not_null: false, default: None, dropped: false, missing: None })
}

pub fn resolve_type(given: &ast::DataType) -> Result<(DataType, i32)> {
    if let ast::DataType::Custom(name, _) = given
        && let [ObjectNamePart::Identifier(word)] = &name.0[..]
        && matches!(fold(word).as_str(), "serial" | "serial4" | "serial8" | "bigserial" | "smallserial" | "serial2")
    {
        return Err(Error::not_supported(format!("the type {}, which needs a sequence,", fold(word)))
            .hint("Use uuid with DEFAULT gen_random_uuid(), which writers in all regions can make at once."));
    }
    data_type::resolve(given)
}

/// DEFAULT's text as it is kept, checked against the column; none for DEFAULT NULL.
pub fn default_text(context: &DefineContext, column: &TableColumn, default: &Expr) -> Result<Option<String>> {
    let sql = default.to_string();
    let bound =
        context.constant(&sql, column.data_type, column.modifier).map_err(|mut error| match error.sqlstate() {
            sqlstate::UNDEFINED_COLUMN => {
                Error::new(sqlstate::FEATURE_NOT_SUPPORTED, "cannot use column reference in DEFAULT expression")
            }
            sqlstate::DATATYPE_MISMATCH => {
                let message = error.message().replacen("default is", &format!("column \"{}\" is", column.name), 1);
                error.0.message = message.replacen("but expression", "but default expression", 1);
                error
            }
            _ => error,
        })?;
    if is_date_or_time(column.data_type) && names_moment(default) {
        let value = context.evaluate(&bound)?;
        let text = text::to_string(&value, column.data_type, &Settings::default());
        return Ok(Some(format!("'{text}'::{}", column.data_type.name())));
    }
    Ok((!sql.eq_ignore_ascii_case("null")).then_some(sql))
}

fn is_date_or_time(data_type: DataType) -> bool {
    use DataType::{Date, Time, TimeTz, Timestamp, Timestamptz};
    matches!(data_type, Date | Time | TimeTz | Timestamp | Timestamptz)
}

/// A literal such as 'now', which means the time at which it is read: the table's making.
fn names_moment(default: &Expr) -> bool {
    let value = match default {
        Expr::Cast { expr, .. } => return names_moment(expr),
        Expr::TypedString(typed) => &typed.value,
        Expr::Value(value) => value,
        _ => return false,
    };
    let words = ["now", "today", "tomorrow", "yesterday"];
    let text = value.clone().into_string().unwrap_or_default();
    words.iter().any(|word| text.to_ascii_lowercase().contains(word))
}

/// What of a column's options is no constraint: refuses what there is not.
pub fn check_option(option: &ColumnOption) -> Result<()> {
    match option {
        ColumnOption::Null | ColumnOption::NotNull | ColumnOption::Default(_) | ColumnOption::Check(_) => Ok(()),
        ColumnOption::PrimaryKey(key) => check_characteristics(key.characteristics.as_ref()),
        ColumnOption::Unique(key) => check_characteristics(key.characteristics.as_ref()),
        ColumnOption::ForeignKey(_) => Err(Error::not_supported("a FOREIGN KEY constraint")),
        ColumnOption::Generated { generation_expr: Some(_), .. } => Err(Error::not_supported("a generated column")),
        ColumnOption::Generated { .. } | ColumnOption::Identity(_) => Err(Error::not_supported("an identity column")
            .hint("Use uuid with DEFAULT gen_random_uuid(), which writers in all regions can make at once.")),
        ColumnOption::Collation(name) => {
            let name = name.to_string().replace('"', "").to_ascii_lowercase();
            match name.trim_start_matches("pg_catalog.") {
                "c" | "posix" | "default" | "ucs_basic" => Ok(()),
                _ => Err(Error::new(
                    sqlstate::UNDEFINED_OBJECT,
                    format!("collation \"{name}\" for encoding \"UTF8\" does not exist"),
                )),
            }
        }
        other => Err(Error::not_supported(format!("the column option {other}"))),
    }
}

/// 42701 for two columns of one name, 54011 for too many.
pub fn check_columns(columns: &[TableColumn]) -> Result<()> {
    if columns.len() > TABLE_COLUMNS {
        let message = format!("tables can have at most {TABLE_COLUMNS} columns");
        return Err(Error::new(sqlstate::TOO_MANY_COLUMNS, message));
    }
    check_column_names(columns)
}

pub fn check_column_names(columns: &[TableColumn]) -> Result<()> {
    let mut seen = hashbrown::HashSet::new();
    for column in columns.iter().filter(|column| !column.dropped) {
        if !seen.insert(column.name.as_str()) {
            let message = format!("column \"{}\" specified more than once", column.name);
            return Err(Error::new(sqlstate::DUPLICATE_COLUMN, message));
        }
    }
    Ok(())
}

/// 42704 for a type that has no order.
pub fn check_orderable(data_type: DataType) -> Result<()> {
    if is_orderable(data_type) {
        return Ok(());
    }
    let name = data_type.name();
    Err(Error::new(
        sqlstate::UNDEFINED_OBJECT,
        format!("data type {name} has no default operator class for access method \"btree\""),
    )
    .hint("You must specify an operator class for the index or define a default operator class for the data type."))
}
