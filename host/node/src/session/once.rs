//! Exactly once: the answer to a write is committed with the write, under the client's key, and a write that is sent
//! again finds it.

use isobar_replica::{Commit, KeyRange, Outcome, Transaction, TransactionOptions, Ulid};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, sqlstate};
use crate::node::Node;
use crate::sandbox::{Column, Event};
use crate::session::Statement;

/// The host's own key space: answers by idempotency key. The second to ninth bytes would name an index.
const PREFIX: [u8; 9] = [2, 0, 0, 0, 0, 0, 0, 0, 0];

/// Idempotency keys by the commits that answered them, whose names begin with this node's own time: how old a key
/// says that it is decides nothing, since clients may make their keys long before they use them, and by wrong clocks.
const ORDER_PREFIX: [u8; 9] = [2, 0, 0, 0, 0, 0, 0, 0, 1];

/// Bytes of keys that one step forgets.
const FORGET_BYTES: u32 = 64 << 10;

/// What one statement answered, as far as it is worth saying again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    pub tag: String,
    columns: Option<Vec<StoredColumn>>,
    batches: Vec<(Vec<u8>, u32)>,
}

/// name, type OID, size, modifier, table OID, column number
type StoredColumn = (String, u32, i16, i32, u32, u16);

/// Version of what `StoredAnswers` looks like as bytes.
const VERSION: u8 = 2;

#[derive(Serialize, Deserialize)]
struct StoredAnswers {
    version: u8,
    /// ULID of the commit that made them.
    commit: [u8; 16],
    /// Fingerprint of the request that they answer.
    request: u64,
    answers: Vec<StoredAnswer>,
}

/// What was found under a key.
pub struct Repeated {
    request: u64,
    pub answers: Vec<StoredAnswer>,
    /// None: nobody remembers its timestamp any more.
    pub commit: Option<Commit>,
}

impl Repeated {
    /// Refuses to answer one request with what another one was answered.
    pub fn of_request(self, request: u64) -> Result<Repeated> {
        if self.request == request {
            return Ok(self);
        }
        Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "the idempotency key belongs to another request"))
    }
}

/// Tells requests apart that were given one key by mistake, or by another user: FNV-1a over all that they say.
pub fn fingerprint(user: &str, statements: &[Statement]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(user.as_bytes());
    for statement in statements {
        add(statement.sql.as_bytes());
        add(&statement.parameters);
        for type_oid in &statement.parameter_types {
            add(&type_oid.to_le_bytes());
        }
        add(statement.input.as_deref().unwrap_or_default());
    }
    hash
}

impl StoredAnswer {
    pub fn new(tag: &str, events: &[Event]) -> StoredAnswer {
        let mut stored = StoredAnswer { tag: tag.into(), columns: None, batches: vec![] };
        for event in events {
            match event {
                Event::Columns(columns) => {
                    let fields = |column: &Column| {
                        let Column { name, type_oid, type_size, type_modifier, table_oid, column_number } =
                            column.clone();
                        (name, type_oid, type_size, type_modifier, table_oid, column_number)
                    };
                    stored.columns = Some(columns.iter().map(fields).collect());
                }
                Event::Rows { batch, count } => stored.batches.push((batch.clone(), *count)),
                Event::Notice(_) => {}
            }
        }
        stored
    }

    pub fn events(self) -> Vec<Event> {
        let column = |(name, type_oid, type_size, type_modifier, table_oid, column_number)| Column {
            name,
            type_oid,
            type_size,
            type_modifier,
            table_oid,
            column_number,
        };
        let columns = self.columns.map(|columns| Event::Columns(columns.into_iter().map(column).collect()));
        let rows = self.batches.into_iter().map(|(batch, count)| Event::Rows { batch, count });
        columns.into_iter().chain(rows).collect()
    }
}

fn answer_key(key: Ulid) -> Vec<u8> {
    [&PREFIX[..], &key.to_bytes()].concat()
}

fn order_key(commit: Ulid) -> Vec<u8> {
    [&ORDER_PREFIX[..], &commit.to_bytes()].concat()
}

