//! ORDER BY. With a limit, only the first rows are ever kept.

use super::columns::concatenate;
use super::equality;
use super::expression::{self, CompiledSortKey};
use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, Column, ColumnData, DataType};
use std::cmp::Ordering;
use std::rc::Rc;

pub struct Sort<'a> {
    input: Stream<'a>,
    keys: &'a [CompiledSortKey],
    types: Vec<DataType>,
    /// Rows that will be asked for; none: all.
    wanted: Option<u64>,
    sorted: Option<Sorted>,
}

struct Sorted {
    rows: Batch,
    order: Vec<u32>,
    next: usize,
}

impl<'a> Sort<'a> {
    pub fn new(input: Stream<'a>, keys: &'a [CompiledSortKey], types: Vec<DataType>, wanted: Option<u64>) -> Sort<'a> {
        Sort { input, keys, types, wanted, sorted: None }
    }

    fn sort(&mut self, execution: &Execution<'a>) -> Result<Sorted> {
        let mut batches = vec![];
        let mut rows = 0;
        // Past this many rows, only the wanted ones are kept: each row is sorted a few times at most.
        let most = self.wanted.map_or(usize::MAX, |wanted| (wanted as usize).saturating_mul(2).max(8 * BATCH_ROWS));
        while let Some(batch) = self.input.next(execution)? {
            rows += batch.rows;
            batches.push(batch);
            if rows > most {
                let all = concatenate(&batches, &self.types);
                let kept = all.take(&self.order(execution, &all)?);
                rows = kept.rows;
                batches = vec![kept];
            }
        }
        let rows = concatenate(&batches, &self.types);
        Ok(Sorted { order: self.order(execution, &rows)?, rows, next: 0 })
    }

    fn order(&self, execution: &Execution, rows: &Batch) -> Result<Vec<u32>> {
        let columns = self.keys.iter().map(|key| expression::evaluate(execution, &key.expression, rows));
        let mut order = sort_rows(self.keys, &columns.collect::<Result<Vec<_>>>()?, rows.rows);
        order.truncate(self.wanted.map_or(usize::MAX, |wanted| wanted as usize));
        Ok(order)
    }
}

impl<'a> Operator<'a> for Sort<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if self.wanted == Some(0) {
            return Ok(None);
        }
        if self.sorted.is_none() {
            self.sorted = Some(self.sort(execution)?);
        }
        let Some(sorted) = &mut self.sorted else { return Ok(None) };
        let end = (sorted.next + BATCH_ROWS).min(sorted.order.len());
        if sorted.next == end {
            return Ok(None);
        }
        let batch = sorted.rows.take(&sorted.order[sorted.next..end]);
        sorted.next = end;
        Ok(Some(batch))
    }
}

/// Row numbers in the keys' order; rows that compare equal keep theirs.
pub fn sort_rows(keys: &[CompiledSortKey], columns: &[Rc<Column>], rows: usize) -> Vec<u32> {
    let ([first, ..], [first_column, ..]) = (keys, columns) else { return (0..rows as u32).collect() };
    let (ranks, exact) = ranks(first, first_column);
    let mut order: Vec<(u64, u32)> = ranks.into_iter().zip(0..rows as u32).collect();
    let skip = usize::from(exact);
    order.sort_unstable_by(|(left_rank, left), (right_rank, right)| {
        let by_keys = || compare_keys(&keys[skip..], &columns[skip..], *left as usize, *right as usize);
        left_rank.cmp(right_rank).then_with(by_keys).then(left.cmp(right))
    });
    order.into_iter().map(|(_, row)| row).collect()
}

