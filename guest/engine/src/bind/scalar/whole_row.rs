//! Whole rows of tables as JSON. Records do not know their columns' names, so that the names are put in here.

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::scope::ScopeTable;
use super::super::site::Site;
use super::call::CallSyntax;
use crate::error::{Error, Result};
use crate::types::{DataType, Value};
use sqlparser::ast::Expr;

/// Functions that make JSON of any value.
const TO_JSON: &[&str] = &[
    "to_json",
    "to_jsonb",
    "row_to_json",
    "json_build_array",
    "jsonb_build_array",
    "json_build_object",
    "jsonb_build_object",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
];

fn text(text: &str) -> Expression {
    Expression::Literal(Value::text(text), DataType::Text)
}

impl Binder<'_> {
    /// A call's arguments. Tables' rows become objects where the function makes JSON of them.
    pub fn call_arguments(&mut self, site: &mut Site, call: &CallSyntax) -> Result<Vec<Expression>> {
        let makes_json = TO_JSON.contains(&call.name.as_str());
        let mut bound = vec![];
        for argument in &call.arguments {
            let expression = self.expression(site, argument)?;
            bound.push(match (makes_json, argument) {
                (true, Expr::Identifier(identifier)) => match site.scope.row_table(identifier).cloned() {
                    Some(table) => {
                        self.row_object(&table, call.name.starts_with("jsonb") || call.name == "to_jsonb")?
                    }
                    None => expression,
                },
                _ => expression,
            });
        }
        Ok(bound)
    }

    fn row_object(&mut self, table: &ScopeTable, binary: bool) -> Result<Expression> {
        let pairs = table.columns.iter().flat_map(|column| [text(&column.name), column.expression.clone()]).collect();
        let name = if binary { "jsonb_build_object" } else { "json_row" };
        let object = self.bound_call(name, pairs, &[], None)?;
        Ok(table.unless_made_up(object))
    }

    /// `row_to_json(table)` is the object itself, and `json_agg(table)` has each row on a line of its own.
    pub fn row_call(&mut self, site: &mut Site, call: &CallSyntax) -> Result<Option<Expression>> {
        let [Expr::Identifier(identifier)] = &call.arguments[..] else { return Ok(None) };
        let Some(table) = site.scope.row_table(identifier).cloned() else { return Ok(None) };
        match call.name.as_str() {
            "row_to_json" => {
                call.refuse_aggregate_clauses()?;
                // Notes the references.
                self.expression(site, call.arguments[0])?;
                self.row_object(&table, false).map(Some)
            }
            "json_agg" if call.over.is_some() => {
                Err(Error::not_supported("json_agg of whole rows over a window").at(call.position))
            }
            "json_agg" => {
                let object = self.row_object(&table, false)?;
                let printed = self.explicit(object, DataType::Text, -1, call.position)?;
                let printed =
                    Expression::Coalesce { arguments: vec![printed, text("null")], data_type: DataType::Text };
                let given = vec![printed, text(", \n ")];
                let joined = self.aggregate_of(site, "string_agg", call, Some(given))?;
                let opened = self.operation("||", Some(text("[")), joined, (None, None))?;
                let closed = self.operation("||", Some(opened), text("]"), (None, None))?;
                self.explicit(closed, DataType::Json, -1, call.position).map(Some)
            }
            _ => Ok(None),
        }
    }
}
