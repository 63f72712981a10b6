//! FOR UPDATE and its like: which tables' rows are guarded (PostgreSQL 15, SELECT, "The Locking Clause").

use super::super::binder::Binder;
use super::super::logical::{JoinKind, LockedTable, Plan};
use super::super::name::{fold, position, simple};
use crate::catalog::RelationKind;
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::types::DataType;
use sqlparser::ast::{LockClause, LockType};

pub fn lock_name(lock: &LockClause) -> &'static str {
    match lock.lock_type {
        LockType::Update => "FOR UPDATE",
        LockType::Share => "FOR SHARE",
    }
}

impl Binder<'_> {
    /// Makes the scans of locked tables produce their rows' identities. `refusals` are parts of the query, where it
    /// has them, that hide which rows its result comes from.
    pub fn locked(
        &mut self,
        plan: &mut Plan,
        locks: &[LockClause],
        refusals: [(bool, &str); 6],
    ) -> Result<Vec<LockedTable>> {
        let mut locked = vec![];
        for lock in locks {
            let name = lock_name(lock);
            if let Some((_, what)) = refusals.iter().find(|(present, _)| *present) {
                let message = format!("{name} is not allowed with {what}");
                return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message));
            }
            // Writers never wait for each other here, so that NOWAIT and SKIP LOCKED have nothing to change.
            let LockClause { lock_type: _, of, nonblock: _ } = lock;
            let target = of.as_ref().map(simple).transpose()?;
            let alias = target.map(fold);
            let mut found = false;
            self.lock_scans(plan, alias.as_deref(), false, name, &mut found, &mut locked)?;
            if let (Some(alias), Some(target), false) = (&alias, target, found) {
                let message = format!("relation \"{alias}\" in {name} clause not found in FROM clause");
                return Err(Error::new(sqlstate::UNDEFINED_TABLE, message).at(position(target)));
            }
        }
        Ok(locked)
    }

    fn lock_scans(
        &mut self,
        plan: &mut Plan,
        alias: Option<&str>,
        nullable: bool,
        name: &str,
        found: &mut bool,
        locked: &mut Vec<LockedTable>,
    ) -> Result<()> {
        match plan {
            Plan::Filter { input, .. } => self.lock_scans(input, alias, nullable, name, found, locked),
            Plan::Join(join) => {
                let (left, right) = match join.kind {
                    JoinKind::Left => (nullable, true),
                    JoinKind::Right => (true, nullable),
                    JoinKind::Full => (true, true),
                    JoinKind::Inner | JoinKind::Semi | JoinKind::Anti => (nullable, nullable),
                };
                self.lock_scans(&mut join.left, alias, left, name, found, locked)?;
                self.lock_scans(&mut join.right, alias, right, name, found, locked)
            }
            Plan::Scan(scan) => {
                if alias.is_some_and(|alias| alias != scan.alias) {
                    return Ok(());
                }
                *found = true;
                if scan.relation.kind != RelationKind::Table {
                    return Ok(());
                }
                if nullable {
                    let message = format!("{name} cannot be applied to the nullable side of an outer join");
                    return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message));
                }
                self.access(Action::Update, &scan.relation);
                if scan.row_identity.is_none() {
                    let column = self.column(&scan.alias, "row identity", DataType::Bytea, -1);
                    scan.row_identity = Some(column.id);
                    locked.push(LockedTable { relation: scan.relation.clone(), row_identity: column.id });
                }
                Ok(())
            }
            Plan::CommonTableScan { name: table, .. } if alias == Some(table.as_str()) => {
                let message = format!("{name} cannot be applied to a WITH query");
                Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message))
            }
            Plan::Unit | Plan::CommonTableScan { .. } | Plan::FunctionScan { .. } | Plan::Values { .. } => Ok(()),
            // A subquery's or view's rows would have to be locked inside of it.
            _ if alias.is_none() => Err(Error::not_supported(format!("{name} of a subquery's or a view's rows"))),
            _ => Ok(()),
        }
    }
}
