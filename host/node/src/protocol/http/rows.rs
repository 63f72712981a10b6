//! Results as JSON, written straight from the packed rows.

use hyper::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::protocol::http::request::is_true;
use crate::sandbox::{Column, Event, Notice};

/// How a client wants its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowStyle {
    /// Rows are arrays rather than objects (`Neon-Array-Mode`).
    pub arrays: bool,
    /// Every value is PostgreSQL's text rather than JSON's nearest type (`Neon-Raw-Text-Output`).
    pub raw_text: bool,
}

impl RowStyle {
    pub fn of(headers: &HeaderMap) -> RowStyle {
        RowStyle { arrays: is_true(headers, "neon-array-mode"), raw_text: is_true(headers, "neon-raw-text-output") }
    }
}

/// `"command", "rowCount", "rowAsArray", "fields", "rows"` and, where there are any, `notices`: the members of an
/// answer, without the braces around them.
pub fn write_members(events: &[Event], tag: &str, style: RowStyle, out: &mut Vec<u8>) {
    let mut columns: &[Column] = &[];
    let mut notices = Vec::new();
    for event in events {
        match event {
            Event::Columns(described) => columns = described,
            Event::Notice(notice) => notices.push(notice_json(notice)),
            Event::Rows { .. } => {}
        }
    }
    let (command, count) = command_and_count(tag);
    out.extend_from_slice(b"\"command\":");
    write_string(command, out);
    let count = count.map_or_else(|| "null".into(), |count| count.to_string());
    let fields = fields_json(columns);
    let head = format!(",\"rowCount\":{count},\"rowAsArray\":{},\"fields\":{fields},\"rows\":[", style.arrays);
    out.extend_from_slice(head.as_bytes());
    let mut writer = RowWriter::new(columns, style);
    let mut first = true;
    for event in events {
        if let Event::Rows { batch, count } = event {
            writer.write(batch, *count, out, |out| {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
            });
        }
    }
    out.push(b']');
    if !notices.is_empty() {
        out.extend_from_slice(format!(",\"notices\":{}", Value::from(notices)).as_bytes());
    }
}

pub fn notice_json(notice: &Notice) -> Value {
    json!({"severity": notice.severity.name(), "code": notice.sqlstate, "message": notice.message})
}

pub fn fields_json(columns: &[Column]) -> Value {
    let field = |column: &Column| {
        json!({
            "name": column.name,
            "dataTypeID": column.type_oid,
            "tableID": column.table_oid,
            "columnID": column.column_number,
            "dataTypeSize": column.type_size,
            "dataTypeModifier": column.type_modifier,
            "format": "text",
        })
    };
    columns.iter().map(field).collect()
}

/// `INSERT 0 3` is the command INSERT and 3 rows; `CREATE TABLE` counts none.
pub fn command_and_count(tag: &str) -> (&str, Option<u64>) {
    let Some((command, count)) = tag.rsplit_once(' ') else { return (tag, None) };
    match count.parse() {
        Ok(count) => (command.strip_suffix(" 0").unwrap_or(command), Some(count)),
        Err(_) => (tag, None),
    }
}

/// Writes the rows of one result.
pub struct RowWriter {
    /// What precedes each value: its name in objects, nothing in arrays.
    names: Vec<Vec<u8>>,
    forms: Vec<Form>,
    arrays: bool,
}

/// How a value's text becomes JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Boolean,
    /// Text that is JSON already, but for what JSON cannot say, such as NaN.
    Json,
}

impl RowWriter {
    pub fn new(columns: &[Column], style: RowStyle) -> RowWriter {
        let name = |column: &Column| {
            let mut name = Vec::new();
            if !style.arrays {
                write_string(&column.name, &mut name);
                name.push(b':');
            }
            name
        };
        let form = |column: &Column| if style.raw_text { Form::Text } else { form_of(column.type_oid) };
        RowWriter {
            names: columns.iter().map(name).collect(),
            forms: columns.iter().map(form).collect(),
            arrays: style.arrays,
        }
    }

    /// Writes the rows of a batch; `before` is called before each. A batch that is cut short ends early.
    pub fn write(&mut self, batch: &[u8], count: u32, out: &mut Vec<u8>, mut before: impl FnMut(&mut Vec<u8>)) {
        let mut rest = batch;
        for _ in 0..count {
            let start = out.len();
            before(out);
            match self.write_row(rest, out) {
                Some(after) => rest = after,
                None => return out.truncate(start),
            }
        }
    }

