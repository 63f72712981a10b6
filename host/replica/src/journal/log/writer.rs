//! The writer: one durable commit for everything that waits.

use super::{ENTRIES, PURGED, STATE, Shared, VOTE};
use crate::error::Result;
use crate::failure::Failure;
use crate::journal::types::Types;
use crate::store::failed;
use openraft::storage::IOFlushed;
use redb::{Durability, WriteTransaction};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

type Done = oneshot::Sender<io::Result<()>>;

pub enum Command {
    Append { records: Vec<(u64, Vec<u8>)>, callback: IOFlushed<Types> },
    Vote { bytes: Vec<u8>, done: Done },
    Truncate { first_removed: u64, done: Done },
    Purge { upto: u64, bytes: Vec<u8> },
    Close { done: oneshot::Sender<()> },
}

/// Commands in one durable commit.
const GROUP: usize = 256;

pub struct Writer {
    pub shared: Arc<Shared>,
    pub failure: Failure,
}

impl Writer {
    pub async fn run(self, mut commands: UnboundedReceiver<Command>) {
        // After a failed write the file's contents are not known: nothing is written after it.
        let mut failure: Option<String> = None;
        while let Some(first) = commands.recv().await {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(command) = commands.try_recv()
            {
                group.push(command);
            }
            if failure.is_none()
                && let Err(error) = self.write(&group)
            {
                self.failure.report("the journal cannot be written to", &error);
                failure = Some(error.to_string());
            }
            for command in group {
                let result = failure.clone().map_or(Ok(()), |error| Err(io::Error::other(error)));
                match command {
                    Command::Append { records, callback } => {
                        if let (Ok(()), Some((last, _))) = (&result, records.last()) {
                            let mut memory = self.shared.memory.lock();
                            memory.flushed = memory.flushed.max(*last);
                            memory.evict(self.shared.memory_limit);
                        }
                        callback.io_completed(result);
                    }
                    // Whoever asked may have gone away.
                    Command::Vote { done, .. } | Command::Truncate { done, .. } => drop(done.send(result)),
                    Command::Purge { .. } => {}
                    Command::Close { done } => {
                        self.shared.database.write().take();
                        let _ = done.send(());
                        return;
                    }
                }
            }
        }
    }

    fn write(&self, group: &[Command]) -> Result<()> {
        if group.iter().all(|command| matches!(command, Command::Close { .. })) {
            return Ok(());
        }
        let mut transaction = self.shared.database()?.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        for command in group {
            self.write_one(&transaction, command)?;
        }
        transaction.commit().map_err(failed)?;
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn write_one(&self, transaction: &WriteTransaction, command: &Command) -> Result<()> {
        match command {
            Command::Append { records, .. } => {
                let mut entries = transaction.open_table(ENTRIES).map_err(failed)?;
                for (index, record) in records {
                    entries.insert(index.to_be_bytes().as_slice(), record.as_slice()).map_err(failed)?;
                }
            }
            Command::Vote { bytes, .. } => {
                let mut state = transaction.open_table(STATE).map_err(failed)?;
                state.insert(VOTE, bytes.as_slice()).map_err(failed)?;
            }
            Command::Truncate { first_removed, .. } => {
                let mut entries = transaction.open_table(ENTRIES).map_err(failed)?;
                let first = first_removed.to_be_bytes();
                entries.retain_in::<&[u8], _>(first.as_slice().., |_, _| false).map_err(failed)?;
            }
            Command::Purge { upto, bytes } => {
                let mut entries = transaction.open_table(ENTRIES).map_err(failed)?;
                let last = upto.to_be_bytes();
                entries.retain_in::<&[u8], _>(..=last.as_slice(), |_, _| false).map_err(failed)?;
                let mut state = transaction.open_table(STATE).map_err(failed)?;
                state.insert(PURGED, bytes.as_slice()).map_err(failed)?;
            }
            Command::Close { .. } => {}
        }
        Ok(())
    }
}
