//! Loops over columns, shaped so that the compiler turns them into vector instructions, as `types::stride` tells.

use crate::error::{Error, Result};
use crate::types::stride::VALUES;
use crate::types::{Column, ColumnData};

/// Where a strict function of these columns is not NULL; none: everywhere.
pub fn validity(columns: &[&Column]) -> Option<Vec<bool>> {
    let mut masks = columns.iter().filter_map(|column| column.valid.as_deref());
    let mut merged = masks.next()?.to_vec();
    for mask in masks {
        for (slot, &valid) in merged.iter_mut().zip(mask) {
            *slot &= valid;
        }
    }
    Some(merged)
}

/// `operation` of each pair, NULL rows included: it must not fail.
#[inline(never)]
pub fn map_pairs<A: Copy, B: Copy, R>(left: &[A], right: &[B], operation: impl Fn(A, B) -> R) -> Vec<R> {
    let rows = left.len().min(right.len());
    let mut results = Vec::with_capacity(rows);
    let (left_strides, left_last) = left[..rows].as_chunks::<VALUES>();
    let (right_strides, right_last) = right[..rows].as_chunks::<VALUES>();
    let (strides, last) = results.spare_capacity_mut()[..rows].as_chunks_mut::<VALUES>();
    for ((slots, left), right) in strides.iter_mut().zip(left_strides).zip(right_strides) {
        for place in 0..VALUES {
            slots[place].write(operation(left[place], right[place]));
        }
    }
    for ((slot, &left), &right) in last.iter_mut().zip(left_last).zip(right_last) {
        slot.write(operation(left, right));
    }
    // SAFETY: the loops went through all of them.
    unsafe { results.set_len(rows) };
    results
}

/// What `operation` makes of each pair and its result, joined bit by bit.
#[inline(never)]
pub fn join_bits<T: Copy + Default + std::ops::BitOr<Output = T>>(
    left: &[T],
    right: &[T],
    results: &[T],
    operation: impl Fn(T, T, T) -> T,
) -> T {
    debug_assert!(left.len() == right.len() && left.len() == results.len());
    let ((left, left_last), (right, right_last)) = (left.as_chunks::<VALUES>(), right.as_chunks::<VALUES>());
    let (results, results_last) = results.as_chunks::<VALUES>();
    let mut all = T::default();
    for ((left, right), results) in left.iter().zip(right).zip(results) {
        let mut of_stride = T::default();
        for place in 0..VALUES {
            of_stride = of_stride | operation(left[place], right[place], results[place]);
        }
        all = all | of_stride;
    }
    for ((&left, &right), &result) in left_last.iter().zip(right_last).zip(results_last) {
        all = all | operation(left, right, result);
    }
    all
}

/// `operation` of each pair that is not NULL; the other slots get the default.
#[inline(never)]
pub fn try_map_pairs<A: Copy, B: Copy, R: Default>(
    left: &[A],
    right: &[B],
    valid: Option<&[bool]>,
    operation: impl Fn(A, B) -> Result<R>,
) -> Result<Vec<R>> {
    match valid {
        None => left.iter().zip(right).map(|(&left, &right)| operation(left, right)).collect(),
        Some(valid) => left
            .iter()
            .zip(right)
            .zip(valid)
            .map(|((&left, &right), &valid)| if valid { operation(left, right) } else { Ok(R::default()) })
            .collect(),
    }
}

/// The two columns of a binary operator.
pub fn binary<'a>(columns: &[&'a Column]) -> Result<(&'a Column, &'a Column)> {
    match columns {
        [left, right] => Ok((left, right)),
        _ => Err(Error::internal("a binary operator takes two columns")),
    }
}

pub fn unexpected(left: &ColumnData, right: &ColumnData) -> Error {
    Error::internal(format!(
        "no kernel for columns of {:?} and {:?}",
        std::mem::discriminant(left),
        std::mem::discriminant(right)
    ))
}
