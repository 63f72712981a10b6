//! Joins by equal keys: the right side becomes a hash table that the left side looks into.

use super::columns::{concatenate, nulls};
use super::expression::{self, Compiled};
use super::group::{ABSENT, GroupTable};
use super::nested_loop::finish;
use super::open::column_types;
use super::{Execution, Operator, Stream};
use crate::bind::logical::JoinKind;
use crate::error::Result;
use crate::plan::physical::{self, HashMatching};
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, Column, DataType};
use std::rc::Rc;

const NO_ROW: u32 = u32::MAX;

pub struct HashJoin<'a> {
    matching: &'a HashMatching,
    left: Stream<'a>,
    right: Stream<'a>,
    left_types: Vec<DataType>,
    right_types: Vec<DataType>,
    built: Option<Built>,
    probe: Option<Probe>,
    left_done: bool,
}

/// The right side.
struct Built {
    rows: Batch,
    table: GroupTable,
    /// Per group its first row, and per row the next one of its group.
    first: Vec<u32>,
    next: Vec<u32>,
    /// Rows that found a partner, for joins that keep the others.
    matched: Vec<bool>,
    /// Next row to be handed on without partner.
    unmatched: usize,
}

/// The left batch at work.
struct Probe {
    batch: Batch,
    groups: Vec<u32>,
    /// The next pair to try: a left row, and a right row of its group.
    row: usize,
    candidate: u32,
    matched: Vec<bool>,
}

impl<'a> HashJoin<'a> {
    pub fn open(join: &'a physical::HashJoin, execution: &Execution<'a>) -> Result<HashJoin<'a>> {
        let (left_types, right_types) = (column_types(&join.left), column_types(&join.right));
        let (left, right) = (execution.open(&join.left)?, execution.open(&join.right)?);
        Ok(HashJoin::over(&join.matching, (left, left_types), (right, right_types)))
    }

    /// Joins two inputs that run already, given with the types of their columns.
    pub fn over(
        matching: &'a HashMatching,
        (left, left_types): (Stream<'a>, Vec<DataType>),
        (right, right_types): (Stream<'a>, Vec<DataType>),
    ) -> HashJoin<'a> {
        HashJoin { matching, left, right, left_types, right_types, built: None, probe: None, left_done: false }
    }

    fn build(&mut self, execution: &Execution<'a>) -> Result<Built> {
        let types: Vec<DataType> = self.matching.right_keys.iter().map(Compiled::data_type).collect();
        let mut table = GroupTable::new(&types);
        let (mut batches, mut first, mut last, mut next) = (vec![], vec![], vec![], vec![]);
        let mut groups = vec![];
        let mut start = 0u32;
        while let Some(batch) = self.right.next(execution)? {
            let keys = keys(execution, &self.matching.right_keys, &batch)?;
            table.insert(&keys, batch.rows, &mut groups);
            first.resize(table.len(), NO_ROW);
            last.resize(table.len(), NO_ROW);
            next.resize(start as usize + batch.rows, NO_ROW);
            for (row, &group) in groups.iter().enumerate() {
                // NULL equals nothing.
                if keys.iter().any(|key| key.is_null(row)) {
                    continue;
                }
                let (row, group) = (start + row as u32, group as usize);
                match last[group] {
                    NO_ROW => first[group] = row,
                    before => next[before as usize] = row,
                }
                last[group] = row;
            }
            start += batch.rows as u32;
            batches.push(batch);
        }
        let rows = concatenate(&batches, &self.right_types);
        let keeps_right = matches!(self.matching.kind, JoinKind::Right | JoinKind::Full);
        let matched = vec![false; if keeps_right { rows.rows } else { 0 }];
        Ok(Built { rows, table, first, next, matched, unmatched: 0 })
    }

    /// Up to a batch of pairs that have equal keys and satisfy the condition.
    fn pairs(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let (Some(probe), Some(built)) = (&mut self.probe, &mut self.built) else { return Ok(None) };
        let only_existence = matches!(self.matching.kind, JoinKind::Semi | JoinKind::Anti);
        let (mut left_rows, mut right_rows) = (vec![], vec![]);
        while left_rows.len() < BATCH_ROWS && probe.row < probe.batch.rows {
            // One match is enough to know that there is one.
            let enough = only_existence && probe.matched[probe.row];
            if probe.candidate == NO_ROW || enough {
                probe.row += 1;
                probe.candidate = first_candidate(built, probe);
                continue;
            }
            if only_existence && self.matching.condition.is_none() {
                probe.matched[probe.row] = true;
                continue;
            }
            left_rows.push(probe.row as u32);
            right_rows.push(probe.candidate);
            probe.candidate = built.next[probe.candidate as usize];
        }
        let mut batch = beside(probe.batch.take(&left_rows), built.rows.take(&right_rows));
        if let Some(condition) = &self.matching.condition
            && let Some(selected) = expression::select(execution, condition, &batch)?
        {
            batch = batch.take(&selected);
            left_rows = selected.iter().map(|row| left_rows[*row as usize]).collect();
            right_rows = selected.iter().map(|row| right_rows[*row as usize]).collect();
        }
        left_rows.iter().for_each(|row| probe.matched[*row as usize] = true);
        if !built.matched.is_empty() {
            right_rows.iter().for_each(|row| built.matched[*row as usize] = true);
        }
        Ok((batch.rows > 0 && !only_existence).then_some(batch))
    }

    /// Right rows without partner.
    fn rest_of_right(&mut self) -> Option<Batch> {
        let built = self.built.as_mut().filter(|built| !built.matched.is_empty())?;
        let mut rows = vec![];
        while rows.len() < BATCH_ROWS && built.unmatched < built.matched.len() {
            if !built.matched[built.unmatched] {
                rows.push(built.unmatched as u32);
            }
            built.unmatched += 1;
        }
        let right = || built.rows.take(&rows);
        (!rows.is_empty()).then(|| beside(null_rows(&self.left_types, rows.len()), right()))
    }
}

