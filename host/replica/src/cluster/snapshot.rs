//! A whole store on its way to a node that has been away for longer than the journal is kept. The receiver spools the
//! chunks and says, when a transfer was cut, how many it has: the rest follows.

use super::message::{self, Opening, SnapshotAnswer};
use crate::error::{Error, Result};
use crate::journal::{SnapshotData, SnapshotMeta, Types, Vote};
use crate::store::Chunks;
use crate::transport::{Frames, Member, Transport};
use futures::{StreamExt, stream};
use openraft::alias::SnapshotOf;
use parking_lot::Mutex;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use ulid::Ulid;

/// A receiver that is silent for so long has gone; installing may take as long.
const PATIENCE: Duration = Duration::from_secs(120);
/// A sender that is silent for so long has gone.
const SILENCE: Duration = Duration::from_secs(10);
/// Chunks are about 1 MiB; a frame beyond this is not one.
const CHUNK_LIMIT: usize = 64 << 20;

/// Sends a snapshot and waits until it is installed.
pub async fn send(
    transport: &Arc<dyn Transport>,
    to: u64,
    member: &Member,
    vote: Vote,
    snapshot: SnapshotOf<Types, SnapshotData>,
) -> io::Result<SnapshotAnswer> {
    let SnapshotData { id, chunks } = snapshot.snapshot;
    let opening = Opening::Snapshot { vote, meta: snapshot.meta, id: id.to_bytes() };
    let (start, started) = tokio::sync::oneshot::channel::<u64>();
    // A witness keeps no data.
    let chunks: Chunks = if member.witness { Box::new(std::iter::empty()) } else { chunks };
    let rest = stream::once(async move {
        let skipped = started.await.unwrap_or(0);
        stream::iter(frames_of(chunks.skip(skipped as usize)))
    });
    let frames = stream::once(async move { message::encode(&opening) }).chain(rest.flatten());
    let mut answers = transport.stream(to, member, frames.boxed()).await?;
    let mut start = Some(start);
    loop {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let frame = tokio::time::timeout(PATIENCE, answers.next()).await.map_err(late)?;
        let frame = frame.ok_or(io::ErrorKind::UnexpectedEof)??;
        match (message::decode(&frame)?, start.take()) {
            (SnapshotAnswer::Have { chunks }, Some(start)) => {
                // Gone: the stream has ended, and the next answer says so.
                let _ = start.send(chunks);
            }
            // Each further one says that chunks have arrived.
            (SnapshotAnswer::Have { .. }, None) => {}
            (answer, _) => return Ok(answer),
        }
    }
}

const CHUNK: u8 = 0;
const END: u8 = 1;

/// The frames of chunks and of their end. A chunk that cannot be read ends them early: without an end, the receiver
/// does not take them for all.
fn frames_of(mut chunks: impl Iterator<Item = Result<Vec<u8>>>) -> impl Iterator<Item = Vec<u8>> {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        match chunks.next() {
            Some(Ok(chunk)) => Some([&[CHUNK], chunk.as_slice()].concat()),
            Some(Err(error)) => {
                tracing::error!(%error, "a snapshot cannot be read");
                ended = true;
                None
            }
            None => {
                ended = true;
                Some(vec![END])
            }
        }
    })
}

/// Where the chunks that have arrived wait for the last one.
pub struct Inbox {
    /// None: in memory.
    path: Option<PathBuf>,
    state: tokio::sync::Mutex<Spool>,
}

#[derive(Default)]
struct Spool {
    id: Option<Ulid>,
    chunks: u64,
    file: Option<BufWriter<File>>,
    memory: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Spool {
    fn keep(&mut self, chunk: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => {
                file.write_all(&(chunk.len() as u32).to_le_bytes())?;
                file.write_all(chunk)
            }
            None => {
                self.memory.lock().push(chunk.to_vec());
                Ok(())
            }
        }
    }
}

fn failed(error: io::Error) -> Error {
    Error::unavailable(format!("a snapshot that arrives cannot be kept: {error}"))
}

impl Inbox {
    pub fn new(path: Option<PathBuf>) -> Inbox {
        // What an earlier process left is of no use: it does not say whether it is whole.
        if let Some(path) = &path {
            let _ = std::fs::remove_file(path);
        }
        Inbox { path, state: tokio::sync::Mutex::default() }
    }

    /// Takes the chunks of a snapshot, and answers them all once the last is there. `report` is told how many there
    /// are, at first and then now and then.
    pub async fn receive(&self, id: Ulid, mut frames: Frames, mut report: impl FnMut(u64)) -> Result<Chunks> {
        // One at a time: a second transfer waits, and gives up when the first one has done its work.
        let mut spool = self.state.lock().await;
        if spool.id != Some(id) {
            *spool = Spool { id: Some(id), ..Spool::default() };
            if let Some(path) = &self.path {
                spool.file = Some(BufWriter::new(File::create(path).map_err(failed)?));
            }
        }
        report(spool.chunks);
        loop {
            let late = |_| failed(io::ErrorKind::TimedOut.into());
            let frame = tokio::time::timeout(SILENCE, frames.next()).await.map_err(late)?;
            let frame = frame.ok_or_else(|| failed(io::ErrorKind::UnexpectedEof.into()))?;
            let frame = frame.map_err(failed)?;
            match frame.split_first() {
                Some((&CHUNK, chunk)) if chunk.len() <= CHUNK_LIMIT => {
                    if let Err(error) = spool.keep(chunk) {
                        // Half a chunk may be there.
                        *spool = Spool::default();
                        return Err(failed(error));
                    }
                    spool.chunks += 1;
                    if spool.chunks.is_multiple_of(REPORT_EVERY) {
                        report(spool.chunks);
                    }
                }
                Some((&END, [])) => break,
                _ => return Err(Error::malformed("snapshot frame")),
            }
        }
        let Spool { file, memory, chunks, .. } = std::mem::take(&mut *spool);
        match (file, &self.path) {
            (Some(file), Some(path)) => {
                drop(file.into_inner().map_err(|error| failed(error.into_error()))?);
                let reader = BufReader::new(File::open(path).map_err(failed)?);
                let _ = std::fs::remove_file(path);
                Ok(Box::new(SpooledChunks { reader, left: chunks }))
            }
            _ => {
                let chunks = std::mem::take(&mut *memory.lock());
                Ok(Box::new(chunks.into_iter().map(Ok)))
            }
        }
    }
}

const REPORT_EVERY: u64 = 16;

struct SpooledChunks {
    reader: BufReader<File>,
    left: u64,
}

impl Iterator for SpooledChunks {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Result<Vec<u8>>> {
        self.left = self.left.checked_sub(1)?;
        let mut read = || {
            let mut length = [0; 4];
            self.reader.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length) as usize;
            if length > CHUNK_LIMIT {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut chunk = vec![0; length];
            self.reader.read_exact(&mut chunk)?;
            Ok(chunk)
        };
        Some(read().map_err(failed))
    }
}

/// What opens a snapshot stream.
pub struct Arriving {
    pub vote: Vote,
    pub meta: SnapshotMeta,
    pub id: Ulid,
}
