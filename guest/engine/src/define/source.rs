//! Parts of a statement's own text.

use crate::error::Result;
use crate::parse;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// The text after the first AS outside of parentheses: PREPARE's statement, a view's query. Trailing semicolons and
/// blanks are cut.
pub fn after_as(sql: &str) -> Option<&str> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().ok()?;
    let mut depth = 0usize;
    let found = tokens.iter().find(|token| {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Word(word) => {
                return depth == 0 && word.quote_style.is_none() && word.value.eq_ignore_ascii_case("as");
            }
            _ => {}
        }
        false
    })?;
    let start = offset(sql, found.span.end.line, found.span.end.column)?;
    Some(sql[start..].trim().trim_end_matches(|last: char| last == ';' || last.is_whitespace()))
}

/// Where a line and a column, both counted from 1 in characters, are in bytes.
fn offset(sql: &str, line: u64, column: u64) -> Option<usize> {
    let mut start = 0;
    for _ in 1..line {
        start += sql[start..].find('\n')? + 1;
    }
    let rest = &sql[start..];
    let characters = usize::try_from(column.checked_sub(1)?).ok()?;
    Some(start + rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at))
}

/// The names that a query's text takes rows from, as written.
pub fn relation_names(sql: &str) -> Result<Vec<sqlparser::ast::ObjectName>> {
    let statement = parse::parse(sql)?;
    let mut names = vec![];
    let _ = sqlparser::ast::visit_relations(&statement, |name| {
        names.push(name.clone());
        std::ops::ControlFlow::<()>::Continue(())
    });
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_follows_as() {
        let cases = [
            ("PREPARE p AS SELECT 1 AS x;", Some("SELECT 1 AS x")),
            ("prepare \"as\" (int, text) as select 'as' ; ", Some("select 'as'")),
            ("CREATE VIEW v (a, b)\n  AS\n VALUES (1, 'é')", Some("VALUES (1, 'é')")),
            ("create view é as select 1", Some("select 1")),
            ("select 1", None),
        ];
        for (sql, after) in cases {
            assert_eq!(after_as(sql), after, "{sql}");
        }
    }
}
