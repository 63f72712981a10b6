//! Numbering the distinct rows of key columns: the hash table under GROUP BY, DISTINCT, set operations and joins.

use super::columns::{empty, extend};
use super::equality::{equal_rows, hash_rows};
use crate::types::{Column, ColumnData, DataType};
use hashbrown::HashTable;
use std::rc::Rc;

/// What `find` answers for a row that is in no group.
pub const ABSENT: u32 = u32::MAX;

/// Groups of rows with equal keys, numbered in the order in which they appeared. NULLs are equal.
pub struct GroupTable {
    types: Vec<DataType>,
    /// Each group's keys.
    keys: Vec<Column>,
    hashes: Vec<u64>,
    table: HashTable<u32>,
}

impl GroupTable {
    pub fn new(types: &[DataType]) -> GroupTable {
        let keys = types.iter().map(|data_type| empty(*data_type)).collect();
        GroupTable { types: types.to_vec(), keys, hashes: vec![], table: HashTable::new() }
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The keys, a row per group.
    pub fn keys(&self) -> &[Column] {
        &self.keys
    }

    fn hash(&self, columns: &[Rc<Column>], rows: usize) -> Vec<u64> {
        let mut hashes = vec![0; rows];
        for (column, data_type) in columns.iter().zip(&self.types) {
            hash_rows(*data_type, column, &mut hashes);
        }
        hashes
    }

    /// Puts each row's group into `groups`, which is cleared first; rows with new keys found new groups.
    pub fn insert(&mut self, columns: &[Rc<Column>], rows: usize, groups: &mut Vec<u32>) {
        groups.clear();
        let hashes = self.hash(columns, rows);
        // Groups that this call founds, by the row that did: their keys are copied at the end, at once.
        let known = self.len() as u32;
        let mut founders: Vec<u32> = vec![];
        macro_rules! insert {
            ($equal_known:expr, $equal_rows:expr) => {
                for (row, &hash) in hashes.iter().enumerate() {
                    let (known_hashes, founders_now) = (&self.hashes, &founders);
                    let equal = |&group: &u32| {
                        known_hashes[group as usize] == hash
                            && match group.checked_sub(known) {
                                None => $equal_known(group as usize, row),
                                Some(new) => $equal_rows(founders_now[new as usize] as usize, row),
                            }
                    };
                    let group = match self.table.find(hash, equal) {
                        Some(group) => *group,
                        None => {
                            let group = self.hashes.len() as u32;
                            self.hashes.push(hash);
                            let all = &self.hashes;
                            self.table.insert_unique(hash, group, |group| all[*group as usize]);
                            founders.push(row as u32);
                            group
                        }
                    };
                    groups.push(group);
                }
            };
        }
        match (self.keys.as_slice(), columns) {
            ([Column { data: ColumnData::Integer(keys), valid: None }], [column])
                if let (ColumnData::Integer(values), None) = (&column.data, &column.valid) =>
            {
                insert!(|group: usize, row: usize| keys[group] == values[row], |a: usize, b: usize| values[a]
                    == values[b])
            }
            ([Column { data: ColumnData::BigInt(keys), valid: None }], [column])
                if let (ColumnData::BigInt(values), None) = (&column.data, &column.valid) =>
            {
                insert!(|group: usize, row: usize| keys[group] == values[row], |a: usize, b: usize| values[a]
                    == values[b])
            }
            _ => {
                let (keys, types) = (&self.keys, &self.types);
                let equal_known = |group: usize, row: usize| {
                    let mut all = keys.iter().zip(columns).zip(types);
                    all.all(|((key, column), data_type)| equal_rows(*data_type, key, group, column, row))
                };
                let equal_new = |first: usize, row: usize| {
                    let mut all = columns.iter().zip(types);
                    all.all(|(column, data_type)| equal_rows(*data_type, column, first, column, row))
                };
                insert!(equal_known, equal_new)
            }
        }
        if !founders.is_empty() {
            for (key, column) in self.keys.iter_mut().zip(columns) {
                extend(key, column, &founders);
            }
        }
    }

    /// Puts each row's group into `groups`, or `ABSENT`.
    pub fn find(&self, columns: &[Rc<Column>], rows: usize, groups: &mut Vec<u32>) {
        groups.clear();
        let hashes = self.hash(columns, rows);
        macro_rules! find {
            ($equal:expr) => {
                groups.extend(hashes.iter().enumerate().map(|(row, &hash)| {
                    let equal = |group: &u32| self.hashes[*group as usize] == hash && $equal(*group as usize, row);
                    self.table.find(hash, equal).copied().unwrap_or(ABSENT)
                }))
            };
        }
        match (self.keys.as_slice(), columns) {
            ([Column { data: ColumnData::Integer(keys), valid: None }], [column])
                if let (ColumnData::Integer(values), None) = (&column.data, &column.valid) =>
            {
                find!(|group: usize, row: usize| keys[group] == values[row])
            }
            _ => {
                let equal = |group: usize, row: usize| {
                    let mut all = self.keys.iter().zip(columns).zip(&self.types);
                    all.all(|((key, column), data_type)| equal_rows(*data_type, key, group, column, row))
                };
                find!(equal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;

    fn column(data_type: DataType, values: &[Option<i32>]) -> Rc<Column> {
        let value = |value: &Option<i32>| match (value, data_type) {
            (None, _) => Value::Null,
            (Some(value), DataType::Text) => Value::text(&value.to_string()),
            (Some(value), DataType::BigInt) => Value::BigInt(i64::from(*value)),
            (Some(value), _) => Value::Integer(*value),
        };
        let values: Vec<Value> = values.iter().map(value).collect();
        Rc::new(Column::from_values(data_type, &values))
    }

    #[test]
    fn equal_rows_share_a_group_across_batches_and_nulls_are_equal() {
        for data_type in [DataType::Integer, DataType::BigInt, DataType::Text] {
            let mut table = GroupTable::new(&[data_type]);
            let mut groups = vec![];
            table.insert(&[column(data_type, &[Some(7), Some(8), Some(7)])], 3, &mut groups);
            assert_eq!(groups, [0, 1, 0]);
            table.insert(&[column(data_type, &[None, Some(8), None, Some(9)])], 4, &mut groups);
            assert_eq!(groups, [2, 1, 2, 3], "{data_type:?}");
            table.find(&[column(data_type, &[Some(9), Some(10), None])], 3, &mut groups);
            assert_eq!(groups, [3, ABSENT, 2], "{data_type:?}");
        }
    }

    #[test]
    fn rows_that_differ_in_one_column_are_apart() {
        let mut table = GroupTable::new(&[DataType::Integer, DataType::Text]);
        let mut groups = vec![];
        let keys = [
            column(DataType::Integer, &[Some(1), Some(1), Some(2), None, None]),
            column(DataType::Text, &[Some(1), None, None, None, None]),
        ];
        table.insert(&keys, 5, &mut groups);
        assert_eq!(groups, [0, 1, 2, 3, 3]);
        assert_eq!(table.keys()[0].len(), 4);
    }

    #[test]
    fn many_groups_keep_their_numbers_while_the_table_grows() {
        let mut table = GroupTable::new(&[DataType::Integer]);
        let mut groups = vec![];
        let values: Vec<Option<i32>> = (0..5000).map(Some).collect();
        table.insert(&[column(DataType::Integer, &values)], 5000, &mut groups);
        table.find(&[column(DataType::Integer, &values)], 5000, &mut groups);
        assert_eq!(groups, (0..5000).collect::<Vec<u32>>());
    }
}
