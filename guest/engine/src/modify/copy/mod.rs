//! COPY … FROM STDIN.

mod csv;
mod options;
mod plain;
mod sink;

pub use sink::RowSink;

use crate::bind::name::{fold, qualified};
use crate::catalog::Relation;
use crate::define::DefineContext;
use crate::error::{Error, Result, sqlstate};
use crate::execute::Execution;
use crate::execute::expression::evaluate;
use crate::functions::FunctionContext;
use crate::statement::Outcome;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, Column, ColumnBuilder, Value, text};
use options::{Format, Options};
use sqlparser::ast::{CopySource, CopyTarget, Ident, Statement};
use std::rc::Rc;

/// Bytes of a line that a CONTEXT shows, as in PostgreSQL.
const SHOWN_BYTES: usize = 100;

/// One line of the input, cut into fields.
struct Line<'a> {
    /// Counted from 1.
    number: usize,
    text: &'a [u8],
    /// None is NULL.
    fields: Vec<Option<std::borrow::Cow<'a, [u8]>>>,
}

/// Runs COPY with what follows it.
pub fn execute(context: &DefineContext, statement: &Statement, input: Option<&[u8]>) -> Result<Outcome> {
    let Statement::Copy { source, to, target, options, legacy_options, values } = statement else {
        return Err(Error::internal("no COPY statement"));
    };
    if *to {
        return Err(Error::not_supported("COPY TO"));
    }
    if *target != CopyTarget::Stdin || !values.is_empty() {
        return Err(Error::not_supported("COPY from anything but STDIN"));
    }
    let CopySource::Table { table_name, columns } = source else {
        return Err(Error::new(sqlstate::SYNTAX_ERROR, "COPY FROM needs a table"));
    };
    let relation = context.table(table_name)?;
    let name = qualified(table_name)?.name;
    let options = Options::new(options, legacy_options)?;
    let positions = target_columns(&relation, columns)?;
    let input = input.ok_or_else(|| Error::new("08P01", "COPY FROM STDIN came without its data"))?;
    let functions = context.functions();
    let mut copy = Copy::new(context, &functions, &relation, name, positions)?;
    let count = match options.format {
        Format::Text => plain::each_line(input, &options, &mut |line| copy.line(line)).and_then(|()| copy.finish()),
        Format::Csv => csv::each_line(input, &options, &copy.csv_columns(&options)?, &mut |line| copy.line(line))
            .and_then(|()| copy.finish()),
    };
    let count =
        count.map_err(|error| if error.0.context.is_some() { error } else { copy_context(error, &relation) })?;
    Ok(Outcome::Complete { tag: format!("COPY {count}"), follow_up: vec![] })
}

fn copy_context(error: Error, relation: &Relation) -> Error {
    error.context(format!("COPY {}", relation.name))
}

fn target_columns(relation: &Relation, columns: &[Ident]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Ok(relation.live_columns().map(|(position, _)| position).collect());
    }
    let mut positions = vec![];
    for column in columns {
        let name = fold(column);
        let found = relation.live_columns().find(|(_, known)| known.name == name).map(|(position, _)| position);
        let position = found.ok_or_else(|| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            Error::new(sqlstate::UNDEFINED_COLUMN, message)
        })?;
        if positions.contains(&position) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(Error::new(sqlstate::DUPLICATE_COLUMN, message));
        }
        positions.push(position);
    }
    Ok(positions)
}

/// A COPY while it runs.
struct Copy<'c> {
    context: &'c DefineContext<'c>,
    functions: &'c FunctionContext<'c>,
    relation: &'c Relation,
    name: String,
    /// The table's columns in the order of the fields.
    positions: Vec<usize>,
    /// Defaults of the other columns.
    defaults: Vec<(usize, crate::bind::Expression)>,
    builders: Vec<ColumnBuilder>,
    /// Number and text of each line of the batch.
    lines: Vec<(usize, String)>,
    checks: Vec<(String, crate::execute::expression::Compiled)>,
    writer: super::writer::TableWriter<'c>,
    count: u64,
}

