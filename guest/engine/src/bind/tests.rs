//! Statements beside what PostgreSQL 15 says of them: parameter types, result columns, errors with code and position.
//!
//! In `tests/*.txt` a statement stands on a line of its own, and below it, indented, what PostgreSQL answers when it
//! is described: `$ parameter types`, `: name type, …` (`-` where it answers no rows) or `! code @position message`.
//! A line `~ code` is what this engine answers instead, where it does not have what PostgreSQL has; `~` alone, where
//! the message or the columns differ for a reason that the comment above gives.

use super::{BindContext, query};
use crate::catalog::{
    Catalog, Index, IndexColumn, IndexState, Relation, RelationKind, Schema, TableColumn, View, ViewRelation,
};
use crate::error::{Error, Result};
use crate::functions::Settings;
use crate::host::{Access, Authorization, Environment};
use crate::parse;
use crate::types::DataType;

struct Stopped;

impl Authorization for Stopped {
    fn check(&self, _: &[Access]) -> Result<()> {
        Ok(())
    }
}

impl Environment for Stopped {
    fn transaction_time(&self) -> i64 {
        0
    }

    fn statement_time(&self) -> i64 {
        0
    }

    fn clock_time(&self) -> i64 {
        0
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

fn column(name: &str, data_type: DataType, modifier: i32) -> TableColumn {
    TableColumn {
        name: name.into(),
        data_type,
        modifier,
        not_null: false,
        default: None,
        dropped: false,
        missing: None,
    }
}

fn index(id: u32, name: &str, columns: &[usize], primary: bool) -> Index {
    let column = |&column: &usize| IndexColumn { column, descending: false, nulls_first: false };
    Index {
        id,
        oid: 90_000 + id,
        name: name.into(),
        columns: columns.iter().map(column).collect(),
        unique: true,
        primary,
        constraint: true,
        nulls_not_distinct: false,
        include: vec![],
        state: IndexState::Public,
    }
}

fn table(id: u32, schema_id: u32, name: &str, columns: Vec<TableColumn>, indexes: Vec<Index>) -> Relation {
    Relation {
        id,
        schema_id,
        name: name.into(),
        kind: RelationKind::Table,
        columns,
        indexes,
        checks: vec![],
        next_index_id: 9,
        owner: "isobar".into(),
    }
}

fn catalog() -> Catalog {
    use DataType::*;
    let with_default = |column: TableColumn, default: &str| TableColumn { default: Some(default.into()), ..column };
    let t = vec![
        column("a", Integer, -1),
        column("b", Text, -1),
        with_default(column("c", Numeric, ((10 << 16) | 2) + 4), "5"),
        column("d", Date, -1),
        column("e", Boolean, -1),
        column("f", Double, -1),
        with_default(column("g", BigInt, -1), "7"),
        column("h", Array(&Integer), -1),
        column("j", Jsonb, -1),
        column("v", Varchar, 9),
        column("ts", Timestamptz, -1),
        column("i", Interval, -1),
    ];
    let u = vec![column("a", Integer, -1), column("x", Text, -1), column("n", BigInt, -1)];
    let mut view = table(16_403, 2200, "w", vec![column("a", Integer, -1), column("name", Text, -1)], vec![]);
    let named = |name: &str| Some(name.to_string());
    let viewed = ViewRelation { schema: None, name: "t".into(), id: 16_400, columns: vec![named("a"), named("b")] };
    view.kind =
        RelationKind::View(View { sql: "SELECT a, b AS name FROM t WHERE a > 1".into(), relations: vec![viewed] });
    let mut pg_class = table(1259, 11, "pg_class", vec![column("oid", Oid, -1)], vec![]);
    pg_class.kind = RelationKind::System;
    Catalog::new(
        vec![Schema { id: 16_384, name: "s".into(), owner: "isobar".into() }],
        vec![
            table(16_400, 2200, "t", t, vec![index(0, "t_pkey", &[0], true)]),
            table(16_401, 2200, "u", u, vec![index(0, "u_pkey", &[0, 1], true), index(1, "u_n_key", &[2], false)]),
            table(16_402, 2200, "Mixed", vec![column("Case", Integer, -1), column("select", Text, -1)], vec![]),
            view,
            table(
                16_404,
                16_384,
                "only_here",
                vec![column("k", Uuid, -1), column("q", Json, -1)],
                vec![index(0, "only_here_pkey", &[0], true)],
            ),
            pg_class,
        ],
    )
}

/// A type with its modifier, as `format_type` prints the few that the cases have.
fn shown(data_type: DataType, modifier: i32) -> String {
    match data_type {
        DataType::Numeric if modifier >= 0 => {
            format!("numeric({},{})", (modifier - 4) >> 16, (modifier - 4) & 0x7ff)
        }
        DataType::Varchar | DataType::Char if modifier >= 0 => format!("{}({})", data_type.name(), modifier - 4),
        DataType::Timestamptz if modifier >= 0 => format!("timestamp({modifier}) with time zone"),
        other => other.name(),
    }
}

fn describe(catalog: &Catalog, settings: &Settings, sql: &str) -> Result<Vec<String>> {
    let statement = parse::parse(sql)?;
    let context =
        BindContext { catalog, settings, environment: &Stopped, authorization: &Stopped, parameter_types: &[] };
    let bound = query(&context, &statement)?;
    let mut lines = vec![];
    if !bound.parameter_types.is_empty() {
        let types: Vec<String> = bound.parameter_types.iter().map(|data_type| data_type.name()).collect();
        lines.push(format!("$ {}", types.join(", ")));
    }
    let columns = bound.plan.columns();
    let names: Vec<String> =
        columns.iter().map(|column| format!("{} {}", column.name, shown(column.data_type, column.modifier))).collect();
    lines.push(if bound.answers_rows() { format!(": {}", names.join(", ")).trim_end().into() } else { "-".into() });
    Ok(lines)
}

/// Whether an error is PostgreSQL's, given as `code @position message`. A position may be missing, never wrong.
fn is_error(error: &Error, expected: &str) -> bool {
    let (code, rest) = expected.split_once(' ').unwrap_or((expected, ""));
    let (position, message) = match rest.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
        Some((position, message)) => (position.parse().ok(), message),
        None => (None, rest),
    };
    let at = error.0.position;
    error.sqlstate() == code && error.message() == message && (at.is_none() || at == position)
}

fn check(catalog: &Catalog, settings: &Settings, sql: &str, expected: &[&str]) -> Option<String> {
    let found = describe(catalog, settings, sql);
    let ours = expected.iter().find_map(|line| line.strip_prefix('~'));
    let matches = match (&found, ours, expected) {
        (Err(error), Some(code), _) => code.is_empty() || error.sqlstate() == code.trim(),
        (Ok(_), Some(code), _) => code.is_empty(),
        (Err(error), None, [line]) => line.strip_prefix("! ").is_some_and(|line| is_error(error, line)),
        (Ok(lines), None, expected) => lines.iter().map(|line| line.trim_end()).eq(expected.iter().copied()),
        (Err(_), None, _) => false,
    };
    let found = match found {
        Ok(lines) => lines.join("\n      "),
        Err(error) => format!(
            "! {} {}{}",
            error.sqlstate(),
            error.0.position.map_or_else(String::new, |at| format!("@{at} ")),
            error.message()
        ),
    };
    (!matches).then(|| format!("{sql}\n  PostgreSQL:\n      {}\n  here:\n      {found}\n", expected.join("\n      ")))
}

fn run(cases: &str) {
    let catalog = catalog();
    let settings = Settings { search_path: vec!["public".into()], ..Default::default() };
    let mut lines = cases.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).peekable();
    let mut differences = vec![];
    let mut count = 0;
    while let Some(sql) = lines.next() {
        let mut expected = vec![];
        while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
            expected.push(line.trim());
        }
        count += 1;
        differences.extend(check(&catalog, &settings, sql, &expected));
    }
    assert!(count > 20, "only {count} cases");
    assert!(differences.is_empty(), "{} of {count} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn expressions() {
    run(include_str!("tests/expressions.txt"));
}

