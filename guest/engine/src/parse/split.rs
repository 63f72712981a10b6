//! Where one statement of a text ends and the next begins.

use super::syntax_error;
use crate::error::Result;
use sqlparser::tokenizer::Location;

/// The statements of a text as byte offsets (start, end), without their semicolons; empty ones are left out, and so
/// is white space around each. Semicolons within quotes, dollar quotes, comments and parentheses do not count.
///
/// Fails with 42601 when a quote or a comment never ends.
pub fn split(sql: &str) -> Result<Vec<(usize, usize)>> {
    let mut reader = Reader::new(sql);
    let mut statements = vec![];
    let mut span: Option<(usize, usize)> = None;
    let mut depth = 0usize;
    while let Some(piece) = reader.next_piece()? {
        match piece.kind {
            Kind::Blank => continue,
            Kind::Semicolon if depth == 0 => {
                statements.extend(span.take());
                continue;
            }
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Semicolon | Kind::Operator | Kind::Other => {}
        }
        let start = span.map_or(piece.start, |(start, _)| start);
        span = Some((start, reader.at));
    }
    statements.extend(span);
    Ok(statements)
}

pub enum Kind {
    Blank,
    /// One character of an operator.
    Operator,
    Semicolon,
    Open,
    Close,
    Other,
}

pub struct Piece {
    pub kind: Kind,
    /// Offset in bytes.
    pub start: usize,
}

/// Reads a text piece by piece: quotes and comments whole, operators by their characters.
pub struct Reader<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    pub fn new(sql: &str) -> Reader<'_> {
        Reader { sql, bytes: sql.as_bytes(), at: 0 }
    }

    /// Fails with 42601 when a quote or a comment never ends.
    pub fn next_piece(&mut self) -> Result<Option<Piece>> {
        let start = self.at;
        let Some(&byte) = self.bytes.get(start) else { return Ok(None) };
        self.at += 1;
        let kind = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => Kind::Blank,
            b';' => Kind::Semicolon,
            b'(' | b'[' => Kind::Open,
            b')' | b']' => Kind::Close,
            b'-' if self.bytes.get(self.at) == Some(&b'-') => {
                while self.bytes.get(self.at).is_some_and(|&byte| byte != b'\n') {
                    self.at += 1;
                }
                Kind::Blank
            }
            b'/' if self.bytes.get(self.at) == Some(&b'*') => {
                self.comment(start)?;
                Kind::Blank
            }
            b'\'' => {
                self.quoted(start, b'\'', false, "string literal")?;
                Kind::Other
            }
            b'"' => {
                self.quoted(start, b'"', false, "close delimiter")?;
                Kind::Other
            }
            b'$' => {
                self.dollar_quoted(start)?;
                Kind::Other
            }
            byte if b"+-*/<>=~!@#%^&|`?".contains(&byte) => Kind::Operator,
            byte if is_word(byte) => {
                self.word(start)?;
                Kind::Other
            }
            _ => Kind::Other,
        };
        Ok(Some(Piece { kind, start }))
    }

    /// The rest of a word; E'…' has escapes of its own.
    fn word(&mut self, start: usize) -> Result<()> {
        while self.bytes.get(self.at).is_some_and(|&byte| is_word(byte) || byte == b'$' || byte.is_ascii_digit()) {
            self.at += 1;
        }
        let is_escape = self.at == start + 1 && matches!(self.bytes[start], b'e' | b'E');
        if is_escape && self.bytes.get(self.at) == Some(&b'\'') {
            self.at += 1;
            self.quoted(start, b'\'', true, "string literal")?;
        }
        Ok(())
    }

    fn quoted(&mut self, start: usize, quote: u8, escapes: bool, what: &str) -> Result<()> {
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            if escapes && byte == b'\\' {
                self.at += 1;
            } else if byte == quote {
                if self.bytes.get(self.at) != Some(&quote) {
                    return Ok(());
                }
                self.at += 1;
            }
        }
        self.unterminated(start, what)
    }

    fn dollar_quoted(&mut self, start: usize) -> Result<()> {
        let mut end = self.at;
        while self.bytes.get(end).is_some_and(|&byte| is_word(byte) || (byte.is_ascii_digit() && end > self.at)) {
            end += 1;
        }
        if self.bytes.get(end) != Some(&b'$') {
            return Ok(());
        }
        let tag = &self.bytes[start..=end];
        let body = end + 1;
        match self.bytes[body..].windows(tag.len()).position(|window| window == tag) {
            Some(length) => {
                self.at = body + length + tag.len();
                Ok(())
            }
            None => self.unterminated(start, "dollar-quoted"),
        }
    }

    fn comment(&mut self, start: usize) -> Result<()> {
        let mut depth = 1;
        self.at += 1;
        while depth > 0 {
            match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return self.unterminated(start, "comment"),
            }
        }
        Ok(())
    }

    fn unterminated(&self, start: usize, what: &str) -> Result<()> {
        let column = self.sql[..start].chars().count() as u64 + 1;
        Err(syntax_error::unreadable(self.sql, what, Location { line: 1, column }))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}
