//! ALTER TABLE.

mod column;
mod constraint;
mod data_type;
mod rename;

use super::Draft;
use crate::bind::name::{fold, qualified};
use crate::catalog::RelationKind;
use crate::define::{DefineContext, complete, drop};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::statement::Outcome;
use sqlparser::ast::{AlterColumnOperation, AlterTable, AlterTableOperation, RenameTableNameKind};
use std::rc::Rc;

pub fn execute(context: &DefineContext, alter: &AlterTable) -> Result<Outcome> {
    let name = qualified(&alter.name)?;
    let relation = match context.find(&name) {
        Some(relation) => relation,
        None if alter.if_exists => {
            drop::missing(context, &name, "relation", true, sqlstate::UNDEFINED_TABLE)?;
            return Ok(complete("ALTER TABLE"));
        }
        None => {
            let message = format!("relation \"{}\" does not exist", name.shown());
            return Err(Error::new(sqlstate::UNDEFINED_TABLE, message));
        }
    };
    let is_for_views =
        matches!(alter.operations[..], [AlterTableOperation::RenameTable { .. } | AlterTableOperation::OwnerTo { .. }]);
    match relation.kind {
        RelationKind::Table => {}
        RelationKind::View { .. } if is_for_views => {}
        RelationKind::View { .. } => {
            let message = format!("ALTER action cannot be performed on relation \"{}\"", relation.name);
            return Err(
                Error::new(sqlstate::WRONG_OBJECT_TYPE, message).detail("This operation is not supported for views.")
            );
        }
        RelationKind::System => return Err(crate::define::context::system_relation(&relation)),
    }
    context.may(Action::Ddl, &relation)?;
    // Whatever changes is seen by the steps that follow: each writes what it has done.
    let mut current = relation;
    let mut follow_up = vec![];
    for operation in &alter.operations {
        let mut draft = Draft::of(context, &current)?;
        step(&mut draft, operation, &mut follow_up)?;
        current = Rc::new(draft.finish()?);
    }
    Ok(Outcome::Complete { tag: "ALTER TABLE".into(), follow_up })
}

fn step(draft: &mut Draft, operation: &AlterTableOperation, follow_up: &mut Vec<String>) -> Result<()> {
    use AlterTableOperation as Operation;
    let cascades = |behavior: &Option<sqlparser::ast::DropBehavior>| {
        matches!(behavior, Some(sqlparser::ast::DropBehavior::Cascade))
    };
    match operation {
        Operation::AddColumn { if_not_exists, column_def, .. } => column::add(draft, column_def, *if_not_exists),
        Operation::DropColumn { column_names, if_exists, drop_behavior, .. } => {
            for name in column_names {
                column::drop(draft, &fold(name), *if_exists, cascades(drop_behavior), follow_up)?;
            }
            Ok(())
        }
        Operation::RenameColumn { old_column_name, new_column_name } => {
            rename::column(draft, &fold(old_column_name), fold(new_column_name))
        }
        Operation::RenameTable { table_name: RenameTableNameKind::To(name) | RenameTableNameKind::As(name) } => {
            rename::table(draft, name)
        }
        Operation::RenameConstraint { old_name, new_name } => {
            rename::constraint(draft, &fold(old_name), fold(new_name))
        }
        Operation::AddConstraint { constraint, not_valid: false } => constraint::add(draft, constraint),
        Operation::DropConstraint { name, if_exists, .. } => {
            constraint::drop(draft, &fold(name), *if_exists, follow_up)
        }
        Operation::AlterColumn { column_name, op } => {
            let name = fold(column_name);
            match op {
                AlterColumnOperation::SetDefault { value } => column::set_default(draft, &name, Some(value)),
                AlterColumnOperation::DropDefault => column::set_default(draft, &name, None),
                AlterColumnOperation::SetNotNull => column::set_not_null(draft, &name),
                AlterColumnOperation::DropNotNull => column::drop_not_null(draft, &name),
                AlterColumnOperation::SetDataType { data_type, using, .. } => {
                    data_type::set(draft, &name, data_type, using.as_ref())
                }
                AlterColumnOperation::AddGenerated { .. } => Err(Error::not_supported("an identity column")),
            }
        }
        Operation::OwnerTo { new_owner } => {
            draft.relation.owner = draft.context.another_owner(new_owner, &draft.relation.owner)?;
            Ok(())
        }
        // It changes nothing that is stored.
        Operation::ReplicaIdentity { .. } => Ok(()),
        Operation::ValidateConstraint { name } => constraint::validate(draft, &fold(name)),
        other => Err(Error::not_supported(format!("ALTER TABLE {}", crate::define::first_words(&other.to_string())))),
    }
}
