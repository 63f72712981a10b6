//! openraft's types, filled in.

use crate::transport::Member;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

openraft::declare_raft_types!(
    /// Standard Raft terms, node identifiers of our own giving, entries that carry a batch of commits.
    pub Types:
        D = Batch,
        R = (),
        Node = Member,
        LeaderId = openraft::impls::leader_id_std::LeaderId<Self::Term, Self::NodeId>,
);

pub type Entry = openraft::alias::EntryOf<Types>;
pub type LogId = openraft::alias::LogIdOf<Types>;
pub type Vote = openraft::alias::VoteOf<Types>;
pub type AppendRequest = openraft::raft::AppendEntriesRequest<Types>;
pub type VoteQuestion = openraft::raft::VoteRequest<Types>;
pub type VoteAnswer = openraft::raft::VoteResponse<Types>;
pub type TransferRequest = openraft::raft::TransferLeaderRequest<Types>;
pub type TransferResponse = openraft::raft::TransferLeaderResponse<Types>;
pub type SnapshotMeta = openraft::alias::SnapshotMetaOf<Types>;
pub type StoredMembership = openraft::alias::StoredMembershipOf<Types>;

/// The commits of an entry, as `BatchReader` reads them.
#[derive(Clone, PartialEq, Eq)]
pub struct Batch(pub Arc<Vec<u8>>);

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} bytes)", self.0.len())
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Batch, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Batch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Batch, E> {
                Ok(Batch(Arc::new(bytes.to_vec())))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Batch, E> {
                Ok(Batch(Arc::new(bytes)))
            }
        }

        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// A whole store on its way, under a name of its own: the same name, the same chunks.
pub struct SnapshotData {
    pub id: ulid::Ulid,
    pub chunks: crate::store::Chunks,
}
