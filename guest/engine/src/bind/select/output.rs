//! What result columns are called where the query does not say (as PostgreSQL names them).

use super::super::data_type;
use super::super::name::fold;
use super::super::scalar::call_name;
use sqlparser::ast::{self, Expr, SelectItem, SetExpr};

/// The name of an output column.
pub fn output_name(ast: &Expr) -> String {
    figure(ast).map_or_else(|| "?column?".into(), |(name, _)| name)
}

/// A name, and whether it is a strong one: a type's name and `case` give way to a name inside.
fn figure(ast: &Expr) -> Option<(String, bool)> {
    let strong = |name: &str| Some((name.to_string(), true));
    match ast {
        Expr::Identifier(identifier) => Some((fold(identifier), true)),
        Expr::CompoundIdentifier(identifiers) => identifiers.last().map(|last| (fold(last), true)),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let field = access_chain.iter().rev().find_map(|access| match access {
                ast::AccessExpr::Dot(Expr::Identifier(field)) => Some((fold(field), true)),
                _ => None,
            });
            field.or_else(|| figure(root))
        }
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => figure(inner),
        Expr::Cast { expr: inner, data_type, .. } => match figure(inner) {
            Some((name, true)) => Some((name, true)),
            weak => type_name(data_type).map(|name| (name, false)).or(weak),
        },
        Expr::TypedString(typed) => type_name(&typed.data_type).map(|name| (name, false)),
        Expr::Interval(_) => Some(("interval".into(), false)),
        Expr::Function(function) => call_name(&function.name).map(|name| (name, true)),
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(figure) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".into(), false)),
        },
        Expr::BinaryOp { op: ast::BinaryOperator::Overlaps, .. } => strong("overlaps"),
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::Exists { negated: false, .. } => strong("exists"),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Extract { .. } => strong("extract"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Position { .. } => strong("position"),
        Expr::Substring { shorthand, .. } => strong(if *shorthand { "substr" } else { "substring" }),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Trim { trim_where, .. } => strong(match trim_where {
            None | Some(ast::TrimWhereField::Both) => "btrim",
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
        }),
        Expr::Subquery(query) => subquery_name(&query.body).map(|name| (name, true)),
        _ => None,
    }
}

/// A scalar subquery goes by the name of its only column.
fn subquery_name(body: &SetExpr) -> Option<String> {
    match body {
        SetExpr::Select(select) => match select.projection.first()? {
            SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
            SelectItem::UnnamedExpr(output) => Some(output_name(output)),
            _ => None,
        },
        SetExpr::SetOperation { left, .. } => subquery_name(left),
        SetExpr::Query(query) => subquery_name(&query.body),
        SetExpr::Values(_) => Some("column1".into()),
        _ => None,
    }
}

fn type_name(data_type: &ast::DataType) -> Option<String> {
    let (resolved, _) = data_type::resolve(data_type).ok()?;
    Some(resolved.element().unwrap_or(resolved).internal_name())
}
