//! Templates of numbers (PostgreSQL 15, table 9.30).

use crate::error::{Error, Result, sqlstate};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Nine,
    Zero,
    /// `.` or `D`
    Point,
    /// `,` or `G`
    Group,
    Currency,
    Minus,
    Plus,
    Sign,
    /// Upper case
    Roman(bool),
    /// Upper case
    Ordinal(bool),
    Text(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignPlace {
    Before,
    After,
}

/// What a template as a whole asks for.
#[derive(Clone, Debug, Default)]
pub struct Template {
    pub nodes: Vec<Node>,
    /// Digits before and after the point
    pub before: usize,
    pub after: usize,
    /// Position of the first `0` before the point, counted from 1; none: no zeros.
    pub zero_start: Option<usize>,
    /// Position after the last `0`
    pub zero_end: usize,
    /// FM
    pub fill: bool,
    pub point: bool,
    /// S
    pub sign: Option<SignPlace>,
    /// Digits that stood before an S
    pub digits_before_sign: usize,
    pub minus: bool,
    pub plus: bool,
    /// PR
    pub brackets: bool,
    pub roman: bool,
    /// V: digits after it
    pub shift: Option<usize>,
    /// EEEE
    pub scientific: bool,
}

fn wrong(message: &str) -> Error {
    Error::new(sqlstate::SYNTAX_ERROR, message)
}

/// Fails with 42601 for parts that do not go together.
pub fn parse(template: &str) -> Result<Template> {
    let mut parsed = Template::default();
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let upper: String = rest.chars().take(4).map(|letter| letter.to_ascii_uppercase()).collect();
        let is_upper = first.is_ascii_uppercase();
        // Letters of one pattern are all of one case.
        let pattern = [
            "EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", ",", ".", "0", "9", "B", "C", "D", "G", "L", "S",
            "V",
        ]
        .into_iter()
        .find(|pattern| {
            upper.starts_with(pattern) && (rest.starts_with(pattern) || rest.starts_with(&pattern.to_ascii_lowercase()))
        });
        if let Some(pattern) = pattern {
            rest = &rest[pattern.len()..];
            parsed.add(pattern, is_upper)?;
            continue;
        }
        rest = &rest[first.len_utf8()..];
        match first {
            '"' => {
                let mut characters = rest.char_indices();
                let mut end = rest.len();
                while let Some((index, character)) = characters.next() {
                    match character {
                        '"' => {
                            end = index + 1;
                            break;
                        }
                        '\\' => parsed.nodes.extend(characters.next().map(|(_, escaped)| Node::Text(escaped))),
                        other => parsed.nodes.push(Node::Text(other)),
                    }
                }
                rest = &rest[end..];
            }
            '\\' if rest.starts_with('"') => {
                parsed.nodes.push(Node::Text('"'));
                rest = &rest[1..];
            }
            other => parsed.nodes.push(Node::Text(other)),
        }
    }
    Ok(parsed)
}

impl Template {
    fn add(&mut self, pattern: &str, upper: bool) -> Result<()> {
        if self.scientific && pattern != "EEEE" {
            return Err(wrong("\"EEEE\" must be the last pattern used"));
        }
        let with_sign = "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together";
        let node = match pattern {
            "9" | "0" if self.brackets => {
                return Err(wrong(&format!("\"{pattern}\" must be ahead of \"PR\"")));
            }
            "9" => {
                match &mut self.shift {
                    Some(shift) => *shift += 1,
                    None if self.point => self.after += 1,
                    None => self.before += 1,
                }
                Node::Nine
            }
            "0" => {
                if self.zero_start.is_none() && !self.point {
                    self.zero_start = Some(self.before + 1);
                }
                if self.point {
                    self.after += 1;
                } else {
                    self.before += 1;
                }
                self.zero_end = self.before + self.after;
                Node::Zero
            }
            "." | "D" => {
                if self.point {
                    return Err(wrong("multiple decimal points"));
                }
                if self.shift.is_some() {
                    return Err(wrong("cannot use \"V\" and decimal point together"));
                }
                self.point = true;
                Node::Point
            }
            "," | "G" => Node::Group,
            "L" => Node::Currency,
            "FM" => {
                self.fill = true;
                return Ok(());
            }
            "S" => {
                if self.sign.is_some() {
                    return Err(wrong("cannot use \"S\" twice"));
                }
                if self.plus || self.minus || self.brackets {
                    return Err(wrong(with_sign));
                }
                self.sign = Some(if self.point { SignPlace::After } else { SignPlace::Before });
                self.digits_before_sign = self.before;
                return Ok(());
            }
            "MI" | "PL" | "SG" if self.sign.is_some() => {
                return Err(wrong(&format!("cannot use \"S\" and \"{pattern}\" together")));
            }
            "MI" => {
                self.minus = true;
                Node::Minus
            }
            "PL" => {
                self.plus = true;
                Node::Plus
            }
            "SG" => {
                (self.minus, self.plus) = (true, true);
                Node::Sign
            }
            "PR" => {
                if self.sign.is_some() || self.plus || self.minus {
                    return Err(wrong("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"));
                }
                self.brackets = true;
                return Ok(());
            }
            "RN" => {
                self.roman = true;
                Node::Roman(upper)
            }
            "TH" => Node::Ordinal(upper),
            "V" => {
                if self.point {
                    return Err(wrong("cannot use \"V\" and decimal point together"));
                }
                self.shift = Some(0);
                return Ok(());
            }
            "EEEE" => {
                if self.scientific {
                    return Err(wrong("cannot use \"EEEE\" twice"));
                }
                let alone = !self.fill
                    && self.sign.is_none()
                    && !self.brackets
                    && !self.minus
                    && !self.plus
                    && !self.roman
                    && self.shift.is_none();
                if !alone {
                    return Err(wrong("\"EEEE\" is incompatible with other formats")
                        .detail("\"EEEE\" may only be used together with digit and decimal point patterns."));
                }
                self.scientific = true;
                return Ok(());
            }
            // B, C and SP have no effect.
            _ => return Ok(()),
        };
        self.nodes.push(node);
        Ok(())
    }
}