impl<'a> Operator<'a> for HashJoin<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if self.built.is_none() {
            self.built = Some(self.build(execution)?);
        }
        loop {
            if let Some(probe) = &self.probe {
                let probing = probe.row < probe.batch.rows;
                let batch = if probing {
                    self.pairs(execution)?
                } else {
                    {
                        let probe = self.probe.take();
                        probe.and_then(|probe| {
                            finish(self.matching.kind, probe.batch, &probe.matched, &self.right_types)
                        })
                    }
                };
                if batch.is_some() {
                    return Ok(batch);
                }
                continue;
            }
            let nothing_to_find = self.built.as_ref().is_some_and(|built| built.rows.rows == 0)
                && matches!(self.matching.kind, JoinKind::Inner | JoinKind::Semi | JoinKind::Right);
            let batch = if self.left_done || nothing_to_find { None } else { self.left.next(execution)? };
            let (Some(batch), Some(built)) = (batch, &self.built) else {
                self.left_done = true;
                return Ok(self.rest_of_right());
            };
            let keys = keys(execution, &self.matching.left_keys, &batch)?;
            let mut groups = vec![];
            built.table.find(&keys, batch.rows, &mut groups);
            for key in keys.iter().filter(|key| key.valid.is_some()) {
                for (row, group) in groups.iter_mut().enumerate() {
                    if key.is_null(row) {
                        *group = ABSENT;
                    }
                }
            }
            let matched = vec![false; batch.rows];
            let mut probe = Probe { batch, groups, row: 0, candidate: NO_ROW, matched };
            probe.candidate = first_candidate(built, &probe);
            self.probe = Some(probe);
        }
    }
}

fn first_candidate(built: &Built, probe: &Probe) -> u32 {
    match probe.groups.get(probe.row) {
        None | Some(&ABSENT) => NO_ROW,
        Some(group) => built.first[*group as usize],
    }
}

fn keys(execution: &Execution, keys: &[Compiled], batch: &Batch) -> Result<Vec<Rc<Column>>> {
    keys.iter().map(|key| expression::evaluate(execution, key, batch)).collect()
}

/// Columns of both.
pub fn beside(mut left: Batch, right: Batch) -> Batch {
    left.columns.extend(right.columns);
    left
}

/// Rows of NULLs.
pub fn null_rows(types: &[DataType], rows: usize) -> Batch {
    Batch { columns: types.iter().map(|data_type| Rc::new(nulls(*data_type, rows))).collect(), rows }
}
