//! The journal's entries and vote in a redb file of their own. Appends, votes, truncations and purges keep their
//! order through one writer; what waits for it shares its next durable commit.

mod record;
mod writer;

use super::types::{Entry, LogId, Types, Vote};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::failure::Failure;
use crate::options::Limits;
use crate::store::{Place, failed};
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};
use parking_lot::{Mutex, RwLock};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use writer::{Command, Writer};

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// index, u64 big-endian → record
const ENTRIES: Table = TableDefinition::new("entries");
const STATE: Table = TableDefinition::new("state");
const VOTE: &[u8] = b"vote";
const PURGED: &[u8] = b"purged";

/// Entries in memory: those on their way to the disk and the newest ones after it.
#[derive(Default)]
struct Memory {
    entries: BTreeMap<u64, Entry>,
    bytes: usize,
    /// The last entry that is on disk.
    flushed: u64,
    last: Option<LogId>,
    purged: Option<LogId>,
    vote: Option<Vote>,
}

impl Memory {
    fn remove(&mut self, index: u64) {
        if let Some(entry) = self.entries.remove(&index) {
            self.bytes -= record::size(&entry);
        }
    }

    fn evict(&mut self, limit: usize) {
        while self.bytes > limit
            && let Some(index) = self.entries.keys().next().copied()
            && index <= self.flushed
        {
            self.remove(index);
        }
    }
}

struct Shared {
    /// None once closed.
    database: RwLock<Option<Arc<Database>>>,
    memory: Mutex<Memory>,
    memory_limit: usize,
    syncs: AtomicU64,
}

#[derive(Clone)]
pub struct LogStore {
    shared: Arc<Shared>,
    commands: UnboundedSender<Command>,
}

impl LogStore {
    /// Opens or creates the journal's file.
    pub fn open(place: Place<'_>, limits: &Limits, execution: Execution, failure: Failure) -> Result<LogStore> {
        let database = place.open(limits.journal_file_cache_bytes, "the journal")?;
        let mut memory = Memory::default();
        let transaction = database.begin_write().map_err(failed)?;
        {
            let entries = transaction.open_table(ENTRIES).map_err(failed)?;
            let last = entries.last().map_err(failed)?;
            memory.last = last.map(|(_, last)| record::decode(last.value()).map(|entry| entry.log_id)).transpose()?;
            let state = transaction.open_table(STATE).map_err(failed)?;
            memory.vote = decode_state(state.get(VOTE).map_err(failed)?)?;
            memory.purged = decode_state(state.get(PURGED).map_err(failed)?)?;
        }
        transaction.commit().map_err(failed)?;
        memory.flushed = memory.last.map_or(0, |last| last.index);
        let shared = Arc::new(Shared {
            database: RwLock::new(Some(Arc::new(database))),
            memory: Mutex::new(memory),
            memory_limit: limits.journal_cache_bytes,
            syncs: AtomicU64::new(0),
        });
        let (commands, receiver) = unbounded_channel();
        let writer = Writer { shared: shared.clone(), failure };
        execution.start("isobar-log", writer.run(receiver))?;
        Ok(LogStore { shared, commands })
    }

    /// Refuses a store that is not this journal's: one of the two files has been lost or exchanged. `replaced`: the
    /// store may have come from another node, in which case the journal goes on behind it.
    pub fn check_against(&self, applied: u64, replaced: bool) -> Result<()> {
        let memory = self.shared.memory.lock();
        let purged = memory.purged.map_or(0, |purged| purged.index);
        let last = memory.last.map_or(purged, |last| last.index);
        if applied < purged {
            return Err(Error::corrupted(format!(
                "the journal has been purged up to entry {purged}, but the store has only got up to {applied}"
            )));
        }
        if applied > last && !replaced {
            return Err(Error::corrupted(format!(
                "the store has got up to entry {applied}, but the journal ends at {last}"
            )));
        }
        Ok(())
    }

    /// Index of the last entry received.
    pub fn last_index(&self) -> u64 {
        let memory = self.shared.memory.lock();
        memory.last.or(memory.purged).map_or(0, |last| last.index)
    }

    /// Entries of a range that are still here.
    pub fn entries(&self, start: u64, end: u64) -> Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        while entries.len() < (end - start) as usize {
            let next = entries.last().map_or(start, |last| last.log_id.index + 1);
            let more = self.shared.read(next, end, READ_BYTES)?;
            if more.is_empty() {
                break;
            }
            entries.extend(more);
        }
        Ok(entries)
    }

    /// Index of the last entry that is not here any more.
    pub fn purged_index(&self) -> u64 {
        self.shared.memory.lock().purged.map_or(0, |purged| purged.index)
    }

    /// Durable writes so far.
    pub fn syncs(&self) -> u64 {
        self.shared.syncs.load(Ordering::Relaxed)
    }

    /// Lets go of the file after what has been handed in.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close { done }).is_ok() {
            // An error means that the thread has ended, which is what was asked for.
            let _ = closed.await;
        }
    }

    fn send(&self, command: Command) -> io::Result<()> {
        self.commands.send(command).map_err(|_| io::Error::other("the journal is closed"))
    }
}

