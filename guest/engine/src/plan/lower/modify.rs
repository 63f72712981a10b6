//! INSERT, UPDATE and DELETE.

use super::{Columns, Lowered, Lowering, ids};
use crate::bind::expression::ColumnId;
use crate::bind::logical::{self, Modify};
use crate::error::{Error, Result};
use crate::execute::expression::Compiled;
use crate::modify::{Action, ConflictUpdate, Modification, OnConflict};
use crate::plan::access::{Ordering, Wanted};
use crate::plan::physical::{self, Node, Operation};

impl Lowering {
    pub(super) fn modify(&mut self, modify: &Modify) -> Result<Lowered> {
        self.writes = true;
        let input = self.lower(&modify.input, &Wanted::default())?.node;
        let row: Columns = self.row(modify, &modify.new_row);
        let mut checks = vec![];
        for (name, check) in &modify.checks {
            checks.push((name.clone(), self.compile(check, &row)?));
        }
        // RETURNING sees the row as written, then the input's columns.
        let both: Columns = row.iter().chain(&input.columns).copied().collect();
        let returning = match &modify.returning {
            Some(returning) => Some(self.compile_all(returning.iter().map(|(_, output)| output), &both)?),
            None => None,
        };
        let action = self.action(modify, &input)?;
        let (rows, cost) = (input.rows, input.cost + input.rows * 10.0);
        let columns = modify
            .returning
            .as_ref()
            .map_or(vec![], |returning| ids(&returning.iter().map(|(column, _)| column.clone()).collect::<Vec<_>>()));
        let modification = Modification { relation: modify.relation.clone(), action, checks, returning };
        let operation = Operation::Modify(Box::new(physical::Modify { modification, input }));
        Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering: Ordering::default() })
    }

    fn row(&self, modify: &Modify, columns: &[ColumnId]) -> Columns {
        let types = modify.relation.columns.iter().map(|column| column.data_type);
        columns.iter().copied().zip(types).collect()
    }

    fn action(&mut self, modify: &Modify, input: &Node) -> Result<Action<Compiled>> {
        let place = |id: &ColumnId| {
            let position = input.columns.iter().position(|(column, _)| column == id);
            position.ok_or_else(|| Error::internal("a row to be changed without one of its columns"))
        };
        // Scans do not read dropped columns.
        let stored = |(id, column): (&ColumnId, &crate::catalog::TableColumn)| {
            if column.dropped { Ok(None) } else { place(id).map(Some) }
        };
        Ok(match &modify.action {
            logical::ModifyAction::Insert { values, conflict } => Action::Insert {
                values: self.compile_all(values, &input.columns)?,
                conflict: conflict.as_ref().map(|conflict| self.conflict(modify, conflict)).transpose()?,
            },
            logical::ModifyAction::Update { row_identity, old_row, assignments } => Action::Update {
                row_identity: place(row_identity)?,
                old_row: old_row.iter().zip(&modify.relation.columns).map(stored).collect::<Result<_>>()?,
                assignments: self.assignments(assignments, &input.columns)?,
            },
            logical::ModifyAction::Delete { row_identity, old_row } => Action::Delete {
                row_identity: place(row_identity)?,
                old_row: old_row.iter().zip(&modify.relation.columns).map(stored).collect::<Result<_>>()?,
            },
        })
    }

    fn assignments(
        &mut self,
        assignments: &[(usize, crate::bind::Expression)],
        columns: &[(ColumnId, crate::types::DataType)],
    ) -> Result<Vec<(usize, Compiled)>> {
        let mut compiled = vec![];
        for (position, value) in assignments {
            compiled.push((*position, self.compile(value, columns)?));
        }
        Ok(compiled)
    }

    fn conflict(&mut self, modify: &Modify, conflict: &logical::OnConflict) -> Result<OnConflict<Compiled>> {
        let update = match &conflict.update {
            None => None,
            Some(update) => {
                let mut columns = self.row(modify, &update.existing);
                columns.extend(self.row(modify, &update.excluded));
                Some(ConflictUpdate {
                    assignments: self.assignments(&update.assignments, &columns)?,
                    filter: self.optional(update.filter.as_ref(), &columns)?,
                })
            }
        };
        Ok(OnConflict { arbiters: conflict.arbiters.clone(), update })
    }
}
