//! `quote_ident`, `quote_literal`, `quote_nullable`.

use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction, Settings};
use crate::types::{Value, text};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("quote_ident", &[TEXT], TEXT, quote_ident),
    function("quote_literal", &[TEXT], TEXT, quote_literal),
    function("quote_literal", &[ANY_ELEMENT], TEXT, quote_literal).stable(),
    function("quote_nullable", &[TEXT], TEXT, quote_nullable).not_strict(),
    function("quote_nullable", &[ANY_ELEMENT], TEXT, quote_nullable).not_strict().stable(),
];

/// Keywords that cannot be every kind of name without quotes, in order (PostgreSQL 15, appendix C).
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// A name as SQL text has to spell it.
pub fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && KEYWORDS.binary_search(&name).is_err();
    if is_plain { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A string as a literal; one with backslashes becomes an E'' string.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

pub fn printed(value: &Value, settings: &Settings) -> String {
    text::to_string(value, text::natural_type(value), settings)
}

fn quote_ident(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::text(&identifier(arguments.text(0)?)))
}

fn quote_literal(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    // Other types are cast to text, which prints a boolean in full.
    let text = match &arguments[0] {
        Value::Boolean(value) => value.to_string(),
        value => printed(value, context.settings),
    };
    Ok(Value::text(&literal(&text)))
}

fn quote_nullable(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::text("NULL"));
    }
    quote_literal(context, arguments)
}
