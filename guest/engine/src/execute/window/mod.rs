//! Window functions (PostgreSQL 15, sections 3.5, 4.2.8 and 9.22).

mod aggregate;
mod frame;
mod function;

use super::columns::concatenate;
use super::equality;
use super::expression::{self, Compiled, CompiledSortKey};
use super::open::column_types;
use super::sort::{compare_keys, sort_rows};
use super::{Execution, Operator, Stream};
use crate::bind::expression::WindowCallFunction;
use crate::error::Result;
use crate::plan::physical;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, Column};
use std::cmp::Ordering;
use std::ops::Range;
use std::rc::Rc;

pub struct Window<'a> {
    input: Stream<'a>,
    window: &'a physical::Window,
    /// All rows with their results, in order, once they are known.
    rows: Option<Batch>,
    next: usize,
}

/// The sorted rows, and where partitions and peers begin.
pub struct Sorted {
    pub rows: Batch,
    pub order_columns: Vec<Rc<Column>>,
    pub partitions: Vec<Range<usize>>,
    /// Per row, the first row of its peer group, and the first row after it.
    pub peer_start: Vec<usize>,
    pub peer_end: Vec<usize>,
}

impl<'a> Window<'a> {
    pub fn new(input: Stream<'a>, window: &'a physical::Window) -> Window<'a> {
        Window { input, window, rows: None, next: 0 }
    }

    fn run(&mut self, execution: &Execution<'a>) -> Result<Batch> {
        let mut batches = vec![];
        while let Some(batch) = self.input.next(execution)? {
            batches.push(batch);
        }
        let rows = concatenate(&batches, &column_types(&self.window.input));
        drop(batches);
        let sorted = sort(execution, self.window, rows)?;
        let mut results = vec![];
        for call in &self.window.calls {
            results.push(Rc::new(match call.function {
                WindowCallFunction::Window(window) => {
                    function::run(execution, self.window, call, window.kind, &sorted)?
                }
                WindowCallFunction::Aggregate(aggregate) => {
                    aggregate::run(execution, self.window, call, aggregate, &sorted)?
                }
            }));
        }
        let mut rows = sorted.rows;
        rows.columns.extend(results);
        Ok(rows)
    }
}

fn sort(execution: &Execution, window: &physical::Window, rows: Batch) -> Result<Sorted> {
    let evaluate = |expression: &Compiled| expression::evaluate(execution, expression, &rows);
    let partition = window.partition_by.iter().map(evaluate).collect::<Result<Vec<_>>>()?;
    let order = window.order_by.iter().map(|key| evaluate(&key.expression)).collect::<Result<Vec<_>>>()?;
    let by_partition = window.partition_by.iter().map(|expression| CompiledSortKey {
        expression: expression.clone(),
        descending: false,
        nulls_first: false,
    });
    let keys: Vec<CompiledSortKey> = by_partition.chain(window.order_by.iter().cloned()).collect();
    let columns: Vec<Rc<Column>> = partition.iter().chain(&order).cloned().collect();
    let permutation = sort_rows(&keys, &columns, rows.rows);
    let take = |column: Rc<Column>| Rc::new(column.take(&permutation));
    let partition: Vec<_> = partition.into_iter().map(take).collect();
    let order_columns: Vec<_> = order.into_iter().map(take).collect();
    let rows = if keys.is_empty() { rows } else { rows.take(&permutation) };

    let new_partition = |row: usize| {
        let mut all = window.partition_by.iter().zip(&partition);
        row == 0 || !all.all(|(key, column)| equality::equal_rows(key.data_type(), column, row - 1, column, row))
    };
    let starts: Vec<usize> = (0..rows.rows).filter(|row| new_partition(*row)).collect();
    let ends = starts.iter().skip(1).copied().chain([rows.rows]);
    let partitions: Vec<Range<usize>> = starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect();
    let (mut peer_start, mut peer_end) = (vec![0; rows.rows], vec![0; rows.rows]);
    for partition in &partitions {
        let mut start = partition.start;
        for row in partition.start + 1..=partition.end {
            let peer =
                row < partition.end && compare_keys(&window.order_by, &order_columns, row - 1, row) == Ordering::Equal;
            if !peer {
                peer_start[start..row].fill(start);
                peer_end[start..row].fill(row);
                start = row;
            }
        }
    }
    Ok(Sorted { rows, order_columns, partitions, peer_start, peer_end })
}

impl<'a> Operator<'a> for Window<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let rows = match &self.rows {
            Some(rows) => rows,
            None => {
                let rows = self.run(execution)?;
                self.rows.insert(rows)
            }
        };
        let start = self.next;
        self.next = (start + BATCH_ROWS).min(rows.rows);
        Ok((start < self.next).then(|| super::columns::slice(rows, start, self.next)))
    }
}
