//! Lines on their way into a table.

use super::super::constraint;
use super::super::insert::Insertion;
use super::super::writer::TableWriter;
use super::Line;
use crate::bind::is_volatile;
use crate::catalog::Relation;
use crate::define::DefineContext;
use crate::error::{Error, Result, sqlstate};
use crate::execute::Execution;
use crate::execute::expression::{Compiled, compile, evaluate, evaluate_constant};
use crate::functions::FunctionContext;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, Column, Value, text};
use std::rc::Rc;

/// Bytes of a line that a CONTEXT shows, as in PostgreSQL.
const SHOWN_BYTES: usize = 100;

/// The value of a column that the input has not.
enum Default {
    Same(Value),
    /// Such as a random one.
    Each(Compiled),
}

/// Inserts a line as a row, about a thousand at a time.
pub(super) struct Load<'c> {
    context: &'c DefineContext<'c>,
    functions: &'c FunctionContext<'c>,
    /// The table's columns in the order of the fields.
    positions: Vec<usize>,
    defaults: Vec<(usize, Default)>,
    checks: Vec<(String, Compiled)>,
    writer: TableWriter<'c>,
    rows: Vec<Vec<Value>>,
    /// Number and text of each row's line.
    lines: Vec<(usize, &'c [u8])>,
    count: u64,
}

impl<'c> Load<'c> {
    pub fn new(
        context: &'c DefineContext<'c>,
        functions: &'c FunctionContext<'c>,
        relation: &'c Relation,
        positions: Vec<usize>,
    ) -> Result<Load<'c>> {
        let mut defaults = vec![];
        for (position, column) in relation.live_columns().filter(|(position, _)| !positions.contains(position)) {
            if let Some(sql) = &column.default {
                let bound = context.constant(sql, column.data_type, column.modifier)?;
                let default = match is_volatile(&bound) {
                    true => Default::Each(compile(&bound, &[])?),
                    false => Default::Same(context.evaluate(&bound)?),
                };
                defaults.push((position, default));
            }
        }
        let mut checks = vec![];
        for check in &relation.checks {
            checks.push((check.name.clone(), context.check(relation, &check.expression)?));
        }
        Ok(Load {
            context,
            functions,
            positions,
            defaults,
            checks,
            writer: TableWriter::new(context.host, functions, relation)?,
            rows: vec![],
            lines: vec![],
            count: 0,
        })
    }

    pub(super) fn line(&mut self, line: Line<'c>) -> Result<()> {
        let relation = self.writer.relation;
        let bad_format = |message: &str| {
            let error = Error::new(sqlstate::BAD_COPY_FILE_FORMAT, message);
            Err(error.context(line_context(relation, line.number, line.text)))
        };
        if let Some(position) = self.positions.get(line.fields.len()) {
            return bad_format(&format!("missing data for column \"{}\"", relation.columns[*position].name));
        }
        if line.fields.len() > self.positions.len() {
            return bad_format("extra data after last expected column");
        }
        let mut values = vec![Value::Null; relation.columns.len()];
        for (field, &position) in line.fields.iter().zip(&self.positions) {
            let Some(bytes) = field else { continue };
            let column = &relation.columns[position];
            let field = std::str::from_utf8(bytes).map_err(|_| {
                let message = "invalid byte sequence for encoding \"UTF8\"";
                let error = Error::new(sqlstate::CHARACTER_NOT_IN_REPERTOIRE, message);
                error.context(format!("COPY {}, line {}", relation.name, line.number))
            })?;
            values[position] =
                text::parse(field, column.data_type, column.modifier, self.functions).map_err(|error| {
                    let (table, number, shown) = (&relation.name, line.number, shown(bytes));
                    error.context(format!("COPY {table}, line {number}, column {}: \"{shown}\"", column.name))
                })?;
        }
        for (position, default) in &self.defaults {
            values[*position] = match default {
                Default::Same(value) => value.clone(),
                Default::Each(compiled) => {
                    let context = self.context.execute_context();
                    evaluate_constant(&Execution::without_plan(&context), compiled)?
                }
            };
        }
        self.rows.push(values);
        self.lines.push((line.number, line.text));
        if self.rows.len() >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    /// Answers how many rows there were.
    pub fn finish(mut self) -> Result<u64> {
        self.flush()?;
        self.writer.flush()?;
        Ok(self.count)
    }

    fn flush(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let context = self.context.execute_context();
        let execution = Execution::without_plan(&context);
        let evaluate = |check: &_, batch: &Batch| -> Result<Rc<Column>> { evaluate(&execution, check, batch) };
        let stop = constraint::first_violation(&self.writer, &self.checks, &evaluate, &rows)?;
        match (Insertion { writer: &mut self.writer }.insert(rows, stop)) {
            Ok(inserted) => self.count += inserted.len() as u64,
            Err(failed) => {
                let (number, text) = self.lines[failed.row];
                let relation = self.writer.relation;
                // Index keys are made of the row, no more of its line.
                let context = match failed.error.sqlstate() {
                    sqlstate::NOT_NULL_VIOLATION | sqlstate::CHECK_VIOLATION => line_context(relation, number, text),
                    _ => format!("COPY {}, line {number}", relation.name),
                };
                return Err(failed.error.context(context));
            }
        }
        self.lines.clear();
        Ok(())
    }
}

fn line_context(relation: &Relation, number: usize, text: &[u8]) -> String {
    format!("COPY {}, line {number}: \"{}\"", relation.name, shown(text))
}

fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    if text.len() <= SHOWN_BYTES {
        return text.into_owned();
    }
    let end = (0..=SHOWN_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}...", &text[..end])
}
