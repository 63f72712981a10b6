//! Common table expressions (PostgreSQL 15, section 7.8): made once, as far as someone reads them.

use super::group::GroupTable;
use super::open::column_types;
use super::{Execution, Operator, Stream};
use crate::error::{Error, Result};
use crate::plan::physical::{CommonTable, CommonTableKind, Node};
use crate::types::Batch;
use std::cell::RefCell;
use std::rc::Rc;

/// The rows of a common table so far, and where more come from.
pub struct SharedTable<'a> {
    batches: Vec<Batch>,
    producer: Producer<'a>,
    /// What the recursive part of the table reads.
    step: Vec<Batch>,
}

enum Producer<'a> {
    NotStarted(&'a Node),
    Running(Stream<'a>),
    /// Its next batch is being made: whoever asks now would wait for itself.
    Busy,
    Recursive(Recursion<'a>),
    Done,
}

struct Recursion<'a> {
    recursive: &'a Node,
    /// The anchor first, then the recursive part over the last step's rows.
    stream: Stream<'a>,
    /// What this step has made so far.
    made: Vec<Batch>,
    /// UNION without ALL: all rows so far.
    seen: Option<GroupTable>,
}

pub fn open_with<'a>(tables: &'a [CommonTable], body: &'a Node, execution: &Execution<'a>) -> Result<Stream<'a>> {
    for table in tables {
        let producer = match &table.kind {
            CommonTableKind::Plain(node) | CommonTableKind::Modify(node) => Producer::NotStarted(node),
            CommonTableKind::Recursive { anchor, recursive, all } => Producer::Recursive(Recursion {
                recursive,
                stream: execution.open(anchor)?,
                made: vec![],
                seen: (!all).then(|| GroupTable::new(&column_types(anchor))),
            }),
        };
        let shared = SharedTable { batches: vec![], producer, step: vec![] };
        execution.tables.borrow_mut()[table.table] = Some(Rc::new(RefCell::new(shared)));
        if let CommonTableKind::Modify(_) = &table.kind {
            execution.modifying.borrow_mut().push(table.table);
        }
    }
    execution.open(body)
}

/// Runs what writes to its end, once the statement's own rows are there. The order is PostgreSQL's.
pub fn finish(execution: &Execution) -> Result<()> {
    let tables = execution.modifying.take();
    for table in tables.into_iter().rev() {
        let shared = table_of(execution, table)?;
        for position in 0.. {
            if batch(execution, &shared, position)?.is_none() {
                break;
            }
        }
    }
    Ok(())
}

fn table_of<'a>(execution: &Execution<'a>, table: usize) -> Result<Rc<RefCell<SharedTable<'a>>>> {
    let shared = execution.tables.borrow().get(table).cloned().flatten();
    shared.ok_or_else(|| Error::internal("a common table that nothing makes"))
}

/// The batch at a position, made now if need be; none past the end.
fn batch<'a>(
    execution: &Execution<'a>,
    shared: &Rc<RefCell<SharedTable<'a>>>,
    position: usize,
) -> Result<Option<Batch>> {
    loop {
        if let Some(batch) = shared.borrow().batches.get(position) {
            return Ok(Some(batch.clone()));
        }
        // The command tag counts what the main statement writes.
        let written = execution.written.get();
        // The table is not borrowed while its producer runs: a recursive one reads it.
        let producer = std::mem::replace(&mut shared.borrow_mut().producer, Producer::Busy);
        let (producer, made) = match producer {
            Producer::NotStarted(node) => (Producer::Running(execution.open(node)?), None),
            Producer::Running(mut stream) => match stream.next(execution)? {
                Some(batch) => (Producer::Running(stream), Some(batch)),
                None => (Producer::Done, None),
            },
            Producer::Recursive(recursion) => recursion.next(execution, shared)?,
            Producer::Busy => return Err(Error::internal("a common table that waits for itself")),
            Producer::Done => (Producer::Done, None),
        };
        execution.written.set(written);
        let done = matches!(producer, Producer::Done);
        let mut shared = shared.borrow_mut();
        shared.producer = producer;
        shared.batches.extend(made);
        if done && position >= shared.batches.len() {
            return Ok(None);
        }
    }
}

impl<'a> Recursion<'a> {
    fn next(
        mut self,
        execution: &Execution<'a>,
        shared: &Rc<RefCell<SharedTable<'a>>>,
    ) -> Result<(Producer<'a>, Option<Batch>)> {
        loop {
            while let Some(batch) = self.stream.next(execution)? {
                let batch = match &mut self.seen {
                    None => batch,
                    Some(seen) => fresh(seen, batch),
                };
                if batch.rows > 0 {
                    self.made.push(batch.clone());
                    return Ok((Producer::Recursive(self), Some(batch)));
                }
            }
            if self.made.is_empty() {
                shared.borrow_mut().step.clear();
                return Ok((Producer::Done, None));
            }
            shared.borrow_mut().step = std::mem::take(&mut self.made);
            self.stream = execution.open(self.recursive)?;
        }
    }
}

/// The rows that were not seen before, and only once each.
fn fresh(seen: &mut GroupTable, batch: Batch) -> Batch {
    let mut known = seen.len() as u32;
    let mut groups = vec![];
    seen.insert(&batch.columns, batch.rows, &mut groups);
    let mut rows = vec![];
    for (row, group) in (0u32..).zip(groups) {
        if group == known {
            known += 1;
            rows.push(row);
        }
    }
    if rows.len() == batch.rows { batch } else { batch.take(&rows) }
}

pub struct CommonTableScan<'a> {
    shared: Rc<RefCell<SharedTable<'a>>>,
    /// The rows of a recursive table's last step, fixed when the step begins.
    step: Option<Vec<Batch>>,
    position: usize,
}

impl<'a> CommonTableScan<'a> {
    pub fn open(table: usize, step: bool, execution: &Execution<'a>) -> Result<CommonTableScan<'a>> {
        let shared = table_of(execution, table)?;
        let step = step.then(|| shared.borrow().step.clone());
        Ok(CommonTableScan { shared, step, position: 0 })
    }
}

impl<'a> Operator<'a> for CommonTableScan<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        self.position += 1;
        match &self.step {
            Some(step) => Ok(step.get(self.position - 1).cloned()),
            None => batch(execution, &self.shared, self.position - 1),
        }
    }
}
