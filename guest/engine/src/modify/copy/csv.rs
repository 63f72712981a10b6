//! COPY's CSV format (PostgreSQL 15, COPY, "CSV Format").

use super::Line;
use super::options::Options;
use crate::error::{Error, Result, sqlstate};
use std::borrow::Cow;

/// When a column's fields are NULL.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnRule {
    /// A quoted field may be NULL too.
    pub force_null: bool,
    /// No field is NULL.
    pub force_not_null: bool,
}

/// Hands on every line after the header, up to the end or a line of `\.`. Quoted fields may span lines; a line's
/// number is that of its last one, as PostgreSQL counts.
pub fn each_line<'a>(
    input: &'a [u8],
    options: &Options,
    rules: &[ColumnRule],
    receive: &mut dyn FnMut(Line<'a>) -> Result<()>,
) -> Result<()> {
    let mut reader = Reader { input, at: 0, number: 0, options };
    let mut is_header = options.header;
    while reader.at < input.len() {
        let line = reader.line(rules)?;
        if line.text == b"\\." {
            break;
        }
        if !std::mem::take(&mut is_header) {
            receive(line)?;
        }
    }
    Ok(())
}

struct Reader<'a, 'o> {
    input: &'a [u8],
    at: usize,
    number: usize,
    options: &'o Options,
}

impl<'a> Reader<'a, '_> {
    fn line(&mut self, rules: &[ColumnRule]) -> Result<Line<'a>> {
        let start = self.at;
        self.number += 1;
        let mut fields = vec![];
        loop {
            let rule = rules.get(fields.len()).copied().unwrap_or_default();
            let (field, quoted) = self.field()?;
            let is_null_text = *field == *self.options.null.as_bytes();
            let is_null = is_null_text && !rule.force_not_null && (!quoted || rule.force_null);
            fields.push((!is_null).then_some(field));
            match self.input.get(self.at) {
                Some(byte) if *byte == self.options.delimiter => self.at += 1,
                _ => break,
            }
        }
        let text = &self.input[start..self.at];
        if self.input.get(self.at) == Some(&b'\r') {
            self.at += 1;
        }
        if self.input.get(self.at) == Some(&b'\n') {
            self.at += 1;
        }
        Ok(Line { number: self.number, text, fields })
    }

    /// A field, and whether any of it was quoted.
    fn field(&mut self) -> Result<(Cow<'a, [u8]>, bool)> {
        let Options { delimiter, quote, .. } = *self.options;
        let start = self.at;
        let ends = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
        let plain = |byte: &u8| ends(byte) || *byte == quote;
        let length = self.input[start..].iter().position(plain).unwrap_or(self.input.len() - start);
        self.at += length;
        if self.input.get(self.at) != Some(&quote) {
            return Ok((Cow::Borrowed(&self.input[start..self.at]), false));
        }
        let mut field = self.input[start..self.at].to_vec();
        while let Some(&byte) = self.input.get(self.at) {
            if byte == quote {
                self.at += 1;
                self.quoted(&mut field)?;
            } else if ends(&byte) {
                break;
            } else {
                field.push(byte);
                self.at += 1;
            }
        }
        Ok((Cow::Owned(field), true))
    }

    /// The rest of a quoted part.
    fn quoted(&mut self, field: &mut Vec<u8>) -> Result<()> {
        let Options { quote, escape, .. } = *self.options;
        while let Some(&byte) = self.input.get(self.at) {
            self.at += 1;
            let next = self.input.get(self.at).copied();
            if byte == escape && next.is_some_and(|next| next == quote || next == escape) {
                field.extend(next);
                self.at += 1;
            } else if byte == quote {
                return Ok(());
            } else {
                if byte == b'\n' {
                    self.number += 1;
                }
                field.push(byte);
            }
        }
        Err(Error::new(sqlstate::BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::ast::{CopyOption, Ident};

    fn read(input: &str) -> Vec<(usize, Vec<Option<String>>)> {
        let options = [CopyOption::Format(Ident::new("csv")), CopyOption::Header(true)];
        let options = Options::new(&options, &[]).unwrap();
        let mut lines = vec![];
        each_line(input.as_bytes(), &options, &[], &mut |line| {
            let field = |field: Option<Cow<[u8]>>| field.map(|bytes| String::from_utf8(bytes.into_owned()).unwrap());
            lines.push((line.number, line.fields.into_iter().map(field).collect()));
            Ok(())
        })
        .unwrap();
        lines
    }

    #[test]
    fn lines_become_fields() {
        let some = |text: &str| Some(text.to_string());
        assert_eq!(read("a,b\n1,x\r\n2,\n"), [(2, vec![some("1"), some("x")]), (3, vec![some("2"), None])]);
        assert_eq!(read("h\n\"a,\"\"b\"\"\",\"\""), [(2, vec![some("a,\"b\""), some("")])]);
        assert_eq!(read("h\n\"a\nb\",c\nd"), [(3, vec![some("a\nb"), some("c")]), (4, vec![some("d")])]);
        assert_eq!(read("h\nx\"y z\"w"), [(2, vec![some("xy zw")])]);
        assert_eq!(read("h\na\n\\.\nb"), [(2, vec![some("a")])]);
    }
}
