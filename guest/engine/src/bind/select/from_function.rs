//! Functions in FROM (PostgreSQL 15, section 7.2.1.4).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::logical::{Plan, PlanColumn, SetCall, SetSource};
use super::super::name::{fold, parts, position};
use super::super::scalar::{CallSyntax, syntax};
use super::super::scope::{FromNames, Scope};
use super::super::site::{Clause, Site};
use super::from::{Item, aliased, scope_columns};
use crate::error::{Error, Result, sqlstate};
use crate::functions::{FunctionKind, resolve};
use crate::parse::ROWS_FROM;
use crate::types::{DataType, Value};
use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, ObjectName, TableAlias,
    TableFactor,
};

impl Binder<'_> {
    /// A function, or several side by side. Their arguments may refer to the items before them.
    pub fn function_item(&mut self, factor: &TableFactor, outer: Option<&Scope>, left: &FromNames) -> Result<Item> {
        let scope = Scope::inside(outer, left.clone());
        let mut site = Site::new(&scope, Clause::FromFunction);
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: Some(ast::TableFunctionArgs { args, settings: None }),
                with_hints: _,
                version: None,
                with_ordinality,
                partitions: _,
                json_path: None,
                sample: None,
                index_hints: _,
            }
            | TableFactor::Function { lateral: _, name, args, with_ordinality, alias } => {
                let functions = if name.0.len() == 1 && parts(name)?[0].value == ROWS_FROM {
                    args.iter().map(rows_from_member).collect::<Result<Vec<_>>>()?
                } else {
                    vec![called(name, args)]
                };
                self.functions(&mut site, &functions, *with_ordinality, alias.as_ref())
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset: false,
                with_offset_alias: None,
                with_ordinality,
            } => {
                let unnest = |array: &Expr| {
                    let argument = FunctionArg::Unnamed(FunctionArgExpr::Expr(array.clone()));
                    called(&ObjectName::from(vec![ast::Ident::new("unnest")]), &[argument])
                };
                let functions: Vec<_> = array_exprs.iter().map(unnest).collect();
                self.functions(&mut site, &functions, *with_ordinality, alias.as_ref())
            }
            _ => Err(Error::not_supported("this kind of FROM item")),
        }
    }

    /// CALL's routine.
    pub fn routine_item(&mut self, function: &ast::Function) -> Result<Plan> {
        let scope = Scope::default();
        let mut site = Site::new(&scope, Clause::FromFunction);
        let call = syntax(function)?;
        if resolve::kind(&call.name).is_some() {
            let message = format!("{} is not a procedure", call.name);
            return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message)
                .hint("To call a function, use SELECT.")
                .at(call.position));
        }
        match self.functions(&mut site, std::slice::from_ref(function), false, None) {
            Ok(item) => Ok(item.plan),
            Err(mut error) if error.sqlstate() == sqlstate::UNDEFINED_FUNCTION => {
                let unknown = format!("function {}(", call.name);
                if let Some(rest) = error.0.message.strip_prefix(&unknown) {
                    error.0.message = format!("procedure {}({rest}", call.name);
                    let hint = "No procedure matches the given name and argument types. You might need to add explicit \
                                type casts.";
                    error.0.hint = Some(hint.into());
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    fn functions(
        &mut self,
        site: &mut Site,
        functions: &[ast::Function],
        with_ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<Item> {
        let mut calls = vec![];
        let mut first_name = None;
        for function in functions {
            let call = syntax(function)?;
            if let Some(routine) = self.routine(&call.name) {
                first_name.get_or_insert_with(|| routine.name().to_string());
                calls.push(self.routine_set(site, &call, &routine)?);
                continue;
            }
            call.refuse_aggregate_clauses()?;
            if !call.named.is_empty() {
                return Err(Error::not_supported("named arguments in FROM").at(call.position));
            }
            if call.over.is_some() {
                let message = "window functions are not allowed in functions in FROM";
                return Err(Error::new(sqlstate::WINDOWING_ERROR, message).at(call.position));
            }
            first_name.get_or_insert_with(|| call.name.clone());
            let is_keyword = ["coalesce", "greatest", "least", "nullif", "row"].contains(&call.name.as_str());
            match resolve::kind(&call.name) {
                Some(FunctionKind::Set) => {
                    let arguments = self.arguments(site, &call.arguments)?;
                    let (function, arguments, columns) = self.resolved_set(&call, arguments)?;
                    if columns.iter().any(|column| column.data_type == DataType::Record) {
                        return Err(Error::not_supported(format!("{} in FROM", call.name)).at(call.position));
                    }
                    calls.push(SetCall { function: SetSource::Function(function), arguments, columns });
                }
                _ if functions.len() > 1 => {
                    return Err(Error::not_supported(format!("{} in ROWS FROM", call.name)).at(call.position));
                }
                _ if is_keyword => return Err(Error::not_supported(format!("{} in FROM", call.name)).at(call.position)),
                _ => {
                    let value = self.function(site, function)?;
                    return self.single_row(&call, value, with_ordinality, alias);
                }
            }
        }
        let name = first_name.unwrap_or_default();
        let shown = alias.map_or_else(|| name.clone(), |alias| fold(&alias.name));
        // A function's only column goes by the alias, unless the function names it.
        let renames = calls.len() == 1;
        let only_column = matches!(&calls[..], [call] if call.columns.len() == 1);
        if let (true, true, Some(_), [call]) = (renames, only_column, alias, &mut calls[..])
            && call.columns[0].name == call.function.name()
        {
            call.columns[0].name.clone_from(&shown);
        }
        let mut columns: Vec<PlanColumn> = calls.iter().flat_map(|call| call.columns.clone()).collect();
        let ordinality = with_ordinality.then(|| self.column(&shown, "ordinality", DataType::BigInt, -1));
        columns.extend(ordinality.clone());
        let mut names = aliased(shown.clone(), scope_columns(&columns), alias, None)?;
        names.is_scalar = columns.len() == 1;
        let plan = Plan::FunctionScan { calls, ordinality: ordinality.map(|column| column.id), alias: shown };
        Ok(Item { plan, names: FromNames::single(names) })
    }

    /// A function that answers one value is a table of one row.
    fn single_row(
        &mut self,
        call: &CallSyntax,
        value: Expression,
        with_ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<Item> {
        if value.data_type() == DataType::Record {
            return Err(Error::not_supported(format!("{} in FROM", call.name)).at(call.position));
        }
        let shown = alias.map_or_else(|| call.name.clone(), |alias| fold(&alias.name));
        let column = self.column(&shown, &shown, value.data_type(), -1);
        let mut outputs = vec![(column, value)];
        if with_ordinality {
            let ordinality = self.column(&shown, "ordinality", DataType::BigInt, -1);
            outputs.push((ordinality, Expression::Literal(Value::BigInt(1), DataType::BigInt)));
        }
        let plan = Plan::Project { input: Box::new(Plan::Unit), outputs };
        let mut names = aliased(shown, scope_columns(&plan.columns()), alias, None)?;
        names.is_scalar = !with_ordinality;
        Ok(Item { plan, names: FromNames::single(names) })
    }
}

fn called(name: &ObjectName, arguments: &[FunctionArg]) -> ast::Function {
    ast::Function {
        name: name.clone(),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.to_vec(),
            clauses: vec![],
        }),
        within_group: vec![],
        filter: None,
        null_treatment: None,
        over: None,
    }
}

fn rows_from_member(argument: &FunctionArg) -> Result<ast::Function> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) => Ok(function.clone()),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name))) => {
            Err(Error::not_supported(format!("{name} in ROWS FROM")).at(position(name)))
        }
        _ => Err(Error::new(sqlstate::SYNTAX_ERROR, "ROWS FROM takes function calls")),
    }
}
