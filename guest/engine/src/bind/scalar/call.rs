//! Function calls of every kind.

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::logical::{PlanColumn, SetCall, SetSource};
use super::super::name::{self, expression_position, position};
use super::super::site::Site;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve::{self, set_columns};
use crate::functions::{FunctionKind, Resolved, SetFunction};
use crate::types::DataType;
use crate::types::text::registered::type_named;
use sqlparser::ast::{
    self, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator,
    FunctionArgumentClause, FunctionArguments,
};

/// A call's parts once its syntax is known to be one that PostgreSQL has.
pub struct CallSyntax<'e> {
    pub name: String,
    pub position: Option<u32>,
    pub arguments: Vec<&'e Expr>,
    /// name => argument
    pub named: Vec<(String, &'e Expr)>,
    /// count(*)
    pub star: bool,
    pub distinct: bool,
    pub order_by: &'e [ast::OrderByExpr],
    pub within_group: &'e [ast::OrderByExpr],
    pub filter: Option<&'e Expr>,
    pub over: Option<&'e ast::WindowType>,
}

impl Binder<'_> {
    pub fn function(&mut self, site: &mut Site, function: &Function) -> Result<Expression> {
        if let FunctionArguments::Subquery(query) = &function.args {
            return match function.name.to_string().eq_ignore_ascii_case("array") {
                true => self.array_subquery(site, query),
                false => Err(Error::not_supported(format!("{} of a subquery", function.name))),
            };
        }
        if let (FunctionArguments::None, [ast::ObjectNamePart::Identifier(keyword)]) =
            (&function.args, &function.name.0[..])
        {
            let found = self.keyword_call(site, &name::fold(keyword))?;
            return found.ok_or_else(|| Error::not_supported(format!("{keyword} without parentheses")));
        }
        let call = syntax(function)?;
        if let Some((schema, _)) = call.name.split_once('.')
            && self.context.catalog.schema(schema).is_none()
        {
            let message = format!("schema \"{schema}\" does not exist");
            return Err(Error::new(sqlstate::INVALID_SCHEMA_NAME, message).at(call.position));
        }
        if let Some(expression) = self.keyword_form(site, function, &call)? {
            return Ok(expression);
        }
        let kind = resolve::kind(&call.name);
        if kind.is_none()
            && let Some(routine) = self.routine(&call.name)
        {
            return self.routine_call(site, &call, &routine);
        }
        if !call.named.is_empty() {
            return self.named_arguments(site, &call);
        }
        if let Some(row) = self.row_call(site, &call)? {
            return Ok(row);
        }
        match kind {
            _ if call.over.is_some() => self.window_call(site, &call, kind),
            Some(FunctionKind::Aggregate) => self.aggregate_call(site, &call),
            Some(FunctionKind::Window) => {
                let message = format!("window function {} requires an OVER clause", call.name);
                Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message).at(call.position))
            }
            Some(FunctionKind::Set) => {
                call.refuse_aggregate_clauses()?;
                self.set_call(site, &call)
            }
            Some(FunctionKind::Scalar) | None => {
                call.refuse_aggregate_clauses()?;
                let arguments = self.call_arguments(site, &call)?;
                self.bound_call(&call.name, arguments, &call.arguments, call.position)
            }
        }
    }

    pub fn arguments(&mut self, site: &mut Site, arguments: &[&Expr]) -> Result<Vec<Expression>> {
        arguments.iter().map(|argument| self.expression(site, argument)).collect()
    }

    /// A call of the function behind a special form of syntax.
    pub fn named_call(
        &mut self,
        site: &mut Site,
        name: &str,
        arguments: &[&Expr],
        at: Option<u32>,
    ) -> Result<Expression> {
        let bound = self.arguments(site, arguments)?;
        self.bound_call(name, bound, arguments, at)
    }

    /// A scalar function of arguments that are bound already.
    pub fn bound_call(
        &mut self,
        name: &str,
        arguments: Vec<Expression>,
        written: &[&Expr],
        at: Option<u32>,
    ) -> Result<Expression> {
        let types: Vec<DataType> = arguments.iter().map(Expression::data_type).collect();
        if resolve::kind(name).is_none()
            && let [argument] = &arguments[..]
            && let Some(to) = type_named(name)
        {
            // `int4('1')` and `text(x)` are casts, where no function goes by that name.
            return self.explicit(argument.clone(), to, -1, at);
        }
        if let Some((value, data_type)) = resolve::by_types(name, &types) {
            return Ok(Expression::Literal(value, data_type));
        }
        let resolved = resolve::scalar(name, &types).map_err(|error| error.at(at))?;
        let arguments = self.converted(arguments, &resolved.argument_types, written)?;
        Ok(self.call(resolved.function, arguments, resolved.result))
    }

    pub fn converted(
        &mut self,
        arguments: Vec<Expression>,
        wanted: &[DataType],
        written: &[&Expr],
    ) -> Result<Vec<Expression>> {
        let converted = arguments.into_iter().enumerate().map(|(index, argument)| {
            let to = wanted.get(index).copied().unwrap_or(argument.data_type());
            self.argument(argument, to, written.get(index).and_then(|written| expression_position(written)))
        });
        converted.collect()
    }

    /// A set-returning function in a select list: its column, to be computed below.
    fn set_call(&mut self, site: &mut Site, call: &CallSyntax) -> Result<Expression> {
        site.check_set(call.position)?;
        let arguments = self.arguments(site, &call.arguments)?;
        let (function, arguments, columns) = self.resolved_set(call, arguments)?;
        let expression = match &columns[..] {
            [column] => Expression::Column { id: column.id, data_type: column.data_type },
            columns => Expression::Row {
                fields: columns
                    .iter()
                    .map(|column| Expression::Column { id: column.id, data_type: column.data_type })
                    .collect(),
            },
        };
        site.calls.sets.push(SetCall { function: SetSource::Function(function), arguments, columns });
        Ok(expression)
    }

    /// A set-returning function with its converted arguments and new columns.
    pub fn resolved_set(
        &mut self,
        call: &CallSyntax,
        arguments: Vec<Expression>,
    ) -> Result<(&'static SetFunction, Vec<Expression>, Vec<PlanColumn>)> {
        let types: Vec<DataType> = arguments.iter().map(Expression::data_type).collect();
        let resolved: Resolved<SetFunction> =
            resolve::set(&call.name, &types).map_err(|error| error.at(call.position))?;
        let arguments = self.converted(arguments, &resolved.argument_types, &call.arguments)?;
        let columns = set_columns(&resolved)?
            .into_iter()
            .map(|(column, data_type)| self.column(&call.name, column, data_type, -1))
            .collect();
        Ok((resolved.function, arguments, columns))
    }
}

