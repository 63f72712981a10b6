//! COPY's text format (PostgreSQL 15, COPY, "Text Format").

use super::Line;
use super::options::Options;
use crate::error::Result;
use std::borrow::Cow;

/// Hands on every line after the header, up to the end or a line of `\.`.
pub fn each_line<'a>(
    input: &'a [u8],
    options: &Options,
    receive: &mut dyn FnMut(Line<'a>) -> Result<()>,
) -> Result<()> {
    let mut rest = input;
    let mut number = 0;
    while !rest.is_empty() {
        let (text, after) = split_line(rest);
        rest = after;
        number += 1;
        if options.header && number == 1 {
            continue;
        }
        if text == b"\\." {
            break;
        }
        receive(Line { number, text, fields: fields(text, options) })?;
    }
    Ok(())
}

/// The text up to the end of the line, and what follows it. A backslash before the line's end makes it data.
fn split_line(input: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < input.len() {
        match input[at] {
            b'\\' => at += 2,
            b'\n' => {
                let text = &input[..at];
                return (text.strip_suffix(b"\r").unwrap_or(text), &input[at + 1..]);
            }
            _ => at += 1,
        }
    }
    (input.strip_suffix(b"\r").unwrap_or(input), &[])
}

fn fields<'a>(text: &'a [u8], options: &Options) -> Vec<Option<Cow<'a, [u8]>>> {
    let mut fields = vec![];
    let mut start = 0;
    let mut at = 0;
    loop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(byte) if *byte != options.delimiter => at += 1,
            end => {
                // A backslash may be the last byte.
                let raw = &text[start..at.min(text.len())];
                fields.push((raw != options.null.as_bytes()).then(|| unescape(raw)));
                if end.is_none() {
                    return fields;
                }
                at += 1;
                start = at;
            }
        }
    }
}

fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some(escaped) = rest.next() else {
            plain.push(b'\\');
            break;
        };
        plain.push(match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                let mut value = u32::from(escaped - b'0');
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|digit| (b'0'..=b'7').contains(digit)) else { break };
                    value = value * 8 + u32::from(digit - b'0');
                }
                value as u8
            }
            b'x' if rest.peek().is_some_and(u8::is_ascii_hexdigit) => {
                let mut value = 0;
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(u8::is_ascii_hexdigit) else { break };
                    value = value * 16 + (digit as char).to_digit(16).unwrap_or(0);
                }
                value as u8
            }
            other => other,
        });
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> Vec<(usize, Vec<Option<String>>)> {
        let mut lines = vec![];
        let options = Options::new(&[], &[]).unwrap();
        each_line(input.as_bytes(), &options, &mut |line| {
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
        assert_eq!(read("1\ta\n2\t\\N\n"), [(1, vec![some("1"), some("a")]), (2, vec![some("2"), None])]);
        assert_eq!(read("a\\tb\tc\\\\d\r\n\\.\nx"), [(1, vec![some("a\tb"), some("c\\d")])]);
        assert_eq!(read("\\x41\\101\\n"), [(1, vec![some("AA\n")])]);
        assert_eq!(read("a\\\nb\tc"), [(1, vec![some("a\nb"), some("c")])]);
        assert_eq!(read("\n"), [(1, vec![some("")])]);
        assert_eq!(read("a\\"), [(1, vec![some("a\\")])]);
        assert_eq!(read(""), []);
    }
}
