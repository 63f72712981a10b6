//! Comparisons over whole columns.

use super::{compare, date_as_timestamp, interval_length};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::functions::operators::kernel::{binary, map_pairs, validity};
use crate::types::column::Strings;
use crate::types::{Column, ColumnData, interval::Interval};
use std::cmp::Ordering;

/// A total order whose tests compile to branch-free code.
trait Ordered: Copy {
    fn equal(self, other: Self) -> bool;
    fn less(self, other: Self) -> bool;
}

macro_rules! ordered {
    ($($type:ty),*) => {
        $(impl Ordered for $type {
            fn equal(self, other: Self) -> bool {
                self == other
            }

            fn less(self, other: Self) -> bool {
                self < other
            }
        })*
    };
}

macro_rules! ordered_float {
    ($($type:ty),*) => {
        $(impl Ordered for $type {
            fn equal(self, other: Self) -> bool {
                (self == other) | (self.is_nan() & other.is_nan())
            }

            fn less(self, other: Self) -> bool {
                (self < other) | (!self.is_nan() & other.is_nan())
            }
        })*
    };
}

ordered!(bool, i16, i32, i64, i128, [u8; 16]);
ordered_float!(f32, f64);

impl Ordered for Interval {
    fn equal(self, other: Self) -> bool {
        interval_length(&self) == interval_length(&other)
    }

    fn less(self, other: Self) -> bool {
        interval_length(&self) < interval_length(&other)
    }
}

/// One of the six tests, as code over typed pairs, over orderings, and over bytes.
trait Test {
    fn typed<T: Ordered>(left: T, right: T) -> bool;
    fn ordering(ordering: Ordering) -> bool;

    fn bytes(left: &[u8], right: &[u8]) -> bool {
        Self::ordering(left.cmp(right))
    }
}

macro_rules! tests {
    ($($function:ident $test:ident |$left:ident, $right:ident| $typed:expr, $ordering:ident;)*) => {
        $(
            struct $test;

            impl Test for $test {
                fn typed<T: Ordered>($left: T, $right: T) -> bool {
                    $typed
                }

                fn ordering(ordering: Ordering) -> bool {
                    ordering.$ordering()
                }
            }

            pub fn $function(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
                compare_columns::<$test>(columns)
            }
        )*
    };
}

tests! {
    equal Equal |left, right| left.equal(right), is_eq;
    not_equal NotEqual |left, right| !left.equal(right), is_ne;
    less Less |left, right| left.less(right), is_lt;
    less_or_equal LessOrEqual |left, right| !right.less(left), is_le;
    greater Greater |left, right| right.less(left), is_gt;
    greater_or_equal GreaterOrEqual |left, right| !left.less(right), is_ge;
}

fn compare_columns<T: Test>(columns: &[&Column]) -> Result<Column> {
    use ColumnData::*;
    let (left, right) = binary(columns)?;
    macro_rules! as_is {
        ($left:ident, $right:ident) => {
            map_pairs($left, $right, T::typed)
        };
    }
    macro_rules! as_wide {
        ($type:ty, $left:ident, $right:ident) => {
            map_pairs($left, $right, |left, right| T::typed(<$type>::from(left), <$type>::from(right)))
        };
    }
    let results = match (&left.data, &right.data) {
        (Boolean(left), Boolean(right)) => as_is!(left, right),
        (SmallInt(left), SmallInt(right)) => as_is!(left, right),
        (Integer(left), Integer(right)) | (Date(left), Date(right)) => as_is!(left, right),
        (BigInt(left), BigInt(right))
        | (Time(left), Time(right))
        | (Timestamp(left), Timestamp(right))
        | (Timestamptz(left), Timestamptz(right)) => as_is!(left, right),
        (Real(left), Real(right)) => as_is!(left, right),
        (Double(left), Double(right)) => as_is!(left, right),
        (Uuid(left), Uuid(right)) => as_is!(left, right),
        (Interval(left), Interval(right)) => as_is!(left, right),
        (SmallInt(left), Integer(right)) => as_wide!(i32, left, right),
        (Integer(left), SmallInt(right)) => as_wide!(i32, left, right),
        (SmallInt(left), BigInt(right)) => as_wide!(i64, left, right),
        (BigInt(left), SmallInt(right)) => as_wide!(i64, left, right),
        (Integer(left), BigInt(right)) => as_wide!(i64, left, right),
        (BigInt(left), Integer(right)) => as_wide!(i64, left, right),
        (Real(left), Double(right)) => as_wide!(f64, left, right),
        (Double(left), Real(right)) => as_wide!(f64, left, right),
        (Date(left), Timestamp(right)) => {
            map_pairs(left, right, |left, right| T::typed(date_as_timestamp(left), i128::from(right)))
        }
        (Timestamp(left), Date(right)) => {
            map_pairs(left, right, |left, right| T::typed(i128::from(left), date_as_timestamp(right)))
        }
        (Text(left), Text(right)) => compare_strings::<T>(left, right),
        _ => return compare_values::<T>(left, right, columns),
    };
    Ok(Column { data: Boolean(results), valid: validity(columns) })
}

fn compare_strings<T: Test>(left: &Strings, right: &Strings) -> Vec<bool> {
    let bounds = left.offsets.windows(2).zip(right.offsets.windows(2));
    bounds
        .map(|(left_bounds, right_bounds)| {
            T::bytes(
                &left.bytes[left_bounds[0] as usize..left_bounds[1] as usize],
                &right.bytes[right_bounds[0] as usize..right_bounds[1] as usize],
            )
        })
        .collect()
}

/// Types without a kernel of their own.
fn compare_values<T: Test>(left: &Column, right: &Column, columns: &[&Column]) -> Result<Column> {
    let rows = left.data.len();
    let mut valid = validity(columns).unwrap_or_else(|| vec![true; rows]);
    let mut results = vec![false; rows];
    for row in 0..rows {
        if valid[row] {
            match compare(&left.value(row), &right.value(row))? {
                Some(ordering) => results[row] = T::ordering(ordering),
                None => valid[row] = false,
            }
        }
    }
    let valid = valid.contains(&false).then_some(valid);
    Ok(Column { data: ColumnData::Boolean(results), valid })
}
