//! NOT NULL and CHECK.

use super::Evaluate;
use super::insert::RowError;
use super::writer::TableWriter;
use crate::error::{Error, Result, sqlstate};
use crate::types::{Batch, Value, text};

/// Bytes of a value that an error shows, as in PostgreSQL.
const SHOWN_BYTES: usize = 64;

/// The first row of a batch of new rows that violates a constraint, and how.
pub fn first_violation<E>(
    writer: &TableWriter,
    checks: &[(String, E)],
    evaluate: &Evaluate<E>,
    rows: &Batch,
) -> Result<Option<RowError>> {
    let mut first: Option<RowError> = None;
    let not_null = writer.relation.columns.iter().zip(&rows.columns).filter(|(column, _)| column.not_null);
    for (column, values) in not_null.filter(|(column, _)| !column.dropped) {
        let end = first.as_ref().map_or(rows.rows, |first| first.row);
        if let Some(row) = (0..end).find(|row| values.is_null(*row)) {
            let message = format!(
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                column.name, writer.relation.name
            );
            let mut error = violation(writer, sqlstate::NOT_NULL_VIOLATION, message, &rows.row(row));
            error.0.column_name = Some(column.name.clone());
            first = Some(RowError { row, error });
        }
    }
    for (name, check) in checks {
        // A row that a NOT NULL has stopped is not checked, nor are the ones after it.
        let end = first.as_ref().map_or(rows.rows, |first| first.row);
        if end == 0 {
            break;
        }
        let part;
        let checked = if end < rows.rows {
            part = rows.take(&(0..end as u32).collect::<Vec<_>>());
            &part
        } else {
            rows
        };
        let holds = evaluate(check, checked)?;
        if let Some(row) = (0..end).find(|row| matches!(holds.value(*row), Value::Boolean(false))) {
            let message =
                format!("new row for relation \"{}\" violates check constraint \"{name}\"", writer.relation.name);
            let mut error = violation(writer, sqlstate::CHECK_VIOLATION, message, &rows.row(row));
            error.0.constraint_name = Some(name.clone());
            first = Some(RowError { row, error });
        }
    }
    Ok(first)
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