impl CallSyntax<'_> {
    /// DISTINCT, ORDER BY, FILTER and `*` are for aggregates.
    pub fn refuse_aggregate_clauses(&self) -> Result<()> {
        let message = match () {
            () if self.star => format!("{}(*) specified, but {0} is not an aggregate function", self.name),
            () if self.distinct => format!("DISTINCT specified, but {} is not an aggregate function", self.name),
            () if !self.within_group.is_empty() => {
                format!("WITHIN GROUP specified, but {} is not an aggregate function", self.name)
            }
            () if !self.order_by.is_empty() => {
                format!("ORDER BY specified, but {} is not an aggregate function", self.name)
            }
            () if self.filter.is_some() => format!("FILTER specified, but {} is not an aggregate function", self.name),
            () => return Ok(()),
        };
        Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message).at(self.position))
    }
}

/// A function's name without pg_catalog.
pub fn function_name(name: &ast::ObjectName) -> Result<(String, Option<u32>)> {
    let identifiers = name::parts(name)?;
    let at = identifiers.first().and_then(|first| position(first));
    match identifiers[..] {
        [name] => Ok((name::fold(name), at)),
        [schema, name] if name::fold(schema) == "pg_catalog" => Ok((name::fold(name), at)),
        [schema, name] => Ok((format!("{}.{}", name::fold(schema), name::fold(name)), at)),
        _ => Err(Error::not_supported(format!("the qualified function name {name}")).at(at)),
    }
}

pub fn syntax(function: &Function) -> Result<CallSyntax<'_>> {
    let Function { name, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over } = function;
    let (name, position) = function_name(name)?;
    let refused = |what: &str| Err(Error::not_supported(what).at(position));
    if *uses_odbc_syntax || *parameters != FunctionArguments::None {
        return refused("this form of a call");
    }
    if null_treatment.is_some() {
        return refused("IGNORE NULLS or RESPECT NULLS");
    }
    let mut call = CallSyntax {
        name,
        position,
        arguments: vec![],
        named: vec![],
        star: false,
        distinct: false,
        order_by: &[],
        within_group,
        filter: filter.as_deref(),
        over: over.as_ref(),
    };
    let FunctionArguments::List(ast::FunctionArgumentList { duplicate_treatment, args, clauses }) = args else {
        return refused("a call without arguments");
    };
    call.distinct = *duplicate_treatment == Some(DuplicateTreatment::Distinct);
    for argument in args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => call.arguments.push(argument),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if args.len() == 1 => call.star = true,
            FunctionArg::Unnamed(_) => return refused("a wildcard as an argument"),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(argument),
                operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
            } => call.named.push((name::fold(name), argument)),
            FunctionArg::ExprNamed {
                name: Expr::Identifier(name),
                arg: FunctionArgExpr::Expr(argument),
                operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
            } => call.named.push((name::fold(name), argument)),
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => return refused("this form of an argument"),
        }
    }
    for clause in clauses {
        match clause {
            FunctionArgumentClause::OrderBy(keys) => call.order_by = keys,
            other => return refused(&format!("{other} in a call")),
        }
    }
    Ok(call)
}

/// A function's name as an output column's: without its schema.
pub fn call_name(name: &ast::ObjectName) -> Option<String> {
    name::parts(name).ok()?.last().map(|last| name::fold(last))
}
