//! Joins by looking up an index of the right table with values of each left row, a batch of rows at a time.
//!
//! Estimates may be far off, and then so is the choice of this operator. It counts what its look-ups cost: when that
//! reaches what a hash join would have cost, the rest of the left rows go into a hash join. The whole then costs no
//! more than about twice the better of the two, whatever the estimates were.

use super::columns::slice;
use super::expression;
use super::hash_join::{HashJoin, beside};
use super::nested_loop::finish;
use super::open::column_types;
use super::scan::finish as finish_scan;
use super::scan::keys::KeyColumns;
use super::scan::reader::{RangeReader, Rows, looks_up_rows, read_points};
use super::{Execution, Operator, Stream, scan, values};
use crate::bind::logical::JoinKind;
use crate::error::Result;
use crate::plan::access::{OPEN, POINT, ROW_OF_ENTRY};
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
    /// Left rows looked up, and what that cost in the plan's unit.
    rows: u64,
    spent: f64,
    /// Takes the rest of the left rows.
    rest: Option<Box<HashJoin<'a>>>,
}

/// The rows of a left batch that were not looked up yet, then the left input.
struct Remaining<'a> {
    first: Option<Batch>,
    left: Stream<'a>,
}

impl<'a> Operator<'a> for Remaining<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        match self.first.take() {
            Some(batch) => Ok(Some(batch)),
            None => self.left.next(execution),
        }
    }
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
        let left = execution.open(&join.left)?;
        Ok(IndexJoin { node, join, left, right_types, current: None, rows: 0, spent: 0.0, rest: None })
    }

    /// What may be spent on looking up.
    fn budget(&self) -> f64 {
        self.join.whole_read.as_ref().map_or(f64::INFINITY, |whole| whole.cost)
    }

    /// Hands the left rows that were not looked up over to a hash join; answers what is still to be handed on of
    /// those that were.
    fn switch(&mut self, whole_read: &'a physical::WholeRead, execution: &Execution<'a>) -> Result<Option<Batch>> {
        execution.note_switch(self.node, self.rows);
        let Some(mut current) = self.current.take() else { return Ok(None) };
        let done = current.row;
        let first = (done < current.batch.rows).then(|| slice(&current.batch, done, current.batch.rows));
        let left = Box::new(Remaining { first, left: std::mem::replace(&mut self.left, Box::new(values::Empty)) });
        let right = scan::open(self.node, &whole_read.scan, execution)?;
        let (left_types, right_types) = (column_types(&self.join.left), self.right_types.clone());
        let rest = HashJoin::over(&whole_read.matching, (left, left_types), (right, right_types));
        self.rest = Some(Box::new(rest));
        current.matched.truncate(done);
        Ok(finish(self.join.kind, slice(&current.batch, 0, done), &current.matched, &self.right_types))
    }

    /// Pairs of left row and right row of the next left rows.
    fn pairs(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let budget = self.budget();
        let Some(current) = &mut self.current else { return Ok(None) };
        let scan = &self.join.scan;
        let before = current.row;
        let (left_rows, right) = match scan.access.unique {
            true => points(execution, self.node, scan, current, &mut self.spent)?,
            false => ranges(execution, self.node, scan, current, &mut self.spent, budget)?,
        };
        self.rows += (current.row - before) as u64;
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
    spent: &mut f64,
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
    *spent += keys.len() as f64 * POINT + found.len() as f64 * entry_cost(scan);
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

/// Reading an entry, and the row behind it where that must be looked up.
fn entry_cost(scan: &physical::Scan) -> f64 {
    if looks_up_rows(scan) { 1.0 + ROW_OF_ENTRY } else { 1.0 }
}

/// Reads the entries of one left row after the other until there is about a batch, or too much was spent.
fn ranges<'a>(
    execution: &Execution<'a>,
    node: usize,
    scan: &'a physical::Scan,
    current: &mut Current<'a>,
    spent: &mut f64,
    budget: f64,
) -> Result<(Vec<u32>, Batch)> {
    let mut rows = Rows::new(scan);
    let mut left_rows = vec![];
    while current.row < current.batch.rows && rows.len() < BATCH_ROWS && *spent <= budget {
        let ranges = current.keys.ranges(&scan.relation, &scan.access, current.row)?;
        let mut reader = RangeReader::new(execution.context.host, ranges, scan.reverse, scan.expected_rows);
        while reader.read(execution, BATCH_ROWS, &mut rows)? {}
        *spent += OPEN + (rows.len() - left_rows.len()) as f64 * entry_cost(scan);
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
            if let Some(rest) = &mut self.rest {
                return rest.next(execution);
            }
            if let Some(whole_read) = self.join.whole_read.as_ref().filter(|whole| self.spent > whole.cost)
                && self.current.as_ref().is_some_and(|current| current.row < current.batch.rows)
            {
                if let Some(batch) = self.switch(whole_read, execution)? {
                    return Ok(Some(batch));
                }
                continue;
            }
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
