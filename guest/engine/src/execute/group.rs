//! Numbering the distinct rows of key columns: the hash table under GROUP BY, DISTINCT, set operations and joins.

use super::columns::{empty, extend};
use super::equality::{equal_rows, hash_rows};
use crate::types::column::BATCH_ROWS;
use crate::types::{Column, ColumnData, DataType, stride};
use hashbrown::HashTable;
use std::rc::Rc;

/// What `find` answers for a row that is in no group.
pub const ABSENT: u32 = u32::MAX;

/// Groups of rows with equal keys, numbered in the order in which they appeared. NULLs are equal.
pub struct GroupTable {
    types: Vec<DataType>,
    /// Each group's keys.
    keys: Vec<Column>,
    numbers: Numbers,
}

/// A group that was found lately.
#[derive(Clone, Copy)]
struct Recent {
    hash: u64,
    group: u32,
}

/// Groups by eight bits of their hashes: most rows are of few groups, or of the same as those before.
struct Recall {
    groups: [Recent; 256],
    /// Rows that it was asked for, and those of them that it knew.
    asked: usize,
    known: usize,
}

/// After so many rows, a recall that knew less than a quarter of them is given up.
const TRIED: usize = 10_000;

/// Each group's number, by the hash of its keys.
#[derive(Default)]
struct Numbers {
    hashes: Vec<u64>,
    table: HashTable<u32>,
    /// None for few rows.
    recall: Option<Box<Recall>>,
}

impl Numbers {
    /// Puts each row's group into `groups`. Answers the rows that founded a group: their keys, which only `equal_rows`
    /// knows so far, are to be copied.
    fn insert(
        &mut self,
        hashes: &[u64],
        groups: &mut Vec<u32>,
        equal_known: impl Fn(usize, usize) -> bool,
        equal_rows: impl Fn(usize, usize) -> bool,
    ) -> Vec<u32> {
        let known = self.hashes.len() as u32;
        groups.clear();
        groups.resize(hashes.len(), ABSENT);
        if self.recall.is_none() && hashes.len() >= BATCH_ROWS / 2 {
            let groups = [Recent { hash: 0, group: ABSENT }; 256];
            self.recall = Some(Box::new(Recall { groups, asked: 0, known: 0 }));
        }
        let recalls = |recall: &&mut Box<Recall>| recall.asked < TRIED || recall.known * 4 >= recall.asked;
        if let Some(recall) = self.recall.as_mut().filter(recalls) {
            let found = recall.look(hashes, groups, &equal_known);
            recall.asked += hashes.len();
            recall.known += found;
            if found == hashes.len() {
                return vec![];
            }
        }
        let mut founders: Vec<u32> = vec![];
        for (row, (&hash, slot)) in hashes.iter().zip(groups).enumerate() {
            if *slot != ABSENT {
                continue;
            }
            let equal = |&group: &u32| {
                self.hashes[group as usize] == hash
                    && match group.checked_sub(known) {
                        None => equal_known(group as usize, row),
                        Some(new) => equal_rows(founders[new as usize] as usize, row),
                    }
            };
            *slot = match self.table.find(hash, equal) {
                Some(group) => *group,
                None => {
                    founders.push(row as u32);
                    self.found(hash)
                }
            };
            if let Some(recall) = &mut self.recall {
                recall.groups[place(hash)] = Recent { hash, group: *slot };
            }
        }
        founders
    }

    /// A new group's number.
    #[cold]
    fn found(&mut self, hash: u64) -> u32 {
        let group = self.hashes.len() as u32;
        self.hashes.push(hash);
        self.table.insert_unique(hash, group, |group| self.hashes[*group as usize]);
        group
    }
}

impl Recall {
    /// Finds the groups of rows among the recent ones; answers of how many rows. See `types::stride` for the shape of
    /// its loop.
    #[inline(never)]
    fn look(&self, hashes: &[u64], groups: &mut [u32], equal: impl Fn(usize, usize) -> bool) -> usize {
        let mut found = 0;
        let mut find = |row: usize, hash: u64, slot: &mut u32| {
            let recent = self.groups[place(hash)];
            if recent.hash == hash && recent.group != ABSENT && equal(recent.group as usize, row) {
                *slot = recent.group;
                found += 1;
            }
        };
        let (hash_strides, last_hashes) = hashes.as_chunks::<{ stride::ROWS }>();
        let (slot_strides, last_slots) = groups.as_chunks_mut::<{ stride::ROWS }>();
        for (number, (hashes, slots)) in hash_strides.iter().zip(slot_strides).enumerate() {
            for place in 0..stride::ROWS {
                find(number * stride::ROWS + place, hashes[place], &mut slots[place]);
            }
        }
        let first = hash_strides.len() * stride::ROWS;
        for (place, (&hash, slot)) in last_hashes.iter().zip(last_slots).enumerate() {
            find(first + place, hash, slot);
        }
        found
    }
}

/// Where a recall has a hash.
fn place(hash: u64) -> usize {
    (hash >> 56) as usize
}

impl GroupTable {
    pub fn new(types: &[DataType]) -> GroupTable {
        let keys = types.iter().map(|data_type| empty(*data_type)).collect();
        GroupTable { types: types.to_vec(), keys, numbers: Numbers::default() }
    }

    pub fn len(&self) -> usize {
        self.numbers.hashes.len()
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
        let hashes = self.hash(columns, rows);
        let numbers = &mut self.numbers;
        let founders = match (self.keys.as_slice(), columns) {
            ([Column { data: ColumnData::Integer(keys), valid: None }], [column])
                if let (ColumnData::Integer(values), None) = (&column.data, &column.valid) =>
            {
                numbers.insert(&hashes, groups, |group, row| keys[group] == values[row], |a, b| values[a] == values[b])
            }
            ([Column { data: ColumnData::BigInt(keys), valid: None }], [column])
                if let (ColumnData::BigInt(values), None) = (&column.data, &column.valid) =>
            {
                numbers.insert(&hashes, groups, |group, row| keys[group] == values[row], |a, b| values[a] == values[b])
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
                numbers.insert(&hashes, groups, equal_known, equal_new)
            }
        };
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
                    let known = &self.numbers.hashes;
                    let equal = |group: &u32| known[*group as usize] == hash && $equal(*group as usize, row);
                    self.numbers.table.find(hash, equal).copied().unwrap_or(ABSENT)
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
    fn batches_recall_the_groups_of_those_before() {
        let mut table = GroupTable::new(&[DataType::Integer]);
        let mut groups = vec![];
        for batch in 0..20 {
            let values: Vec<Option<i32>> = (0..1000).map(|row| Some((row + batch) % 700)).collect();
            table.insert(&[column(DataType::Integer, &values)], 1000, &mut groups);
            let expected = values.iter().map(|value| value.unwrap() as u32);
            assert!(groups.iter().copied().eq(expected), "batch {batch}");
        }
        assert_eq!(table.len(), 700);
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
