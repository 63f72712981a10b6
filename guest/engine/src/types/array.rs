//! Arrays in text: `{1,2,NULL}`, `[0:1]={a,"b c"}` (PostgreSQL 15, section 8.15).

use super::text::{self, is_space};
use super::value::Array;
use super::{DataType, Value};
use crate::error::{Error, Result, sqlstate};
use crate::functions::{FunctionContext, Settings};

/// Most dimensions that an array has.
pub const MAX_DIMENSIONS: usize = 6;

/// Reads an array of one element type. Fails with 22P02 and as the elements do.
pub fn parse(text: &str, element: DataType, modifier: i32, context: &FunctionContext) -> Result<Array> {
    let mut reader = Reader { text, rest: text.trim_start_matches(is_space), lengths: vec![], elements: vec![] };
    let bounds = reader.bounds()?;
    if !reader.rest.starts_with('{') {
        return Err(reader.malformed(if bounds.is_empty() {
            "Array value must start with \"{\" or dimension information."
        } else {
            "Array contents must start with \"{\"."
        }));
    }
    reader.level(0)?;
    if !reader.rest.trim_start_matches(is_space).is_empty() {
        return Err(reader.malformed("Junk after closing right brace."));
    }
    let values = reader.elements.iter().map(|text| match text {
        Some(text) => text::parse(text, element, modifier, context),
        None => Ok(Value::Null),
    });
    let values = values.collect::<Result<Vec<_>>>()?;
    let lengths = reader.lengths.iter().map(|length| length.unwrap_or(0));
    let mut dimensions: Vec<(usize, i32)> = lengths.map(|length| (length, 1)).collect();
    if values.is_empty() {
        dimensions.clear();
    }
    if !bounds.is_empty() {
        let fits = bounds.iter().map(|bound| bound.0).eq(dimensions.iter().map(|dimension| dimension.0));
        if !fits {
            return Err(reader.malformed("Specified array dimensions do not match array contents."));
        }
        dimensions = bounds;
    }
    Ok(Array { element_type: element, dimensions, values })
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    /// How many elements each level has; none while its first one is being read.
    lengths: Vec<Option<usize>>,
    /// None for NULL
    elements: Vec<Option<String>>,
}

