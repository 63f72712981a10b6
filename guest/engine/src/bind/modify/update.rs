//! UPDATE (PostgreSQL 15, UPDATE).

use super::super::binder::Binder;
use super::super::expression::{ColumnId, Expression};
use super::super::logical::{Modify, ModifyAction, Plan, PlanColumn};
use super::super::scope::{FromNames, Scope};
use super::super::select::FromItem;
use super::super::site::{Clause, Site};
use super::Target;
use crate::error::{Error, Result};
use crate::host::Action;
use crate::types::DataType;
use sqlparser::ast::{Expr, TableWithJoins, Update, UpdateTableFromKind};

/// The rows that UPDATE or DELETE is about.
pub struct Affected {
    pub input: Plan,
    pub row_identity: ColumnId,
    /// By position in the relation's columns.
    pub old_row: Vec<ColumnId>,
    /// What FROM or USING brings beside the target.
    pub others: FromNames,
    /// All names: the target's first.
    pub names: FromNames,
}

impl Binder<'_> {
    pub fn update(&mut self, update: &Update, outer: Option<&Scope>) -> Result<Plan> {
        let Update {
            update_token: _,
            optimizer_hints: _,
            table,
            assignments,
            from,
            selection,
            returning,
            output: None,
            or: None,
            order_by,
            limit: None,
        } = update
        else {
            return Err(Error::not_supported("this form of UPDATE"));
        };
        if !order_by.is_empty() {
            return Err(Error::not_supported("UPDATE … ORDER BY"));
        }
        let from = match from {
            None => &[][..],
            Some(UpdateTableFromKind::AfterSet(from)) => from,
            Some(UpdateTableFromKind::BeforeSet(_)) => return Err(Error::not_supported("FROM before SET")),
        };
        let target = self.target_item(table, "update")?;
        let affected = self.affected(&target, from, selection.as_ref(), outer)?;
        let scope = Scope::inside(outer, affected.names);
        let assignments = self.assignments(&mut Site::new(&scope, Clause::Update), &target, assignments)?;
        let new_row = self.row_ids(&target);
        let checks = self.checks(&target.relation, &new_row)?;
        let names = FromNames::single(target.table(&new_row)).join(affected.others)?;
        self.writes(Action::Update, &target, &affected.old_row, returning.is_some());
        let returning = self.returning(returning.as_deref(), names, outer)?;
        Ok(Plan::Modify(Box::new(Modify {
            relation: target.relation,
            action: ModifyAction::Update {
                row_identity: affected.row_identity,
                old_row: affected.old_row,
                assignments,
            },
            input: affected.input,
            checks,
            new_row,
            returning,
        })))
    }

    /// The target's rows beside those of `others` that the condition keeps.
    pub fn affected(
        &mut self,
        target: &Target,
        others: &[TableWithJoins],
        selection: Option<&Expr>,
        outer: Option<&Scope>,
    ) -> Result<Affected> {
        let mut scan = self.scan(&target.relation, &target.alias);
        let row_identity = self.column(&target.alias, "row identity", DataType::Bytea, -1).id;
        scan.row_identity = Some(row_identity);
        let mut old_row = self.row_ids(target);
        for (column, place) in &scan.columns {
            old_row[*place] = column.id;
        }
        let own = FromNames::single(target.table(&old_row));
        let first = FromItem { plan: Plan::Scan(scan), names: own };
        let FromItem { plan: mut input, names } = self.items_beside(first, others, outer)?;
        let scope = Scope::inside(outer, names);
        if let Some(selection) = selection {
            let predicate = self.boolean(&mut Site::new(&scope, Clause::Where), selection, "WHERE")?;
            input = Plan::Filter { input: Box::new(input), predicate };
        }
        let dropped = target.relation.columns.iter().enumerate().filter(|(_, column)| column.dropped);
        let dropped: Vec<_> = dropped.map(|(place, column)| (old_row[place], column.data_type)).collect();
        if !dropped.is_empty() {
            // Writers see every column; those that were dropped are NULL.
            let mut outputs: Vec<_> = input
                .columns()
                .into_iter()
                .map(|column| (column.clone(), Expression::Column { id: column.id, data_type: column.data_type }))
                .collect();
            outputs.extend(
                dropped
                    .into_iter()
                    .map(|(id, data_type)| (PlanColumn::unnamed(id, "", data_type), Self::null(data_type))),
            );
            input = Plan::Project { input: Box::new(input), outputs };
        }
        let names = scope.from;
        let own_columns = target.relation.live_columns().count();
        let others = FromNames {
            tables: names.tables.iter().skip(1).cloned().collect(),
            columns: names.columns.iter().skip(own_columns).cloned().collect(),
        };
        Ok(Affected { input, row_identity, old_row, others, names })
    }
}
