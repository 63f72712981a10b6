//! Cuts the text of a date, time or interval into fields.

/// What a field looks like. What it means depends on its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `1999`, `20011223`, `12.5`
    Number,
    /// Pieces joined by `-`, `/` or `.`: `1999-01-08`, `jan-08-1999`, also `america/new_york`
    Date,
    /// Pieces joined by `:`
    Time,
    /// A sign and digits: `+02`, `-05:30`, in intervals `-3`
    Zone,
    Word,
    /// A sign and a word: `-infinity`
    SignedWord,
}

/// A field in lower case.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub kind: Kind,
    pub text: String,
}

/// More fields than any date or interval has.
const MAX_FIELDS: usize = 25;
/// Longer texts are no dates.
const MAX_LENGTH: usize = 128;

/// The fields of a text; none when it has characters that no date has. `is_keyword` says whether a word is known,
/// which decides how `jan01` and `etc/gmt+1` are cut.
pub(super) fn fields(text: &str, is_keyword: impl Fn(&str) -> bool) -> Option<Vec<Field>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let bytes = text.to_ascii_lowercase().into_bytes();
    let mut cursor = Cursor { bytes: &bytes, position: 0 };
    let mut fields = vec![];
    while let Some(byte) = cursor.peek() {
        let start = cursor.position;
        let kind = match byte {
            b'0'..=b'9' => cursor.number_date_or_time(),
            b'.' => {
                cursor.skip(1);
                cursor.skip_while(|byte| byte.is_ascii_digit());
                Kind::Number
            }
            b'a'..=b'z' => cursor.word_or_date(&is_keyword),
            b'+' | b'-' => {
                cursor.skip(1);
                cursor.skip_while(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
                match cursor.peek()? {
                    b'0'..=b'9' => {
                        cursor.skip_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-'));
                        Kind::Zone
                    }
                    b'a'..=b'z' => {
                        cursor.skip_while(|byte| byte.is_ascii_alphabetic());
                        Kind::SignedWord
                    }
                    _ => return None,
                }
            }
            _ if byte.is_ascii_whitespace() || byte == 0x0b || byte.is_ascii_punctuation() => {
                cursor.skip(1);
                continue;
            }
            _ => return None,
        };
        let text: String = bytes[start..cursor.position]
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(|b| *b as char)
            .collect();
        fields.push(Field { kind, text });
        if fields.len() > MAX_FIELDS {
            return None;
        }
    }
    Some(fields)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.position += bytes;
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&accept) {
            self.position += 1;
        }
    }

    fn number_date_or_time(&mut self) -> Kind {
        self.skip_while(|byte| byte.is_ascii_digit());
        match self.peek() {
            Some(b':') => {
                self.skip_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
                Kind::Time
            }
            Some(delimiter @ (b'-' | b'/' | b'.')) => {
                self.skip(1);
                if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                    self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == delimiter);
                    return Kind::Date;
                }
                self.skip_while(|byte| byte.is_ascii_digit());
                if self.peek() == Some(delimiter) {
                    self.skip_while(|byte| byte.is_ascii_digit() || byte == delimiter);
                    return Kind::Date;
                }
                if delimiter == b'.' { Kind::Number } else { Kind::Date }
            }
            _ => Kind::Number,
        }
    }

    fn word_or_date(&mut self, is_keyword: &impl Fn(&str) -> bool) -> Kind {
        let start = self.position;
        self.skip_while(|byte| byte.is_ascii_alphabetic());
        let joined = match self.peek() {
            Some(b'-' | b'/' | b'.') => true,
            Some(byte) if byte == b'+' || byte.is_ascii_digit() => {
                let word = std::str::from_utf8(&self.bytes[start..self.position]).unwrap_or_default();
                !is_keyword(word)
            }
            _ => false,
        };
        if !joined {
            return Kind::Word;
        }
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/' | b'_' | b'.' | b':'));
        Kind::Date
    }
}
