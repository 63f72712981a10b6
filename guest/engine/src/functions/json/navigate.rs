//! The way from a document to its parts, the same for json (text, kept as it was written) and jsonb.

use super::raw;
use crate::error::{Error, Result};
use crate::types::Value;
use crate::types::json::Jsonb;
use std::rc::Rc;

/// A document or a part of one.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    Json(&'a str),
    Jsonb(&'a Jsonb),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

impl<'a> Part<'a> {
    pub fn of(value: &'a Value) -> Result<Part<'a>> {
        match value {
            Value::Json(text) => Ok(Part::Json(text)),
            Value::Jsonb(document) => Ok(Part::Jsonb(document)),
            other => Err(Error::internal(format!("a json document expected, not {other:?}"))),
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Part::Json(text) => raw::kind(text),
            Part::Jsonb(Jsonb::Null) => Kind::Null,
            Part::Jsonb(Jsonb::Boolean(_)) => Kind::Boolean,
            Part::Jsonb(Jsonb::Number(_)) => Kind::Number,
            Part::Jsonb(Jsonb::String(_)) => Kind::String,
            Part::Jsonb(Jsonb::Array(_)) => Kind::Array,
            Part::Jsonb(Jsonb::Object(_)) => Kind::Object,
        }
    }

    /// The elements of an array; of anything else, none.
    pub fn elements(self) -> Vec<Part<'a>> {
        match self {
            Part::Json(text) => raw::elements(text).into_iter().map(Part::Json).collect(),
            Part::Jsonb(Jsonb::Array(elements)) => elements.iter().map(Part::Jsonb).collect(),
            Part::Jsonb(_) => vec![],
        }
    }

    /// The members of an object in their order, equal keys included; of anything else, none.
    pub fn members(self) -> Result<Vec<(Rc<str>, Part<'a>)>> {
        match self {
            Part::Json(text) => {
                let members = raw::members(text).into_iter();
                members.map(|(key, value)| Ok((raw::unquote(key)?, Part::Json(value)))).collect()
            }
            Part::Jsonb(Jsonb::Object(pairs)) => {
                Ok(pairs.iter().map(|(key, value)| (key.clone(), Part::Jsonb(value))).collect())
            }
            Part::Jsonb(_) => Ok(vec![]),
        }
    }

    /// The value of an object's key: of equal keys, the last one's.
    pub fn field(self, key: &str) -> Result<Option<Part<'a>>> {
        match self {
            Part::Jsonb(document) => Ok(document.get(key).map(Part::Jsonb)),
            Part::Json(_) => {
                Ok(self.members()?.into_iter().rev().find(|(name, _)| &**name == key).map(|(_, value)| value))
            }
        }
    }

    /// The element of an array; negative indexes count from its end.
    pub fn element(self, index: i64) -> Option<Part<'a>> {
        let at = |count: usize| usize::try_from(if index < 0 { index + count as i64 } else { index }).ok();
        match self {
            Part::Jsonb(Jsonb::Array(elements)) => elements.get(at(elements.len())?).map(Part::Jsonb),
            Part::Jsonb(Jsonb::Object(_)) => None,
            // A jsonb scalar is stored as an array of one.
            Part::Jsonb(_) => (at(1)? == 0).then_some(self),
            Part::Json(_) => {
                let elements = self.elements();
                elements.get(at(elements.len())?).copied()
            }
        }
    }

    /// Where a path of keys and indexes leads to. None also where a step is NULL.
    pub fn follow(self, steps: &[Value]) -> Result<Option<Part<'a>>> {
        let mut part = self;
        for step in steps {
            let Value::Text(step) = step else { return Ok(None) };
            let next = match part.kind() {
                Kind::Object => part.field(step)?,
                Kind::Array => step.trim().parse::<i32>().ok().and_then(|index| part.element(index.into())),
                _ => None,
            };
            match next {
                Some(next) => part = next,
                None => return Ok(None),
            }
        }
        Ok(Some(part))
    }

    /// As a document of its own.
    pub fn to_value(self) -> Value {
        match self {
            Part::Json(text) => Value::Json(Rc::from(text)),
            Part::Jsonb(document) => Value::Jsonb(Rc::new(document.clone())),
        }
    }

    /// As text: strings without their quotes, JSON's null as NULL.
    pub fn to_text(self) -> Result<Value> {
        Ok(match self {
            Part::Json(text) => match raw::kind(text) {
                Kind::Null => Value::Null,
                Kind::String => Value::Text(raw::unquote(text)?),
                _ => Value::text(text),
            },
            Part::Jsonb(Jsonb::Null) => Value::Null,
            Part::Jsonb(Jsonb::String(text)) => Value::Text(text.clone()),
            Part::Jsonb(document) => {
                let mut printed = String::new();
                document.print(&mut printed);
                Value::text(&printed)
            }
        })
    }
}