/// The answers that were stored with the commit of this key.
pub async fn stored_answers(node: &Node, transaction: &mut Transaction, key: Ulid) -> Result<Option<Repeated>> {
    transaction.begin_statement()?;
    let stored = transaction.get(&answer_key(key));
    transaction.finish_statement(stored.is_ok());
    let Some(bytes) = stored? else { return Ok(None) };
    match postcard::from_bytes(&bytes) {
        Ok(StoredAnswers { version: VERSION, commit, request, answers }) => {
            let id = Ulid::from_bytes(commit);
            let commit = match node.replica.outcome(id).await? {
                Some(Outcome::Committed { timestamp }) => Some(Commit { id, timestamp }),
                _ => None,
            };
            Ok(Some(Repeated { request, answers, commit }))
        }
        _ => Err(Error::internal(format!("the stored answer of {key} cannot be read"))),
    }
}

/// Looks a key up on its own, for those who ask what became of it.
pub async fn find(node: &Node, key: Ulid) -> Result<Option<Repeated>> {
    let options = TransactionOptions { read_only: true, ..TransactionOptions::default() };
    let mut transaction = node.replica.begin(options).await?;
    stored_answers(node, &mut transaction, key).await
}

/// Writes the answers to a request beside what its statements wrote: all of it is committed as `commit`, or nothing.
/// A transaction with the same key at the same time makes one of the two fail with 40001.
pub fn store_answers(
    transaction: &mut Transaction,
    key: Ulid,
    commit: Ulid,
    request: u64,
    answers: Vec<StoredAnswer>,
) -> Result<()> {
    let value = postcard::to_stdvec(&StoredAnswers { version: VERSION, commit: commit.to_bytes(), request, answers })
        .map_err(|error| Error::internal(format!("an answer cannot be stored: {error}")))?;
    let mut writes = vec![];
    for (key, value) in [(answer_key(key), value), (order_key(commit), answer_key(key))] {
        writes.push(1);
        push_part(&mut writes, &key);
        push_part(&mut writes, &value);
    }
    write_packed(transaction, &writes)
}

fn push_part(out: &mut Vec<u8>, part: &[u8]) {
    out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(part);
}

fn write_packed(transaction: &mut Transaction, write: &[u8]) -> Result<()> {
    transaction.begin_statement()?;
    let written = transaction.write(write);
    transaction.finish_statement(written.is_ok());
    Ok(written?)
}

/// Deletes the answers that were committed before this time, in milliseconds since the Unix epoch.
pub async fn forget_old_answers(node: &Node, before_ms: u64) -> Result<()> {
    loop {
        let mut transaction = node.replica.begin(TransactionOptions::default()).await?;
        let end = order_key(Ulid::from_parts(before_ms, 0));
        transaction.begin_statement()?;
        let range = KeyRange { start: ORDER_PREFIX.to_vec(), end, reverse: false, expected_rows: 1000 };
        let pairs = transaction.scan(range).and_then(|cursor| transaction.next_batch(cursor, FORGET_BYTES));
        transaction.finish_statement(pairs.is_ok());
        let deletes = deletes_of(&pairs?);
        if deletes.is_empty() {
            return Ok(());
        }
        write_packed(&mut transaction, &deletes)?;
        node.replica.commit(transaction, Ulid::generate()).await?;
    }
}

/// Packed deletes of packed pairs' keys, and of the keys that are their values.
fn deletes_of(pairs: &[u8]) -> Vec<u8> {
    let mut deletes = vec![];
    let mut rest = pairs;
    while let Some((key, after_key)) = split_part(rest) {
        let Some((value, after_value)) = split_part(after_key) else { break };
        for part in [key, value] {
            deletes.push(0);
            push_part(&mut deletes, part);
        }
        rest = after_value;
    }
    deletes
}

fn split_part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_answers_come_back_whole() {
        let column = Column {
            name: "id".into(),
            type_oid: 23,
            type_size: 4,
            type_modifier: -1,
            table_oid: 16384,
            column_number: 1,
        };
        let events = vec![Event::Columns(vec![column]), Event::Rows { batch: vec![0, 0, 0, 1, b'7'], count: 1 }];
        assert_eq!(StoredAnswer::new("INSERT 0 1", &events).events(), events);
    }

    #[test]
    fn truncated_pairs_delete_nothing_twice() {
        assert_eq!(deletes_of(b"\x02\0\0\0ab\x01\0\0\0x"), b"\0\x02\0\0\0ab\0\x01\0\0\0x");
        assert_eq!(deletes_of(b"\x02\0\0\0ab\x09\0\0\0x"), b"");
    }
}