    fn write_row<'a>(&self, mut rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
        let (open, close) = if self.arrays { (b'[', b']') } else { (b'{', b'}') };
        out.push(open);
        for (index, (name, form)) in self.names.iter().zip(&self.forms).enumerate() {
            let (length, after) = rest.split_first_chunk::<4>()?;
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(name);
            rest = match usize::try_from(i32::from_be_bytes(*length)) {
                Err(_) => {
                    out.extend_from_slice(b"null");
                    after
                }
                Ok(length) => {
                    let (value, after) = after.split_at_checked(length)?;
                    write_value(value, *form, out);
                    after
                }
            };
        }
        out.push(close);
        Some(rest)
    }
}

fn write_value(value: &[u8], form: Form, out: &mut Vec<u8>) {
    match form {
        Form::Boolean => out.extend_from_slice(if value == b"t" { b"true" } else { b"false" }),
        Form::Json if serde_json::from_slice::<IgnoredAny>(value).is_ok() => out.extend_from_slice(value),
        Form::Json | Form::Text => write_string(&String::from_utf8_lossy(value), out),
    }
}

/// JSON's nearest type, by the OIDs of pg_type. numeric stays text, since readers of JSON round it.
fn form_of(type_oid: u32) -> Form {
    match type_oid {
        // boolean
        16 => Form::Boolean,
        // bigint, smallint, integer, oid, json, real, double precision, jsonb
        20 | 21 | 23 | 26 | 114 | 700 | 701 | 3802 => Form::Json,
        _ => Form::Text,
    }
}

pub fn write_string(text: &str, out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_oid: u32) -> Column {
        Column { name: name.into(), type_oid, type_size: -1, type_modifier: -1, table_oid: 0, column_number: 0 }
    }

    fn pack(values: &[Option<&str>]) -> Vec<u8> {
        let mut batch = Vec::new();
        for value in values {
            let length = value.map_or(-1, |value| i32::try_from(value.len()).expect("short"));
            batch.extend(length.to_be_bytes());
            batch.extend(value.unwrap_or_default().bytes());
        }
        batch
    }

    fn written(columns: Vec<Column>, batch: Vec<u8>, count: u32, style: RowStyle) -> Value {
        let mut out = b"{".to_vec();
        let events = [Event::Columns(columns), Event::Rows { batch, count }];
        write_members(&events, "SELECT 1", style, &mut out);
        out.push(b'}');
        serde_json::from_slice::<Value>(&out).expect("JSON")["rows"].clone()
    }

    #[test]
    fn tags_split_into_command_and_count() {
        for (tag, expected) in [
            ("INSERT 0 3", ("INSERT", Some(3))),
            ("SELECT 12", ("SELECT", Some(12))),
            ("COPY 7", ("COPY", Some(7))),
            ("CREATE TABLE", ("CREATE TABLE", None)),
            ("BEGIN", ("BEGIN", None)),
        ] {
            assert_eq!(command_and_count(tag), expected);
        }
    }

    #[test]
    fn values_are_text_or_the_nearest_type() {
        let columns = || vec![column("a", 23), column("b", 16), column("c", 25), column("d", 701), column("e", 3802)];
        let batch = || pack(&[Some("7"), Some("t"), Some("é\"\n"), Some("NaN"), Some("{\"k\":[1]}")]);
        let raw = RowStyle { arrays: true, raw_text: true };
        assert_eq!(written(columns(), batch(), 1, raw), json!([["7", "t", "é\"\n", "NaN", "{\"k\":[1]}"]]));
        let typed = json!([{"a": 7, "b": true, "c": "é\"\n", "d": "NaN", "e": {"k": [1]}}]);
        assert_eq!(written(columns(), batch(), 1, RowStyle::default()), typed);
    }

    #[test]
    fn rows_without_columns_are_counted() {
        assert_eq!(written(vec![], vec![], 2, RowStyle::default()), json!([{}, {}]));
    }

    #[test]
    fn truncated_batches_end_early_and_do_no_harm() {
        let arrays = RowStyle { arrays: true, raw_text: true };
        for batch in [&b"\0\0"[..], b"\0\0\0\x09x", b"\x7f\xff\xff\xff", b""] {
            assert_eq!(written(vec![column("a", 25)], batch.to_vec(), 3, arrays), json!([]));
        }
        let mut batch = pack(&[Some("x")]);
        batch.extend(b"\0\0\0\x05y");
        assert_eq!(written(vec![column("a", 25)], batch, 2, arrays), json!([["x"]]));
    }
}
