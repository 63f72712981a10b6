//! Results as PostgreSQL's psql lays them out: aligned by the width on screen, numbers to the right.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::command::client::Answer;

/// How NULL is shown.
pub const NULL: &str = "NULL";

/// smallint, integer, bigint, real, double precision, numeric, oid and money, which psql aligns to the right.
const NUMBERS: [u32; 8] = [20, 21, 23, 700, 701, 1700, 26, 790];

/// Rows under a header, `(n rows)` below.
pub fn aligned(answer: &Answer, out: &mut String) {
    let columns = answer.fields.len();
    let cells: Vec<Vec<Vec<String>>> =
        answer.rows.iter().map(|row| row.iter().map(|value| lines_of(value.as_deref())).collect()).collect();
    let mut widths: Vec<usize> = answer.fields.iter().map(|field| field.name.width()).collect();
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.iter().map(|line| line.width()).max().unwrap_or(0).max(*width);
        }
    }
    for (number, (field, width)) in answer.fields.iter().zip(&widths).enumerate() {
        let room = width.saturating_sub(field.name.width());
        let cell = format!("{}{}{}", " ".repeat(room / 2), field.name, " ".repeat(room - room / 2));
        push_cell(out, number, columns, &cell, ' ');
    }
    for (number, width) in widths.iter().enumerate() {
        out.push_str(if number > 0 { "+" } else { "" });
        out.push_str(&"-".repeat(width + 2));
    }
    out.push('\n');
    for row in &cells {
        let height = row.iter().map(Vec::len).max().unwrap_or(1);
        for line in 0..height {
            for (number, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let text = cell.get(line).map_or("", String::as_str);
                let room = " ".repeat(width.saturating_sub(text.width()));
                let to_the_right = NUMBERS.contains(&answer.fields[number].type_oid);
                let text = if to_the_right { format!("{room}{text}") } else { format!("{text}{room}") };
                push_cell(out, number, columns, &text, if line + 1 < cell.len() { '+' } else { ' ' });
            }
        }
    }
    out.push_str(&count_line(answer.rows.len()));
}

/// One line a value, for rows that are wider than the screen (`\x`).
pub fn expanded(answer: &Answer, out: &mut String) {
    if answer.rows.is_empty() {
        out.push_str("(0 rows)\n");
        return;
    }
    let names = answer.fields.iter().map(|field| field.name.width()).max().unwrap_or(0);
    let values = answer.rows.iter().flatten().flat_map(|value| lines_of(value.as_deref()));
    let width = values.map(|line| line.width()).max().unwrap_or(0);
    for (number, row) in answer.rows.iter().enumerate() {
        let title = format!("-[ RECORD {} ]", number + 1);
        let left = names + 1;
        let bar = |from: usize, to: usize| (from..to).map(|at| if at == left { '+' } else { '-' });
        out.push_str(&title);
        out.extend(bar(title.len(), left + 2 + width));
        out.push('\n');
        for (field, value) in answer.fields.iter().zip(row) {
            for (number, line) in lines_of(value.as_deref()).iter().enumerate() {
                let name = if number == 0 { field.name.as_str() } else { "" };
                let room = " ".repeat(names.saturating_sub(name.width()));
                out.push_str(format!("{name}{room} | {line}").trim_end());
                out.push('\n');
            }
        }
    }
}

fn count_line(rows: usize) -> String {
    format!("({rows} row{})\n", if rows == 1 { "" } else { "s" })
}

/// A cell and what stands between it and the next; `mark` is `+` when the value goes on in the next line.
fn push_cell(out: &mut String, number: usize, columns: usize, cell: &str, mark: char) {
    out.push_str(if number > 0 { "| " } else { " " });
    let last = number + 1 == columns;
    out.push_str(cell);
    out.push(mark);
    if last {
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

/// A value's lines, with what would disturb the screen made visible.
fn lines_of(value: Option<&str>) -> Vec<String> {
    let Some(value) = value else { return vec![NULL.to_string()] };
    value.split('\n').map(visible).collect()
}

fn visible(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            '\t' => shown.push_str(&" ".repeat(8 - shown.width() % 8)),
            '\r' => shown.push_str("\\r"),
            character if character.width().is_none() => shown.push_str(&format!("\\x{:02X}", u32::from(character))),
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::client::Field;

    fn answer(fields: &[(&str, u32)], rows: &[&[Option<&str>]]) -> Answer {
        Answer {
            fields: fields.iter().map(|(name, oid)| Field { name: name.to_string(), type_oid: *oid }).collect(),
            rows: rows.iter().map(|row| row.iter().map(|value| value.map(String::from)).collect()).collect(),
            ..Answer::default()
        }
    }

    fn shown(layout: fn(&Answer, &mut String), answer: &Answer) -> String {
        let mut out = String::new();
        layout(answer, &mut out);
        out
    }

    #[test]
    fn numbers_stand_right_and_texts_left() {
        let answer = answer(&[("id", 23), ("name", 25)], &[&[Some("1"), Some("Ann")], &[Some("200"), None]]);
        let expected = " id  | name\n-----+------\n   1 | Ann\n 200 | NULL\n(2 rows)\n";
        assert_eq!(shown(aligned, &answer), expected);
    }

    #[test]
    fn wide_characters_and_line_breaks_keep_the_columns() {
        let answer = answer(&[("a", 25), ("b", 25)], &[&[Some("日本"), Some("x\ny")], &[Some("é\t"), Some("\u{7}")]]);
        let expected =
            "    a     |  b\n----------+------\n 日本     | x   +\n          | y\n é        | \\x07\n(2 rows)\n";
        assert_eq!(shown(aligned, &answer), expected);
    }

    #[test]
    fn records_one_below_the_other() {
        let answer = answer(&[("id", 23), ("name", 25)], &[&[Some("1"), Some("Ann Onym")], &[Some("2"), None]]);
        let expected = "-[ RECORD 1 ]--\nid   | 1\nname | Ann Onym\n-[ RECORD 2 ]--\nid   | 2\nname | NULL\n";
        assert_eq!(shown(expanded, &answer), expected);
    }

    #[test]
    fn nothing_at_all() {
        assert_eq!(shown(aligned, &answer(&[("a", 25)], &[])), " a\n---\n(0 rows)\n");
        assert_eq!(shown(aligned, &answer(&[("a", 25)], &[&[Some("")]])), " a\n---\n\n(1 row)\n");
        assert_eq!(shown(expanded, &answer(&[("a", 25)], &[])), "(0 rows)\n");
    }
}