/// The order of two rows under these keys.
pub fn compare_keys(keys: &[CompiledSortKey], columns: &[Rc<Column>], left: usize, right: usize) -> Ordering {
    for (key, column) in keys.iter().zip(columns) {
        let order = match (column.is_null(left), column.is_null(right)) {
            (true, true) => Ordering::Equal,
            (true, false) if key.nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if key.nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let order = equality::compare(key.expression.data_type(), column, left, column, right);
                if key.descending { order.reverse() } else { order }
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Numbers that order rows by one key as far as they differ, and whether equal numbers mean equal keys.
fn ranks(key: &CompiledSortKey, column: &Column) -> (Vec<u64>, bool) {
    let signed = |value: i64| (value as u64) ^ (1 << 63);
    let double = |value: f64| {
        // As PostgreSQL orders: one zero, and NaN above infinity.
        let bits = if value.is_nan() { f64::NAN.abs() } else { value + 0.0 }.to_bits();
        if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
    };
    // NULLs take the lowest or the highest number. Where a value may have that one too, ranks alone do not decide.
    let (mut ranks, exact): (Vec<u64>, bool) = match &column.data {
        ColumnData::Boolean(values) => (values.iter().map(|value| u64::from(*value) + 1).collect(), true),
        ColumnData::SmallInt(values) => (values.iter().map(|value| signed(i64::from(*value))).collect(), true),
        ColumnData::Integer(values) | ColumnData::Date(values) => {
            (values.iter().map(|value| signed(i64::from(*value))).collect(), true)
        }
        ColumnData::BigInt(values)
        | ColumnData::Time(values)
        | ColumnData::Timestamp(values)
        | ColumnData::Timestamptz(values) => {
            (values.iter().map(|value| signed(*value)).collect(), column.valid.is_none())
        }
        ColumnData::Real(values) => (values.iter().map(|value| double(f64::from(*value))).collect(), true),
        ColumnData::Double(values) => (values.iter().map(|value| double(*value)).collect(), true),
        ColumnData::Text(strings) => {
            let prefix = |row| {
                let text = strings.get(row);
                // Blanks at the end of char(n) do not count.
                let text = match key.expression.data_type() {
                    DataType::Char => text.trim_end_matches(' '),
                    _ => text,
                };
                let mut bytes = [0; 8];
                let length = text.len().min(8);
                bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
                u64::from_be_bytes(bytes)
            };
            ((0..strings.len()).map(prefix).collect(), false)
        }
        data => (vec![0; data.len()], false),
    };
    if key.descending {
        ranks.iter_mut().for_each(|rank| *rank = !*rank);
    }
    if let Some(valid) = &column.valid {
        let null = if key.nulls_first { 0 } else { u64::MAX };
        for (rank, _) in ranks.iter_mut().zip(valid).filter(|(_, valid)| !**valid) {
            *rank = null;
        }
    }
    (ranks, exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::expression::Compiled;
    use crate::types::Value;

    fn order(data_type: DataType, descending: bool, nulls_first: bool, values: &[Value]) -> Vec<u32> {
        let key = CompiledSortKey { expression: Compiled::Column { position: 0, data_type }, descending, nulls_first };
        sort_rows(&[key], &[Rc::new(Column::from_values(data_type, values))], values.len())
    }

    #[test]
    fn numbers_sort_with_nulls_where_they_are_asked_for() {
        let values = [Value::Null, Value::BigInt(i64::MAX), Value::BigInt(i64::MIN), Value::BigInt(0), Value::Null];
        assert_eq!(order(DataType::BigInt, false, false, &values), [2, 3, 1, 0, 4]);
        assert_eq!(order(DataType::BigInt, false, true, &values), [0, 4, 2, 3, 1]);
        assert_eq!(order(DataType::BigInt, true, true, &values), [0, 4, 1, 3, 2]);
        assert_eq!(order(DataType::BigInt, true, false, &values), [1, 3, 2, 0, 4]);
    }

    #[test]
    fn floats_sort_with_one_zero_and_nan_last() {
        let values = [f64::NAN, 0.0, -0.0, f64::INFINITY, -1.5, f64::NEG_INFINITY].map(Value::Double);
        assert_eq!(order(DataType::Double, false, false, &values), [5, 4, 1, 2, 3, 0]);
        assert_eq!(order(DataType::Double, true, true, &values), [0, 3, 1, 2, 4, 5]);
    }

    #[test]
    fn texts_that_begin_alike_are_told_apart() {
        let values = ["abcdefghz", "abcdefgh", "abcdefgha", "abc", "", "é"].map(Value::text);
        assert_eq!(order(DataType::Text, false, false, &values), [4, 3, 1, 2, 0, 5]);
        assert_eq!(order(DataType::Text, true, true, &values), [5, 0, 2, 1, 3, 4]);
    }
}