impl<'c> Copy<'c> {
    fn new(
        context: &'c DefineContext<'c>,
        functions: &'c FunctionContext<'c>,
        relation: &'c Relation,
        name: String,
        positions: Vec<usize>,
    ) -> Result<Copy<'c>> {
        let mut defaults = vec![];
        for (position, column) in relation.live_columns().filter(|(position, _)| !positions.contains(position)) {
            if let Some(default) = &column.default {
                defaults.push((position, context.constant(default, column.data_type, column.modifier)?));
            }
        }
        let check =
            |check: &crate::catalog::Check| Ok((check.name.clone(), context.check(relation, &check.expression)?));
        Ok(Copy {
            context,
            functions,
            relation,
            name,
            positions,
            defaults,
            builders: builders(relation),
            lines: vec![],
            checks: relation.checks.iter().map(check).collect::<Result<_>>()?,
            writer: super::writer::TableWriter::new(context.host, functions, relation)?,
            count: 0,
        })
    }

    /// Whether each field may be NULL by its text, and is NULL even when quoted.
    fn csv_columns(&self, options: &Options) -> Result<Vec<csv::ColumnRule>> {
        let named = |names: &[String], position: usize| names.contains(&self.relation.columns[position].name);
        for name in options.force_null.iter().chain(&options.force_not_null) {
            if !self.positions.iter().any(|position| self.relation.columns[*position].name == *name) {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", self.relation.name);
                return Err(Error::new(sqlstate::UNDEFINED_COLUMN, message));
            }
        }
        let rule = |position: &usize| csv::ColumnRule {
            force_null: named(&options.force_null, *position),
            force_not_null: named(&options.force_not_null, *position),
        };
        Ok(self.positions.iter().map(rule).collect())
    }

    fn line(&mut self, line: Line) -> Result<()> {
        let context = line_context(&self.name, line.number, &shown(line.text));
        let at_line = |error: Error| error.context(context.clone());
        if let Some(position) = self.positions.get(line.fields.len()) {
            let message = format!("missing data for column \"{}\"", self.relation.columns[*position].name);
            return Err(at_line(Error::new(sqlstate::BAD_COPY_FILE_FORMAT, message)));
        }
        if line.fields.len() > self.positions.len() {
            let message = "extra data after last expected column";
            return Err(at_line(Error::new(sqlstate::BAD_COPY_FILE_FORMAT, message)));
        }
        let mut filled = vec![false; self.builders.len()];
        for (field, &position) in line.fields.iter().zip(&self.positions) {
            let column = &self.relation.columns[position];
            let value = match field {
                None => Value::Null,
                Some(bytes) => {
                    let at_field = |error: Error, shown: &str| {
                        let table = &self.name;
                        let context =
                            format!("COPY {table}, line {}, column {}: \"{shown}\"", line.number, column.name);
                        error.context(context)
                    };
                    let field = std::str::from_utf8(bytes).map_err(|_| at_line(invalid_utf8()))?;
                    text::parse(field, column.data_type, column.modifier, self.functions)
                        .map_err(|error| at_field(error, &shown(bytes)))?
                }
            };
            self.builders[position].push(&value);
            filled[position] = true;
        }
        for (position, default) in &self.defaults {
            self.builders[*position].push(&self.context.evaluate(default)?);
            filled[*position] = true;
        }
        for (builder, _) in self.builders.iter_mut().zip(filled).filter(|(_, filled)| !filled) {
            builder.push_null();
        }
        self.lines.push((line.number, shown(line.text)));
        if self.lines.len() >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let rows = self.lines.len();
        let columns = std::mem::replace(&mut self.builders, builders(self.relation));
        let batch = Batch { columns: columns.into_iter().map(|builder| Rc::new(builder.finish())).collect(), rows };
        let context = self.context.execute_context();
        let execution = Execution::without_plan(&context);
        let evaluate = |check: &_, batch: &Batch| -> Result<Rc<Column>> { evaluate(&execution, check, batch) };
        let stop = super::constraint::first_violation(&self.writer, &self.checks, &evaluate, &batch)?;
        let stopped = stop.is_some();
        // Keys of the lines before are to be seen by the reads that look for duplicates.
        self.writer.flush()?;
        let inserted = super::insert::Insertion { writer: &mut self.writer }.insert(&batch, stop);
        match inserted {
            Ok(inserted) => self.count += inserted.len() as u64,
            Err(failed) => {
                let (number, text) = &self.lines[failed.row];
                let is_duplicate = failed.error.sqlstate() == sqlstate::UNIQUE_VIOLATION;
                let context = match is_duplicate || !stopped {
                    true => format!("COPY {}, line {number}", self.name),
                    false => line_context(&self.name, *number, text),
                };
                return Err(failed.error.context(context));
            }
        }
        self.lines.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        self.flush()?;
        self.writer.flush()?;
        Ok(self.count)
    }
}

fn line_context(table: &str, number: usize, text: &str) -> String {
    format!("COPY {table}, line {number}: \"{text}\"")
}

fn builders(relation: &Relation) -> Vec<ColumnBuilder> {
    relation.columns.iter().map(|column| ColumnBuilder::new(column.data_type)).collect()
}

fn invalid_utf8() -> Error {
    Error::new(sqlstate::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")
}

fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    if text.len() <= SHOWN_BYTES {
        return text.into_owned();
    }
    let end = (0..=SHOWN_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}...", &text[..end])
}
