//! Functions with a syntax of their own, and those that are called without parentheses.

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::name::expression_position;
use super::super::site::Site;
use super::call::CallSyntax;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve;
use crate::types::{DataType, Value};
use sqlparser::ast::{CeilFloorKind, DateTimeField, Expr, Function, TrimWhereField};

impl Binder<'_> {
    /// CURRENT_DATE and its like; none when the word is not one of them.
    pub fn keyword_call(&mut self, _site: &mut Site, keyword: &str) -> Result<Option<Expression>> {
        let time = match keyword {
            "current_timestamp" => Some(DataType::Timestamptz),
            "current_date" => Some(DataType::Date),
            "current_time" => Some(DataType::TimeTz),
            "localtimestamp" => Some(DataType::Timestamp),
            "localtime" => Some(DataType::Time),
            _ => None,
        };
        if let Some(to) = time {
            let now = self.bound_call("now", vec![], &[], None)?;
            return self.explicit(now, to, -1, None).map(Some);
        }
        let function = match keyword {
            "current_user" | "current_role" | "user" => "current_user",
            "session_user" => "session_user",
            "current_catalog" => "current_database",
            "current_schema" => "current_schema",
            _ => return Ok(None),
        };
        self.bound_call(function, vec![], &[], None).map(Some)
    }

    /// What looks like a function's call and is none.
    pub fn keyword_form(
        &mut self,
        site: &mut Site,
        function: &Function,
        call: &CallSyntax,
    ) -> Result<Option<Expression>> {
        let [sqlparser::ast::ObjectNamePart::Identifier(keyword)] = &function.name.0[..] else { return Ok(None) };
        if keyword.quote_style.is_some() {
            return Ok(None);
        }
        let plain = || call.refuse_aggregate_clauses();
        let arguments = &call.arguments[..];
        match call.name.as_str() {
            "coalesce" if !arguments.is_empty() => {
                plain()?;
                self.coalesce(site, arguments).map(Some)
            }
            "greatest" | "least" if !arguments.is_empty() => {
                plain()?;
                self.extreme(site, arguments, call.name == "greatest").map(Some)
            }
            "nullif" => {
                plain()?;
                match arguments {
                    [left, right] => self.null_if(site, left, right).map(Some),
                    _ => Err(Error::new(sqlstate::SYNTAX_ERROR, "NULLIF takes two arguments").at(call.position)),
                }
            }
            "row" => {
                plain()?;
                let fields = arguments.iter().map(|field| self.settled(site, field)).collect::<Result<_>>()?;
                Ok(Some(Expression::Row { fields }))
            }
            "pg_typeof" if resolve::kind("pg_typeof").is_some() => {
                plain()?;
                let [argument] = arguments else { return Ok(None) };
                let oid = self.expression(site, argument)?.data_type().oid();
                Ok(Some(Expression::Literal(Value::Oid(oid), DataType::Regtype)))
            }
            "grouping" => {
                plain()?;
                self.grouping(site, call).map(Some)
            }
            "current_timestamp" | "current_time" | "localtimestamp" | "localtime" => {
                plain()?;
                let Some(now) = self.keyword_call(site, &call.name)? else { return Ok(None) };
                let Some(digits) = arguments.first() else { return Ok(Some(now)) };
                let Expression::Literal(Value::Integer(digits), _) = self.expression(site, digits)? else {
                    return Err(Error::not_supported("a computed precision of the time").at(call.position));
                };
                let data_type = now.data_type();
                self.explicit(now, data_type, digits.clamp(0, 6), None).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Named arguments, for the function that is called with them: all of its parameters have defaults.
    pub fn named_arguments(&mut self, site: &mut Site, call: &CallSyntax) -> Result<Expression> {
        const INTERVAL_FIELDS: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];
        call.refuse_aggregate_clauses()?;
        if call.name != "make_interval" || call.over.is_some() {
            return Err(Error::not_supported(format!("named arguments of {}", call.name)).at(call.position));
        }
        let zero = Expression::Literal(Value::Integer(0), DataType::Integer);
        let mut arguments = vec![zero; INTERVAL_FIELDS.len()];
        for (index, argument) in call.arguments.iter().enumerate().take(INTERVAL_FIELDS.len()) {
            arguments[index] = self.expression(site, argument)?;
        }
        for (name, argument) in &call.named {
            let field = INTERVAL_FIELDS.iter().position(|field| field == name);
            let free = field.filter(|field| *field >= call.arguments.len());
            let Some(field) = free else {
                let message = format!("function make_interval({name} => …) does not exist");
                return Err(Error::new(sqlstate::UNDEFINED_FUNCTION, message).at(call.position));
            };
            arguments[field] = self.expression(site, argument)?;
        }
        self.bound_call(&call.name, arguments, &[], call.position)
    }

    pub fn extract(&mut self, site: &mut Site, field: &DateTimeField, input: &Expr) -> Result<Expression> {
        let field = match field {
            DateTimeField::Custom(name) => name.value.to_lowercase(),
            field => field.to_string().to_lowercase(),
        };
        let bound = self.expression(site, input)?;
        let field = Expression::Literal(Value::text(&field), DataType::Text);
        self.bound_call("extract", vec![field, bound], &[input, input], expression_position(input))
    }

    pub fn rounded(&mut self, site: &mut Site, name: &str, input: &Expr, field: &CeilFloorKind) -> Result<Expression> {
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => self.named_call(site, name, &[input], None),
            _ => Err(Error::not_supported(format!("{name} to a unit"))),
        }
    }

    /// `substring(a from b for c)`, `substring(a similar b escape c)` and plain calls of substring and substr.
    #[allow(clippy::too_many_arguments)]
    pub fn substring(
        &mut self,
        site: &mut Site,
        name: &str,
        is_call: bool,
        input: &Expr,
        from: Option<&Expr>,
        length: Option<&Expr>,
    ) -> Result<Expression> {
        let text = self.expression(site, input)?;
        match (from, length) {
            (None, None) => self.bound_call(name, vec![text], &[input], None),
            (None, Some(length)) => {
                let first = Expression::Literal(Value::Integer(1), DataType::Integer);
                let bound = self.expression(site, length)?;
                self.bound_call(name, vec![text, first, bound], &[input, input, length], None)
            }
            (Some(from), None) => {
                let bound = self.expression(site, from)?;
                self.bound_call(name, vec![text, bound], &[input, from], None)
            }
            (Some(from), Some(length)) => {
                let start = self.expression(site, from)?;
                let count = self.expression(site, length)?;
                // `from 'pattern' for 'escape'`
                let is_pattern = start.data_type().is_text() && count.data_type().is_text();
                if is_pattern && !is_call {
                    let pattern = self.bound_call("similar_to_escape", vec![start, count], &[from, length], None)?;
                    return self.bound_call("substring", vec![text, pattern], &[input, from], None);
                }
                self.bound_call(name, vec![text, start, count], &[input, from, length], None)
            }
        }
    }

    pub fn trim(
        &mut self,
        site: &mut Site,
        side: Option<&TrimWhereField>,
        input: &Expr,
        what: Option<&Expr>,
        characters: Option<&[Expr]>,
    ) -> Result<Expression> {
        let name = match side {
            None | Some(TrimWhereField::Both) => "btrim",
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
        };
        let mut arguments = vec![input];
        arguments.extend(what);
        arguments.extend(characters.into_iter().flatten());
        self.named_call(site, name, &arguments, None)
    }

    /// The equality that NULLIF and CASE compare with.
    pub fn null_if(&mut self, site: &mut Site, left: &Expr, right: &Expr) -> Result<Expression> {
        let left_bound = self.expression(site, left)?;
        let right_bound = self.expression(site, right)?;
        let resolved = resolve::operator("=", Some(left_bound.data_type()), right_bound.data_type())?;
        let mut converted =
            self.converted(vec![left_bound, right_bound], &resolved.argument_types, &[left, right])?.into_iter();
        match (converted.next(), converted.next()) {
            (Some(left), Some(right)) => {
                let data_type = left.data_type();
                Ok(Expression::NullIf {
                    left: Box::new(left),
                    right: Box::new(right),
                    equal: resolved.function,
                    data_type,
                })
            }
            _ => Err(Error::internal("an equality of fewer than two sides")),
        }
    }
}
