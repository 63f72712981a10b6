//! Expressions: every form of the tree, or 0A000.

mod aggregate;
mod array;
mod call;
mod conditional;
mod literal;
mod membership;
mod operator;
mod reference;
mod routine;
mod row;
mod special;
mod subquery;
mod whole_row;

pub use call::{CallSyntax, call_name, syntax};

use super::binder::Binder;
use super::expression::Expression;
use super::name::expression_position;
use super::site::Site;
use super::{data_type, name};
use crate::error::{Error, Result, sqlstate};
use sqlparser::ast::{self, CastKind, Expr};

impl Binder<'_> {
    /// Binds an expression. Quoted literals and parameters may come back with the type Unknown.
    pub fn expression(&mut self, site: &mut Site, ast: &Expr) -> Result<Expression> {
        self.deeper(|binder| binder.any_expression(site, ast))
    }

    /// The same with a type: what is still unknown is text.
    pub fn settled(&mut self, site: &mut Site, ast: &Expr) -> Result<Expression> {
        let bound = self.expression(site, ast)?;
        self.settle(bound)
    }

    /// A boolean, for the clause that messages name.
    pub fn boolean(&mut self, site: &mut Site, ast: &Expr, clause: &str) -> Result<Expression> {
        let bound = self.expression(site, ast)?;
        self.condition(bound, clause, expression_position(ast))
    }

    fn any_expression(&mut self, site: &mut Site, ast: &Expr) -> Result<Expression> {
        match ast {
            Expr::Identifier(identifier) => self.identifier(site, identifier),
            Expr::CompoundIdentifier(identifiers) => self.compound_identifier(site, identifiers),
            Expr::CompoundFieldAccess { root, access_chain } => self.field_access(site, root, access_chain),
            Expr::Nested(inner) => self.expression(site, inner),
            Expr::Value(value) => self.value(value),
            Expr::TypedString(ast::TypedString { data_type, value, uses_odbc_syntax: false }) => {
                let (to, modifier) = data_type::resolve(data_type)?;
                let position = u32::try_from(value.span.start.column).ok();
                let literal = self.value(value)?;
                self.explicit(literal, to, modifier, position)
            }
            Expr::Interval(interval) => self.interval(site, interval),
            Expr::IsNull(input) => self.is_null(site, input, false),
            Expr::IsNotNull(input) => self.is_null(site, input, true),
            Expr::IsTrue(input) => self.is_boolean(site, input, Some(true), false),
            Expr::IsNotTrue(input) => self.is_boolean(site, input, Some(true), true),
            Expr::IsFalse(input) => self.is_boolean(site, input, Some(false), false),
            Expr::IsNotFalse(input) => self.is_boolean(site, input, Some(false), true),
            Expr::IsUnknown(input) => self.is_boolean(site, input, None, false),
            Expr::IsNotUnknown(input) => self.is_boolean(site, input, None, true),
            Expr::IsDistinctFrom(left, right) => self.is_distinct(site, left, right, false),
            Expr::IsNotDistinctFrom(left, right) => self.is_distinct(site, left, right, true),
            Expr::UnaryOp { op, expr: input } => self.unary(site, op, input),
            Expr::BinaryOp { .. } => self.binary_chain(site, ast),
            Expr::Between { expr: input, negated, low, high } => self.between(site, input, *negated, low, high),
            Expr::InList { expr: input, list, negated } => self.in_list(site, input, list, *negated),
            Expr::InSubquery { expr: input, subquery, negated } => self.in_subquery(site, input, subquery, *negated),
            Expr::AnyOp { left, compare_op, right, is_some: _ } => {
                self.quantified(site, left, compare_op, right, false)
            }
            Expr::AllOp { left, compare_op, right } => self.quantified(site, left, compare_op, right, true),
            Expr::Like { negated, any: false, expr: input, pattern, escape_char } => {
                let symbol = if *negated { "!~~" } else { "~~" };
                self.like(site, input, symbol, pattern, escape_char.as_deref())
            }
            Expr::ILike { negated, any: false, expr: input, pattern, escape_char } => {
                let symbol = if *negated { "!~~*" } else { "~~*" };
                self.like(site, input, symbol, pattern, escape_char.as_deref())
            }
            Expr::SimilarTo { negated, expr: input, pattern, escape_char } => {
                self.similar(site, input, *negated, pattern, escape_char.as_deref())
            }
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: input, data_type, format: None } => {
                self.cast_chain(site, input, data_type)
            }
            Expr::Collate { expr: input, collation } => {
                check_collation(collation)?;
                self.expression(site, input)
            }
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.case(site, operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Function(function) => self.function(site, function),
            Expr::AtTimeZone { timestamp, time_zone } => {
                self.named_call(site, "timezone", &[time_zone, timestamp], expression_position(ast))
            }
            Expr::Extract { field, syntax: ast::ExtractSyntax::From, expr: input } => self.extract(site, field, input),
            Expr::Ceil { expr: input, field } => self.rounded(site, "ceil", input, field),
            Expr::Floor { expr: input, field } => self.rounded(site, "floor", input, field),
            Expr::Position { expr: part, r#in: whole } => self.named_call(site, "position", &[whole, part], None),
            Expr::Substring { expr: input, substring_from, substring_for, special, shorthand } => {
                let name = if *shorthand { "substr" } else { "substring" };
                self.substring(site, name, *special, input, substring_from.as_deref(), substring_for.as_deref())
            }
            Expr::Trim { expr: input, trim_where, trim_what, trim_characters } => {
                self.trim(site, trim_where.as_ref(), input, trim_what.as_deref(), trim_characters.as_deref())
            }
            Expr::Overlay { expr: input, overlay_what, overlay_from, overlay_for } => {
                let mut arguments: Vec<&Expr> = vec![input, overlay_what, overlay_from];
                arguments.extend(overlay_for.as_deref());
                self.named_call(site, "overlay", &arguments, None)
            }
            Expr::Exists { subquery, negated } => self.exists(site, subquery, *negated),
            Expr::Subquery(query) => self.scalar_subquery(site, query),
            Expr::Tuple(fields) => self.row(site, fields),
            Expr::Array(array) => self.array(site, array),
            Expr::IsNormalized { .. } => Err(Error::not_supported("IS NORMALIZED")),
            Expr::IsJson { .. } => Err(Error::not_supported("IS JSON")),
            other => {
                Err(Error::not_supported(format!("the expression {}", shortened(other))).at(expression_position(other)))
            }
        }
    }

    /// Long chains of `::` are walked, not recursed into.
    fn cast_chain(&mut self, site: &mut Site, input: &Expr, to: &ast::DataType) -> Result<Expression> {
        let mut targets = vec![to];
        let mut input = input;
        while let Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: inner, data_type, format: None } =
            input
        {
            targets.push(data_type);
            input = inner;
        }
        let position = expression_position(input);
        let mut bound = match (input, targets.last()) {
            // ARRAY[]::type[] takes its elements' type from the cast.
            (Expr::Array(array), Some(target)) => {
                let element = data_type::resolve(target)?.0.element();
                self.array_of(site, array, element)?
            }
            _ => self.expression(site, input)?,
        };
        for target in targets.into_iter().rev() {
            let (to, modifier) = data_type::resolve(target)?;
            bound = self.explicit(bound, to, modifier, position)?;
        }
        Ok(bound)
    }
}

/// Text is ordered by its bytes, which is what these collations say.
fn check_collation(collation: &ast::ObjectName) -> Result<()> {
    let qualified = name::qualified(collation)?;
    let known = ["C", "POSIX", "default", "ucs_basic"].contains(&qualified.name.as_str());
    if known && qualified.schema.as_deref().is_none_or(|schema| schema == "pg_catalog") {
        return Ok(());
    }
    let message = format!("collation \"{}\" for encoding \"UTF8\" does not exist", qualified.shown());
    Err(Error::new(sqlstate::UNDEFINED_OBJECT, message))
}

/// The beginning of an expression's text, for messages.
fn shortened(ast: &Expr) -> String {
    let text = ast.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
