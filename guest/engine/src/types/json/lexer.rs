//! The tokens of JSON text (RFC 8259), with PostgreSQL's error messages.

use crate::error::{Error, Result, sqlstate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Comma,
    Colon,
    /// With its quotes, checked
    String,
    Number,
    True,
    False,
    Null,
    End,
}

/// Walks over a text, one token ahead.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where the current token starts and ends.
    pub start: usize,
    pub end: usize,
    pub token: Token,
    line: usize,
    line_start: usize,
    /// Whether `\u0000` and lone surrogates are errors: they cannot be stored as text.
    strict_escapes: bool,
}

/// Text before an error that its context shows at most.
const CONTEXT_BYTES: usize = 50;

impl<'a> Lexer<'a> {
    /// Stands on the first token.
    pub fn new(text: &'a str, strict_escapes: bool) -> Result<Lexer<'a>> {
        let mut lexer = Lexer { text, start: 0, end: 0, token: Token::End, line: 1, line_start: 0, strict_escapes };
        lexer.advance()?;
        Ok(lexer)
    }

    /// The current token's text.
    pub fn slice(&self) -> &'a str {
        &self.text[self.start..self.end]
    }

    /// Goes to the next token. Fails with 22P02.
    pub fn advance(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let mut position = self.end;
        while let Some(blank @ (b' ' | b'\t' | b'\n' | b'\r')) = bytes.get(position) {
            position += 1;
            if *blank == b'\n' {
                self.line += 1;
                self.line_start = position;
            }
        }
        self.start = position;
        self.end = position + 1;
        self.token = match bytes.get(position) {
            None => {
                self.end = position;
                Token::End
            }
            Some(b'{') => Token::ObjectStart,
            Some(b'}') => Token::ObjectEnd,
            Some(b'[') => Token::ArrayStart,
            Some(b']') => Token::ArrayEnd,
            Some(b',') => Token::Comma,
            Some(b':') => Token::Colon,
            Some(b'"') => {
                self.string()?;
                Token::String
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Token::Number
            }
            Some(_) => self.word()?,
        };
        Ok(())
    }

    fn word(&mut self) -> Result<Token> {
        let word: usize = self.text[self.start..]
            .char_indices()
            .find(|(_, c)| !is_word_character(*c))
            .map_or(self.text.len() - self.start, |(position, _)| position);
        if word == 0 {
            // One character of its own.
            self.end = self.start + self.text[self.start..].chars().next().map_or(0, char::len_utf8);
            return Err(self.invalid_token());
        }
        self.end = self.start + word;
        match self.slice() {
            "true" => Ok(Token::True),
            "false" => Ok(Token::False),
            "null" => Ok(Token::Null),
            _ => Err(self.invalid_token()),
        }
    }

    fn number(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let at = |position: usize| bytes.get(position).copied().unwrap_or(0);
        let digits = |mut position: usize| {
            while at(position).is_ascii_digit() {
                position += 1;
            }
            position
        };
        let mut valid = true;
        let mut position = self.start + usize::from(at(self.start) == b'-');
        match at(position) {
            b'0' => position += 1,
            b'1'..=b'9' => position = digits(position),
            _ => valid = false,
        }
        if at(position) == b'.' {
            let end = digits(position + 1);
            valid &= end > position + 1;
            position = end;
        }
        if matches!(at(position), b'e' | b'E') {
            let sign = usize::from(matches!(at(position + 1), b'+' | b'-'));
            let end = digits(position + 1 + sign);
            valid &= end > position + 1 + sign;
            position = end;
        }
        // What clings to a number belongs to the token that is wrong.
        let rest = self.text[position..].find(|c: char| !is_word_character(c));
        let end = rest.map_or(self.text.len(), |rest| position + rest);
        valid &= end == position;
        self.end = end;
        if valid { Ok(()) } else { Err(self.invalid_token()) }
    }

