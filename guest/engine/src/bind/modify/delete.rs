//! DELETE (PostgreSQL 15, DELETE).

use super::super::binder::Binder;
use super::super::logical::{Modify, ModifyAction, Plan};
use super::super::scope::{FromNames, Scope};
use crate::error::{Error, Result};
use crate::host::Action;
use sqlparser::ast::{Delete, FromTable};

impl Binder<'_> {
    pub fn delete(&mut self, delete: &Delete, outer: Option<&Scope>) -> Result<Plan> {
        let Delete {
            delete_token: _,
            optimizer_hints: _,
            tables,
            from: FromTable::WithFromKeyword(from),
            using,
            selection,
            returning,
            output: None,
            order_by,
            limit: None,
        } = delete
        else {
            return Err(Error::not_supported("this form of DELETE"));
        };
        let [table] = &from[..] else { return Err(Error::not_supported("DELETE from several tables")) };
        if !tables.is_empty() || !order_by.is_empty() {
            return Err(Error::not_supported("this form of DELETE"));
        }
        let target = self.target_item(table, "delete from")?;
        let using = using.as_deref().unwrap_or_default();
        let affected = self.affected(&target, using, selection.as_ref(), outer)?;
        let new_row = self.row_ids(&target);
        let names = FromNames::single(target.table(&new_row)).join(affected.others)?;
        self.writes(Action::Delete, &target, &affected.old_row, returning.is_some());
        let returning = self.returning(returning.as_deref(), names, outer)?;
        Ok(Plan::Modify(Box::new(Modify {
            relation: target.relation,
            action: ModifyAction::Delete { row_identity: affected.row_identity, old_row: affected.old_row },
            input: affected.input,
            checks: vec![],
            new_row,
            returning,
        })))
    }
}
