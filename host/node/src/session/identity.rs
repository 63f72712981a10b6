//! Who a session is: its login, or the user whom an administrator has it be by SET SESSION AUTHORIZATION.

use isobar_replica::Transaction;

use crate::error::{Error, Result, sqlstate};
use crate::policy::{Authority, DEFAULT_USER, Principal, user_name};
use crate::sandbox::Control;
use crate::session::Session;

/// The setting that holds whom an administrator has the session be.
pub const SESSION_AUTHORIZATION: &str = "session_authorization";

impl Session {
    /// In whose name the next statement runs. Whoever may not be whom the settings name is not admitted.
    pub(super) fn authority(&self) -> Authority {
        let authority = self.node.authority(self.login.clone());
        match (&self.login, self.settings.get(SESSION_AUTHORIZATION)) {
            (Principal::User(login), Some(user)) if **login != *user => {
                authority.acting_as(Principal::User(user.into()))
            }
            _ => authority,
        }
    }

    /// Admits the session before anything is said to it that no statement of its own finds out.
    pub(super) fn admit(&self, transaction: &mut Transaction) -> Result<()> {
        transaction.begin_statement()?;
        let admitted = self.authority().admit(transaction);
        transaction.finish_statement(admitted.is_ok());
        admitted
    }

    /// The user that the session is.
    pub(super) fn user(&self) -> &str {
        match (self.settings.get(SESSION_AUTHORIZATION), &self.login) {
            (Some(user), Principal::User(_)) => user,
            (None, Principal::User(login)) => login,
            (_, Principal::Node | Principal::Procedure(_)) => DEFAULT_USER,
        }
    }

    /// Refuses a change of identity: only an administrator may be somebody else, and nobody a role, since roles are
    /// what policies gather users in.
    pub(super) fn check_change(
        &self,
        control: &Control,
        authority: &Authority,
        transaction: Option<&mut Transaction>,
    ) -> Result<()> {
        let Control::Set { name, value: Some(value), .. } = control else { return Ok(()) };
        match (name.as_str(), transaction) {
            (SESSION_AUTHORIZATION, Some(transaction)) => {
                user_name(value)?;
                authority.check_impersonation(transaction, value)
            }
            ("role", _) if value != "none" && value != self.user() => {
                let message = "SET ROLE is not supported";
                Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message)
                    .hint("An administrator becomes another user by SET SESSION AUTHORIZATION."))
            }
            _ => Ok(()),
        }
    }
}
