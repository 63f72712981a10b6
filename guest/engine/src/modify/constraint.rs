//! NOT NULL and CHECK.

use super::Evaluate;
use super::insert::RowError;
use super::writer::TableWriter;
use crate::catalog::{Relation, TableColumn};
use crate::error::{Error, Result, sqlstate};
use crate::types::{Batch, Column, Value, text};
use std::rc::Rc;

/// Bytes of a value that an error shows, as in PostgreSQL.
const SHOWN_BYTES: usize = 64;

/// The first of some new rows that violates a constraint, and how.
pub fn first_violation<E>(
    writer: &TableWriter,
    checks: &[(String, E)],
    evaluate: &Evaluate<E>,
    rows: &[Vec<Value>],
) -> Result<Option<RowError>> {
    let mut first = first_null(writer, rows);
    if checks.is_empty() {
        return Ok(first);
    }
    // A row that a NOT NULL has stopped is not checked, nor are the ones after it.
    let mut end = first.as_ref().map_or(rows.len(), |first| first.row);
    let batch = columns_of(writer.relation, rows[..end].iter().map(Vec::as_slice));
    for (name, check) in checks {
        if end == 0 {
            break;
        }
        let holds = evaluate(check, &batch)?;
        if let Some(row) = (0..end).find(|row| matches!(holds.value(*row), Value::Boolean(false))) {
            let message =
                format!("new row for relation \"{}\" violates check constraint \"{name}\"", writer.relation.name);
            let mut error = violation(writer, sqlstate::CHECK_VIOLATION, message, &rows[row]);
            error.0.constraint_name = Some(name.clone());
            first = Some(RowError { row, error });
            end = row;
        }
    }
    Ok(first)
}

fn first_null(writer: &TableWriter, rows: &[Vec<Value>]) -> Option<RowError> {
    let columns = writer.relation.columns.iter().enumerate();
    let not_null: Vec<usize> =
        columns.filter(|(_, column)| column.not_null && !column.dropped).map(|(position, _)| position).collect();
    let null_in = |row: &Vec<Value>| not_null.iter().copied().find(|position| row[*position].is_null());
    let (row, position) = rows.iter().enumerate().find_map(|(row, values)| Some((row, null_in(values)?)))?;
    let column = &writer.relation.columns[position].name;
    let message = format!(
        "null value in column \"{column}\" of relation \"{}\" violates not-null constraint",
        writer.relation.name
    );
    let mut error = violation(writer, sqlstate::NOT_NULL_VIOLATION, message, &rows[row]);
    error.0.column_name = Some(column.clone());
    Some(RowError { row, error })
}

/// A table's columns of rows given as values.
pub fn columns_of<'v>(relation: &Relation, rows: impl ExactSizeIterator<Item = &'v [Value]> + Clone) -> Batch {
    let column = |(position, column): (usize, &TableColumn)| {
        Rc::new(Column::from_values(column.data_type, rows.clone().map(|row| &row[position])))
    };
    Batch { columns: relation.columns.iter().enumerate().map(column).collect(), rows: rows.len() }
}

fn violation(writer: &TableWriter, sqlstate: &str, message: String, values: &[Value]) -> Error {
    let mut error = Error::new(sqlstate, message).detail(failing_row(writer, values));
    error.0.schema_name = schema_name(writer);
    error.0.table_name = Some(writer.relation.name.clone());
    error
}

fn failing_row(writer: &TableWriter, values: &[Value]) -> String {
    let shown = writer.relation.live_columns().map(|(position, column)| match &values[position] {
        Value::Null => "null".to_string(),
        value => shorten(text::to_string(value, column.data_type, writer.context.settings)),
    });
    format!("Failing row contains ({}).", shown.collect::<Vec<_>>().join(", "))
}

fn shorten(mut text: String) -> String {
    if text.len() > SHOWN_BYTES {
        let end = (0..=SHOWN_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// The name of a table's schema, which the writer knows only for the usual one.
pub fn schema_name(writer: &TableWriter) -> Option<String> {
    (writer.relation.schema_id == crate::catalog::PUBLIC).then(|| "public".into())
}
