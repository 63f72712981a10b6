//! From PostgreSQL's advanced regular expressions (section 9.7.3) to the syntax of crate `regex`.
//!
//! With the C collation only ASCII letters have a case and belong to classes, so letters of any case are spelled out.

use crate::error::{Error, Result, sqlstate};
use std::iter::Peekable;
use std::str::Chars;

/// The options that flags such as `gi` and embedded ones such as `(?n)` set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    pub ignore_case: bool,
    /// `.` and `[^…]` do not match a newline
    pub newline_stops: bool,
    /// `^` and `$` match around newlines
    pub newline_anchors: bool,
    pub expanded: bool,
    /// The pattern is plain text.
    pub literal: bool,
}

impl Options {
    /// One option letter; none when it is not one.
    pub fn set(&mut self, letter: char) -> Option<()> {
        match letter {
            'c' => self.ignore_case = false,
            'i' => self.ignore_case = true,
            'm' | 'n' => (self.newline_stops, self.newline_anchors) = (true, true),
            'p' => (self.newline_stops, self.newline_anchors) = (true, false),
            'q' => self.literal = true,
            's' => (self.newline_stops, self.newline_anchors) = (false, false),
            't' => self.expanded = false,
            'w' => (self.newline_stops, self.newline_anchors) = (false, true),
            'x' => self.expanded = true,
            // Advanced expressions contain what extended and basic ones are mostly used for.
            'e' => self.literal = false,
            _ => return None,
        }
        Some(())
    }
}

#[derive(Debug)]
pub struct Translated {
    pub pattern: String,
    /// Whether the expression as a whole prefers the shortest match (section 9.7.3.5).
    pub prefers_shortest: bool,
    /// Several matches may start at one place.
    pub has_choice: bool,
}

pub fn invalid(reason: &str) -> Error {
    Error::new(sqlstate::INVALID_REGULAR_EXPRESSION, format!("invalid regular expression: {reason}"))
}

/// Deeper groups are refused, as the parser of crate `regex` recurses.
const MAX_DEPTH: usize = 200;

