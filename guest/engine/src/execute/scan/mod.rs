//! Reading tables: all rows, ranges and points of the primary key, and the same by way of an index.

pub mod keys;
pub mod reader;

use super::expression::{Compiled, select};
use super::{Execution, Operator, Stream};
use crate::catalog::{RelationKind, system};
use crate::error::Result;
use crate::plan::physical::Scan;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, ColumnBuilder};
use reader::{RangeReader, Rows};
use std::rc::Rc;

pub fn open<'a>(node: usize, scan: &'a Scan, execution: &Execution<'a>) -> Result<Stream<'a>> {
    if matches!(scan.relation.kind, RelationKind::System) {
        return Ok(Box::new(SystemScan { node, scan, rows: None }));
    }
    let ranges = keys::ranges(execution, &scan.relation, &scan.access)?;
    if scan.access.unique {
        let mut keys: Vec<_> = ranges.into_iter().map(|(key, _)| key).collect();
        if !scan.reverse {
            keys.reverse();
        }
        return Ok(Box::new(PointScan { node, scan, keys }));
    }
    let reader = RangeReader::new(execution.context.host, ranges, scan.reverse, scan.expected_rows);
    Ok(Box::new(RangeScan { node, scan, reader, batches: 0, done: false }))
}

/// Applies the scan's filter, and leaves out the columns that only it needed. Answers which rows are left, unless that
/// is all of them.
pub fn finish(execution: &Execution, node: usize, scan: &Scan, rows: Rows) -> Result<(Batch, Option<Vec<u32>>)> {
    finish_with(execution, node, scan, scan.filter.as_ref(), rows)
}

fn finish_with(
    execution: &Execution,
    node: usize,
    scan: &Scan,
    filter: Option<&Compiled>,
    rows: Rows,
) -> Result<(Batch, Option<Vec<u32>>)> {
    let mut batch = rows.finish();
    let selected = match filter {
        None => None,
        Some(filter) => select(execution, filter, &batch)?,
    };
    if scan.outputs < scan.columns.len() {
        batch.columns.drain(scan.outputs..scan.columns.len());
    }
    if let Some(selected) = &selected {
        execution.count_removed(node, batch.rows - selected.len());
        batch = batch.take(selected);
    }
    Ok((batch, selected))
}

/// Keys that are at most one row each.
struct PointScan<'a> {
    node: usize,
    scan: &'a Scan,
    /// The next one last.
    keys: Vec<Vec<u8>>,
}

impl<'a> Operator<'a> for PointScan<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        while !self.keys.is_empty() {
            let mut rows = Rows::new(self.scan);
            let mut chunk = self.keys.split_off(self.keys.len().saturating_sub(BATCH_ROWS));
            chunk.reverse();
            reader::read_points(execution, &chunk, &mut rows)?;
            let (batch, _) = finish(execution, self.node, self.scan, rows)?;
            if batch.rows > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

struct RangeScan<'a> {
    node: usize,
    scan: &'a Scan,
    reader: RangeReader<'a>,
    batches: u32,
    done: bool,
}

impl<'a> Operator<'a> for RangeScan<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        while !self.done {
            let mut rows = Rows::new(self.scan);
            let wanted = reader::batch_rows(self.scan.expected_rows, self.batches);
            self.batches += 1;
            let mut filter = self.scan.filter.as_ref();
            let more = match &self.scan.early {
                Some(early) if self.scan.expected_rows == 0 => {
                    let (removed, more) = self.reader.read_passing(execution, early, wanted, &mut rows)?;
                    execution.count_removed(self.node, removed);
                    filter = early.rest.as_ref();
                    more
                }
                _ => self.reader.read(execution, wanted, &mut rows)?,
            };
            self.done = !more;
            let (batch, _) = finish_with(execution, self.node, self.scan, filter, rows)?;
            if batch.rows > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

/// A relation of the system catalog: its rows are made, not stored.
struct SystemScan<'a> {
    node: usize,
    scan: &'a Scan,
    /// Still to be handed on.
    rows: Option<std::vec::IntoIter<Batch>>,
}

impl SystemScan<'_> {
    fn read(&self, execution: &Execution) -> Result<Vec<Batch>> {
        let scan = self.scan;
        let rows = system::rows(&execution.context.functions, execution.context.host, &scan.relation)?;
        let mut batches = vec![];
        for chunk in rows.chunks(BATCH_ROWS) {
            let column = |position: &usize| {
                let mut builder = ColumnBuilder::new(scan.relation.columns[*position].data_type);
                chunk.iter().for_each(|row| builder.push(&row[*position]));
                Rc::new(builder.finish())
            };
            let mut batch = Batch { columns: scan.columns.iter().map(column).collect(), rows: chunk.len() };
            if let Some(filter) = &scan.filter
                && let Some(selected) = select(execution, filter, &batch)?
            {
                execution.count_removed(self.node, batch.rows - selected.len());
                batch = batch.take(&selected);
            }
            batch.columns.truncate(scan.outputs);
            if batch.rows > 0 {
                batches.push(batch);
            }
        }
        Ok(batches)
    }
}

impl<'a> Operator<'a> for SystemScan<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if self.rows.is_none() {
            self.rows = Some(self.read(execution)?.into_iter());
        }
        Ok(self.rows.as_mut().and_then(Iterator::next))
    }
}
