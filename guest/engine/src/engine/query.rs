//! SELECT, INSERT, UPDATE, DELETE and CREATE TABLE AS.

use super::Session;
use super::output::RowPrinter;
use super::parameters;
use super::plans::Plan;
use super::read_only;
use crate::bind::{self, BindContext, Command, Expression};
use crate::define::{self, settings};
use crate::error::{Error, Result, sqlstate};
use crate::execute::expression::{Compiled, compile, evaluate_constant};
use crate::execute::{self, ExecuteContext, Execution};
use crate::functions::FunctionContext;
use crate::host::OutputColumn;
use crate::modify::copy::RowSink;
use crate::plan::{self, PlanContext};
use crate::statement::{Description, Outcome};
use crate::types::{DataType, Value};
use sqlparser::ast::{self, CreateTable, Statement};

impl Session<'_> {
    pub fn bind_context(&self) -> BindContext<'_> {
        BindContext {
            catalog: &self.catalog,
            settings: &self.settings,
            environment: self.host,
            authorization: self.host,
            parameter_types: &self.parameter_types,
        }
    }

    pub fn function_context(&self) -> FunctionContext<'_> {
        FunctionContext {
            environment: self.host,
            authorization: self.host,
            settings: &self.settings,
            catalog: &self.catalog,
        }
    }

    pub fn execute_context<'a>(&'a self, parameters: &'a [Value]) -> ExecuteContext<'a> {
        ExecuteContext { host: self.host, functions: self.function_context(), parameters, catalog: &self.catalog }
    }
}

pub fn plan(session: &Session, statement: &Statement) -> Result<Plan> {
    let bound = match statement {
        Statement::Call(function) => bind::call(&session.bind_context(), function)?,
        statement => bind::query(&session.bind_context(), statement)?,
    };
    if !bound.accesses.is_empty() {
        session.host.check(&bound.accesses)?;
    }
    let setting_change = setting_change(&session.request.sql, &bound.plan)?;
    let writes = read_only::writing_query(statement, bound.command, &bound.plan);
    let answers_rows = match (bound.command, &bound.plan.columns()[..]) {
        (Command::Select, _) => true,
        // A routine that returns nothing answers no row.
        (Command::Call, [column]) => column.data_type != DataType::Void,
        (_, columns) => !columns.is_empty(),
    };
    let physical = plan::optimize(bound.plan, &PlanContext { transaction: session.host, catalog: &session.catalog })?;
    let columns: Vec<OutputColumn> = physical
        .columns
        .iter()
        .map(|column| OutputColumn {
            name: column.name.clone(),
            type_oid: column.data_type.oid(),
            type_size: column.data_type.size(),
            type_modifier: column.modifier,
            table_oid: column.source.map_or(0, |(table, _)| table),
            column_number: column.source.map_or(0, |(_, number)| number),
        })
        .collect();
    Ok(Plan {
        column_types: physical.columns.iter().map(|column| column.data_type).collect(),
        columns: answers_rows.then_some(columns),
        physical,
        parameter_types: bound.parameter_types,
        command: bound.command,
        setting_change,
        writes,
        asked: std::cell::Cell::new(false),
    })
}

pub fn execute(session: &Session, plan: &Plan) -> Result<Outcome> {
    read_only::check(session, plan.writes)?;
    let functions = session.function_context();
    let values = parameters::parse(session.request, &plan.parameter_types, &functions)?;
    let context = session.execute_context(&values);
    let count = match &plan.columns {
        Some(columns) => {
            let (format, types) = (session.request.format, plan.column_types.clone());
            let mut printer = RowPrinter::new(session.host, &functions, format, columns, types)?;
            let count = execute::run(&context, &plan.physical, &mut |batch| printer.print(batch))?;
            printer.finish()?;
            count
        }
        None => execute::run(&context, &plan.physical, &mut |_| Ok(()))?,
    };
    if let Some(arguments) = &plan.setting_change {
        return change_setting(&context, arguments);
    }
    Ok(complete(match plan.command {
        Command::Select => format!("SELECT {count}"),
        Command::Insert => format!("INSERT 0 {count}"),
        Command::Update => format!("UPDATE {count}"),
        Command::Delete => format!("DELETE {count}"),
        Command::Call => "CALL".into(),
    }))
}

