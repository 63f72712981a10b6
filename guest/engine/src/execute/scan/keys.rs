//! From conditions on an index's leading columns to ranges of keys.

use crate::catalog::{IndexColumn, Relation};
use crate::encode::key;
use crate::error::Result;
use crate::execute::Execution;
use crate::execute::expression::{self, Compiled};
use crate::plan::physical::{Access, KeyBound, KeyEqual};
use crate::types::{Batch, DataType, Value};

/// Keys from `start` to `end`, which is not included.
pub type Range = (Vec<u8>, Vec<u8>);

/// The key ranges to read, in the index's order and apart from each other. For unique accesses, starts are the keys.
pub fn ranges(execution: &Execution, relation: &Relation, access: &Access) -> Result<Vec<Range>> {
    let constant = |value: &Compiled| expression::evaluate_constant(execution, value);
    ranges_with(relation, access, &constant)
}

/// The same where key expressions read a row of a batch, evaluated by `value`.
pub fn ranges_with(
    relation: &Relation,
    access: &Access,
    value: &dyn Fn(&Compiled) -> Result<Value>,
) -> Result<Vec<Range>> {
    let Some(index) = access.index else {
        let prefix = key::index_prefix(relation.id, 0);
        return Ok(vec![(prefix.to_vec(), key::prefix_end(&prefix))]);
    };
    let index = &relation.indexes[index];
    let mut prefix = Vec::with_capacity(32);
    prefix.extend_from_slice(&key::index_prefix(relation.id, index.id));
    let mut prefixes = vec![prefix];
    for (equal, column) in access.equal.iter().zip(&index.columns) {
        let data_type = relation.columns[column.column].data_type;
        let choices = choices(equal, data_type, value)?;
        if let [choice] = choices.as_slice() {
            for prefix in &mut prefixes {
                key::append(prefix, choice, data_type, column.descending, column.nulls_first)?;
            }
            continue;
        }
        let mut longer = Vec::with_capacity(prefixes.len() * choices.len());
        for prefix in &prefixes {
            for choice in &choices {
                let mut prefix = prefix.clone();
                key::append(&mut prefix, choice, data_type, column.descending, column.nulls_first)?;
                longer.push(prefix);
            }
        }
        longer.sort_unstable();
        longer.dedup();
        prefixes = longer;
    }
    if access.unique {
        return Ok(prefixes.into_iter().map(|prefix| (prefix, vec![])).collect());
    }
    let bounded = access.lower.is_some() || access.upper.is_some();
    let Some(column) = index.columns.get(access.equal.len()).filter(|_| bounded) else {
        return Ok(prefixes.into_iter().map(|prefix| (prefix.clone(), key::prefix_end(&prefix))).collect());
    };
    let data_type = relation.columns[column.column].data_type;
    let (Some(lower), Some(upper)) =
        (bound(access.lower.as_ref(), data_type, false, value)?, bound(access.upper.as_ref(), data_type, true, value)?)
    else {
        return Ok(vec![]);
    };
    let mut ranges = Vec::with_capacity(prefixes.len());
    for prefix in prefixes {
        let range = range(prefix, column, data_type, &lower, &upper)?;
        if range.0 < range.1 {
            ranges.push(range);
        }
    }
    Ok(ranges)
}

/// A bound's value and whether it is included; none is no bound.
type Bound = Option<(Value, bool)>;

/// The bound as it is now; none when nothing satisfies it.
fn bound(
    bound: Option<&KeyBound>,
    data_type: DataType,
    upper: bool,
    value: &dyn Fn(&Compiled) -> Result<Value>,
) -> Result<Option<Bound>> {
    let Some(bound) = bound else { return Ok(Some(None)) };
    Ok(match fit(value(&bound.value)?, data_type) {
        Fit::Null => None,
        Fit::Value(value) => Some(Some((value, bound.inclusive))),
        Fit::Below if upper => None,
        Fit::Above if !upper => None,
        Fit::Below | Fit::Above => Some(None),
    })
}

