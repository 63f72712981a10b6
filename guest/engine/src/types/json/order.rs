//! The btree order of jsonb (PostgreSQL 15, section 8.14.4): Object > Array > Boolean > Number > String > null;
//! objects with more pairs and arrays with more elements are greater.

use super::Jsonb;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

impl Jsonb {
    /// Places among the kinds of values.
    fn rank(&self) -> u8 {
        match self {
            Jsonb::Null => 0,
            Jsonb::String(_) => 1,
            Jsonb::Number(_) => 2,
            Jsonb::Boolean(_) => 3,
            Jsonb::Array(_) => 4,
            Jsonb::Object(_) => 5,
        }
    }

    fn compare_within(&self, other: &Jsonb) -> Ordering {
        match (self, other) {
            (Jsonb::Boolean(left), Jsonb::Boolean(right)) => left.cmp(right),
            (Jsonb::Number(left), Jsonb::Number(right)) => left.cmp(right),
            (Jsonb::String(left), Jsonb::String(right)) => left.as_bytes().cmp(right.as_bytes()),
            (Jsonb::Array(left), Jsonb::Array(right)) => left.len().cmp(&right.len()).then_with(|| {
                let unequal = left.iter().zip(right).map(|(left, right)| left.compare_within(right));
                unequal.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
            }),
            (Jsonb::Object(left), Jsonb::Object(right)) => left.len().cmp(&right.len()).then_with(|| {
                let unequal = left.iter().zip(right).map(|((left_key, left), (right_key, right))| {
                    left_key.as_bytes().cmp(right_key.as_bytes()).then_with(|| left.compare_within(right))
                });
                unequal.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
            }),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Ord for Jsonb {
    fn cmp(&self, other: &Jsonb) -> Ordering {
        // PostgreSQL stores a lone scalar as an array of one, which puts a top-level empty array below it.
        let is_empty_array = |value: &Jsonb| matches!(value, Jsonb::Array(elements) if elements.is_empty());
        let is_scalar = |value: &Jsonb| !matches!(value, Jsonb::Array(_) | Jsonb::Object(_));
        match (self, other) {
            (left, right) if is_empty_array(left) && is_scalar(right) => Ordering::Less,
            (left, right) if is_scalar(left) && is_empty_array(right) => Ordering::Greater,
            _ => self.compare_within(other),
        }
    }
}

impl PartialOrd for Jsonb {
    fn partial_cmp(&self, other: &Jsonb) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Jsonb {
    fn eq(&self, other: &Jsonb) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Jsonb {}

impl Hash for Jsonb {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Jsonb::Null => {}
            Jsonb::Boolean(value) => value.hash(state),
            Jsonb::Number(value) => value.hash(state),
            Jsonb::String(value) => value.hash(state),
            Jsonb::Array(elements) => elements.hash(state),
            Jsonb::Object(pairs) => pairs.hash(state),
        }
    }
}
