//! Comparisons over whole columns.

use super::{compare, date_as_timestamp};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::functions::operators::kernel::{binary, map_pairs, unexpected, validity};
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
        self.span() == other.span()
    }

    fn less(self, other: Self) -> bool {
        self.span() < other.span()
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
        (Numeric(left), Numeric(right)) => left.iter().zip(right).map(|(a, b)| T::ordering(a.cmp(b))).collect(),
        _ => return Ok(compare_values::<T>(left, right, columns)),
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
fn compare_values<T: Test>(left: &Column, right: &Column, columns: &[&Column]) -> Column {
    let valid = validity(columns);
    let results = (0..left.data.len()).map(|row| {
        valid.as_ref().is_none_or(|valid| valid[row]) && T::ordering(compare(&left.value(row), &right.value(row)))
    });
    Column { data: ColumnData::Boolean(results.collect()), valid }
}

/// Strings without the blanks at their ends.
pub fn padded(columns: &[&Column], test: impl Fn(Ordering) -> bool) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let (ColumnData::Text(left), ColumnData::Text(right)) = (&left.data, &right.data) else {
        return Err(unexpected(&left.data, &right.data));
    };
    let trimmed = |text: &str| text.trim_end_matches(' ').len();
    let results = (0..left.len()).map(|row| {
        let (left, right) = (left.get(row), right.get(row));
        test(left.as_bytes()[..trimmed(left)].cmp(&right.as_bytes()[..trimmed(right)]))
    });
    Ok(Column { data: ColumnData::Boolean(results.collect()), valid: validity(columns) })
}
