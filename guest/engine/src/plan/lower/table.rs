//! Common table expressions.

use super::{Lowered, Lowering, ids};
use crate::bind::Plan;
use crate::bind::logical::{self, CommonTableId, PlanColumn};
use crate::error::{Error, Result};
use crate::plan::access::{Ordering, Wanted};
use crate::plan::physical::{CommonTable, CommonTableKind, Operation};
use crate::plan::walk;

/// A common table that is in scope.
#[derive(Clone, Copy)]
pub struct Entry {
    number: usize,
    rows: f64,
    /// Its recursive part is being lowered: scans read the last step.
    step: bool,
    /// Made anew for each row of an enclosing query, at this depth of scopes.
    changing_below: Option<usize>,
}

impl Lowering {
    pub(super) fn with(&mut self, tables: &[logical::CommonTable], body: &Plan, wanted: &Wanted) -> Result<Lowered> {
        let mut lowered = vec![];
        for table in tables {
            let number = self.table_count;
            self.table_count += 1;
            let correlated = match &table.kind {
                logical::CommonTableKind::Plain(plan) => walk::is_correlated(plan),
                logical::CommonTableKind::Recursive { anchor, recursive, .. } => {
                    walk::is_correlated(anchor) || walk::is_correlated(recursive)
                }
            };
            let changing_below = correlated.then_some(self.scopes.len());
            let mut entry = Entry { number, rows: 1000.0, step: false, changing_below };
            let kind = match &table.kind {
                logical::CommonTableKind::Plain(plan) => {
                    let node = self.lower_in_order(plan, &plan.columns(), &Wanted::default())?.node;
                    entry.rows = node.rows;
                    match plan {
                        Plan::Modify(_) => CommonTableKind::Modify(node),
                        _ => CommonTableKind::Plain(node),
                    }
                }
                logical::CommonTableKind::Recursive { anchor, recursive, all } => {
                    let anchor = self.lower_in_order(anchor, &anchor.columns(), &Wanted::default())?.node;
                    entry.rows = anchor.rows * 10.0;
                    self.tables.insert(table.id, Entry { step: true, rows: anchor.rows, ..entry });
                    let recursive = self.lower_in_order(recursive, &recursive.columns(), &Wanted::default())?.node;
                    CommonTableKind::Recursive { anchor: Box::new(anchor), recursive: Box::new(recursive), all: *all }
                }
            };
            self.tables.insert(table.id, entry);
            lowered.push(CommonTable { table: number, name: table.name.clone(), kind });
        }
        let Lowered { node: body, ordering } = self.lower(body, wanted)?;
        let (columns, rows, cost) = (body.columns.clone(), body.rows, body.cost);
        let operation = Operation::With { tables: lowered, body: Box::new(body) };
        Ok(Lowered { node: self.node(operation, columns, rows, cost), ordering })
    }

    pub(super) fn common_table_scan(
        &mut self,
        table: CommonTableId,
        columns: &[PlanColumn],
        name: &str,
    ) -> Result<Lowered> {
        let entry = self.tables.get(&table).copied();
        let entry = entry.ok_or_else(|| Error::internal(format!("nothing makes the common table {name}")))?;
        // A query that is run again finds other rows in a table that is made anew: in the last step of a recursion,
        // or for another row of a query around the table.
        let depth = if entry.step { Some(self.scopes.len()) } else { entry.changing_below };
        if let Some(depth) = depth {
            let first = if entry.step { 0 } else { depth };
            self.scopes.iter_mut().skip(first).for_each(|scope| scope.changing = true);
        }
        let operation = Operation::CommonTableScan { table: entry.number, step: entry.step, name: name.into() };
        let node = self.node(operation, ids(columns), entry.rows, entry.rows);
        Ok(Lowered { node, ordering: Ordering::default() })
    }
}
