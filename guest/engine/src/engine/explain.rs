//! EXPLAIN and EXPLAIN ANALYZE.

use super::Session;
use super::output::RowPrinter;
use super::{parameters, query, read_only};
use crate::error::{Error, Result, sqlstate};
use crate::execute;
use crate::host::OutputColumn;
use crate::plan::explain::{self, ExplainFormat, ExplainOptions, Run};
use crate::statement::{Description, Outcome};
use crate::types::{Batch, Column, DataType, Value};
use sqlparser::ast::{AnalyzeFormat, AnalyzeFormatKind, Statement, UtilityOption};
use std::rc::Rc;

/// What the statement asks for.
struct Explain<'a> {
    statement: &'a Statement,
    analyze: bool,
    options: ExplainOptions,
}

pub fn execute(session: &Session, statement: &Statement) -> Result<Outcome> {
    let explain = Explain::new(statement)?;
    let started = session.host.clock_time();
    let plan = query::plan(session, explain.statement)?;
    let planning_time = session.host.clock_time() - started;
    let run = match explain.analyze {
        false => None,
        true => {
            read_only::check(session, plan.writes)?;
            let functions = session.function_context();
            let values = parameters::parse(session.request, &plan.parameter_types, &functions)?;
            let started = session.host.clock_time();
            let measurements = execute::run_measured(&session.execute_context(&values), &plan.physical)?;
            Some(Run { measurements, execution_time: session.host.clock_time() - started })
        }
    };
    let lines = explain::print(&plan.physical, &explain.options, planning_time, run.as_ref());
    let functions = session.function_context();
    let data_type = explain.data_type();
    let mut printer =
        RowPrinter::new(session.host, &functions, session.request.format, &[column(data_type)], vec![data_type])?;
    let value = |line: &String| match data_type {
        DataType::Json => Value::Json(Rc::from(line.as_str())),
        _ => Value::text(line),
    };
    let values: Vec<Value> = lines.iter().map(value).collect();
    let lines = Column::from_values(data_type, &values);
    printer.print(&Batch { rows: lines.len(), columns: vec![Rc::new(lines)] })?;
    printer.finish()?;
    Ok(Outcome::Complete { tag: "EXPLAIN".into(), follow_up: vec![] })
}

pub fn describe(session: &Session, statement: &Statement) -> Result<Description> {
    let explain = Explain::new(statement)?;
    let plan = query::plan(session, explain.statement)?;
    let parameter_types = plan.parameter_types.iter().map(|data_type| data_type.oid()).collect();
    Ok(Description { parameter_types, columns: Some(vec![column(explain.data_type())]) })
}

fn column(data_type: DataType) -> OutputColumn {
    OutputColumn {
        name: "QUERY PLAN".into(),
        type_oid: data_type.oid(),
        type_size: data_type.size(),
        type_modifier: -1,
        table_oid: 0,
        column_number: 0,
    }
}

impl<'a> Explain<'a> {
    fn new(statement: &'a Statement) -> Result<Explain<'a>> {
        let Statement::Explain { analyze, verbose, statement, format, options, .. } = statement else {
            return Err(Error::internal("a statement that is no EXPLAIN"));
        };
        let mut explain = Explain {
            statement,
            analyze: *analyze,
            options: ExplainOptions { verbose: *verbose, ..Default::default() },
        };
        if let Some(AnalyzeFormatKind::Keyword(format) | AnalyzeFormatKind::Assignment(format)) = format {
            explain.options.format = match format {
                AnalyzeFormat::TEXT => ExplainFormat::Text,
                AnalyzeFormat::JSON => ExplainFormat::Json,
                format => return Err(Error::not_supported(format!("EXPLAIN in format {format}"))),
            };
        }
        let (mut timing, mut summary) = (None, None);
        for option in options.iter().flatten() {
            match option.name.value.to_ascii_lowercase().as_str() {
                "analyze" => explain.analyze = boolean(option)?,
                "verbose" => explain.options.verbose = boolean(option)?,
                "costs" => explain.options.costs = boolean(option)?,
                "timing" => timing = Some(boolean(option)?),
                "summary" => summary = Some(boolean(option)?),
                "format" => explain.options.format = format_option(option)?,
                // There is nothing to say of these: no buffers, no write-ahead log, no planner settings.
                "buffers" | "wal" | "settings" => {
                    boolean(option)?;
                }
                _ => {
                    let message = format!("unrecognized EXPLAIN option \"{}\"", option.name.value);
                    return Err(Error::new(sqlstate::SYNTAX_ERROR, message));
                }
            }
        }
        if timing == Some(true) && !explain.analyze {
            let message = "EXPLAIN option TIMING requires ANALYZE";
            return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, message));
        }
        explain.options.timing = timing.unwrap_or(true);
        explain.options.summary = summary.unwrap_or(explain.analyze);
        Ok(explain)
    }

    fn data_type(&self) -> DataType {
        match self.options.format {
            ExplainFormat::Text => DataType::Text,
            ExplainFormat::Json => DataType::Json,
        }
    }
}

fn argument(option: &UtilityOption) -> Option<String> {
    let argument = option.arg.as_ref()?.to_string();
    Some(argument.trim_matches(['\'', '"']).to_ascii_lowercase())
}

fn boolean(option: &UtilityOption) -> Result<bool> {
    match argument(option).as_deref() {
        None | Some("true" | "on" | "1") => Ok(true),
        Some("false" | "off" | "0") => Ok(false),
        Some(_) => {
            let message = format!("{} requires a Boolean value", option.name.value.to_ascii_lowercase());
            Err(Error::new(sqlstate::SYNTAX_ERROR, message))
        }
    }
}

fn format_option(option: &UtilityOption) -> Result<ExplainFormat> {
    match argument(option).as_deref() {
        Some("text") => Ok(ExplainFormat::Text),
        Some("json") => Ok(ExplainFormat::Json),
        Some("xml" | "yaml") => Err(Error::not_supported("EXPLAIN in this format")),
        other => {
            let message =
                format!("unrecognized value for EXPLAIN option \"format\": \"{}\"", other.unwrap_or_default());
            Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, message))
        }
    }
}
