//! One entry as bytes: a kind, the log identifier with its length, and the payload.

use crate::error::{Error, Result};
use crate::journal::types::{Batch, Entry};
use openraft::EntryPayload;
use std::io;
use std::sync::Arc;

const BLANK: u8 = 0;
const BATCH: u8 = 1;
const MEMBERSHIP: u8 = 2;

/// What an entry takes in memory, about.
pub fn size(entry: &Entry) -> usize {
    match &entry.payload {
        EntryPayload::Normal(batch) => batch.0.len() + 64,
        _ => 256,
    }
}

pub fn encode(entry: &Entry) -> io::Result<Vec<u8>> {
    let id = postcard::to_allocvec(&entry.log_id).map_err(io::Error::other)?;
    let mut record = Vec::with_capacity(size(entry));
    record.push(match &entry.payload {
        EntryPayload::Blank => BLANK,
        EntryPayload::Normal(_) => BATCH,
        EntryPayload::Membership(_) => MEMBERSHIP,
    });
    record.push(id.len() as u8);
    record.extend_from_slice(&id);
    match &entry.payload {
        EntryPayload::Blank => {}
        EntryPayload::Normal(batch) => record.extend_from_slice(&batch.0),
        EntryPayload::Membership(membership) => {
            record.extend_from_slice(&postcard::to_allocvec(membership).map_err(io::Error::other)?);
        }
    }
    Ok(record)
}

pub fn decode(record: &[u8]) -> Result<Entry> {
    let corrupted = |why: &str| Error::corrupted(format!("a journal record: {why}"));
    let [kind, length, rest @ ..] = record else {
        return Err(corrupted("cut short"));
    };
    let Some((id, payload)) = rest.split_at_checked(*length as usize) else {
        return Err(corrupted("cut short"));
    };
    let log_id = postcard::from_bytes(id).map_err(|error| corrupted(&error.to_string()))?;
    let payload = match *kind {
        BLANK => EntryPayload::Blank,
        BATCH => EntryPayload::Normal(Batch(Arc::new(payload.to_vec()))),
        MEMBERSHIP => {
            EntryPayload::Membership(postcard::from_bytes(payload).map_err(|error| corrupted(&error.to_string()))?)
        }
        kind => return Err(corrupted(&format!("kind {kind}"))),
    };
    Ok(Entry { log_id, payload })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::types::{LogId, Types};
    use openraft::alias::CommittedLeaderIdOf;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn entries_come_back() {
        let log_id = LogId { leader_id: CommittedLeaderIdOf::<Types>::new(3), index: 77 };
        let nodes = BTreeMap::from([(1, crate::transport::Member::default())]);
        let membership = openraft::Membership::new(vec![BTreeSet::from([1])], nodes).unwrap();
        for payload in [
            EntryPayload::Blank,
            EntryPayload::Normal(Batch(Arc::new(b"commits".to_vec()))),
            EntryPayload::Membership(membership),
        ] {
            let entry = Entry { log_id, payload };
            assert_eq!(decode(&encode(&entry).unwrap()).unwrap(), entry);
        }
        for bytes in [&b""[..], &[9, 0], &[1, 5, 1]] {
            assert_eq!(decode(bytes).unwrap_err().sqlstate, "XX001");
        }
    }
}
