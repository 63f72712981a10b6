//! GROUP BY, grouping sets and aggregates (PostgreSQL 15, sections 7.2.3, 7.2.4 and 4.2.7).

pub mod call;

use super::columns::nulls;
use super::expression;
use super::group::GroupTable;
use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::plan::physical;
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, Column, ColumnBuilder, DataType, Value};
use call::{Call, Inputs};
use std::rc::Rc;

pub struct Aggregate<'a> {
    input: Stream<'a>,
    aggregate: &'a physical::Aggregate,
    /// Set once all of the input is read.
    sets: Option<Vec<GroupingSet<'a>>>,
    /// The next group to hand on.
    set: usize,
    group: usize,
}

/// The groups of one grouping set.
struct GroupingSet<'a> {
    /// Positions among all group expressions.
    members: &'a [usize],
    table: GroupTable,
    calls: Vec<Call<'a>>,
    groups: usize,
}

impl<'a> Aggregate<'a> {
    pub fn new(input: Stream<'a>, aggregate: &'a physical::Aggregate) -> Aggregate<'a> {
        Aggregate { input, aggregate, sets: None, set: 0, group: 0 }
    }

    fn read(&mut self, execution: &Execution<'a>) -> Result<Vec<GroupingSet<'a>>> {
        let aggregate = self.aggregate;
        let mut sets: Vec<GroupingSet> = aggregate.grouping_sets.iter().map(|members| self.set(members)).collect();
        let mut groups = vec![];
        while let Some(batch) = self.input.next(execution)? {
            let keys = aggregate.groups.iter().map(|group| expression::evaluate(execution, group, &batch));
            let keys = keys.collect::<Result<Vec<_>>>()?;
            let inputs = aggregate.aggregates.iter().map(|call| Inputs::new(execution, call, &batch));
            let inputs = inputs.collect::<Result<Vec<_>>>()?;
            for set in &mut sets {
                if set.members.is_empty() {
                    groups.clear();
                    groups.resize(batch.rows, 0);
                } else {
                    let keys: Vec<_> = set.members.iter().map(|member| keys[*member].clone()).collect();
                    set.table.insert(&keys, batch.rows, &mut groups);
                    set.groups = set.table.len();
                }
                for (call, inputs) in set.calls.iter_mut().zip(&inputs) {
                    call.update(execution, &groups, set.groups, inputs)?;
                }
            }
        }
        for set in &mut sets {
            for call in &mut set.calls {
                call.complete(execution, set.groups)?;
            }
        }
        Ok(sets)
    }

    fn set(&self, members: &'a [usize]) -> GroupingSet<'a> {
        let types: Vec<DataType> = members.iter().map(|member| self.aggregate.groups[*member].data_type()).collect();
        // Without keys there is one group, even of no rows.
        let groups = usize::from(members.is_empty());
        let calls = self.aggregate.aggregates.iter().map(Call::new).collect();
        GroupingSet { members, table: GroupTable::new(&types), calls, groups }
    }
}

impl<'a> GroupingSet<'a> {
    /// The rows of some groups.
    fn rows(
        &mut self,
        execution: &Execution<'a>,
        aggregate: &physical::Aggregate,
        start: usize,
        end: usize,
    ) -> Result<Batch> {
        let rows: Vec<u32> = (start as u32..end as u32).collect();
        let mut columns: Vec<Rc<Column>> = vec![];
        for (number, group) in aggregate.groups.iter().enumerate() {
            columns.push(Rc::new(match self.members.iter().position(|member| *member == number) {
                Some(place) => self.table.keys()[place].take(&rows),
                None => nulls(group.data_type(), rows.len()),
            }));
        }
        for call in &mut self.calls {
            columns.push(Rc::new(call.finish(execution, start, end)?));
        }
        for listed in &aggregate.grouping_calls {
            let bits = listed.iter().fold(0, |bits, group| bits << 1 | i32::from(!self.members.contains(group)));
            let mut builder = ColumnBuilder::new(DataType::Integer);
            rows.iter().for_each(|_| builder.push(&Value::Integer(bits)));
            columns.push(Rc::new(builder.finish()));
        }
        Ok(Batch { columns, rows: rows.len() })
    }
}

impl<'a> Operator<'a> for Aggregate<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        if self.sets.is_none() {
            self.sets = Some(self.read(execution)?);
        }
        let sets = self.sets.as_mut().map_or(&mut [][..], |sets| sets.as_mut_slice());
        while let Some(set) = sets.get_mut(self.set) {
            if self.group == set.groups {
                self.set += 1;
                self.group = 0;
                continue;
            }
            let end = (self.group + BATCH_ROWS).min(set.groups);
            let batch = set.rows(execution, self.aggregate, self.group, end)?;
            self.group = end;
            return Ok(Some(batch));
        }
        Ok(None)
    }
}
