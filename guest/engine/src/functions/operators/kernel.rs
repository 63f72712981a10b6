//! Loops over columns, shaped so that the compiler turns them into vector instructions.

use crate::error::{Error, Result};
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
pub fn map_pairs<A: Copy, B: Copy, R>(left: &[A], right: &[B], operation: impl Fn(A, B) -> R) -> Vec<R> {
    left.iter().zip(right).map(|(&left, &right)| operation(left, right)).collect()
}

/// `operation` of each pair that is not NULL; the other slots get the default.
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