pub fn translate(pattern: &str, mut options: Options) -> Result<Translated> {
    let mut rest = pattern;
    if let Some(literal) = rest.strip_prefix("***=") {
        options.literal = true;
        rest = literal;
    } else if let Some(advanced) = rest.strip_prefix("***:") {
        rest = advanced;
    } else if rest.starts_with("***") {
        return Err(invalid("invalid regexp (reg version 0.8)"));
    }
    if !options.literal
        && let Some(embedded) = rest.strip_prefix("(?")
        && let Some(end) = embedded.find(')')
        && end > 0
        && embedded[..end].chars().all(|letter| letter.is_ascii_alphabetic())
    {
        for letter in embedded[..end].chars() {
            options.set(letter).ok_or_else(|| invalid("invalid embedded option"))?;
        }
        rest = &embedded[end + 1..];
    }
    let mut translator =
        Translator { input: rest.chars().peekable(), options, output: String::new(), has_choice: false };
    if options.literal {
        rest.chars().for_each(|character| translator.literal(character));
        return Ok(Translated { pattern: translator.output, prefers_shortest: false, has_choice: false });
    }
    let preference = translator.alternatives(0)?;
    if translator.input.next().is_some() {
        return Err(invalid("parentheses () not balanced"));
    }
    Ok(Translated {
        pattern: translator.output,
        prefers_shortest: preference == Some(Preference::Shortest),
        has_choice: translator.has_choice,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Preference {
    Longest,
    Shortest,
}

struct Translator<'a> {
    input: Peekable<Chars<'a>>,
    options: Options,
    output: String,
    has_choice: bool,
}

impl Translator<'_> {
    fn alternatives(&mut self, depth: usize) -> Result<Option<Preference>> {
        let mut preference = self.branch(depth)?;
        while self.input.next_if_eq(&'|').is_some() {
            self.output.push('|');
            self.has_choice = true;
            self.branch(depth)?;
            preference = Some(Preference::Longest);
        }
        Ok(preference)
    }

    fn branch(&mut self, depth: usize) -> Result<Option<Preference>> {
        let mut preference = None;
        while let Some(&next) = self.input.peek() {
            if next == '|' || (next == ')' && depth > 0) {
                break;
            }
            let found = self.quantified(depth)?;
            preference = preference.or(found);
        }
        Ok(preference)
    }

    fn quantified(&mut self, depth: usize) -> Result<Option<Preference>> {
        let start = self.output.len();
        let Some(atom) = self.atom(depth)? else { return Ok(None) };
        let Some((quantifier, fixed)) = self.quantifier()? else { return Ok(atom) };
        // One pair of parentheses keeps what an atom was spelled as together.
        self.output.insert_str(start, "(?:");
        self.output.push(')');
        self.output.push_str(&quantifier);
        self.has_choice |= !fixed;
        let lazy = self.input.next_if_eq(&'?').is_some();
        if lazy {
            self.output.push('?');
        }
        if let Some('*' | '+' | '?') = self.input.peek() {
            return Err(invalid("quantifier operand invalid"));
        }
        Ok(if fixed {
            atom
        } else if lazy {
            Some(Preference::Shortest)
        } else {
            Some(Preference::Longest)
        })
    }

    /// The quantifier that comes next, and whether it allows one count only.
    fn quantifier(&mut self) -> Result<Option<(String, bool)>> {
        match self.input.peek() {
            Some(&character @ ('*' | '+' | '?')) => {
                self.input.next();
                return Ok(Some((character.to_string(), false)));
            }
            Some('{') => {}
            _ => return Ok(None),
        }
        // A brace that no digit follows stands for itself.
        let mut ahead = self.input.clone();
        ahead.next();
        if !ahead.peek().is_some_and(char::is_ascii_digit) {
            return Ok(None);
        }
        self.input = ahead;
        let low = self.count()?;
        let mut bounds = format!("{{{low}");
        let mut fixed = true;
        if self.input.next_if_eq(&',').is_some() {
            fixed = false;
            bounds.push(',');
            if self.input.peek().is_some_and(char::is_ascii_digit) {
                let high = self.count()?;
                if low > high {
                    return Err(invalid("invalid repetition count(s)"));
                }
                bounds.push_str(&high.to_string());
            }
        }
        match self.input.next() {
            Some('}') => {
                bounds.push('}');
                Ok(Some((bounds, fixed)))
            }
            Some(_) => Err(invalid("invalid repetition count(s)")),
            None => Err(invalid("braces {} not balanced")),
        }
    }

    fn count(&mut self) -> Result<u32> {
        let mut count = 0;
        while let Some(digit) = self.input.peek().and_then(|character| character.to_digit(10)) {
            self.input.next();
            count = count * 10 + digit;
            if count > 255 {
                return Err(invalid("invalid repetition count(s)"));
            }
        }
        Ok(count)
    }

    /// Writes the next atom or constraint. None for what leaves nothing behind: comments and skipped white space.
    fn atom(&mut self, depth: usize) -> Result<Option<Option<Preference>>> {
        let Some(character) = self.input.next() else { return Ok(None) };
        match character {
            ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' if self.options.expanded => return Ok(None),
            '#' if self.options.expanded => {
                while self.input.next_if(|character| *character != '\n').is_some() {}
                return Ok(None);
            }
            '*' | '+' | '?' => return Err(invalid("quantifier operand invalid")),
            '{' if self.input.peek().is_some_and(char::is_ascii_digit) => {
                return Err(invalid("quantifier operand invalid"));
            }
            '(' => return self.group(depth),
            ')' => return Err(invalid("parentheses () not balanced")),
            '.' if self.options.newline_stops => self.output.push_str("[^\\n]"),
            '.' => self.output.push_str("(?s:.)"),
            '^' if self.options.newline_anchors => self.output.push_str("(?m:^)"),
            '^' => self.output.push_str("\\A"),
            '$' if self.options.newline_anchors => self.output.push_str("(?m:$)"),
            '$' => self.output.push_str("\\z"),
            '[' => self.bracket()?,
            '\\' => self.escape()?,
            other => self.literal(other),
        }
        Ok(Some(None))
    }

    fn group(&mut self, depth: usize) -> Result<Option<Option<Preference>>> {
        if depth >= MAX_DEPTH {
            return Err(invalid("regular expression is too complex"));
        }
        if self.input.next_if_eq(&'?').is_some() {
            match self.input.next() {
                Some(':') => self.output.push_str("(?:"),
                Some('#') => {
                    if !self.input.any(|character| character == ')') {
                        return Err(invalid("parentheses () not balanced"));
                    }
                    return Ok(None);
                }
                Some('=' | '!' | '<') => {
                    return Err(Error::not_supported("lookaround in a regular expression"));
                }
                _ => return Err(invalid("quantifier operand invalid")),
            }
        } else {
            self.output.push('(');
        }
        let preference = self.alternatives(depth + 1)?;
        if self.input.next() != Some(')') {
            return Err(invalid("parentheses () not balanced"));
        }
        self.output.push(')');
        Ok(Some(preference))
    }

    fn literal(&mut self, character: char) {
        if self.options.ignore_case && character.is_ascii_alphabetic() {
            self.output.push('[');
            self.output.push(character.to_ascii_lowercase());
            self.output.push(character.to_ascii_uppercase());
            self.output.push(']');
        } else {
            push_character(character, &mut self.output);
        }
    }

    fn escape(&mut self) -> Result<()> {
        let Some(character) = self.input.next() else { return Err(invalid("invalid escape \\ sequence")) };
        match character {
            'A' => self.output.push_str("\\A"),
            'Z' => self.output.push_str("\\z"),
            'm' => self.output.push_str("(?-u:\\b{start})"),
            'M' => self.output.push_str("(?-u:\\b{end})"),
            'y' => self.output.push_str("(?-u:\\b)"),
            'Y' => return Err(Error::not_supported("\\Y in a regular expression")),
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                self.output.push('[');
                if character.is_ascii_uppercase() {
                    self.output.push('^');
                }
                self.output.push_str(class_shorthand(character));
                self.output.push(']');
            }
            '1'..='9' => return Err(Error::not_supported("a back-reference in a regular expression")),
            _ => {
                let character = self.character_escape(character)?;
                self.literal(character);
            }
        }
        Ok(())
    }

    /// The character that the escape whose letter was just read stands for.
    fn character_escape(&mut self, letter: char) -> Result<char> {
        Ok(match letter {
            'a' => '\x07',
            'b' => '\x08',
            'B' => '\\',
            'c' => {
                let control = self.input.next().ok_or_else(|| invalid("invalid escape \\ sequence"))?;
                char::from((control as u32 & 0x1f) as u8)
            }
            'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'u' => self.hexadecimal(4, 4)?,
            'U' => self.hexadecimal(8, 8)?,
            'x' => self.hexadecimal(1, usize::MAX)?,
            '0' => {
                let mut code = 0;
                for _ in 0..2 {
                    match self.input.peek().and_then(|digit| digit.to_digit(8)) {
                        Some(digit) => code = code * 8 + digit,
                        None => break,
                    }
                    self.input.next();
                }
                char::from_u32(code).ok_or_else(|| invalid("invalid escape \\ sequence"))?
            }
            other if other.is_ascii_alphanumeric() => return Err(invalid("invalid escape \\ sequence")),
            other => other,
        })
    }

    fn hexadecimal(&mut self, least: usize, most: usize) -> Result<char> {
        let mut code: u32 = 0;
        let mut digits = 0;
        while digits < most {
            let Some(digit) = self.input.peek().and_then(|digit| digit.to_digit(16)) else { break };
            self.input.next();
            code = code.wrapping_mul(16).wrapping_add(digit);
            digits += 1;
        }
        if digits < least {
            return Err(invalid("invalid escape \\ sequence"));
        }
        char::from_u32(code).ok_or_else(|| invalid("invalid escape \\ sequence"))
    }

    /// A bracket expression; its opening bracket was read.
    fn bracket(&mut self) -> Result<()> {
        let rest: String = self.input.clone().take(6).collect();
        for (spelling, boundary) in [("[:<:]]", "(?-u:\\b{start})"), ("[:>:]]", "(?-u:\\b{end})")] {
            if rest == spelling {
                self.input.by_ref().take(6).for_each(drop);
                self.output.push_str(boundary);
                return Ok(());
            }
        }
        self.output.push('[');
        if self.input.next_if_eq(&'^').is_some() {
            self.output.push('^');
            if self.options.newline_stops {
                self.output.push_str("\\n");
            }
        }
        let mut first = true;
        loop {
            let character = self.input.next().ok_or_else(unbalanced_brackets)?;
            if character == ']' && !first {
                break;
            }
            first = false;
            let low = match self.bracket_element(character)? {
                Some(low) => low,
                None => continue,
            };
            let mut ahead = self.input.clone();
            let is_range = ahead.next() == Some('-') && !matches!(ahead.peek(), Some(']') | None);
            let high = if is_range {
                self.input.next();
                let character = self.input.next().ok_or_else(unbalanced_brackets)?;
                self.bracket_element(character)?.ok_or_else(|| invalid("invalid character range"))?
            } else {
                low
            };
            if low > high {
                return Err(invalid("invalid character range"));
            }
            self.range(low, high);
        }
        self.output.push(']');
        Ok(())
    }

    /// One end of a range, or none when a whole class was written.
    fn bracket_element(&mut self, character: char) -> Result<Option<char>> {
        match (character, self.input.peek()) {
            ('[', Some(&kind @ (':' | '.' | '='))) => {
                self.input.next();
                let mut name = String::new();
                loop {
                    let character = self.input.next().ok_or_else(unbalanced_brackets)?;
                    if character == kind && self.input.next_if_eq(&']').is_some() {
                        break;
                    }
                    name.push(character);
                }
                if kind != ':' {
                    let mut characters = name.chars();
                    return match (characters.next(), characters.next()) {
                        (Some(character), None) => Ok(Some(character)),
                        _ => Err(invalid("invalid collating element")),
                    };
                }
                let any_case = self.options.ignore_case && matches!(&name[..], "upper" | "lower");
                match &name[..] {
                    _ if any_case => self.output.push_str("[:alpha:]"),
                    "alnum" | "alpha" | "blank" | "cntrl" | "digit" | "graph" | "lower" | "print" | "punct"
                    | "space" | "upper" | "xdigit" | "word" => {
                        self.output.push_str("[:");
                        self.output.push_str(&name);
                        self.output.push_str(":]");
                    }
                    _ => return Err(invalid("invalid character class")),
                }
                Ok(None)
            }
            ('\\', _) => {
                let letter = self.input.next().ok_or_else(|| invalid("invalid escape \\ sequence"))?;
                match letter {
                    'd' | 's' | 'w' => {
                        self.output.push_str(class_shorthand(letter));
                        Ok(None)
                    }
                    'D' | 'S' | 'W' => {
                        self.output.push_str("[^");
                        self.output.push_str(class_shorthand(letter));
                        self.output.push(']');
                        Ok(None)
                    }
                    _ => self.character_escape(letter).map(Some),
                }
            }
            _ => Ok(Some(character)),
        }
    }

    fn range(&mut self, low: char, high: char) {
        self.push_range(low, high);
        if self.options.ignore_case {
            // What the range holds of one case, it also holds of the other.
            for (first, last) in [('A', 'Z'), ('a', 'z')] {
                let (low, high) = (low.max(first), high.min(last));
                if low <= high {
                    let other = |letter: char| char::from(letter as u8 ^ 0x20);
                    self.push_range(other(low), other(high));
                }
            }
        }
    }

    fn push_range(&mut self, low: char, high: char) {
        push_character(low, &mut self.output);
        if low != high {
            self.output.push('-');
            push_character(high, &mut self.output);
        }
    }
}

fn unbalanced_brackets() -> Error {
    invalid("brackets [] not balanced")
}

/// The ASCII members of `\d`, `\s` and `\w`, of either case.
fn class_shorthand(letter: char) -> &'static str {
    match letter.to_ascii_lowercase() {
        'd' => "0-9",
        's' => "\\t\\n\\x0b\\x0c\\r ",
        _ => "a-zA-Z0-9_",
    }
}

/// A character that stands for itself, inside and outside of brackets.
fn push_character(character: char, output: &mut String) {
    if character.is_ascii_alphanumeric() || character == '_' || (!character.is_ascii() && !character.is_control()) {
        output.push(character);
    } else {
        output.push_str(&format!("\\x{{{:x}}}", character as u32));
    }
}
