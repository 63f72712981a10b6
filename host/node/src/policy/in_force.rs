//! The policies in force: one record of the catalog, so that a change of them changes the catalog's version and with it
//! whatever was decided.

use std::collections::HashMap;
use std::sync::Arc;

use isobar_replica::Transaction;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, sqlstate};
use crate::policy::access::{Access, Action, Principal};
use crate::policy::complaint::Complaint;
use crate::policy::decide::{Decision, Policies};
use crate::policy::source::Source;
use crate::policy::thread;

/// The record's key: the catalog's space, a kind that the engine leaves alone.
pub const KEY: [u8; 9] = [0, 0, 0, 0, 255, 0, 0, 0, 0];

/// Version of what the record looks like.
const VERSION: u32 = 1;

/// Catalog versions whose policies are known without a look at the record.
const VERSIONS_MAX: usize = 256;
/// Sets of policies that are kept parsed: those of older snapshots beside the newest.
const SETS_MAX: usize = 4;

/// What is stored under the key, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    pub source: Source,
    pub applied_by: String,
    /// Microseconds since the Unix epoch.
    pub applied_at: i64,
}

/// The policies that one catalog holds.
pub enum State {
    /// Nobody has applied any: the node's own.
    Defaults(Policies),
    Applied(Policies, Record),
    /// The record cannot be read, or not by this version. Nobody may do anything; but whom the node's own policies
    /// let connect and administer may, so that he can apply sound ones.
    Damaged {
        reason: String,
        defaults: Policies,
    },
}

/// Finds the policies in force, and keeps them.
pub struct InForce {
    known: Mutex<Known>,
    defaults: Arc<State>,
}

#[derive(Default)]
struct Known {
    by_version: HashMap<u64, Arc<State>>,
    /// The newest last.
    by_record: Vec<(Vec<u8>, Arc<State>)>,
}

impl Record {
    pub fn new(source: Source, applied_by: String, applied_at: i64) -> Record {
        Record { version: VERSION, source, applied_by, applied_at }
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::internal(format!("policies cannot be stored: {error}")))
    }
}

impl State {
    fn read(bytes: &[u8]) -> State {
        let parsed: Result<Record, String> =
            serde_json::from_slice(bytes).map_err(|error| format!("the record is damaged: {error}"));
        let sound = parsed.and_then(|record| {
            if record.version != VERSION {
                return Err(format!("they were stored by another version of Isobar (format {})", record.version));
            }
            let policies = Policies::parse(record.source.clone()).map_err(|complaints| all(&complaints))?;
            Ok((policies, record))
        });
        match sound {
            Ok((policies, record)) => State::Applied(policies, record),
            Err(reason) => {
                tracing::error!(reason, "the policies in force cannot be read: all is denied");
                match Policies::parse(Source::defaults()) {
                    Ok(defaults) => State::Damaged { reason, defaults },
                    Err(_) => unreachable!("the node has started with them"),
                }
            }
        }
    }

    /// What is decided; an error when it cannot be said.
    pub fn decide(&self, principal: &Principal, access: &Access) -> Result<Decision> {
        match self {
            State::Defaults(policies) | State::Applied(policies, _) => Ok(policies.decide(principal, access)),
            State::Damaged { defaults, .. } if matches!(access.action, Action::Connect | Action::Admin) => {
                Ok(defaults.decide(principal, access))
            }
            State::Damaged { .. } if *principal == Principal::Node => {
                Ok(Decision { allowed: true, policies: Arc::new([]) })
            }
            State::Damaged { reason, .. } => Err(Error::new(
                sqlstate::DATA_CORRUPTED,
                "the policies in force cannot be read, so that nothing is allowed",
            )
            .detail(reason.clone())
            .hint("An administrator of the default policies (isobar, admin) repairs them: isobar policy apply DIR")),
        }
    }

    /// The set that decides, as far as there is one.
    pub fn policies(&self) -> &Policies {
        match self {
            State::Defaults(policies) | State::Applied(policies, _) => policies,
            State::Damaged { defaults, .. } => defaults,
        }
    }
}

impl InForce {
    /// Knows the node's own policies; the others are read when they are first asked for.
    pub fn new() -> Result<InForce> {
        let defaults = Policies::parse(Source::defaults())
            .map_err(|complaints| Error::internal("the default policies are not sound").detail(all(&complaints)))?;
        Ok(InForce { known: Mutex::default(), defaults: Arc::new(State::Defaults(defaults)) })
    }

    /// The policies that a transaction sees. It must be within a statement.
    pub fn seen_by(&self, transaction: &mut Transaction) -> Result<Arc<State>> {
        let version = transaction.catalog_version();
        if let Some(state) = self.known.lock().by_version.get(&version) {
            return Ok(state.clone());
        }
        let state = match transaction.get(&KEY)? {
            None => self.defaults.clone(),
            Some(bytes) => self.of_record(bytes)?,
        };
        let mut known = self.known.lock();
        if known.by_version.len() >= VERSIONS_MAX {
            known.by_version.clear();
        }
        known.by_version.insert(version, state.clone());
        Ok(state)
    }

    fn of_record(&self, bytes: Vec<u8>) -> Result<Arc<State>> {
        if let Some((_, state)) = self.known.lock().by_record.iter().find(|(record, _)| *record == bytes) {
            return Ok(state.clone());
        }
        // Not under the lock: two that meet here both parse, which takes a while and does no harm.
        let state = thread::on_its_own(|| State::read(&bytes))
            .map_err(|reason| Error::internal("the policies in force cannot be read now").detail(reason))?;
        let state = Arc::new(state);
        let mut known = self.known.lock();
        if known.by_record.len() >= SETS_MAX {
            known.by_record.remove(0);
        }
        known.by_record.push((bytes, state.clone()));
        Ok(state)
    }
}

/// Complaints beneath each other.
pub fn all(complaints: &[Complaint]) -> String {
    complaints.iter().map(Complaint::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(state: &State, user: &str, action: Action) -> Result<bool> {
        let decision = state.decide(&Principal::User(user.into()), &Access::to_database(action));
        decision.map(|decision| decision.allowed)
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let record = Record::new(Source::defaults(), "ann".into(), 7);
        let State::Applied(policies, read) = State::read(&record.to_bytes().expect("bytes")) else {
            panic!("not sound")
        };
        assert_eq!((policies.source(), read.applied_by.as_str(), read.applied_at), (&record.source, "ann", 7));
    }

    #[test]
    fn damaged_policies_deny_all_but_their_repair() {
        let newer = Record { version: 9, ..Record::new(Source::defaults(), "ann".into(), 7) };
        let broken = Source { files: [("a.cedar".into(), "permit".into())].into(), entities: "[]".into() };
        let unsound = Record::new(broken, "ann".into(), 7);
        for bytes in [b"{".to_vec(), newer.to_bytes().expect("bytes"), unsound.to_bytes().expect("bytes")] {
            let state = State::read(&bytes);
            assert_eq!(decide(&state, "isobar", Action::Admin), Ok(true));
            assert_eq!(decide(&state, "isobar", Action::Connect), Ok(true));
            assert_eq!(decide(&state, "eve", Action::Admin), Ok(false));
            let error = decide(&state, "isobar", Action::Ddl).expect_err("denied");
            assert_eq!(error.sqlstate(), "XX001");
        }
    }
}
