//! Which nodes have been removed: a row for each, so that none is let in again, empty or not, for as long as its
//! certificate is good.

use super::{Cluster, Response};
use crate::error::Result;
use crate::journal::Decision;
use crate::packed::push_write;
use ulid::Ulid;

/// In the host's own key space, before the node's number; the second to ninth bytes would name an index.
const PREFIX: [u8; 9] = [2, 0, 0, 0, 0, 0, 0, 0, 3];

fn key(node: u64) -> Vec<u8> {
    [&PREFIX[..], &node.to_be_bytes()].concat()
}

impl Cluster {
    /// On the leader: whether a node has been removed.
    pub fn was_removed(&self, node: u64) -> Result<bool> {
        self.commits.has_row(&key(node))
    }

    /// On the leader: notes that a node is being removed, which says nothing as long as it is a member; answers when
    /// another node leads.
    pub async fn note_removed(&self, node: u64) -> Result<Option<Response>> {
        let mut writes = Vec::new();
        push_write(&mut writes, &key(node), Some(&[]));
        let term = self.visibility.leading().unwrap_or(0);
        let name = u128::from(term & 0xff_ffff_ffff) << 40 | u128::from(node & 0xff_ffff_ffff);
        match self.commits.write(Ulid::from_parts(self.clock.now_micros() / 1000, name), writes).await {
            Decision::Committed(..) => Ok(None),
            Decision::NotLeading | Decision::Lost => Ok(Some(self.not_leader())),
            Decision::Refused(error) => Err(error),
        }
    }
}
