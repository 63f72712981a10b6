//! Documents with a part deleted, set or inserted.

use crate::error::{Error, Result, sqlstate};
use crate::types::Value;
use crate::types::json::Jsonb;

/// Without the keys or string elements of this name (or names), or without the element at this index.
pub fn delete(document: &Jsonb, what: &Value) -> Jsonb {
    let names: Vec<&str> = match what {
        Value::Text(name) => vec![name],
        Value::Array(names) => names.values.iter().filter_map(text).collect(),
        _ => vec![],
    };
    match (document, what) {
        (Jsonb::Array(elements), Value::Integer(index)) => {
            let mut elements = elements.clone();
            if let Some(index) = position(i64::from(*index), elements.len()) {
                elements.remove(index);
            }
            Jsonb::Array(elements)
        }
        (Jsonb::Array(elements), _) => {
            let kept = elements.iter().filter(|element| match element {
                Jsonb::String(text) => !names.contains(&&**text),
                _ => true,
            });
            Jsonb::Array(kept.cloned().collect())
        }
        (Jsonb::Object(pairs), _) => {
            Jsonb::Object(pairs.iter().filter(|(key, _)| !names.contains(&&**key)).cloned().collect())
        }
        (other, _) => other.clone(),
    }
}

/// Without the part that the path leads to.
pub fn delete_path(document: &Jsonb, steps: &[Value]) -> Result<Jsonb> {
    if !matches!(document, Jsonb::Array(_) | Jsonb::Object(_)) {
        return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "cannot delete path in scalar"));
    }
    if steps.is_empty() {
        return Ok(document.clone());
    }
    change(document, steps, 0, &|_| Ok(Change::Delete))
}

/// What to do at the end of a path.
pub enum Change {
    Keep,
    Delete,
    Replace(Jsonb),
    /// Arrays only: beside the element.
    Before(Jsonb),
    After(Jsonb),
}

/// Whether the path's last step leads to something.
pub enum Target {
    Key { exists: bool },
    Element { exists: bool },
}

/// A new document, changed where the path ends as `decide` says. Fails with 22P02 for a step into an array that is
/// not an integer.
pub fn change(
    document: &Jsonb,
    steps: &[Value],
    depth: usize,
    decide: &dyn Fn(Target) -> Result<Change>,
) -> Result<Jsonb> {
    let Some(step) = steps.get(depth) else { return Ok(document.clone()) };
    let Some(step) = text(step) else {
        return Err(Error::new(
            sqlstate::NULL_VALUE_NOT_ALLOWED,
            format!("path element at position {} is null", depth + 1),
        ));
    };
    let is_last = depth + 1 == steps.len();
    match document {
        Jsonb::Object(pairs) => {
            let mut pairs = pairs.clone();
            let found = pairs.iter().position(|(key, _)| &**key == step);
            if !is_last {
                if let Some(index) = found {
                    pairs[index].1 = change(&pairs[index].1, steps, depth + 1, decide)?;
                }
                return Ok(Jsonb::Object(pairs));
            }
            match (decide(Target::Key { exists: found.is_some() })?, found) {
                (Change::Delete, Some(index)) => {
                    pairs.remove(index);
                }
                (Change::Replace(value), Some(index)) => pairs[index].1 = value,
                (Change::Replace(value) | Change::Before(value) | Change::After(value), None) => {
                    pairs.push((step.into(), value));
                }
                _ => {}
            }
            Ok(Jsonb::object(pairs))
        }
        Jsonb::Array(elements) => {
            let mut elements = elements.clone();
            let index: i32 = step.trim().parse().map_err(|_| {
                Error::new(
                    sqlstate::INVALID_TEXT_REPRESENTATION,
                    format!("path element at position {} is not an integer: \"{step}\"", depth + 1),
                )
            })?;
            let found = position(i64::from(index), elements.len());
            if !is_last {
                if let Some(index) = found {
                    elements[index] = change(&elements[index], steps, depth + 1, decide)?;
                }
                return Ok(Jsonb::Array(elements));
            }
            let decision = decide(Target::Element { exists: found.is_some() })?;
            match (decision, found) {
                (Change::Delete, Some(index)) => {
                    elements.remove(index);
                }
                (Change::Replace(value), Some(index)) => elements[index] = value,
                (Change::Before(value), Some(index)) => elements.insert(index, value),
                (Change::After(value), Some(index)) => elements.insert(index + 1, value),
                // Beyond an end of the array: at that end.
                (Change::Replace(value) | Change::Before(value) | Change::After(value), None) => {
                    let end = if index < 0 { 0 } else { elements.len() };
                    elements.insert(end, value);
                }
                _ => {}
            }
            Ok(Jsonb::Array(elements))
        }
        scalar => Ok(scalar.clone()),
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn position(index: i64, count: usize) -> Option<usize> {
    let index = if index < 0 { index + count as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < count)
}
