//! `wit/authorization.wit`: what the policies in force say about what a statement does.

use crate::policy::{Access, Action, Principal, Resource};
use crate::sandbox::bindings::isobar::engine::authorization::{self as wit, Host};
use crate::sandbox::bindings::isobar::engine::types;
use crate::sandbox::instance::{Call, Role, State};

/// Where procedures are.
const PROCEDURE_SCHEMA: &str = "public";

impl Host for State {
    fn check(&mut self, accesses: Vec<wit::Access>) -> Result<(), types::Error> {
        let Call { transaction, authority, role, .. } = self.call()?;
        let Some(transaction) = transaction else { return Err(crate::error::Error::aborted_block().into()) };
        let accesses: Vec<_> = accesses.into_iter().map(access).collect();
        match role {
            Role::Caller => authority.check(transaction, &accesses)?,
            Role::Procedure(name) => {
                let itself = Principal::Procedure(format!("{PROCEDURE_SCHEMA}.{name}").into());
                authority.acting_as(itself).check(transaction, &accesses)?;
            }
        }
        Ok(())
    }
}

/// With the user whose right counts, where that is not whom the statement runs for.
fn access(access: wit::Access) -> (Access, Option<Principal>) {
    let wit::Access { action, kind, schema, name, owner, user } = access;
    let action = match action {
        wit::Action::Select => Action::Select,
        wit::Action::Insert => Action::Insert,
        wit::Action::Update => Action::Update,
        wit::Action::Delete => Action::Delete,
        wit::Action::Execute => Action::Execute,
        wit::Action::Deploy => Action::Deploy,
        wit::Action::Ddl => Action::Ddl,
        wit::Action::Admin => Action::Admin,
    };
    let resource = match kind {
        wit::Kind::Database => Resource::Database,
        wit::Kind::Schema => Resource::Schema { name: schema },
        wit::Kind::Table => Resource::Table { schema, name },
        wit::Kind::Procedure => Resource::Procedure { schema, name },
    };
    let owner = Some(owner).filter(|owner| !owner.is_empty());
    let user = (!user.is_empty()).then(|| Principal::User(user.into()));
    (Access { action, resource, owner }, user)
}
