//! Reading JSON text.

use super::Jsonb;
use super::lexer::{Lexer, Token, unescape};
use crate::error::{Error, Result, sqlstate};
use crate::types::numeric::Numeric;
use std::rc::Rc;

/// Deepest nesting, so that walking over a value cannot run out of stack.
pub const MAX_DEPTH: usize = 1000;

/// Checks that a text is JSON. Fails with 22P02, and with 54001 when it is nested too deeply.
pub fn validate(text: &str) -> Result<()> {
    let mut parser = Parser { lexer: Lexer::new(text, false)?, depth: 0 };
    parser.check_value()?;
    parser.finish()
}

impl Jsonb {
    /// Reads JSON text into its normal form. Fails with 22P02, and with 54001 when it is nested too deeply.
    pub fn parse(text: &str) -> Result<Jsonb> {
        let mut parser = Parser { lexer: Lexer::new(text, true)?, depth: 0 };
        let value = parser.value()?;
        parser.finish()?;
        Ok(value)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn finish(&self) -> Result<()> {
        if self.lexer.token == Token::End { Ok(()) } else { Err(self.lexer.unexpected("end of input")) }
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.lexer.advance()
    }

    fn leave(&mut self) -> Result<()> {
        self.depth -= 1;
        self.lexer.advance()
    }

    /// The key of an object's pair, with its quotes; stands behind the colon after it.
    fn key(&mut self, expected: &str) -> Result<&'a str> {
        if self.lexer.token != Token::String {
            return Err(self.lexer.unexpected(expected));
        }
        let key = self.lexer.slice();
        self.lexer.advance()?;
        if self.lexer.token != Token::Colon {
            return Err(self.lexer.unexpected("\":\""));
        }
        self.lexer.advance()?;
        Ok(key)
    }

    /// Whether another element follows; stands behind the comma or on the closing token.
    fn comma(&mut self, closing: Token, expected: &str) -> Result<bool> {
        match self.lexer.token {
            Token::Comma => self.lexer.advance().map(|()| true),
            token if token == closing => Ok(false),
            _ => Err(self.lexer.unexpected(expected)),
        }
    }

    fn value(&mut self) -> Result<Jsonb> {
        let value = match self.lexer.token {
            Token::ObjectStart => return self.object(),
            Token::ArrayStart => return self.array(),
            Token::String => Jsonb::String(Rc::from(unescape(self.lexer.slice()))),
            Token::Number => Jsonb::Number(Numeric::parse(self.lexer.slice())?),
            Token::True => Jsonb::Boolean(true),
            Token::False => Jsonb::Boolean(false),
            Token::Null => Jsonb::Null,
            _ => return Err(self.lexer.unexpected("JSON value")),
        };
        self.lexer.advance()?;
        Ok(value)
    }

    fn object(&mut self) -> Result<Jsonb> {
        self.enter()?;
        let mut pairs = vec![];
        let mut more = self.lexer.token != Token::ObjectEnd;
        while more {
            let key = self.key(if pairs.is_empty() { "string or \"}\"" } else { "string" })?;
            pairs.push((Rc::from(unescape(key)), self.value()?));
            more = self.comma(Token::ObjectEnd, "\",\" or \"}\"")?;
        }
        self.leave()?;
        Ok(Jsonb::object(pairs))
    }

    fn array(&mut self) -> Result<Jsonb> {
        self.enter()?;
        let mut elements = vec![];
        let mut more = self.lexer.token != Token::ArrayEnd;
        while more {
            elements.push(self.value()?);
            more = self.comma(Token::ArrayEnd, "\",\" or \"]\"")?;
        }
        self.leave()?;
        Ok(Jsonb::Array(elements))
    }

    /// As `value`, without building anything.
    fn check_value(&mut self) -> Result<()> {
        match self.lexer.token {
            Token::ObjectStart => {
                self.enter()?;
                let mut first = true;
                let mut more = self.lexer.token != Token::ObjectEnd;
                while more {
                    self.key(if first { "string or \"}\"" } else { "string" })?;
                    first = false;
                    self.check_value()?;
                    more = self.comma(Token::ObjectEnd, "\",\" or \"}\"")?;
                }
                self.leave()
            }
            Token::ArrayStart => {
                self.enter()?;
                let mut more = self.lexer.token != Token::ArrayEnd;
                while more {
                    self.check_value()?;
                    more = self.comma(Token::ArrayEnd, "\",\" or \"]\"")?;
                }
                self.leave()
            }
            Token::String | Token::Number | Token::True | Token::False | Token::Null => self.lexer.advance(),
            _ => Err(self.lexer.unexpected("JSON value")),
        }
    }
}
