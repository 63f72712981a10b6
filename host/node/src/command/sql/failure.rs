//! Errors as psql prints them, with SQLSTATE, and a caret under the place that is meant.

use unicode_width::UnicodeWidthStr;

use crate::command::client::{DatabaseError, Failure};

/// How much of a long line is shown around the place.
const SHOWN_COLUMNS: usize = 72;

/// The lines to print for a statement that failed.
pub fn describe(failure: &Failure, sql: &str) -> String {
    match failure {
        Failure::Database(error) => describe_database(error, sql),
        Failure::Unreachable(message) => {
            format!("isobar: {message}\nHINT:  `isobar start` runs a node; --url names another one.\n")
        }
        Failure::Lost(message) => format!("isobar: {message}\nHINT:  Whether the statement ran is not known.\n"),
    }
}

fn describe_database(error: &DatabaseError, sql: &str) -> String {
    let mut text = format!("ERROR:  {}: {}\n", error.code, error.message);
    if let Some(place) = error.position.and_then(|position| place(sql, position)) {
        text.push_str(&place);
    }
    for (label, value) in [("DETAIL", &error.detail), ("HINT", &error.hint), ("CONTEXT", &error.context)] {
        if let Some(value) = value {
            text.push_str(&format!("{label}:  {value}\n"));
        }
    }
    text
}

/// The line of the statement that holds the character at `position` (the first is 1), and a caret below it.
fn place(sql: &str, position: usize) -> Option<String> {
    let offset = position.checked_sub(1)?;
    let byte = sql.char_indices().map(|(at, _)| at).chain([sql.len()]).nth(offset)?;
    let start = sql[..byte].rfind('\n').map_or(0, |newline| newline + 1);
    let end = sql[byte..].find('\n').map_or(sql.len(), |newline| byte + newline);
    let number = sql[..start].matches('\n').count() + 1;
    // Tabs count one column each, so that the caret stands where the terminal shows its character.
    let (before, after) = (sql[start..byte].replace(['\t', '\r'], " "), sql[byte..end].replace(['\t', '\r'], " "));
    let before_start = before.char_indices().rev().nth(SHOWN_COLUMNS / 2).map_or(0, |(at, _)| at);
    let shown_before = if before_start > 0 { format!("...{}", &before[before_start..]) } else { before };
    let after_end = after.char_indices().nth(SHOWN_COLUMNS / 2).map_or(after.len(), |(at, _)| at);
    let more = if after_end < after.len() { "..." } else { "" };
    let label = format!("LINE {number}: ");
    let indent = " ".repeat(label.len() + shown_before.width());
    Some(format!("{label}{shown_before}{}{more}\n{indent}^\n", &after[..after_end]))
}

/// In which line of a script a statement's error is: that of its position, or of the statement's start.
pub fn line_of(failure: &Failure, script: &str, start: usize) -> usize {
    let offset = match failure {
        Failure::Database(error) => error.position.unwrap_or(1).saturating_sub(1),
        _ => 0,
    };
    let rest = &script[start..];
    let byte = rest.char_indices().nth(offset).map_or(rest.len(), |(at, _)| at);
    script[..start + byte].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(position: Option<usize>) -> Failure {
        let error = DatabaseError {
            message: "relation \"x\" does not exist".into(),
            code: "42P01".into(),
            hint: Some("Create it.".into()),
            position,
            ..DatabaseError::default()
        };
        Failure::Database(Box::new(error))
    }

    #[test]
    fn the_caret_stands_under_the_character() {
        let text = describe(&failure(Some(15)), "select * from x where true");
        let expected = "ERROR:  42P01: relation \"x\" does not exist\nLINE 1: select * from x where true\n                      ^\nHINT:  Create it.\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn places_in_any_line_of_any_text() {
        for (sql, position, expected) in [
            ("select\n  日本, x", 14, Some("LINE 2:   日本, x\n                ^\n")),
            ("a\nb", 3, Some("LINE 2: b\n        ^\n")),
            ("select", 7, Some("LINE 1: select\n              ^\n")),
            ("select", 99, None),
            ("select", 0, None),
            ("", 1, Some("LINE 1: \n        ^\n")),
        ] {
            assert_eq!(place(sql, position).as_deref(), expected, "{sql} {position}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let sql = format!("{}here{}", "a".repeat(100), "b".repeat(100));
        let shown = place(&sql, 101).expect("there is a place");
        let expected = format!("LINE 1: ...{}here{}...\n{}^\n", "a".repeat(37), "b".repeat(32), " ".repeat(48));
        assert_eq!(shown, expected);
    }

    #[test]
    fn lines_are_those_of_the_script() {
        let script = "select 1;\n\nselect *\nfrom x;\n";
        let start = 11;
        assert_eq!(line_of(&failure(Some(15)), script, start), 4);
        assert_eq!(line_of(&failure(None), script, start), 3);
    }
}
