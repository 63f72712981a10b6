//! json and jsonb (PostgreSQL 15, section 8.14).

mod lexer;
mod order;
mod parse;
mod print;

pub use parse::{MAX_DEPTH, validate};
pub use print::print_string;

use super::numeric::Numeric;
use std::rc::Rc;

/// A jsonb value in its normal form: object keys are unique and ordered by length, then bytes.
#[derive(Clone, Debug)]
pub enum Jsonb {
    Null,
    Boolean(bool),
    Number(Numeric),
    String(Rc<str>),
    Array(Vec<Jsonb>),
    Object(Vec<(Rc<str>, Jsonb)>),
}

impl Jsonb {
    /// An object of these pairs in normal form: of equal keys the last one stays.
    pub fn object(mut pairs: Vec<(Rc<str>, Jsonb)>) -> Jsonb {
        // Stable, so that equal keys stay in the order in which they came.
        pairs.sort_by(|(left, _), (right, _)| compare_keys(left, right));
        let mut unique: Vec<(Rc<str>, Jsonb)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            match unique.last_mut() {
                Some(last) if last.0 == pair.0 => *last = pair,
                _ => unique.push(pair),
            }
        }
        Jsonb::Object(unique)
    }

    /// The value of a key of an object.
    pub fn get(&self, key: &str) -> Option<&Jsonb> {
        match self {
            Jsonb::Object(pairs) => {
                let found = pairs.binary_search_by(|(candidate, _)| compare_keys(candidate, key));
                found.ok().map(|index| &pairs[index].1)
            }
            _ => None,
        }
    }

    /// What `jsonb_typeof` answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Jsonb::Null => "null",
            Jsonb::Boolean(_) => "boolean",
            Jsonb::Number(_) => "number",
            Jsonb::String(_) => "string",
            Jsonb::Array(_) => "array",
            Jsonb::Object(_) => "object",
        }
    }
}

/// The order of keys within an object: by length, then bytes.
pub fn compare_keys(left: &str, right: &str) -> std::cmp::Ordering {
    left.len().cmp(&right.len()).then_with(|| left.as_bytes().cmp(right.as_bytes()))
}
