//! Statements about stored procedures, which sqlparser's tree has no place for.

use super::{syntax_error, tokenize};
use crate::bind::name::fold;
use crate::error::{Error, Result};
use sqlparser::ast::Ident;
use sqlparser::tokenizer::{Token, TokenWithSpan};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcedureStatement {
    /// DROP PROCEDURE, FUNCTION or ROUTINE; `kind` is the word.
    Drop { kind: &'static str, names: Vec<Name>, if_exists: bool, cascade: bool },
    /// ALTER PROCEDURE, FUNCTION or ROUTINE.
    Alter { kind: &'static str, name: Name, change: Change },
    /// ALTER SYSTEM: limits of procedures that have none of their own; none for all of them.
    System { limit: Option<String>, value: Option<u32> },
}

/// A procedure's name, in a schema or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub schema: Option<String>,
    pub name: String,
    pub position: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// SET limit TO value
    Set { limit: String, value: u32 },
    /// RESET limit, or RESET ALL
    Reset(Option<String>),
    /// OWNER TO
    Owner(String),
}

/// What the limits of ALTER SYSTEM begin with.
const SYSTEM_PREFIX: &str = "procedure";

const KINDS: [&str; 3] = ["PROCEDURE", "FUNCTION", "ROUTINE"];

/// A statement about procedures; none when the text is another one. CREATE PROCEDURE and its like are 0A000.
pub fn parse(sql: &str) -> Result<Option<ProcedureStatement>> {
    let first = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    // Comments may stand before the first word.
    let may_begin = first.is_empty() || ["alter", "drop", "create"].iter().any(|word| first.eq_ignore_ascii_case(word));
    if !may_begin {
        return Ok(None);
    }
    let Ok(tokens) = tokenize(sql) else { return Ok(None) };
    let mut parser = Parser { sql, tokens, at: 0 };
    if parser.word("CREATE") {
        if parser.word("OR") && !parser.word("REPLACE") {
            return Ok(None);
        }
        return match parser.any_word(&KINDS) {
            Some(kind) => Err(Error::not_supported(format!("CREATE {kind}")).hint(
                "Stored procedures are WebAssembly components: deploy one with \"isobar procedure deploy\", or POST it \
                 to /v1/procedures/{name}.",
            )),
            None => Ok(None),
        };
    }
    if parser.word("DROP") {
        return match parser.any_word(&KINDS) {
            Some(kind) => parser.drop(kind).map(Some),
            None => Ok(None),
        };
    }
    if !parser.word("ALTER") {
        return Ok(None);
    }
    if parser.word("SYSTEM") {
        return parser.system().map(Some);
    }
    match parser.any_word(&KINDS) {
        Some(kind) => parser.alter(kind).map(Some),
        None => Ok(None),
    }
}

struct Parser<'a> {
    sql: &'a str,
    tokens: Vec<TokenWithSpan>,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|token| &token.token)
    }

    fn token(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, wanted: &str) -> bool {
        let found = match self.peek() {
            Some(Token::Word(word)) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted),
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn any_word(&mut self, wanted: &[&'static str]) -> Option<&'static str> {
        wanted.iter().copied().find(|wanted| self.word(wanted))
    }

    fn unexpected(&self) -> Error {
        syntax_error::near(self.sql, self.tokens.get(self.at).filter(|token| token.token != Token::EOF))
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        if self.word(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn identifier(&mut self) -> Result<(String, Option<u32>)> {
        let Some(TokenWithSpan { token: Token::Word(word), span }) = self.tokens.get(self.at) else {
            return Err(self.unexpected());
        };
        let identifier = Ident { value: word.value.clone(), quote_style: word.quote_style, span: *span };
        self.at += 1;
        Ok((fold(&identifier), crate::bind::name::position(&identifier)))
    }

    fn name(&mut self) -> Result<Name> {
        let (first, position) = self.identifier()?;
        let name = match self.token(&Token::Period) {
            true => Name { schema: Some(first), name: self.identifier()?.0, position },
            false => Name { schema: None, name: first, position },
        };
        if self.peek() == Some(&Token::LParen) {
            return Err(Error::not_supported("a list of argument types behind a procedure's name").at(position));
        }
        Ok(name)
    }

    /// `TO 5` or `= 5`
    fn value(&mut self) -> Result<u32> {
        if !self.token(&Token::Eq) {
            self.expect("TO")?;
        }
        let value = match self.peek() {
            Some(Token::Number(digits, false)) => digits.parse().ok(),
            Some(Token::SingleQuotedString(digits)) => digits.parse().ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(value)
    }

    fn end(&mut self) -> Result<()> {
        while self.token(&Token::SemiColon) {}
        match self.peek() {
            None | Some(Token::EOF) => Ok(()),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn drop(&mut self, kind: &'static str) -> Result<ProcedureStatement> {
        let if_exists = self.word("IF");
        if if_exists {
            self.expect("EXISTS")?;
        }
        let mut names = vec![self.name()?];
        while self.token(&Token::Comma) {
            names.push(self.name()?);
        }
        let cascade = self.word("CASCADE");
        if !cascade {
            self.word("RESTRICT");
        }
        self.end()?;
        Ok(ProcedureStatement::Drop { kind, names, if_exists, cascade })
    }

    fn alter(&mut self, kind: &'static str) -> Result<ProcedureStatement> {
        let name = self.name()?;
        let change = if self.word("SET") {
            Change::Set { limit: self.identifier()?.0, value: self.value()? }
        } else if self.word("RESET") {
            Change::Reset(if self.word("ALL") { None } else { Some(self.identifier()?.0) })
        } else if self.word("OWNER") {
            self.expect("TO")?;
            Change::Owner(self.identifier()?.0)
        } else if let Some(word) = self.any_word(&["RENAME", "DEPENDS", "SECURITY"]) {
            return Err(Error::not_supported(format!("ALTER {kind} … {word}")));
        } else {
            return Err(self.unexpected());
        };
        self.end()?;
        Ok(ProcedureStatement::Alter { kind, name, change })
    }

    fn system(&mut self) -> Result<ProcedureStatement> {
        let is_set = self.word("SET");
        if !is_set {
            self.expect("RESET")?;
        }
        if !is_set && self.word("ALL") {
            self.end()?;
            return Ok(ProcedureStatement::System { limit: None, value: None });
        }
        let (prefix, position) = self.identifier()?;
        if prefix != SYSTEM_PREFIX || !self.token(&Token::Period) {
            return Err(Error::not_supported(format!("ALTER SYSTEM of the setting \"{prefix}\""))
                .hint("It changes the limits of stored procedures: procedure.wall_ms and the others.")
                .at(position));
        }
        let limit = Some(self.identifier()?.0);
        let value = if is_set { Some(self.value()?) } else { None };
        self.end()?;
        Ok(ProcedureStatement::System { limit, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(sql: &str) -> ProcedureStatement {
        parse(sql).unwrap().unwrap_or_else(|| panic!("{sql}"))
    }

    #[test]
    fn statements_read_as_written() {
        let name = |name: &str| Name { schema: None, name: name.into(), position: None };
        let bare = |mut statement: ProcedureStatement| {
            match &mut statement {
                ProcedureStatement::Drop { names, .. } => names.iter_mut().for_each(|name| name.position = None),
                ProcedureStatement::Alter { name, .. } => name.position = None,
                ProcedureStatement::System { .. } => {}
            }
            statement
        };
        assert_eq!(
            bare(parsed("/* x */ drop procedure if exists Ledger, \"My\" cascade;")),
            ProcedureStatement::Drop {
                kind: "PROCEDURE",
                names: vec![name("ledger"), name("My")],
                if_exists: true,
                cascade: true
            }
        );
        assert_eq!(
            bare(parsed("ALTER FUNCTION ledger SET wall_ms = 5")),
            ProcedureStatement::Alter {
                kind: "FUNCTION",
                name: name("ledger"),
                change: Change::Set { limit: "wall_ms".into(), value: 5 }
            }
        );
        assert_eq!(
            parsed("ALTER SYSTEM RESET procedure.rows_in"),
            ProcedureStatement::System { limit: Some("rows_in".into()), value: None }
        );
    }

    #[test]
    fn other_statements_are_left_alone() {
        for sql in ["select 1", "drop table t", "create or replace view v as select 1", "alter table t add x int", ""] {
            assert_eq!(parse(sql).unwrap(), None, "{sql}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (sql, sqlstate) in [
            ("create or replace function f() returns int", "0A000"),
            ("drop procedure", "42601"),
            ("drop procedure f(int)", "0A000"),
            ("alter procedure p set wall_ms to -1", "42601"),
            ("alter procedure p set wall_ms to 99999999999", "42601"),
            ("alter procedure p rename to q", "0A000"),
            ("alter procedure p reset all extra", "42601"),
            ("alter system set wal_level to 1", "0A000"),
        ] {
            assert_eq!(parse(sql).unwrap_err().sqlstate(), sqlstate, "{sql}");
        }
    }
}