    fn string(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let mut position = self.start + 1;
        let mut high_surrogate = false;
        loop {
            let Some(byte) = bytes.get(position).copied() else {
                self.end = position;
                return Err(self.invalid_token());
            };
            let mut low_surrogate = false;
            let mut next_high_surrogate = false;
            match byte {
                b'"' => break,
                0..=0x1f => {
                    self.end = position;
                    return Err(self.error(&format!("Character with value 0x{byte:02x} must be escaped.")));
                }
                b'\\' => {
                    position += 1;
                    match bytes.get(position) {
                        None => {
                            self.end = position;
                            return Err(self.invalid_token());
                        }
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => position += 1,
                        Some(b'u') => {
                            let code = self.code_unit(position + 1)?;
                            position += 5;
                            if self.strict_escapes {
                                self.end = position;
                                (next_high_surrogate, low_surrogate) = self.check_unit(code, high_surrogate)?;
                            }
                        }
                        Some(_) => {
                            let escaped = self.text[position..].chars().next().unwrap_or(' ');
                            self.end = position + escaped.len_utf8();
                            return Err(self.error(&format!("Escape sequence \"\\{escaped}\" is invalid.")));
                        }
                    }
                }
                _ => position += 1,
            }
            if high_surrogate && !low_surrogate {
                self.end = position;
                return Err(self.lone_surrogate());
            }
            high_surrogate = next_high_surrogate;
        }
        if high_surrogate {
            self.end = position + 1;
            return Err(self.lone_surrogate());
        }
        self.end = position + 1;
        Ok(())
    }

    /// Whether a UTF-16 code unit is a high and whether it is a low surrogate, when it may stand here.
    fn check_unit(&self, code: u32, after_high: bool) -> Result<(bool, bool)> {
        match code {
            0 => Err(Error::new(sqlstate::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
                .detail("\\u0000 cannot be converted to text.")
                .context(self.context())),
            0xd800..=0xdbff if after_high => {
                Err(self.error("Unicode high surrogate must not follow a high surrogate."))
            }
            0xd800..=0xdbff => Ok((true, false)),
            0xdc00..=0xdfff if after_high => Ok((false, true)),
            0xdc00..=0xdfff => Err(self.lone_surrogate()),
            _ => Ok((false, false)),
        }
    }

    fn lone_surrogate(&self) -> Error {
        self.error("Unicode low surrogate must follow a high surrogate.")
    }

    /// The four hexadecimal digits at a position.
    fn code_unit(&mut self, position: usize) -> Result<u32> {
        let digits = self.text.as_bytes().get(position..position + 4);
        let code = digits.and_then(|digits| {
            digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
        });
        code.ok_or_else(|| {
            let bytes = self.text.as_bytes();
            let mut end = position;
            while end < position + 3 && bytes.get(end).is_some_and(u8::is_ascii_hexdigit) {
                end += 1;
            }
            let wrong = self.text[end..].chars().next().map_or(0, char::len_utf8);
            self.end = end + wrong;
            self.error("\"\\u\" must be followed by four hexadecimal digits.")
        })
    }

    fn invalid_token(&self) -> Error {
        self.error(&format!("Token \"{}\" is invalid.", self.slice()))
    }

    /// What the parser expected in place of the current token.
    pub fn unexpected(&self, expected: &str) -> Error {
        if self.token == Token::End {
            self.error("The input string ended unexpectedly.")
        } else {
            self.error(&format!("Expected {expected}, but found \"{}\".", self.slice()))
        }
    }

    fn error(&self, detail: &str) -> Error {
        Error::new(sqlstate::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json")
            .detail(detail)
            .context(self.context())
    }

    fn context(&self) -> String {
        let end = self.end.min(self.text.len());
        let mut start = self.line_start;
        while end - start >= CONTEXT_BYTES {
            start += self.text[start..].chars().next().map_or(1, char::len_utf8);
        }
        let before = if start > self.line_start { "..." } else { "" };
        let rest = self.text.as_bytes().get(end);
        let after = if self.token != Token::End && rest.is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
            "..."
        } else {
            ""
        };
        format!("JSON data, line {}: {before}{}{after}", self.line, &self.text[start..end])
    }
}

/// What belongs to a word or clings to a number.
fn is_word_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

/// The text of a string token that was checked: without quotes and escapes.
pub(super) fn unescape(token: &str) -> String {
    let inner = &token[1..token.len() - 1];
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    let mut high = None;
    while let Some(position) = rest.find('\\') {
        out.push_str(&rest[..position]);
        let escape = rest.as_bytes().get(position + 1).copied().unwrap_or(b'\\');
        rest = &rest[position + 2..];
        out.push(match escape {
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let code = u32::from_str_radix(&rest[..4], 16).unwrap_or(0);
                rest = &rest[4..];
                match (code, high.take()) {
                    (0xd800..=0xdbff, _) => {
                        high = Some(code);
                        continue;
                    }
                    (0xdc00..=0xdfff, Some(high)) => {
                        let code = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
                        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                    }
                    _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            other => char::from(other),
        });
    }
    out.push_str(rest);
    out
}
