//! Names as they are written, and where.

use crate::error::{Error, Result};
use crate::limits::IDENTIFIER_BYTES;
use sqlparser::ast::{Expr, Ident, ObjectName, ObjectNamePart, SelectItem, Value};

/// An identifier as the catalog spells it: lower case unless it was quoted, cut to 63 bytes.
pub fn fold(identifier: &Ident) -> String {
    let mut name = match identifier.quote_style {
        Some(_) => identifier.value.clone(),
        None => identifier.value.to_ascii_lowercase(),
    };
    if name.len() > IDENTIFIER_BYTES {
        let mut end = IDENTIFIER_BYTES;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
    }
    name
}

/// Where an identifier stands in the text.
pub fn position(identifier: &Ident) -> Option<u32> {
    u32::try_from(identifier.span.start.column).ok().filter(|&column| column > 0)
}

/// A possibly qualified name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualifiedName {
    pub schema: Option<String>,
    pub name: String,
    pub position: Option<u32>,
}

impl QualifiedName {
    /// As error messages print it.
    pub fn shown(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The identifiers of a name.
pub fn parts(name: &ObjectName) -> Result<Vec<&Ident>> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(identifier) => Ok(identifier),
            ObjectNamePart::Function(_) => Err(Error::not_supported("a function as a name")),
        })
        .collect()
}

/// `name` or `schema.name`; a database before them must be left out.
pub fn qualified(name: &ObjectName) -> Result<QualifiedName> {
    match parts(name)?[..] {
        [name] => Ok(QualifiedName { schema: None, name: fold(name), position: position(name) }),
        [schema, name] => {
            Ok(QualifiedName { schema: Some(fold(schema)), name: fold(name), position: position(schema) })
        }
        [database, ..] => Err(Error::not_supported("a name that names its database").at(position(database))),
        [] => Err(Error::internal("a name without parts")),
    }
}

/// `name` alone.
pub fn simple(name: &ObjectName) -> Result<&Ident> {
    match parts(name)?[..] {
        [name] => Ok(name),
        _ => Err(Error::not_supported(format!("the qualified name {name}"))),
    }
}

/// Where an expression begins, as far as the tree says. Walks down the left side only.
pub fn expression_position(ast: &Expr) -> Option<u32> {
    let mut ast = ast;
    loop {
        ast = match ast {
            Expr::Identifier(identifier) => return position(identifier),
            Expr::CompoundIdentifier(identifiers) => return identifiers.first().and_then(position),
            Expr::Value(value) => return u32::try_from(value.span.start.column).ok().filter(|&column| column > 0),
            Expr::Function(function) => return parts(&function.name).ok()?.first().and_then(|name| position(name)),
            Expr::TypedString(typed) => {
                return u32::try_from(typed.value.span.start.column).ok().filter(|&column| column > 0);
            }
            Expr::Case { case_token, .. } => {
                return u32::try_from(case_token.0.span.start.column).ok().filter(|&column| column > 0);
            }
            Expr::BinaryOp { left, .. } => left,
            Expr::CompoundFieldAccess { root, .. } => root,
            Expr::Nested(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::Cast { expr: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::InSubquery { expr: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::AtTimeZone { timestamp: inner, .. } => inner,
            Expr::Subquery(query) => match &*query.body {
                sqlparser::ast::SetExpr::Select(select) => match select.projection.first() {
                    Some(SelectItem::UnnamedExpr(first) | SelectItem::ExprWithAlias { expr: first, .. }) => first,
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
    }
}

/// The text of a literal, where an expression is nothing but one.
pub fn literal_text(ast: &Expr) -> Option<&str> {
    match ast {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The parts of a name within a literal, such as `'public."My table"'::regclass`.
pub fn split_qualified(text: &str) -> Result<Vec<String>> {
    let invalid = || Error::new(crate::error::sqlstate::INVALID_NAME, "invalid name syntax");
    let mut names = vec![];
    let mut rest = text.trim();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut name = String::new();
            let mut characters = quoted.char_indices().peekable();
            let end = loop {
                match characters.next().ok_or_else(invalid)? {
                    (_, '"') if characters.next_if(|&(_, next)| next == '"').is_some() => name.push('"'),
                    (at, '"') => break at + 1,
                    (_, character) => name.push(character),
                }
            };
            names.push(name);
            rest = &quoted[end..];
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let name = rest[..end].trim();
            if name.is_empty() {
                return Err(invalid());
            }
            names.push(name.to_ascii_lowercase());
            rest = &rest[end..];
        }
        rest = rest.trim_start();
        match rest.strip_prefix('.') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => return Ok(names),
            None => return Err(invalid()),
        }
    }
}
