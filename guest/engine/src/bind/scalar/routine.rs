//! Calls of stored procedures' routines. PostgreSQL's rules for functions hold (section 10.3), and as no two routines
//! share a name, there is one candidate.

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::logical::{PlanColumn, SetCall, SetSource};
use super::super::name::expression_position;
use super::super::site::{Clause, Site};
use super::call::CallSyntax;
use super::operator::row_fields;
use crate::access;
use crate::catalog::procedure::{Callable, Parameter, Returns};
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve;
use crate::types::cast::CastContext;
use crate::types::{DataType, Value};
use sqlparser::ast::Expr;
use std::rc::Rc;

impl Binder<'_> {
    /// The routine that a call names, where no function of the engine's own has that name.
    pub fn routine(&self, name: &str) -> Option<Rc<Callable>> {
        let (schema, name) = match name.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, name),
        };
        if schema.is_none() && resolve::kind(name).is_some() {
            return None;
        }
        self.context.catalog.routine(schema, name, &self.context.settings.search_path).cloned()
    }

    /// A call in an expression. One that answers rows is a set-returning function.
    pub fn routine_call(&mut self, site: &mut Site, call: &CallSyntax, callable: &Rc<Callable>) -> Result<Expression> {
        if callable.routine.returns == Returns::Rows {
            site.check_set(call.position)?;
            let set = self.routine_set(site, call, callable)?;
            let column = |column: &PlanColumn| Expression::Column { id: column.id, data_type: column.data_type };
            let expression = match &set.columns[..] {
                [only] => column(only),
                columns => Expression::Row { fields: columns.iter().map(column).collect() },
            };
            site.calls.sets.push(set);
            return Ok(expression);
        }
        let arguments = self.routine_arguments(site, call, callable)?;
        Ok(Expression::Routine { routine: callable.clone(), arguments, data_type: callable.routine.data_type() })
    }

    /// A call whose rows stand in columns of their own.
    pub fn routine_set(&mut self, site: &mut Site, call: &CallSyntax, callable: &Rc<Callable>) -> Result<SetCall> {
        let arguments = self.routine_arguments(site, call, callable)?;
        let routine = &callable.routine;
        let columns = match routine.returns {
            Returns::Nothing => vec![self.column(&routine.name, &routine.name, DataType::Void, -1)],
            Returns::Value | Returns::Row | Returns::Rows => {
                let columns = routine.columns.iter();
                columns.map(|column| self.column(&routine.name, &column.name, column.data_type, -1)).collect()
            }
        };
        Ok(SetCall { function: SetSource::Routine(callable.clone()), arguments, columns })
    }

    /// The arguments in the order of the parameters, each of its parameter's type.
    fn routine_arguments(
        &mut self,
        site: &mut Site,
        call: &CallSyntax,
        callable: &Callable,
    ) -> Result<Vec<Expression>> {
        call.refuse_aggregate_clauses()?;
        if call.over.is_some() {
            let message =
                format!("OVER specified, but {} is not a window function nor an aggregate function", call.name);
            return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message).at(call.position));
        }
        if matches!(site.clause, Clause::Default | Clause::Check | Clause::Transform | Clause::Parameter) {
            let what = format!("a procedure's function in {}", site.clause.name());
            return Err(Error::not_supported(what).at(call.position));
        }
        self.note(access::execute(access::PROCEDURE_SCHEMA, &callable.target.procedure, &callable.owner));
        let parameters = &callable.routine.parameters;
        let mut given: Vec<Given> = vec![];
        for argument in &call.arguments {
            given.push(self.given(site, None, argument)?);
        }
        for (name, argument) in &call.named {
            given.push(self.given(site, Some(name), argument)?);
        }
        let mut ordered: Vec<Option<Given>> = parameters.iter().map(|_| None).collect();
        let undefined = undefined(call, &given);
        for (position, given) in given.into_iter().enumerate() {
            let place = match &given.name {
                None => Some(position),
                Some(name) => parameters.iter().position(|parameter| parameter.field.name == *name),
            };
            match place.and_then(|place| ordered.get_mut(place)) {
                Some(place @ None) => *place = Some(given),
                _ => return Err(undefined),
            }
        }
        let mut arguments = vec![];
        for (given, parameter) in ordered.into_iter().zip(parameters) {
            let Some(given) = given else { return Err(undefined) };
            arguments.push(self.for_parameter(given, parameter)?.ok_or_else(|| undefined.clone())?);
        }
        Ok(arguments)
    }

    fn given(&mut self, site: &mut Site, name: Option<&str>, argument: &Expr) -> Result<Given> {
        let position = expression_position(argument);
        // A row's literals take the types of the fields.
        let expression = match row_fields(argument) {
            Some(fields) => Expression::Row { fields: self.arguments(site, &fields)? },
            None => self.expression(site, argument)?,
        };
        Ok(Given { name: name.map(str::to_string), expression, position })
    }

    /// The argument as the parameter's type; none where there is no such conversion.
    fn for_parameter(&mut self, given: Given, parameter: &Parameter) -> Result<Option<Expression>> {
        let Given { expression, position, .. } = given;
        let fields = match expression {
            Expression::Row { fields } if parameter.field.data_type == DataType::Record => fields,
            Expression::Literal(Value::Null, DataType::Unknown) => {
                return Ok(Some(Expression::Literal(Value::Null, parameter.field.data_type)));
            }
            _ if parameter.field.data_type == DataType::Record => {
                let message = format!("parameter \"{}\" takes a row that is written as ROW(…)", parameter.field.name);
                return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(position));
            }
            expression => {
                return self.coerce(expression, parameter.field.data_type, -1, CastContext::Implicit, position);
            }
        };
        if fields.len() != parameter.fields.len() {
            return Ok(None);
        }
        let mut converted = vec![];
        for (field, wanted) in fields.into_iter().zip(&parameter.fields) {
            match self.coerce(field, wanted.data_type, -1, CastContext::Implicit, position)? {
                Some(field) => converted.push(field),
                None => return Ok(None),
            }
        }
        Ok(Some(Expression::Row { fields: converted }))
    }
}

/// An argument as it is written.
struct Given {
    name: Option<String>,
    expression: Expression,
    position: Option<u32>,
}

/// 42883
fn undefined(call: &CallSyntax, given: &[Given]) -> Error {
    let shown = |given: &Given| match &given.name {
        Some(name) => format!("{name} => {}", given.expression.data_type().name()),
        None => given.expression.data_type().name(),
    };
    let types: Vec<String> = given.iter().map(shown).collect();
    let message = format!("function {}({}) does not exist", call.name, types.join(", "));
    Error::new(sqlstate::UNDEFINED_FUNCTION, message)
        .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
        .at(call.position)
}
