//! COPY … FROM STDIN.

mod csv;
mod load;
mod options;
mod plain;
mod sink;

pub use sink::RowSink;

use crate::bind::name::fold;
use crate::catalog::Relation;
use crate::define::DefineContext;
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use load::Load;
use options::{Format, Options};
use sqlparser::ast::{CopySource, CopyTarget, Ident, Statement};
use std::borrow::Cow;

/// One line of the input, cut into fields.
struct Line<'a> {
    /// Counted from 1.
    number: usize,
    text: &'a [u8],
    /// None is NULL.
    fields: Vec<Option<Cow<'a, [u8]>>>,
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
    context.may(Action::Insert, &relation)?;
    let options = Options::new(options, legacy_options)?;
    let positions = target_columns(&relation, columns)?;
    let rules = column_rules(&relation, &positions, &options)?;
    let input = input.ok_or_else(|| Error::new("08P01", "COPY FROM STDIN came without its data"))?;
    let functions = context.functions();
    let mut load = Load::new(context, &functions, &relation, positions)?;
    match options.format {
        Format::Text => plain::each_line(input, &options, &mut |line| load.line(line))?,
        Format::Csv => csv::each_line(input, &options, &rules, &mut |line| load.line(line))?,
    }
    Ok(Outcome::Complete { tag: format!("COPY {}", load.finish()?), follow_up: vec![] })
}

fn target_columns(relation: &Relation, columns: &[Ident]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Ok(relation.live_columns().map(|(position, _)| position).collect());
    }
    let mut positions = vec![];
    for column in columns {
        let name = fold(column);
        let position = named_column(relation, &name)?;
        if positions.contains(&position) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(Error::new(sqlstate::DUPLICATE_COLUMN, message));
        }
        positions.push(position);
    }
    Ok(positions)
}

fn named_column(relation: &Relation, name: &str) -> Result<usize> {
    let found = relation.live_columns().find(|(_, column)| column.name == name);
    found.map(|(position, _)| position).ok_or_else(|| {
        let message = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
        Error::new(sqlstate::UNDEFINED_COLUMN, message)
    })
}

/// FORCE_NULL and FORCE_NOT_NULL by field.
fn column_rules(relation: &Relation, positions: &[usize], options: &Options) -> Result<Vec<csv::ColumnRule>> {
    let mut rules = vec![csv::ColumnRule::default(); positions.len()];
    for (names, is_null) in [(&options.force_null, true), (&options.force_not_null, false)] {
        for name in names {
            let position = named_column(relation, name)?;
            let field = positions.iter().position(|target| *target == position).ok_or_else(|| {
                let which = if is_null { "FORCE_NULL" } else { "FORCE_NOT_NULL" };
                let message = format!("{which} column \"{name}\" not referenced by COPY");
                Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message)
            })?;
            if is_null {
                rules[field].force_null = true;
            } else {
                rules[field].force_not_null = true;
            }
        }
    }
    Ok(rules)
}
