//! Order, equality and hashes of rows of columns, as GROUP BY, DISTINCT, joins and ORDER BY see them.

use crate::types::compare::{self, compare_rows};
use crate::types::{Column, ColumnData, DataType, stride};
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher};

/// The btree order; NULL is greater than every value and equal to itself. char(n) ignores blanks at the end.
pub fn compare(data_type: DataType, left: &Column, left_row: usize, right: &Column, right_row: usize) -> Ordering {
    if data_type == DataType::Char
        && let (ColumnData::Text(left_strings), ColumnData::Text(right_strings)) = (&left.data, &right.data)
    {
        return match (left.is_null(left_row), right.is_null(right_row)) {
            (false, false) => {
                let left = left_strings.get(left_row).trim_end_matches(' ');
                left.as_bytes().cmp(right_strings.get(right_row).trim_end_matches(' ').as_bytes())
            }
            (left, right) => left.cmp(&right),
        };
    }
    compare_rows(left, left_row, right, right_row)
}

/// NULLs are equal.
pub fn equal_rows(data_type: DataType, left: &Column, left_row: usize, right: &Column, right_row: usize) -> bool {
    if let (ColumnData::Text(left_strings), ColumnData::Text(right_strings)) = (&left.data, &right.data)
        && data_type != DataType::Char
    {
        return match (left.is_null(left_row), right.is_null(right_row)) {
            (false, false) => left_strings.get(left_row) == right_strings.get(right_row),
            (left, right) => left == right,
        };
    }
    compare(data_type, left, left_row, right, right_row) == Ordering::Equal
}

const NULL_HASH: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes a column's hashes into those of its rows so far.
pub fn hash_rows(data_type: DataType, column: &Column, hashes: &mut [u64]) {
    let before = column.valid.as_ref().map(|_| hashes.to_vec());
    let state = foldhash::fast::FixedState::default();
    macro_rules! integers {
        ($values:expr, $as:expr) => {
            mix_all(hashes, $values, $as)
        };
    }
    match &column.data {
        ColumnData::Boolean(values) => integers!(values, u64::from),
        ColumnData::SmallInt(values) => integers!(values, |value| value as u64),
        ColumnData::Integer(values) | ColumnData::Date(values) => integers!(values, |value| value as u64),
        ColumnData::BigInt(values)
        | ColumnData::Time(values)
        | ColumnData::Timestamp(values)
        | ColumnData::Timestamptz(values) => integers!(values, |value| value as u64),
        ColumnData::Text(strings) => {
            for (row, hash) in hashes.iter_mut().enumerate() {
                let text = strings.get(row);
                let text = if data_type == DataType::Char { text.trim_end_matches(' ') } else { text };
                *hash = mix(*hash, state.hash_one(text.as_bytes()));
            }
        }
        ColumnData::Uuid(values) => {
            for (hash, value) in hashes.iter_mut().zip(values) {
                *hash = mix(*hash, state.hash_one(value));
            }
        }
        _ => {
            for (row, hash) in hashes.iter_mut().enumerate() {
                let mut hasher = state.build_hasher();
                compare::hash(&column.value(row), &mut hasher);
                *hash = mix(*hash, hasher.finish());
            }
        }
    }
    if let (Some(valid), Some(before)) = (&column.valid, before) {
        // A NULL's slot holds any value: its hash must not depend on it.
        for ((hash, before), _) in hashes.iter_mut().zip(before).zip(valid).filter(|(_, valid)| !**valid) {
            *hash = mix(before, NULL_HASH);
        }
    }
}

/// Mixes a value of each row into its hash. See `types::stride` for the shape of its loop.
#[inline(never)]
fn mix_all<T: Copy>(hashes: &mut [u64], values: &[T], bits: impl Fn(T) -> u64) {
    debug_assert_eq!(hashes.len(), values.len());
    let (hash_strides, last_hashes) = hashes.as_chunks_mut::<{ stride::ROWS }>();
    let (value_strides, last_values) = values.as_chunks::<{ stride::ROWS }>();
    for (hashes, values) in hash_strides.iter_mut().zip(value_strides) {
        for (hash, value) in hashes.iter_mut().zip(values) {
            *hash = mix(*hash, bits(*value));
        }
    }
    for (hash, value) in last_hashes.iter_mut().zip(last_values) {
        *hash = mix(*hash, bits(*value));
    }
}

/// Spreads every bit of both over the high and low bits of the result.
pub fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash.rotate_left(26) ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
}
