//! Finds where statements end in a text that may still grow: at a `;` outside quotes, comments and parentheses
//! (PostgreSQL 15, section 4.1). It knows nothing else of SQL.

/// What the text ends inside of, which the prompt shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Nothing was begun: only blanks and comments so far.
    Nothing,
    /// A statement that has no semicolon yet.
    Statement,
    Quote,
    Identifier,
    Dollar,
    Comment,
    Parenthesis,
}

/// The first statement of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// It ends before byte `end`; the next one begins at byte `next`.
    Complete {
        end: usize,
        next: usize,
    },
    Incomplete(Open),
}

/// Scans from the start of `text` to the first semicolon that ends a statement.
pub fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut begun) = (0, 0usize, false);
    while at < bytes.len() {
        let rest = &text[at..];
        let (length, open) = match bytes[at] {
            b';' if depth == 0 => return Scan::Complete { end: at, next: at + 1 },
            b'(' => {
                depth += 1;
                (1, None)
            }
            b')' => {
                depth = depth.saturating_sub(1);
                (1, None)
            }
            b'\'' => (quoted(rest, '\'', escapes_before(text, at)), Some(Open::Quote)),
            b'"' => (quoted(rest, '"', false), Some(Open::Identifier)),
            b'-' if rest.starts_with("--") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("/*") => match comment(rest) {
                0 => return Scan::Incomplete(Open::Comment),
                length => {
                    at += length;
                    continue;
                }
            },
            b'$' if !in_word(text, at) => match dollar_tag(rest) {
                Some(tag) => {
                    let end = rest[tag.len()..].find(tag).map_or(0, |found| found + 2 * tag.len());
                    (end, Some(Open::Dollar))
                }
                None => (1, None),
            },
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            byte => (utf8_length(byte), None),
        };
        begun = true;
        if length == 0 {
            return Scan::Incomplete(open.unwrap_or(Open::Statement));
        }
        at += length;
    }
    Scan::Incomplete(match (begun, depth) {
        (false, _) => Open::Nothing,
        (true, 0) => Open::Statement,
        (true, _) => Open::Parenthesis,
    })
}

/// How many bytes of blanks and comments a text starts with.
pub fn blanks(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += match rest.as_bytes() {
            [byte, ..] if byte.is_ascii_whitespace() => 1,
            [b'-', b'-', ..] => rest.find('\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] if comment(rest) > 0 => comment(rest),
            _ => return at,
        };
    }
}

/// Length in bytes of the quoted text that `rest` starts with, 0 when it does not end.
fn quoted(rest: &str, quote: char, backslashes: bool) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && backslashes {
            characters.next();
        } else if character == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return at + quote.len_utf8();
            }
        }
    }
    0
}

/// Whether the quote at byte `at` opens an E'…' constant.
fn escapes_before(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    at > 0 && matches!(bytes[at - 1], b'e' | b'E') && !in_word(text, at - 1)
}

/// Whether the character before byte `at` belongs to the same word.
fn in_word(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || matches!(before, '_' | '$'))
}

/// Length of the comment that `rest` starts with, which may hold comments; 0 when it does not end.
fn comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    0
}

/// `$$` or `$tag$` at the start of `rest`.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 1;
    let name = &rest[1..end];
    let letters = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    (letters && !name.starts_with(|letter: char| letter.is_ascii_digit())).then(|| &rest[..=end])
}

fn utf8_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_semicolons_that_end_statements() {
        for (text, expected) in [
            ("", vec![]),
            (" ; ; -- nothing\n ;", vec![]),
            ("select 1", vec!["select 1"]),
            ("select 1; select 2 ;", vec!["select 1", "select 2"]),
            ("select ';', ';;';x", vec!["select ';', ';;'", "x"]),
            ("select 'it''s;'; x", vec!["select 'it''s;'", "x"]),
            (r"select E'\';'; x", vec![r"select E'\';'", "x"]),
            (r"select '\'; x", vec![r"select '\'", "x"]),
            (r"select name'\'; x", vec![r"select name'\'", "x"]),
            ("select \"a;\"\"b\"; x", vec!["select \"a;\"\"b\"", "x"]),
            ("select $$;$$; x", vec!["select $$;$$", "x"]),
            ("select $a$;$$;$a$; x", vec!["select $a$;$$;$a$", "x"]),
            ("select $1; select a$b$c; x", vec!["select $1", "select a$b$c", "x"]),
            ("select 1 -- ; no\n + 1; x", vec!["select 1 -- ; no\n + 1", "x"]),
            ("select /* ; /* ; */ ; */ 1; x", vec!["select /* ; /* ; */ ; */ 1", "x"]),
            ("create rule (a; b); x", vec!["create rule (a; b)", "x"]),
            ("-- first\nselect 1;\n-- last\n", vec!["select 1"]),
            ("select 'ö;日本'; sélect; 'offen", vec!["select 'ö;日本'", "sélect", "'offen"]),
        ] {
            let (mut rest, mut found) = (text, vec![]);
            while let Some(open) = match scan(rest) {
                Scan::Incomplete(Open::Nothing) => None,
                other => Some(other),
            } {
                let (end, next) = match open {
                    Scan::Complete { end, next } => (end, next),
                    Scan::Incomplete(_) => (rest.len(), rest.len()),
                };
                found.push(rest[blanks(rest).min(end)..end].trim_end());
                rest = &rest[next..];
            }
            found.retain(|statement| !statement.is_empty());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn says_what_is_open() {
        for (text, open) in [
            ("  -- x\n", Open::Nothing),
            ("select", Open::Statement),
            ("select 'a", Open::Quote),
            ("select \"a", Open::Identifier),
            ("select $x$ a $$", Open::Dollar),
            ("select /* a", Open::Comment),
            ("/* a /* b */", Open::Comment),
            ("select (1", Open::Parenthesis),
            ("select (';", Open::Quote),
        ] {
            assert_eq!(scan(text), Scan::Incomplete(open), "{text}");
        }
    }
}
