//! What a statement's answer looks like: a table, CSV, or JSON.

use clap::ValueEnum;
use serde_json::json;

use crate::command::client::Answer;
use crate::command::sql::table;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns
    Table,
    /// A header line and rows, quoted where needed; NULL is nothing, an empty text is ""
    Csv,
    /// One array of objects per statement, every value as PostgreSQL's text or null
    Json,
}

/// Layout of the results of one run.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub format: Format,
    /// One line a value (`\x`).
    pub expanded: bool,
}

/// The text to print for an answer. Statements without rows show their command tag in tables only.
pub fn render(answer: &Answer, style: Style) -> String {
    let mut out = String::new();
    if answer.fields.is_empty() && answer.rows.is_empty() {
        if style.format == Format::Table && !answer.command.is_empty() {
            out.push_str(&tag(answer));
            out.push('\n');
        }
        return out;
    }
    match style.format {
        Format::Table if style.expanded => table::expanded(answer, &mut out),
        Format::Table => table::aligned(answer, &mut out),
        Format::Csv => csv(answer, &mut out),
        Format::Json => json(answer, &mut out),
    }
    out
}

/// PostgreSQL's command tag, which the protocol takes apart.
pub fn tag(answer: &Answer) -> String {
    match answer.row_count {
        Some(count) if answer.command == "INSERT" => format!("INSERT 0 {count}"),
        Some(count) => format!("{} {count}", answer.command),
        None => answer.command.clone(),
    }
}

fn csv(answer: &Answer, out: &mut String) {
    let names: Vec<_> = answer.fields.iter().map(|field| quoted(&field.name)).collect();
    out.push_str(&names.join(","));
    out.push('\n');
    for row in &answer.rows {
        for (number, value) in row.iter().enumerate() {
            out.push_str(if number > 0 { "," } else { "" });
            out.push_str(&value.as_deref().map(quoted).unwrap_or_default());
        }
        out.push('\n');
    }
}

/// As COPY … TO … (FORMAT csv) writes it, so that an empty text differs from NULL and a load gives back the same.
fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && value != "\\." && !value.contains([',', '"', '\n', '\r']);
    if plain { value.to_string() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
}

/// Members in the order of the columns, and all of them, also where two columns have one name.
fn json(answer: &Answer, out: &mut String) {
    out.push('[');
    for (number, row) in answer.rows.iter().enumerate() {
        out.push_str(if number > 0 { ",\n {" } else { "{" });
        for (number, (field, value)) in answer.fields.iter().zip(row).enumerate() {
            out.push_str(if number > 0 { ", " } else { "" });
            out.push_str(&format!("{}: {}", json!(field.name), json!(value)));
        }
        out.push('}');
    }
    out.push_str("]\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::client::Field;

    fn answer() -> Answer {
        Answer {
            command: "SELECT".into(),
            row_count: Some(2),
            fields: ["id", "a,b"].map(|name| Field { name: name.into(), type_oid: 25 }).to_vec(),
            rows: vec![vec![Some("1".into()), None], vec![Some(String::new()), Some("say \"x\"\n".into())]],
            ..Answer::default()
        }
    }

    #[test]
    fn csv_tells_null_from_empty() {
        let style = Style { format: Format::Csv, expanded: false };
        assert_eq!(render(&answer(), style), "id,\"a,b\"\n1,\n\"\",\"say \"\"x\"\"\n\"\n");
    }

    #[test]
    fn json_is_one_array_a_statement() {
        let style = Style { format: Format::Json, expanded: false };
        let parsed: serde_json::Value = serde_json::from_str(&render(&answer(), style)).expect("it is JSON");
        assert_eq!(parsed, json!([{"id": "1", "a,b": null}, {"id": "", "a,b": "say \"x\"\n"}]));
    }

    #[test]
    fn statements_without_rows_show_their_tag() {
        let style = Style { format: Format::Table, expanded: false };
        for (command, row_count, expected) in [
            ("INSERT", Some(3), "INSERT 0 3\n"),
            ("UPDATE", Some(0), "UPDATE 0\n"),
            ("CREATE TABLE", None, "CREATE TABLE\n"),
        ] {
            let answer = Answer { command: command.into(), row_count, ..Answer::default() };
            assert_eq!(render(&answer, style), expected);
            assert_eq!(render(&answer, Style { format: Format::Csv, expanded: false }), "");
        }
    }
}
