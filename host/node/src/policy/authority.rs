//! In whose name a statement runs, and the errors of what he may not.

use std::sync::Arc;

use isobar_replica::Transaction;

use crate::error::{Error, Result, sqlstate};
use crate::policy::access::{Access, Action, Principal};
use crate::policy::in_force::{InForce, State};

/// Whose rights count, and who is told of what.
#[derive(Clone)]
pub struct Authority {
    in_force: Arc<InForce>,
    /// Who opened the session.
    login: Principal,
    /// Whose rights its statements have: the login's, unless an administrator has become somebody else or a procedure
    /// acts as itself.
    principal: Principal,
}

impl Authority {
    pub fn new(in_force: Arc<InForce>, login: Principal) -> Authority {
        Authority { in_force, principal: login.clone(), login }
    }

    /// The same session with the rights of somebody else.
    pub fn acting_as(&self, principal: Principal) -> Authority {
        Authority { principal, ..self.clone() }
    }

    pub fn login(&self) -> &Principal {
        &self.login
    }

    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// 42501 unless the policies that the transaction sees let the login connect, and act for whom it does. The
    /// transaction must be within a statement, as for every check.
    pub fn admit(&self, transaction: &mut Transaction) -> Result<()> {
        if self.login == Principal::Node {
            return Ok(());
        }
        let state = self.in_force.seen_by(transaction)?;
        self.require(&state, &self.login, &Access::to_database(Action::Connect))?;
        match &self.principal {
            Principal::User(user) if self.principal != self.login => self.allow_impersonation(&state, user),
            _ => Ok(()),
        }
    }

    /// 42501 unless the login may become another user.
    pub fn check_impersonation(&self, transaction: &mut Transaction, user: &str) -> Result<()> {
        let state = self.in_force.seen_by(transaction)?;
        self.allow_impersonation(&state, user)
    }

    fn allow_impersonation(&self, state: &State, user: &str) -> Result<()> {
        let is_self = matches!(&self.login, Principal::User(login) if **login == *user);
        if is_self || state.decide(&self.login, &Access::to_database(Action::Admin))?.allowed {
            return Ok(());
        }
        let message = format!("permission denied to set session authorization \"{user}\"");
        Err(Error::new(sqlstate::INSUFFICIENT_PRIVILEGE, message)
            .detail(format!("{} is no administrator.", self.login))
            .hint("Connect as that user: the user is the one of the connection string."))
    }

    /// 42501 when the policies that the transaction sees deny one of these to whom the statement runs for, or to the
    /// user that stands with it.
    pub fn check(&self, transaction: &mut Transaction, accesses: &[(Access, Option<Principal>)]) -> Result<()> {
        if self.principal == Principal::Node {
            return Ok(());
        }
        let state = self.in_force.seen_by(transaction)?;
        for (access, reader) in accesses {
            self.require(&state, reader.as_ref().unwrap_or(&self.principal), access)?;
        }
        Ok(())
    }

    fn require(&self, state: &State, principal: &Principal, access: &Access) -> Result<()> {
        let decision = state.decide(principal, access)?;
        if decision.allowed {
            return Ok(());
        }
        let message = format!("permission denied for {}", access.resource.spoken());
        let mut detail = format!("{access} for {principal}");
        // Which policies there are is for administrators.
        let is_administrator = state.decide(&self.login, &Access::to_database(Action::Admin))?.allowed;
        let decided = decision.policies.join(", ");
        tracing::info!(target: "isobar::policy", %access, %principal, policies = decided, "denied");
        match (is_administrator, decided.is_empty()) {
            (true, true) => detail.push_str(": no policy permits it"),
            (true, false) => detail.push_str(&format!(": forbidden by the policy {decided}")),
            (false, _) => {}
        }
        let hint = "An administrator may permit it by a policy, or change the owner.";
        Err(Error::new(sqlstate::INSUFFICIENT_PRIVILEGE, message).detail(detail).hint(hint))
    }
}