#[test]
fn queries() {
    run(include_str!("tests/queries.txt"));
}

#[test]
fn grouping() {
    run(include_str!("tests/grouping.txt"));
}

#[test]
fn writing() {
    run(include_str!("tests/writing.txt"));
}

#[test]
fn syntax() {
    run(include_str!("tests/syntax.txt"));
}

/// Nested as deep as the parser lets through, in a stack of the size that threads have.
#[test]
fn deep_statements_do_not_overflow_the_stack() {
    let catalog = catalog();
    let settings = Settings { search_path: vec!["public".into()], ..Default::default() };
    let cases = [
        ("select ", "(1 + ", "1", ")"),
        ("select ", "(", "1", ")"),
        ("select ", "- ", "1", ""),
        ("select ", "not ", "true", ""),
        ("select ", "coalesce(1, ", "1", ")"),
        ("select ", "case when true then ", "1", " end"),
        ("select ", "array[", "1", "]"),
        ("select ", "(select ", "1", ")"),
        ("select ", "cast(", "1", " as int)"),
        ("select true and ", "(true and ", "true", ")"),
        ("select ", "exists (select ", "1", ")"),
        ("", "select * from (", "select 1", ") x"),
        ("select ", "true in (", "true", ")"),
        ("select * from t where ", "a in (select a from t where ", "true", ")"),
        ("select * from ", "(", "t cross join u", ")"),
        ("", "with x as (", "select 1", ") select * from x"),
    ];
    for (start, open, inner, close) in cases {
        let mut bound = 0;
        for depth in [1, 5, 10, 20, 30, 40, 60, 79, 100] {
            let sql = format!("{start}{}{inner}{}", open.repeat(depth), close.repeat(depth));
            match describe(&catalog, &settings, &sql) {
                Ok(_) => bound = depth,
                Err(error) => assert_eq!(error.sqlstate(), "54001", "{sql}: {error}"),
            }
        }
        assert!(bound >= 10, "{start}{open} only goes {bound} deep");
    }
}

#[test]
fn long_statements_bind() {
    let catalog = catalog();
    let settings = Settings { search_path: vec!["public".into()], ..Default::default() };
    let cases = [
        format!("select * from t where {}", vec!["a = 1"; 5000].join(" or ")),
        format!("select * from t where {}", vec!["a <> 1"; 5000].join(" and ")),
        format!("select {}", vec!["a"; 900].join(" + ") + " from t"),
        format!("select {} from t", vec!["b"; 900].join(" || ")),
        format!("select {} from t", vec!["a"; 1500].join(", ")),
        format!("select a in ({}) from t", vec!["1"; 20_000].join(", ")),
        format!("insert into u values {}", vec!["(1, 'x', 2)"; 5000].join(", ")),
        vec!["select 1"; 300].join(" union all "),
        format!("select * from t t0 {}", (1..200).map(|n| format!("join u u{n} on true ")).collect::<String>()),
        format!("select 1{}", "::int".repeat(900)),
    ];
    for sql in cases {
        if let Err(error) = describe(&catalog, &settings, &sql) {
            panic!("{}…: {error}", &sql[..60]);
        }
    }
}
