//! What replicas say to each other: one kind byte, then postcard.

use crate::error::Error;
use crate::journal::{AppendRequest, SnapshotMeta, TransferRequest, TransferResponse, Vote, VoteAnswer, VoteQuestion};
use crate::transaction::Proposal;
use crate::transport::Member;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use ulid::Ulid;

/// Version of these messages. A peer with another one is refused, and says so in its status.
pub const PROTOCOL: u8 = 2;

#[derive(Serialize, Deserialize)]
pub enum Request {
    Vote(VoteQuestion),
    PreVote(VoteQuestion),
    Transfer(TransferRequest),
    /// To the leader: decide about a commit.
    Commit {
        id: [u8; 16],
        #[serde(with = "shared")]
        proposal: Arc<Proposal>,
    },
    /// To the leader: what became of a commit.
    Outcome {
        id: [u8; 16],
    },
    /// To the leader: how far must a read see that begins now.
    ReadIndex,
    /// To anybody: may this node take part. Answered by the leader's address where another one leads.
    Join(Candidate),
    /// To the leader.
    Remove {
        id: u64,
    },
    TransferTo {
        id: u64,
    },
    Status,
    /// To the leader: the disk of the node that says so is below its reserve.
    ShortOfRoom,
}

/// A process that asks to be taken in.
#[derive(Serialize, Deserialize)]
pub struct Candidate {
    pub member: Member,
    pub voter: bool,
    /// Nothing of a journal is there yet.
    pub is_new: bool,
    /// See [`super::Cluster`].
    pub process: u64,
}

#[derive(Serialize, Deserialize)]
pub enum Response {
    Vote(VoteAnswer),
    Transfer(TransferResponse),
    Committed {
        timestamp: u64,
        entry: u64,
    },
    Outcome(Option<crate::replica::Outcome>),
    /// What may be seen now, and what a read has to see that began before.
    ReadIndex {
        visible: u64,
        entry: u64,
    },
    Joined(Joined),
    Done,
    Status(crate::cluster::NodeReport),
    /// Another node leads, or none that is known of.
    NotLeader {
        leader: Option<(u64, Member)>,
    },
    /// What the request is refused with.
    Refused(Error),
}

/// How far the admission of a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joined {
    /// It receives the journal, and is still behind.
    Learner {
        lag_entries: u64,
    },
    Voter,
}

/// First frame of a stream.
#[derive(Serialize, Deserialize)]
pub enum Opening {
    /// More `AppendRequest` frames follow, each answered by an `AppendResponse`.
    Append,
    /// More `Ask` frames follow, answered by `Tell` frames.
    Feed,
    /// Answered by `SnapshotProgress`; the chunks from there on follow; then the last answer.
    Snapshot { vote: Vote, meta: SnapshotMeta, id: [u8; 16] },
}

/// A follower asks the leader for a lease.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// The follower's monotonic clock.
    pub at: u64,
    /// What it has applied.
    pub applied: u64,
}

/// The leader tells what may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    pub term: u64,
    /// Entries up to here may be seen.
    pub visible: u64,
    /// The answer to the `Ask` of this moment: it is fresh as of then.
    pub asked: Option<u64>,
    /// With `asked`: reads may be served locally for the lease's time from then on.
    pub leased: bool,
}

#[derive(Serialize, Deserialize)]
pub enum SnapshotAnswer {
    /// Chunks of this snapshot that are here already.
    Have {
        chunks: u64,
    },
    Installed {
        vote: Vote,
    },
    Failed(String),
}

/// A frame of an append stream.
pub type Append = AppendRequest;

pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    // Serializing into memory fails for no type of ours: all lengths are known.
    postcard::to_extend(message, vec![PROTOCOL]).unwrap_or_default()
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    match bytes.split_first() {
        Some((&PROTOCOL, rest)) => {
            postcard::from_bytes(rest).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        }
        Some((version, _)) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a peer speaks protocol {version}, this node {PROTOCOL}"),
        )),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

mod shared {
    use super::*;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(proposal: &Arc<Proposal>, serializer: S) -> Result<S::Ok, S::Error> {
        proposal.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Proposal>, D::Error> {
        Proposal::deserialize(deserializer).map(Arc::new)
    }
}

pub fn ulid(bytes: [u8; 16]) -> Ulid {
    Ulid::from_bytes(bytes)
}