/// PREPARE says what is wrong with its statement: names, types.
pub fn check_prepared(session: &Session, data_types: &[ast::DataType], statement: &Statement) -> Result<()> {
    if !matches!(statement, Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_)) {
        return Ok(());
    }
    let parameter_types =
        data_types.iter().map(|given| Ok(bind::data_type::resolve(given)?.0)).collect::<Result<Vec<_>>>()?;
    let context = BindContext { parameter_types: &parameter_types, ..session.bind_context() };
    bind::query(&context, statement).map(drop)
}

/// The arguments of a `set_config` in the select list of a query without FROM. Only the host can change a setting, and
/// it can be told of one when the statement is done: the function is refused in any other place.
fn setting_change(sql: &str, plan: &bind::Plan) -> Result<Option<Vec<Compiled>>> {
    const NAME: &str = "set_config";
    if !sql.to_ascii_lowercase().contains(NAME) {
        return Ok(None);
    }
    let mut calls = vec![];
    if let bind::Plan::Project { input, outputs } = plan
        && matches!(**input, bind::Plan::Unit)
    {
        for (_, output) in outputs {
            if let Expression::Call { function, arguments, .. } = output
                && function.name == NAME
            {
                calls.push(arguments);
            }
        }
    }
    match calls[..] {
        [arguments] => arguments.iter().map(|argument| compile(argument, &[])).collect::<Result<_>>().map(Some),
        // The word may be in a string or a name.
        [] if !format!("{plan:?}").contains("function: set_config") => Ok(None),
        _ => Err(Error::not_supported("set_config but for once in the select list of a query without FROM")),
    }
}

fn change_setting(context: &ExecuteContext, arguments: &[Compiled]) -> Result<Outcome> {
    let execution = Execution::without_plan(context);
    let values =
        arguments.iter().map(|argument| evaluate_constant(&execution, argument)).collect::<Result<Vec<_>>>()?;
    let [Value::Text(name), value, Value::Boolean(local)] = &values[..] else {
        let message = "set_config needs a name and whether the change is local";
        return Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, message));
    };
    let value = if let Value::Text(value) = value { Some(&**value) } else { None };
    Ok(Outcome::Control(settings::change(name, value, *local)?))
}

pub fn describe(plan: &Plan) -> Description {
    Description {
        parameter_types: plan.parameter_types.iter().map(|data_type| data_type.oid()).collect(),
        columns: plan.columns.clone(),
    }
}

/// CREATE TABLE … AS query
pub fn create_table_as(session: &Session, create: &CreateTable) -> Result<Outcome> {
    let Some(query) = &create.query else {
        return define::execute(&session.define_context(), &Statement::CreateTable(create.clone()));
    };
    let mut plan = plan(session, &Statement::Query(query.clone()))?;
    // It writes a table, which a routine must not define anew meanwhile.
    plan.physical.uses_relations = true;
    let values = parameters::parse(session.request, &plan.parameter_types, &session.function_context())?;
    let context = session.define_context();
    let relation = define::table::create_as(&context, create, &plan.physical.columns)?;
    let with_data = create.with_data.as_ref().is_none_or(|given| given.data);
    let Some(relation) = relation.filter(|_| with_data) else {
        return Ok(complete("CREATE TABLE AS".into()));
    };
    let functions = session.function_context();
    let mut sink = RowSink::new(session.host, &functions, &relation)?;
    execute::run(&session.execute_context(&values), &plan.physical, &mut |batch| sink.insert(batch))?;
    Ok(complete(format!("SELECT {}", sink.finish()?)))
}

fn complete(tag: String) -> Outcome {
    Outcome::Complete { tag, follow_up: vec![] }
}
