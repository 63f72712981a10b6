//! `min` and `max`.

use super::aggregate;
use super::rows::{argument, each_valid, wrong_type};
use crate::error::Result;
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::{Column, ColumnData, DataType, Value, compare, interval::Interval, numeric::Numeric};
use std::cmp::Ordering;

macro_rules! extremes {
    ($($type:ident)*) => {
        pub static FUNCTIONS: &[AggregateFunction] = &[$(
            aggregate("min", &[$type], $type, |types| extreme(types, Ordering::Less)),
            aggregate("max", &[$type], $type, |types| extreme(types, Ordering::Greater)),
        )*];
    };
}

extremes! {
    SMALLINT INTEGER BIGINT REAL DOUBLE NUMERIC TEXT CHAR OID DATE TIME TIMETZ TIMESTAMP TIMESTAMPTZ INTERVAL ANY_ARRAY
}

/// A state replaces what it holds by what is `wanted` to it: less, or greater. Of equal values that print differently
/// (1.0 and 1.00) it holds the last, as PostgreSQL does, but of `character` the first.
fn extreme(types: &[DataType], wanted: Ordering) -> Box<dyn Accumulator> {
    let data_type = types.first().copied().unwrap_or(DataType::Unknown);
    macro_rules! typed {
        ($type:ty) => {
            Box::new(TypedExtreme::<$type> { best: vec![], wanted })
        };
    }
    match data_type {
        DataType::SmallInt => typed!(i16),
        DataType::Integer => typed!(i32),
        DataType::BigInt => typed!(i64),
        DataType::Real => typed!(f32),
        DataType::Double => typed!(f64),
        DataType::Numeric => typed!(Numeric),
        DataType::Interval => typed!(Interval),
        DataType::Text | DataType::Varchar | DataType::Name => Box::new(TextExtreme { best: vec![], wanted }),
        // Dates and timestamps need their own kind of value as a result.
        _ => Box::new(ValueExtreme { best: vec![], wanted, data_type }),
    }
}

/// An ordered type that columns hold in a vector of its own.
trait Element: Clone {
    fn slice(data: &ColumnData) -> Option<&[Self]>;
    fn order(&self, other: &Self) -> Ordering;
    fn to_value(self) -> Value;
}

macro_rules! element {
    ($type:ty, $variant:ident, $left:ident $right:ident => $order:expr) => {
        impl Element for $type {
            fn slice(data: &ColumnData) -> Option<&[Self]> {
                match data {
                    ColumnData::$variant(values) => Some(values),
                    _ => None,
                }
            }

            #[inline]
            fn order(&self, other: &Self) -> Ordering {
                let ($left, $right) = (self, other);
                $order
            }

            fn to_value(self) -> Value {
                Value::$variant(self)
            }
        }
    };
}

element!(i16, SmallInt, left right => left.cmp(right));
element!(i32, Integer, left right => left.cmp(right));
element!(i64, BigInt, left right => left.cmp(right));
element!(f32, Real, left right => compare::compare_floats(f64::from(*left), f64::from(*right)));
element!(f64, Double, left right => compare::compare_floats(*left, *right));
element!(Numeric, Numeric, left right => left.cmp(right));
element!(Interval, Interval, left right => left.cmp(right));

struct TypedExtreme<T> {
    best: Vec<Option<T>>,
    wanted: Ordering,
}

impl<T: Element> Accumulator for TypedExtreme<T> {
    fn resize(&mut self, groups: usize) {
        self.best.resize(groups, None);
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        let values = T::slice(&column.data).ok_or_else(|| wrong_type("min or max"))?;
        each_valid(column, groups, rows, |group, row| match &mut self.best[group] {
            Some(best) if values[row].order(best) == self.wanted.reverse() => {}
            best => *best = Some(values[row].clone()),
        });
        Ok(())
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.best[group].clone().map_or(Value::Null, T::to_value))
    }
}

struct TextExtreme {
    best: Vec<Option<String>>,
    wanted: Ordering,
}

impl Accumulator for TextExtreme {
    fn resize(&mut self, groups: usize) {
        self.best.resize(groups, None);
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        let ColumnData::Text(strings) = &column.data else { return Err(wrong_type("min or max")) };
        each_valid(column, groups, rows, |group, row| {
            let value = strings.get(row);
            match &mut self.best[group] {
                Some(best) if value.as_bytes().cmp(best.as_bytes()) == self.wanted => {
                    best.clear();
                    best.push_str(value);
                }
                Some(_) => {}
                best => *best = Some(value.to_string()),
            }
        });
        Ok(())
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.best[group].as_deref().map_or(Value::Null, Value::text))
    }
}

struct ValueExtreme {
    best: Vec<Value>,
    wanted: Ordering,
    data_type: DataType,
}

impl Accumulator for ValueExtreme {
    fn resize(&mut self, groups: usize) {
        self.best.resize(groups, Value::Null);
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        each_valid(column, groups, rows, |group, row| {
            let value = column.value(row);
            let best = &mut self.best[group];
            let is_wanted = |best: &Value| match compare::compare_as(self.data_type, &value, best) {
                Ordering::Equal => self.data_type != DataType::Char,
                order => order == self.wanted,
            };
            if best.is_null() || is_wanted(best) {
                *best = value;
            }
        });
        Ok(())
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.best[group].clone())
    }
}
