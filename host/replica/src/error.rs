//! What may go wrong, in PostgreSQL's words (PostgreSQL 15, appendix A), and who has to act on it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who can make the failed request succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The client: run the same transaction again.
    Retry,
    /// Whoever wrote the statement.
    Application,
    /// Whoever runs the node: disk, limits, another process.
    Operator,
}

/// A refused request. `Clone`, because the outcome of a commit is told to everybody who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Five characters, PostgreSQL's appendix A.
    pub sqlstate: &'static str,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub actor: Actor,
}

impl Error {
    fn new(sqlstate: &'static str, actor: Actor, message: impl Into<String>) -> Error {
        Error { sqlstate, message: message.into(), detail: None, hint: None, actor }
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Error {
        self.detail = Some(detail.into());
        self
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Says in which file.
    pub(crate) fn in_file(mut self, what: &str) -> Error {
        self.detail = Some(match self.detail {
            Some(detail) => format!("{what}: {detail}"),
            None => what.to_owned(),
        });
        self
    }

    /// 40001: another transaction has written, since the snapshot, what this one depends on.
    pub fn conflict() -> Error {
        Error::new("40001", Actor::Retry, "mutation conflicts with another transaction, retry as needed (OC000)")
    }

    /// 40001: the catalog has changed since the snapshot.
    pub fn schema_conflict() -> Error {
        Error::new("40001", Actor::Retry, "schema has been updated by another transaction, please retry: (OC001)")
    }

    /// 40001: the snapshot is older than what the certifier remembers.
    pub fn snapshot_too_old() -> Error {
        Error::new("40001", Actor::Retry, "snapshot is too old to be certified, retry as needed (OC000)")
    }

    /// 54000
    pub fn too_old(seconds: u64) -> Error {
        Error::new("54000", Actor::Application, format!("transaction age limit of {seconds}s exceeded"))
    }

    /// 54000; `limit` names its unit, such as `128 MiB`.
    pub fn too_large(limit: impl fmt::Display) -> Error {
        Error::new("54000", Actor::Application, format!("transaction size limit of {limit} exceeded"))
    }

    /// 54000: a key or a row is too long.
    pub fn row_too_large(limit: usize) -> Error {
        Error::new("54000", Actor::Application, format!("row size limit of {limit} bytes exceeded"))
    }

    /// 25006; `what` such as `writes`.
    pub fn read_only(what: &str) -> Error {
        Error::new("25006", Actor::Application, format!("cannot execute {what} in a read-only transaction"))
    }

    /// 3B001
    pub fn no_savepoint(name: &str) -> Error {
        Error::new("3B001", Actor::Application, format!("savepoint \"{name}\" does not exist"))
    }

    /// 53100: reads go on, writes are refused.
    pub fn disk_full() -> Error {
        Error::new("53100", Actor::Operator, "disk is nearly full, writes are refused")
            .with_hint("Free space on the node's disk; reads go on.")
    }

    /// 53300, 53200 and the like: a queue is full.
    pub fn overloaded(what: &str) -> Error {
        Error::new("53000", Actor::Retry, format!("too many {what}")).with_hint("Try again later.")
    }

    /// XX000: the node cannot serve this now.
    pub fn unavailable(why: impl Into<String>) -> Error {
        Error::new("XX000", Actor::Operator, "server unavailable").with_detail(why)
    }

    /// 57P03: no majority of the cluster can be reached from here.
    pub fn no_majority(why: impl Into<String>) -> Error {
        Error::new("57P03", Actor::Retry, "this region cannot reach a majority of its cluster")
            .with_detail(why)
            .with_hint("Try another region, or this one again when the network is back.")
    }

    /// 57P03: a witness keeps the journal alone.
    pub fn no_data() -> Error {
        Error::new("57P03", Actor::Application, "this node is a witness and has no data")
            .with_hint("Connect to another node of the cluster.")
    }

    /// 57P03: the node that asks has been removed.
    pub fn not_a_member(node: u64) -> Error {
        Error::new("57P03", Actor::Operator, format!("node {node} is no member of the cluster"))
            .with_detail("It has been removed, or has not been taken in yet.")
            .with_hint("Connect to another node of the cluster.")
    }

    /// 55000: a change of the cluster's members that cannot be made now, or at all.
    pub fn membership(why: impl Into<String>) -> Error {
        Error::new("55000", Actor::Operator, why)
    }

    /// 55000: a node that was removed asks to be taken in.
    pub fn removed(node: u64) -> Error {
        Error::membership(format!("node {node} has been removed from this cluster"))
            .with_hint("It comes back with a new invitation and an empty data directory.")
    }

    /// 55006: a node asks to be taken in from elsewhere while it answers where it is known.
    pub fn twin(node: u64, address: &str) -> Error {
        Error::new("55006", Actor::Operator, format!("node {node} answers at {address}"))
            .with_hint("Stop one of the two, and give it an invitation and an empty data directory of its own.")
    }

    /// 08007: a commit was under way when the journal failed, so that its fate is open until the node is back.
    pub fn unknown_outcome(why: impl Into<String>) -> Error {
        Error::new("08007", Actor::Retry, "transaction outcome is unknown")
            .with_detail(why)
            .with_hint("Ask for the outcome by the commit's identifier once the node is back.")
    }

    /// 55006: another process has the data directory open.
    pub fn in_use(what: impl fmt::Display) -> Error {
        Error::new("55006", Actor::Operator, format!("{what} is in use by another process"))
    }

    /// 55006: a statement that writes to the catalog is nested in one that has read it.
    pub fn catalog_in_use() -> Error {
        Error::new("55006", Actor::Application, "cannot define tables while the calling statement reads")
            .with_hint("Call the procedure by CALL, or by a SELECT that reads no tables.")
    }

    /// XX001: stored data is not what we have written.
    pub fn corrupted(what: impl Into<String>) -> Error {
        Error::new("XX001", Actor::Operator, "stored data is corrupted").with_detail(what)
    }

    /// XX001: a snapshot from another node is not what that node has, or not a store that this one can use.
    pub fn bad_snapshot(why: impl Into<String>) -> Error {
        Error::new("XX001", Actor::Operator, "a snapshot has arrived that cannot be used").with_detail(why)
    }

    /// 22023: bytes that do not follow `wit/transaction.wit`.
    pub fn malformed(what: &str) -> Error {
        Error::new("22023", Actor::Application, format!("malformed {what}"))
    }
}

/// Every SQLSTATE that a replica answers with.
const SQLSTATES: [&str; 14] = [
    "40001", "54000", "25006", "3B001", "53100", "53000", "XX000", "57P03", "55000", "08007", "55006", "XX001",
    "22023", "0A000",
];

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.sqlstate, &self.message, &self.detail, &self.hint, self.actor).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Error, D::Error> {
        let (sqlstate, message, detail, hint, actor) =
            <(String, String, Option<String>, Option<String>, Actor)>::deserialize(deserializer)?;
        // A peer of another version may know more of them.
        let sqlstate = SQLSTATES.into_iter().find(|known| *known == sqlstate).unwrap_or("XX000");
        Ok(Error { sqlstate, message, detail, hint, actor })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.sqlstate, self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
