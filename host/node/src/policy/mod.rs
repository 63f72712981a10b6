//! May they? Cedar policies say what users and procedures may do to what. The engine names what a statement does
//! (`wit/authorization.wit`), the policies in force decide, and decisions are kept as long as the policies are.

mod access;
mod authority;
mod complaint;
mod data_test;
mod decide;
mod directory;
mod in_force;
mod source;
#[cfg(test)]
mod tests;
mod thread;
mod user;

pub use access::{Access, Action, Principal, Resource};
pub use authority::Authority;
pub use complaint::Complaint;
pub use data_test::{DataTest, Outcome};
pub use decide::{Decision, Policies};
pub use directory::Directory;
pub use in_force::{InForce, KEY, Record, State};
pub use source::Source;
pub use user::{DEFAULT_USER, user_name};

/// The only database's name.
pub const DATABASE: &str = "isobar";
