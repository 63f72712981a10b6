//! `\d` and its family: the catalog's questions, asked in SQL that PostgreSQL answers as well.

use crate::command::client::{Answer, Failure};
use crate::command::sql::connection::Connection;
use crate::command::sql::table;

const NOT_SYSTEM: &str = "NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'sys', 'isobar')";

/// A list that `\dt`, `\dv`, `\di`, `\df`, `\dn`, `\l` or a bare `\d` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Relations,
    Tables,
    Views,
    Indexes,
    Functions,
    Schemas,
    Databases,
}

impl List {
    fn title(self) -> &'static str {
        match self {
            List::Relations => "List of relations",
            List::Tables => "List of tables",
            List::Views => "List of views",
            List::Indexes => "List of indexes",
            List::Functions => "List of functions",
            List::Schemas => "List of schemas",
            List::Databases => "List of databases",
        }
    }

    fn query(self) -> String {
        let relations = |condition: &str| {
            format!(
                "SELECT table_schema AS \"Schema\", table_name AS \"Name\", \
                 CASE table_type WHEN 'BASE TABLE' THEN 'table' ELSE lower(table_type) END AS \"Type\" \
                 FROM information_schema.tables WHERE table_schema {NOT_SYSTEM} {condition} ORDER BY 1, 2"
            )
        };
        match self {
            List::Relations => relations(""),
            List::Tables => relations("AND table_type = 'BASE TABLE'"),
            List::Views => relations("AND table_type = 'VIEW'"),
            List::Indexes => format!(
                "SELECT schemaname AS \"Schema\", indexname AS \"Name\", tablename AS \"Table\" \
                 FROM pg_catalog.pg_indexes WHERE schemaname {NOT_SYSTEM} ORDER BY 1, 2"
            ),
            List::Functions => format!(
                "SELECT n.nspname AS \"Schema\", p.proname AS \"Name\", \
                 pg_get_function_result(p.oid) AS \"Result data type\", \
                 pg_get_function_arguments(p.oid) AS \"Argument data types\" FROM pg_catalog.pg_proc p \
                 JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
                 WHERE n.nspname {NOT_SYSTEM} ORDER BY 1, 2"
            ),
            List::Schemas => format!(
                "SELECT schema_name AS \"Name\" FROM information_schema.schemata WHERE schema_name {NOT_SYSTEM} ORDER BY 1"
            ),
            List::Databases => "SELECT datname AS \"Name\" FROM pg_catalog.pg_database ORDER BY 1".into(),
        }
    }
}

/// The text of a list.
pub async fn list(connection: &mut Connection, list: List) -> Result<String, Failure> {
    let answer = connection.ask(&list.query(), &[]).await?;
    if answer.rows.is_empty() {
        return Ok(format!("{}: none\n", list.title()));
    }
    Ok(titled(list.title(), &answer))
}

const COLUMNS: &str = "SELECT a.attname AS \"Column\", format_type(a.atttypid, a.atttypmod) AS \"Type\", \
     CASE WHEN a.attnotnull THEN 'not null' ELSE '' END AS \"Nullable\", \
     coalesce((SELECT c.column_default FROM information_schema.columns c WHERE c.table_schema = n.nspname \
               AND c.table_name = r.relname AND c.column_name = a.attname), '') AS \"Default\" \
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid \
     JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace \
     WHERE n.nspname = $1 AND r.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const FIND: &str = "SELECT n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relname = $1 AND ($2::text IS NULL OR n.nspname = $2) \
     ORDER BY n.nspname = 'pg_catalog', n.nspname = 'information_schema', n.nspname <> 'public', n.nspname";

const INDEXES: &str =
    "SELECT indexdef FROM pg_catalog.pg_indexes WHERE schemaname = $1 AND tablename = $2 ORDER BY indexname";

const CHECKS: &str = "SELECT '\"' || o.conname || '\" ' || pg_get_constraintdef(o.oid) FROM pg_catalog.pg_constraint o \
     JOIN pg_catalog.pg_class r ON r.oid = o.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace \
     WHERE n.nspname = $1 AND r.relname = $2 AND o.contype = 'c' ORDER BY o.conname";

const VIEW: &str = "SELECT view_definition FROM information_schema.views WHERE table_schema = $1 AND table_name = $2";

const INDEX: &str = "SELECT indexdef FROM pg_catalog.pg_indexes WHERE schemaname = $1 AND indexname = $2";

/// The text of `\d name`: columns, indexes and checks of a table, or what a view or an index is made of.
pub async fn describe(connection: &mut Connection, name: &str) -> Result<String, Failure> {
    let (schema, relation) = parse_name(name);
    let found = connection.ask(FIND, &[Some(&relation), schema.as_deref()]).await?;
    let Some([Some(schema), Some(relation), Some(kind)]) = found.rows.first().map(Vec::as_slice) else {
        return Ok(format!("There is no relation \"{name}\".\n"));
    };
    let parameters = [Some(schema.as_str()), Some(relation.as_str())];
    if kind == "i" {
        let definition = connection.ask(INDEX, &parameters).await?;
        return Ok(format!("Index \"{schema}.{relation}\"\n{}", indented(&definition)));
    }
    let columns = connection.ask(COLUMNS, &parameters).await?;
    let what = if kind == "v" { "View" } else { "Table" };
    let mut text = titled(&format!("{what} \"{schema}.{relation}\""), &columns);
    let sections: &[(&str, &str)] =
        if kind == "v" { &[("View definition", VIEW)] } else { &[("Indexes", INDEXES), ("Check constraints", CHECKS)] };
    for (title, query) in sections {
        let answer = connection.ask(query, &parameters).await?;
        if !answer.rows.is_empty() {
            text.push_str(&format!("{title}:\n{}", indented(&answer)));
        }
    }
    Ok(text)
}

/// The first column of every row, a line each.
fn indented(answer: &Answer) -> String {
    let values = answer.rows.iter().filter_map(|row| row.first()?.as_deref());
    values.flat_map(str::lines).map(|line| format!("    {line}\n")).collect()
}

/// A table under its title in the middle, without the count of rows.
fn titled(title: &str, answer: &Answer) -> String {
    let mut body = String::new();
    table::aligned(answer, &mut body);
    let body = body.rsplit_once('(').map_or(body.as_str(), |(rows, _)| rows);
    let width = body.lines().nth(1).map_or(0, str::len);
    format!("{}{title}\n{body}", " ".repeat(width.saturating_sub(title.len()) / 2))
}

/// `schema.name` as typed: folded to lower case unless quoted.
fn parse_name(name: &str) -> (Option<String>, String) {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for letter in name.trim().trim_end_matches(';').chars() {
        match letter {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            letter => {
                let part = parts.last_mut().map(|part| &mut *part);
                if let Some(part) = part {
                    if quoted { part.push(letter) } else { part.extend(letter.to_lowercase()) }
                }
            }
        }
    }
    let relation = parts.pop().unwrap_or_default();
    (parts.pop(), relation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_typed() {
        for (typed, schema, relation) in [
            ("Flights", None, "flights"),
            ("shop.item;", Some("shop"), "item"),
            ("\"A.b\".\"C d\"", Some("A.b"), "C d"),
            ("", None, ""),
        ] {
            assert_eq!(parse_name(typed), (schema.map(String::from), relation.to_string()), "{typed}");
        }
    }
}
