//! Joins by looking up an index of the right table with values of each left row, a batch of rows at a time.

use super::expression;
use super::hash_join::beside;
use super::nested_loop::finish;
use super::scan::finish as finish_scan;
use super::scan::keys::KeyColumns;
use super::scan::reader::{RangeReader, Rows, read_points};
use super::{Execution, Operator, Stream};
use crate::bind::logical::JoinKind;
use crate::error::Result;
use crate::plan::physical;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, DataType};
use hashbrown::HashMap;

pub struct IndexJoin<'a> {
    node: usize,
    join: &'a physical::IndexJoin,
    left: Stream<'a>,
    right_types: Vec<DataType>,
    current: Option<Current<'a>>,
}

/// The left batch at work.
struct Current<'a> {
    batch: Batch,
    keys: KeyColumns<'a>,
    /// The next left row to look up.
    row: usize,
    matched: Vec<bool>,
}

impl<'a> IndexJoin<'a> {
    pub fn open(node: usize, join: &'a physical::IndexJoin, execution: &Execution<'a>) -> Result<IndexJoin<'a>> {
        let right_types = join.right_columns.iter().map(|(_, data_type)| *data_type).collect();
        Ok(IndexJoin { node, join, left: execution.open(&join.left)?, right_types, current: None })
    }

    /// Pairs of left row and right row of the next left rows.
    fn pairs(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let scan = &self.join.scan;
        let (left_rows, right) = match scan.access.unique {
            true => points(execution, self.node, scan, current)?,
            false => ranges(execution, self.node, scan, current)?,
        };
        let only_existence = matches!(self.join.kind, JoinKind::Semi | JoinKind::Anti);
        let selected = match &self.join.condition {
            None => None,
            Some(condition) => {
                let pairs = beside(current.batch.take(&left_rows), right.clone());
                expression::select(execution, condition, &pairs)?
            }
        };
        let (left_rows, right) = match selected {
            None => (left_rows, right),
            Some(selected) => (selected.iter().map(|row| left_rows[*row as usize]).collect(), right.take(&selected)),
        };
        left_rows.iter().for_each(|row| current.matched[*row as usize] = true);
        if left_rows.is_empty() || only_existence {
            return Ok(None);
        }
        Ok(Some(beside(current.batch.take(&left_rows), right)))
    }
}

/// Looks up all rows of the batch at once; equal keys only once.
fn points<'a>(
    execution: &Execution<'a>,
    node: usize,
    scan: &'a physical::Scan,
    current: &mut Current<'a>,
) -> Result<(Vec<u32>, Batch)> {
    let mut distinct: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut keys: Vec<Vec<u8>> = vec![];
    let mut wanted: Vec<(u32, u32)> = vec![];
    for row in 0..current.batch.rows {
        for (key, _) in current.keys.ranges(&scan.relation, &scan.access, row)? {
            let number = *distinct.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                keys.len() as u32 - 1
            });
            wanted.push((row as u32, number));
        }
    }
    current.row = current.batch.rows;
    let mut rows = Rows::new(scan);
    let found = read_points(execution, &keys, &mut rows)?;
    // Per key its row among those found, after the filter.
    let mut places = vec![u32::MAX; keys.len()];
    let (right, kept) = finish_scan(execution, node, scan, rows)?;
    match kept {
        None => (0u32..).zip(&found).for_each(|(place, key)| places[*key as usize] = place),
        Some(kept) => (0u32..).zip(kept).for_each(|(place, row)| places[found[row as usize] as usize] = place),
    }
    let pairs = wanted.into_iter().map(|(row, key)| (row, places[key as usize]));
    let (left_rows, right_rows): (Vec<u32>, Vec<u32>) = pairs.filter(|(_, place)| *place != u32::MAX).unzip();
    Ok((left_rows, right.take(&right_rows)))
}

/// Reads the entries of one left row after the other until there is about a batch.
fn ranges<'a>(
    execution: &Execution<'a>,
    node: usize,
    scan: &'a physical::Scan,
    current: &mut Current<'a>,
) -> Result<(Vec<u32>, Batch)> {
    let mut rows = Rows::new(scan);
    let mut left_rows = vec![];
    while current.row < current.batch.rows && rows.len() < BATCH_ROWS {
        let ranges = current.keys.ranges(&scan.relation, &scan.access, current.row)?;
        let mut reader = RangeReader::new(execution.context.host, ranges, scan.reverse, scan.expected_rows);
        while reader.read(execution, BATCH_ROWS, &mut rows)? {}
        left_rows.resize(rows.len(), current.row as u32);
        current.row += 1;
    }
    let (right, kept) = finish_scan(execution, node, scan, rows)?;
    if let Some(kept) = kept {
        left_rows = kept.iter().map(|row| left_rows[*row as usize]).collect();
    }
    Ok((left_rows, right))
}

impl<'a> Operator<'a> for IndexJoin<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        loop {
            let Some(current) = &self.current else {
                let Some(batch) = self.left.next(execution)? else { return Ok(None) };
                let keys = KeyColumns::new(execution, &self.join.scan.access, &batch)?;
                let matched = vec![false; batch.rows];
                self.current = Some(Current { batch, keys, row: 0, matched });
                continue;
            };
            let batch = if current.row < current.batch.rows {
                self.pairs(execution)?
            } else {
                let (kind, types) = (self.join.kind, &self.right_types);
                self.current.take().and_then(|current| finish(kind, current.batch, &current.matched, types))
            };
            if batch.is_some() {
                return Ok(batch);
            }
        }
    }
}
