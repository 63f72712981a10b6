//! From text to syntax tree.

mod column_names;
mod dialect;
mod limits;
mod nulls_not_distinct;
mod operators;
mod procedure;
mod reserved;
mod rewrite;
mod split;
mod syntax_error;
mod unsupported;

pub use procedure::{Change as ProcedureChange, Name as ProcedureName, ProcedureStatement, parse as parse_procedure};
pub use rewrite::{EXCLUDE, ROWS_FROM};
pub use split::split;

use crate::error::{Error, Result, sqlstate};
use dialect::PostgreSql;
use sqlparser::ast::{Expr, Statement};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

/// How deep parentheses, subqueries (which count twice or more) and prefix operators may nest. The parser takes up to
/// 21 KiB of stack per level, and a guest's stack is small.
const NESTING_MAX: usize = 80;

/// Parses exactly one statement, PostgreSQL's dialect. The locations in the tree all say line 1, and as column the
/// position in characters of the whole text (the first is 1).
///
/// Fails with 42601 and PostgreSQL's wording, 0A000 for commands of PostgreSQL's that are not there, or 54001 when the
/// text nests too deeply.
pub fn parse(sql: &str) -> Result<Statement> {
    let parsed = Source::read(sql).and_then(|source| source.run(|parser| parser.parse_statement()));
    parsed.map_err(|error| match tokenize(sql) {
        Ok(tokens) if error.sqlstate() == sqlstate::SYNTAX_ERROR => {
            unsupported::command(&tokens).map_or(error, Error::not_supported)
        }
        _ => error,
    })
}

/// Parses an expression alone, such as a column's DEFAULT. Fails as `parse` does.
pub fn parse_expression(sql: &str) -> Result<Expr> {
    let source = Source::read(sql)?;
    source.run(|parser| parser.parse_expr())
}

/// A text and its tokens.
struct Source<'a> {
    sql: &'a str,
    tokens: Vec<TokenWithSpan>,
}

impl<'a> Source<'a> {
    fn read(sql: &'a str) -> Result<Source<'a>> {
        let tokens = tokenize(sql)?;
        limits::check(&tokens)?;
        if let Some(token) = reserved::misplaced(&tokens) {
            return Err(syntax_error::near(sql, token));
        }
        Ok(Source { sql, tokens: rewrite::rewrite(tokens)? })
    }

    fn run<T>(&self, rule: impl FnOnce(&mut Parser) -> Result<T, sqlparser::parser::ParserError>) -> Result<T> {
        let dialect = PostgreSql;
        let mut parser =
            Parser::new(&dialect).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(self.tokens.clone());
        let parsed = match rule(&mut parser) {
            Ok(parsed) => parsed,
            Err(error) => return Err(self.explain(error, &parser)),
        };
        while parser.consume_token(&Token::SemiColon) {}
        let rest = parser.peek_token();
        if rest.token != Token::EOF { Err(syntax_error::near(self.sql, Some(&rest))) } else { Ok(parsed) }
    }

    /// Whether nothing is wrong but that the text ends too early. The parser tries several ways to read what stands
    /// in parentheses, and complains of the last one.
    fn is_open(&self) -> bool {
        let depth = |depth: usize, token: &TokenWithSpan| match token.token {
            Token::LParen => depth + 1,
            Token::RParen => depth.saturating_sub(1),
            _ => depth,
        };
        let open = self.tokens.iter().fold(0, depth);
        let closing = TokenWithSpan { token: Token::RParen, span: Span::empty() };
        let mut closed = self.tokens.clone();
        closed.extend(std::iter::repeat_n(closing, open));
        let dialect = PostgreSql;
        let parser = Parser::new(&dialect).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(closed);
        open > 0 && { parser }.parse_statement().is_ok()
    }

    fn explain(&self, error: sqlparser::parser::ParserError, parser: &Parser) -> Error {
        use sqlparser::parser::ParserError;
        match error {
            ParserError::RecursionLimitExceeded => {
                Error::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
                    .detail(format!("A statement may nest {NESTING_MAX} levels deep."))
            }
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
                if self.is_open() {
                    return syntax_error::near(self.sql, None);
                }
                let token = match syntax_error::position(&message) {
                    Some(column) => self.tokens.iter().find(|token| token.span.start.column == column).cloned(),
                    None if message.contains("found: EOF") => None,
                    None => Some(parser.peek_token()).filter(|token| token.token != Token::EOF),
                };
                syntax_error::near(self.sql, token.as_ref())
            }
        }
    }
}

/// Tokens without white space, at positions of one long line, adjacent string literals joined as the standard asks.
fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>> {
    let separated = operators::separate(sql)?;
    let text = separated.as_ref().map_or(sql, |separated| &separated.sql);
    let lines = line_starts(text);
    let place = |location: Location| {
        let flat = flat(&lines, location);
        match &separated {
            Some(separated) => Location { column: separated.original(flat.column), ..flat },
            None => flat,
        }
    };
    let tokens = match Tokenizer::new(&PostgreSql, text).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => {
            // The tokenizer tells where a quote or comment does not end, `split` where it began.
            split(sql)?;
            return Err(syntax_error::unreadable(sql, &error.message, place(error.location)));
        }
    };
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut last_line = 0;
    for mut token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let line = token.span.start.line;
        let end_line = token.span.end.line;
        token.span = Span::new(place(token.span.start), place(token.span.end));
        // 'a' and 'b' on different lines are one literal 'ab' (PostgreSQL 15, section 4.1.2.1); on one line they are
        // an error.
        if let (Token::SingleQuotedString(more), Some(last)) = (&token.token, kept.last_mut())
            && let Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) = &mut last.token
        {
            if line == last_line {
                return Err(syntax_error::near(sql, Some(&token)));
            }
            text.push_str(more);
            last.span.end = token.span.end;
        } else {
            kept.push(token);
        }
        last_line = end_line;
    }
    Ok(kept)
}

/// Characters before each line.
fn line_starts(sql: &str) -> Vec<u64> {
    let mut starts = vec![0];
    for (count, character) in sql.chars().enumerate() {
        if character == '\n' {
            starts.push(count as u64 + 1);
        }
    }
    starts
}

fn flat(lines: &[u64], location: Location) -> Location {
    let before = (location.line as usize).checked_sub(1).and_then(|line| lines.get(line)).copied().unwrap_or(0);
    Location { line: 1, column: before + location.column }
}

#[cfg(test)]
mod tests;