fn range(prefix: Vec<u8>, column: &IndexColumn, data_type: DataType, lower: &Bound, upper: &Bound) -> Result<Range> {
    // Descending columns are stored inverted: what is low in value is high in key.
    let (first, last) = if column.descending { (upper, lower) } else { (lower, upper) };
    let with = |value: &Value| {
        let mut key = prefix.clone();
        key::append(&mut key, value, data_type, column.descending, column.nulls_first).map(|()| key)
    };
    let mut start = prefix.clone();
    match first {
        Some((value, true)) => start = with(value)?,
        Some((value, false)) => start = key::prefix_end(&with(value)?),
        None => start.push(key::NOT_NULL),
    }
    let mut end = prefix.clone();
    match last {
        Some((value, true)) => end = key::prefix_end(&with(value)?),
        Some((value, false)) => end = with(value)?,
        None => end.push(key::NOT_NULL + 1),
    }
    Ok((start, end))
}

fn choices(equal: &KeyEqual, data_type: DataType, value: &dyn Fn(&Compiled) -> Result<Value>) -> Result<Vec<Value>> {
    let fitting = |value: Value| match fit(value, data_type) {
        Fit::Value(value) => Some(value),
        _ => None,
    };
    Ok(match equal {
        KeyEqual::Null => vec![Value::Null],
        KeyEqual::One(one) => fitting(value(one)?).into_iter().collect(),
        KeyEqual::Any(list) => {
            let mut choices = vec![];
            for one in list {
                choices.extend(fitting(value(one)?));
            }
            choices
        }
        KeyEqual::AnyArray(array) => match value(array)? {
            Value::Array(array) => array.values.iter().cloned().filter_map(fitting).collect(),
            _ => vec![],
        },
    })
}

enum Fit {
    Null,
    Value(Value),
    /// Below or above everything that the type holds.
    Below,
    Above,
}

/// An integer of another width as the column's own type; other values are of that type already.
fn fit(value: Value, data_type: DataType) -> Fit {
    let wide = match value {
        Value::Null => return Fit::Null,
        Value::SmallInt(value) => i64::from(value),
        Value::Integer(value) => i64::from(value),
        Value::BigInt(value) => value,
        value => return Fit::Value(value),
    };
    let narrow = match data_type {
        DataType::SmallInt => i16::try_from(wide).map(Value::SmallInt).ok(),
        DataType::Integer => i32::try_from(wide).map(Value::Integer).ok(),
        DataType::BigInt => Some(Value::BigInt(wide)),
        _ => Some(value),
    };
    match narrow {
        Some(value) => Fit::Value(value),
        None if wide < 0 => Fit::Below,
        None => Fit::Above,
    }
}

/// The values of key expressions over a batch, found once for all rows: `value` then looks them up.
pub struct KeyColumns<'a> {
    columns: Vec<(&'a Compiled, std::rc::Rc<crate::types::Column>)>,
}

impl<'a> KeyColumns<'a> {
    pub fn new(execution: &Execution, access: &'a Access, batch: &Batch) -> Result<KeyColumns<'a>> {
        let mut columns = vec![];
        let bounds = access.lower.iter().chain(&access.upper).map(|bound| &bound.value);
        let equals = access.equal.iter().flat_map(|equal| match equal {
            KeyEqual::One(one) | KeyEqual::AnyArray(one) => std::slice::from_ref(one),
            KeyEqual::Any(list) => list.as_slice(),
            KeyEqual::Null => &[],
        });
        for expression in equals.chain(bounds) {
            columns.push((expression, expression::evaluate(execution, expression, batch)?));
        }
        Ok(KeyColumns { columns })
    }

    pub fn ranges(&self, relation: &Relation, access: &Access, row: usize) -> Result<Vec<Range>> {
        ranges_with(relation, access, &|expression| {
            let column = self.columns.iter().find(|(candidate, _)| std::ptr::eq(*candidate, expression));
            Ok(column.map_or(Value::Null, |(_, column)| column.value(row)))
        })
    }
}
