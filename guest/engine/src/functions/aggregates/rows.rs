//! Walks over the rows that an aggregate is given.

use crate::error::{Error, Result};
use crate::types::stride::each_pair;
use crate::types::{Column, Value};

/// One argument column of an aggregate.
pub fn argument<'a>(arguments: &[&'a Column], index: usize) -> Result<&'a Column> {
    arguments.get(index).copied().ok_or_else(|| Error::internal("an aggregate lacks an argument"))
}

/// Calls `add` with the group and the row of every row that is not NULL in `column`.
#[inline]
pub fn each_valid(column: &Column, groups: &[u32], rows: &[u32], mut add: impl FnMut(usize, usize)) {
    match &column.valid {
        None => each_pair(groups, rows, |group, row| add(group as usize, row as usize)),
        Some(valid) => {
            let pairs = groups.iter().zip(rows).map(|(&group, &row)| (group as usize, row as usize));
            pairs.filter(|&(_, row)| valid[row]).for_each(|(group, row)| add(group, row));
        }
    }
}

/// As `each_valid`, for what may fail.
pub fn try_each_valid(
    column: &Column,
    groups: &[u32],
    rows: &[u32],
    mut add: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    for (&group, &row) in groups.iter().zip(rows) {
        if column.valid.as_ref().is_none_or(|valid| valid[row as usize]) {
            add(group as usize, row as usize)?;
        }
    }
    Ok(())
}

/// Calls `add` with the group and the value of every row, NULLs included.
pub fn each_value(
    column: &Column,
    groups: &[u32],
    rows: &[u32],
    mut add: impl FnMut(usize, Value) -> Result<()>,
) -> Result<()> {
    for (&group, &row) in groups.iter().zip(rows) {
        add(group as usize, column.value(row as usize))?;
    }
    Ok(())
}

pub fn wrong_type(function: &str) -> Error {
    Error::internal(format!("{function} was given a column of another type"))
}