fn decode_state<T: serde::de::DeserializeOwned>(bytes: Option<redb::AccessGuard<'_, &[u8]>>) -> Result<Option<T>> {
    let Some(bytes) = bytes else { return Ok(None) };
    let state = postcard::from_bytes(bytes.value());
    state.map(Some).map_err(|error| Error::corrupted(format!("the journal's state: {error}")))
}

impl Shared {
    fn database(&self) -> Result<Arc<Database>> {
        self.database.read().clone().ok_or_else(|| Error::unavailable("the journal is closed"))
    }

    /// Entries of a range, from memory where they are there.
    fn read(&self, start: u64, end: u64, max_bytes: usize) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        let in_memory: Vec<Entry> = {
            let memory = self.memory.lock();
            if memory.entries.contains_key(&start) {
                memory.entries.range(start..end).map(|(_, entry)| entry.clone()).collect()
            } else {
                Vec::new()
            }
        };
        if !in_memory.is_empty() {
            for entry in in_memory {
                bytes += record::size(&entry);
                if bytes > max_bytes && !entries.is_empty() {
                    break;
                }
                entries.push(entry);
            }
            return Ok(entries);
        }
        let transaction = self.database()?.begin_read().map_err(failed)?;
        let table = transaction.open_table(ENTRIES).map_err(failed)?;
        if table.is_empty().map_err(failed)? {
            return Ok(entries);
        }
        let (start, end) = (start.to_be_bytes(), end.to_be_bytes());
        for entry in table.range::<&[u8]>(start.as_slice()..end.as_slice()).map_err(failed)? {
            let (_, record) = entry.map_err(failed)?;
            bytes += record.value().len();
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(record::decode(record.value())?);
        }
        Ok(entries)
    }
}

/// Bytes of entries that are read at once.
const READ_BYTES: usize = 32 << 20;

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> io::Result<Vec<Entry>> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end + 1,
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        let mut entries = Vec::new();
        let mut next = start;
        // What lies before the memory's first entry comes from the file, the rest from memory.
        while next < end {
            let more = self.shared.read(next, end, usize::MAX).map_err(io::Error::other)?;
            let Some(last) = more.last() else { break };
            next = last.log_id.index + 1;
            entries.extend(more);
        }
        Ok(entries)
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.shared.memory.lock().vote)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.shared.read(start, end, READ_BYTES).map_err(io::Error::other)
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = LogStore;

    async fn get_log_state(&mut self) -> io::Result<LogState<Types>> {
        let memory = self.shared.memory.lock();
        Ok(LogState { last_purged_log_id: memory.purged, last_log_id: memory.last.or(memory.purged) })
    }

    async fn get_log_reader(&mut self) -> LogStore {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        let bytes = postcard::to_allocvec(vote).map_err(io::Error::other)?;
        let (done, saved) = oneshot::channel();
        self.send(Command::Vote { bytes, done })?;
        saved.await.unwrap_or_else(|_| Err(io::Error::other("the journal is closed")))?;
        self.shared.memory.lock().vote = Some(*vote);
        Ok(())
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut records = Vec::new();
        {
            let mut memory = self.shared.memory.lock();
            for entry in entries {
                records.push((entry.log_id.index, record::encode(&entry)?));
                memory.last = Some(entry.log_id);
                memory.bytes += record::size(&entry);
                memory.entries.insert(entry.log_id.index, entry);
            }
        }
        self.send(Command::Append { records, callback })
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        let first_removed = last.map_or(0, |last| last.index + 1);
        {
            let mut memory = self.shared.memory.lock();
            let removed: Vec<u64> = memory.entries.range(first_removed..).map(|(index, _)| *index).collect();
            for index in removed {
                memory.remove(index);
            }
            memory.last = last;
            memory.flushed = memory.flushed.min(first_removed.saturating_sub(1));
        }
        let (done, truncated) = oneshot::channel();
        self.send(Command::Truncate { first_removed, done })?;
        truncated.await.unwrap_or_else(|_| Err(io::Error::other("the journal is closed")))
    }

    /// Purging need not be durable: after a crash the entries are there again, and are purged again.
    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        {
            let mut memory = self.shared.memory.lock();
            memory.purged = Some(upto);
            while let Some(index) = memory.entries.keys().next().copied()
                && index <= upto.index
            {
                memory.remove(index);
            }
        }
        let bytes = postcard::to_allocvec(&upto).map_err(io::Error::other)?;
        self.send(Command::Purge { upto: upto.index, bytes })
    }
}