impl Reader<'_> {
    fn malformed(&self, detail: &str) -> Error {
        Error::new(sqlstate::INVALID_TEXT_REPRESENTATION, format!("malformed array literal: \"{}\"", self.text))
            .detail(detail)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_space);
    }

    /// `[0:1][1:3]=` or nothing
    fn bounds(&mut self) -> Result<Vec<(usize, i32)>> {
        let mut bounds = vec![];
        while let Some(rest) = self.rest.strip_prefix('[') {
            if bounds.len() == MAX_DIMENSIONS {
                return Err(too_many_dimensions(bounds.len() + 1));
            }
            let Some((range, after)) = rest.split_once(']') else {
                return Err(self.malformed("Missing \"]\" after array dimensions."));
            };
            let number = |text: &str| text.parse::<i32>().map_err(|_| self.malformed("Missing array dimension value."));
            let (lower, upper) = match range.split_once(':') {
                Some((lower, upper)) => (number(lower)?, number(upper)?),
                None => (1, number(range)?),
            };
            if upper < lower {
                return Err(Error::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound"));
            }
            bounds.push(((i64::from(upper) - i64::from(lower) + 1) as usize, lower));
            self.rest = after.trim_start_matches(is_space);
        }
        if !bounds.is_empty() {
            match self.rest.strip_prefix('=') {
                Some(rest) => self.rest = rest.trim_start_matches(is_space),
                None => return Err(self.malformed("Missing \"=\" after array dimensions.")),
            }
        }
        Ok(bounds)
    }

    /// Braces and what is between them; stands on the opening one.
    fn level(&mut self, depth: usize) -> Result<()> {
        if depth == MAX_DIMENSIONS {
            return Err(too_many_dimensions(depth + 1));
        }
        self.rest = &self.rest[1..];
        let first_of_its_level = depth == self.lengths.len();
        if first_of_its_level {
            self.lengths.push(None);
        }
        let mut count = 0;
        let mut has_levels = false;
        self.skip_blanks();
        if self.rest.starts_with('}') {
            if depth > 0 {
                return Err(self.malformed("Unexpected \"}\" character."));
            }
        } else {
            loop {
                self.skip_blanks();
                let is_level = self.rest.starts_with('{');
                if count > 0 && is_level != has_levels {
                    return Err(self.malformed(if is_level {
                        "Unexpected \"{\" character."
                    } else {
                        "Unexpected array element."
                    }));
                }
                has_levels = is_level;
                if is_level {
                    self.level(depth + 1)?;
                } else if depth + 1 < self.lengths.len() {
                    return Err(self.mismatch());
                } else {
                    let element = self.element()?;
                    self.elements.push(element);
                }
                count += 1;
                self.skip_blanks();
                match self.rest.as_bytes().first() {
                    Some(b',') => self.rest = &self.rest[1..],
                    Some(b'}') => break,
                    Some(b'{') => return Err(self.malformed("Unexpected \"{\" character.")),
                    Some(_) => return Err(self.malformed("Unexpected array element.")),
                    None => return Err(self.malformed("Unexpected end of input.")),
                }
            }
        }
        self.rest = &self.rest[1..];
        match self.lengths[depth] {
            Some(length) if length != count => Err(self.mismatch()),
            Some(_) => Ok(()),
            None => {
                self.lengths[depth] = Some(count);
                Ok(())
            }
        }
    }

    fn mismatch(&self) -> Error {
        self.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
    }

    fn element(&mut self) -> Result<Option<String>> {
        match self.rest.as_bytes().first() {
            None => Err(self.malformed("Unexpected end of input.")),
            Some(b',') => Err(self.malformed("Unexpected \",\" character.")),
            Some(b'}') => Err(self.malformed("Unexpected \"}\" character.")),
            Some(b'"') => self.quoted().map(Some),
            Some(_) => self.bare(),
        }
    }

    fn quoted(&mut self) -> Result<String> {
        let mut out = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((position, c)) = characters.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[position + 2..];
                    return Ok(out);
                }
                '\\' => match characters.next() {
                    Some((_, escaped)) => out.push(escaped),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err(self.malformed("Unexpected end of input."))
    }

    /// An element without quotes, up to a comma or a brace, without the blanks behind it.
    fn bare(&mut self) -> Result<Option<String>> {
        let mut out = String::new();
        let mut escaped = false;
        // What is before this length may not be cut off as a blank.
        let mut kept = 0;
        let mut characters = self.rest.char_indices();
        let end = loop {
            match characters.next() {
                None => return Err(self.malformed("Unexpected end of input.")),
                Some((position, ',' | '}')) => break position,
                Some((_, '{')) => return Err(self.malformed("Unexpected \"{\" character.")),
                Some((_, '"')) => return Err(self.malformed("Unexpected array element.")),
                Some((_, '\\')) => match characters.next() {
                    Some((_, c)) => {
                        out.push(c);
                        escaped = true;
                        kept = out.len();
                    }
                    None => return Err(self.malformed("Unexpected end of input.")),
                },
                Some((_, c)) => {
                    out.push(c);
                    if !is_space(c) {
                        kept = out.len();
                    }
                }
            }
        };
        self.rest = &self.rest[end..];
        out.truncate(kept);
        Ok(if !escaped && out.eq_ignore_ascii_case("null") { None } else { Some(out) })
    }
}

/// 54000 `number of array dimensions (7) exceeds the maximum allowed (6)`
pub fn too_many_dimensions(count: usize) -> Error {
    Error::new(
        sqlstate::PROGRAM_LIMIT_EXCEEDED,
        format!("number of array dimensions ({count}) exceeds the maximum allowed ({MAX_DIMENSIONS})"),
    )
}

/// Prints an array, with its bounds where one does not begin at 1.
pub fn print(array: &Array, settings: &Settings, out: &mut String) {
    if array.values.is_empty() {
        out.push_str("{}");
        return;
    }
    if array.dimensions.iter().any(|(_, lower)| *lower != 1) {
        for (length, lower) in &array.dimensions {
            let upper = i64::from(*lower) + *length as i64 - 1;
            out.push_str(&format!("[{lower}:{upper}]"));
        }
        out.push('=');
    }
    let mut values = array.values.iter();
    print_level(array, 0, &mut values, settings, out);
}

fn print_level<'a>(
    array: &Array,
    depth: usize,
    values: &mut impl Iterator<Item = &'a Value>,
    settings: &Settings,
    out: &mut String,
) {
    out.push('{');
    for index in 0..array.dimensions.get(depth).map_or(0, |dimension| dimension.0) {
        if index > 0 {
            out.push(',');
        }
        if depth + 1 < array.dimensions.len() {
            print_level(array, depth + 1, values, settings, out);
            continue;
        }
        match values.next() {
            None | Some(Value::Null) => out.push_str("NULL"),
            Some(value) => push_element(&text::to_string(value, array.element_type, settings), out),
        }
    }
    out.push('}');
}

/// An element, quoted where its text would be read as something else.
fn push_element(element: &str, out: &mut String) {
    let special = |c: char| matches!(c, '"' | '\\' | '{' | '}' | ',') || is_space(c);
    if !element.is_empty() && !element.contains(special) && !element.eq_ignore_ascii_case("null") {
        out.push_str(element);
        return;
    }
    out.push('"');
    for c in element.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
