//! Where the chunks of a snapshot that arrives wait for the last one. When a transfer was cut, the sender is told how
//! many are here: the rest follows. The store is given up for them only after all have been looked at; what cannot be
//! used is thrown away before, and the node goes on as it was.

use super::snapshot::Frame;
use crate::error::{Error, Result};
use crate::journal::{SnapshotMeta, Vote};
use crate::store::{Chunks, DiskSpace, SnapshotCheck};
use crate::transport::Frames;
use futures::StreamExt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::time::Duration;
use ulid::Ulid;

/// A sender that is silent for so long has gone.
const SILENCE: Duration = Duration::from_secs(10);
/// Chunks are about 1 MiB; what is longer is not one.
const CHUNK_LIMIT: usize = 64 << 20;
/// The sender hears of chunks after so many of them.
const REPORT_EVERY: u64 = 16;
/// What a byte of a snapshot takes in the new store at most, which is made beside the old one: redb rounds long values
/// up to a power of two.
const STORED: u64 = 2;

/// What opens a snapshot stream.
pub struct Arriving {
    pub vote: Vote,
    pub meta: SnapshotMeta,
    pub id: Ulid,
}

pub struct Inbox {
    /// None: in memory.
    path: Option<PathBuf>,
    space: DiskSpace,
    spool: tokio::sync::Mutex<Spool>,
}

/// A snapshot that is not all there yet.
#[derive(Default)]
struct Spool {
    id: Option<Ulid>,
    chunks: u64,
    bytes: u64,
    check: SnapshotCheck,
    kept: Kept,
}

enum Kept {
    Memory(Vec<Vec<u8>>),
    File(BufWriter<File>),
}

impl Default for Kept {
    fn default() -> Kept {
        Kept::Memory(Vec::new())
    }
}

/// Why no more is taken.
enum Stopped {
    /// The rest may follow.
    Cut(Error),
    /// What is here is of no use.
    Refused(Error),
}

fn failed(error: impl Into<io::Error>) -> Error {
    Error::unavailable(format!("a snapshot that arrives cannot be kept: {}", error.into()))
}

impl Inbox {
    pub fn new(path: Option<PathBuf>, space: DiskSpace) -> Inbox {
        let inbox = Inbox { path, space, spool: tokio::sync::Mutex::default() };
        // What an earlier process left is of no use: it does not say whether it is whole.
        inbox.remove_file();
        inbox
    }

    fn remove_file(&self) {
        if let Some(path) = &self.path {
            // Mostly it is not there.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Takes the chunks of a snapshot, and answers them all once the last is there and all of them are good. `last`:
    /// the entry that the store has got up to; none at a witness, which gets no chunks. `report` is told how many
    /// there are, at first and then now and then.
    pub async fn receive(
        &self,
        id: Ulid,
        last: Option<u64>,
        mut frames: Frames,
        mut report: impl FnMut(u64),
    ) -> Result<Chunks> {
        // One at a time: a second transfer waits, and gives up when the first one has done its work.
        let mut spool = self.spool.lock().await;
        if spool.id != Some(id) {
            self.empty(&mut spool);
            if let Some(path) = &self.path {
                spool.kept = Kept::File(BufWriter::new(File::create(path).map_err(failed)?));
            }
            spool.id = Some(id);
        }
        report(spool.chunks);
        let received = match self.take(&mut spool, last, &mut frames, &mut report).await {
            Ok(()) => self.look_again(&mut spool, &mut report).await,
            Err(Stopped::Cut(error)) => return Err(error),
            Err(Stopped::Refused(error)) => Err(error),
        };
        if received.is_err() {
            self.empty(&mut spool);
        }
        received
    }

    fn empty(&self, spool: &mut Spool) {
        *spool = Spool::default();
        self.remove_file();
    }

    /// Takes frames up to the end.
    async fn take(
        &self,
        spool: &mut Spool,
        last: Option<u64>,
        frames: &mut Frames,
        report: &mut impl FnMut(u64),
    ) -> Result<(), Stopped> {
        let cut = |error: io::Error| Stopped::Cut(failed(error));
        loop {
            let late = |_| cut(io::ErrorKind::TimedOut.into());
            let frame = tokio::time::timeout(SILENCE, frames.next()).await.map_err(late)?;
            let frame = frame.ok_or_else(|| cut(io::ErrorKind::UnexpectedEof.into()))?.map_err(cut)?;
            match Frame::decode(&frame) {
                Some(Frame::Chunk { number, checksum, bytes }) => {
                    let needed = bytes.len() as u64 + STORED * (spool.bytes + bytes.len() as u64);
                    self.space.check(needed).map_err(Stopped::Refused)?;
                    spool.take(number, checksum, bytes).map_err(Stopped::Refused)?;
                    if spool.chunks.is_multiple_of(REPORT_EVERY) {
                        report(spool.chunks);
                    }
                }
                Some(Frame::End { chunks }) => return spool.end(chunks, last).map_err(Stopped::Refused),
                None => return Err(Stopped::Refused(Error::bad_snapshot("a frame is none"))),
            }
        }
    }

    /// Reads everything back before the store is given up for it. What is here is the spool's no more.
    async fn look_again(&self, spool: &mut Spool, report: &mut impl FnMut(u64)) -> Result<Chunks> {
        let Spool { chunks, kept, .. } = std::mem::take(spool);
        match (kept, &self.path) {
            (Kept::File(file), Some(path)) => {
                drop(file.into_inner().map_err(|error| failed(error.into_error()))?);
                let open = || Ok::<_, Error>(SpooledChunks::new(File::open(path).map_err(failed)?, chunks));
                for (number, chunk) in (1..).zip(open()?) {
                    chunk?;
                    if u64::is_multiple_of(number, REPORT_EVERY) {
                        report(chunks);
                    }
                    // Others wait for this thread.
                    tokio::task::yield_now().await;
                }
                let spooled = open()?;
                // Open, it lives on until it is read.
                self.remove_file();
                Ok(Box::new(spooled))
            }
            (Kept::Memory(chunks), _) => Ok(Box::new(chunks.into_iter().map(Ok))),
            (Kept::File(_), None) => Err(Error::bad_snapshot("there is no place for it")),
        }
    }
}

fn check(checksum: u32, chunk: &[u8]) -> Result<()> {
    if crc32fast::hash(chunk) == checksum {
        return Ok(());
    }
    Err(Error::bad_snapshot("a chunk is not what was sent"))
}

impl Spool {
    fn take(&mut self, number: u64, checksum: u32, chunk: &[u8]) -> Result<()> {
        if number != self.chunks {
            return Err(Error::bad_snapshot(format!("chunk {number} has arrived, and not {}", self.chunks)));
        }
        if chunk.len() > CHUNK_LIMIT {
            return Err(Error::bad_snapshot(format!("a chunk has {} bytes", chunk.len())));
        }
        check(checksum, chunk)?;
        self.check.chunk(chunk)?;
        match &mut self.kept {
            Kept::File(file) => {
                let head = [(chunk.len() as u32).to_le_bytes(), checksum.to_le_bytes()].concat();
                file.write_all(&head).and_then(|()| file.write_all(chunk)).map_err(failed)?;
            }
            Kept::Memory(chunks) => chunks.push(chunk.to_vec()),
        }
        self.chunks += 1;
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    fn end(&self, chunks: u64, last: Option<u64>) -> Result<()> {
        if chunks != self.chunks {
            return Err(Error::bad_snapshot(format!("{} of {chunks} chunks have arrived", self.chunks)));
        }
        match last {
            Some(last) => self.check.end(last),
            None if chunks == 0 => Ok(()),
            None => Err(Error::bad_snapshot("it is for a node with data")),
        }
    }
}

struct SpooledChunks {
    reader: BufReader<File>,
    left: u64,
}

impl SpooledChunks {
    fn new(file: File, left: u64) -> SpooledChunks {
        SpooledChunks { reader: BufReader::new(file), left }
    }

    fn read(&mut self) -> io::Result<(u32, Vec<u8>)> {
        let (mut length, mut checksum) = ([0; 4], [0; 4]);
        self.reader.read_exact(&mut length)?;
        self.reader.read_exact(&mut checksum)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > CHUNK_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut chunk = vec![0; length];
        self.reader.read_exact(&mut chunk)?;
        Ok((u32::from_le_bytes(checksum), chunk))
    }
}

impl Iterator for SpooledChunks {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Result<Vec<u8>>> {
        self.left = self.left.checked_sub(1)?;
        let chunk = self.read().map_err(failed);
        Some(chunk.and_then(|(checksum, chunk)| check(checksum, &chunk).map(|()| chunk)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{FreeBytes, Limits};
    use crate::store::{Applied, Place, Store};
    use futures::stream;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const ID: Ulid = Ulid(1);
    const LAST: u64 = 3;

    /// The chunks of a small store, as frames.
    fn frames() -> Vec<Vec<u8>> {
        let backend = redb::backends::InMemoryBackend::new();
        let (store, _) = Store::open(Place::Backend(Box::new(backend)), &Limits::default()).unwrap();
        let mut write = store.begin_write().unwrap();
        let writes = [Ok((&b"key"[..], Some(&b"value"[..])))];
        write.tables().unwrap().commit(Ulid(9), 5, writes.into_iter()).unwrap();
        write.finish(&Applied { index: LAST, timestamp: 5, ..Applied::default() }).unwrap();
        let chunks = store.snapshot().unwrap().map(Result::unwrap).collect::<Vec<_>>();
        let end = Frame::End { chunks: chunks.len() as u64 }.encode();
        let chunks = (0..).zip(&chunks).map(|(number, chunk)| Frame::chunk(number, chunk).encode());
        chunks.chain([end]).collect()
    }

    fn cut(frames: &[Vec<u8>]) -> Frames {
        stream::iter(frames.to_vec()).map(Ok).boxed()
    }

    /// A disk that has so many bytes free.
    fn space() -> (DiskSpace, Arc<AtomicU64>) {
        let free = Arc::new(AtomicU64::new(1 << 40));
        let known = free.clone();
        let known: FreeBytes = Arc::new(move || Ok(known.load(Ordering::Relaxed)));
        (DiskSpace { free: Some(known), reserve_bytes: 1000, whose: Some("node 1 in here".into()) }, free)
    }

    struct Folder {
        inbox: Inbox,
        free: Arc<AtomicU64>,
        folder: tempfile::TempDir,
    }

    impl Folder {
        fn new() -> Folder {
            let folder = tempfile::tempdir().unwrap();
            let (space, free) = space();
            let inbox = Inbox::new(Some(folder.path().join("snapshot.arriving")), space);
            Folder { inbox, free, folder }
        }

        /// What came of it, and how many chunks were said to be there at first.
        async fn receive(&self, id: Ulid, frames: Frames) -> (Result<Vec<Vec<u8>>>, u64) {
            let mut first = None;
            let chunks = self.inbox.receive(id, Some(LAST), frames, |chunks| {
                first.get_or_insert(chunks);
            });
            let chunks = chunks.await.map(|chunks| chunks.map(Result::unwrap).collect());
            (chunks, first.unwrap())
        }

        fn is_empty(&self) -> bool {
            self.folder.path().read_dir().unwrap().next().is_none()
        }
    }

    fn why(received: Result<Vec<Vec<u8>>>) -> String {
        received.expect_err("refused").to_string()
    }

    #[tokio::test]
    async fn what_was_cut_goes_on() {
        let (folder, frames) = (Folder::new(), frames());
        let (received, had) = folder.receive(ID, cut(&frames[..2])).await;
        assert!(why(received).contains("unexpected end of file"));
        assert_eq!(had, 0);
        let (received, had) = folder.receive(ID, cut(&frames[2..])).await;
        assert_eq!((received.unwrap().len(), had), (frames.len() - 1, 2));
        assert!(folder.is_empty(), "the spool is left");
    }

    #[tokio::test]
    async fn another_snapshot_begins_anew() {
        let (folder, frames) = (Folder::new(), frames());
        assert!(folder.receive(ID, cut(&frames[..2])).await.0.is_err());
        let (received, had) = folder.receive(Ulid(2), cut(&frames)).await;
        assert_eq!((received.unwrap().len(), had), (frames.len() - 1, 0));
    }

    #[tokio::test]
    async fn an_earlier_process_leaves_nothing() {
        let (folder, frames) = (Folder::new(), frames());
        assert!(folder.receive(ID, cut(&frames[..2])).await.0.is_err());
        assert!(!folder.is_empty(), "nothing was spooled");
        let inbox = Inbox::new(folder.inbox.path.clone(), folder.inbox.space.clone());
        let folder = Folder { inbox, ..folder };
        assert!(folder.is_empty(), "the spool is left");
        let (received, had) = folder.receive(ID, cut(&frames)).await;
        assert_eq!((received.unwrap().len(), had), (frames.len() - 1, 0));
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_thrown_away() {
        let good = frames();
        let spoil = |change: fn(&mut Vec<Vec<u8>>)| {
            let mut frames = good.clone();
            change(&mut frames);
            frames
        };
        let last = good.len() - 2;
        assert!(last > 1, "too few chunks to exchange");
        let broken = [
            (spoil(|frames| *frames[1].last_mut().unwrap() ^= 1), "a chunk is not what was sent"),
            (spoil(|frames| frames.swap(1, 2)), "chunk 2 has arrived, and not 1"),
            (spoil(|frames| drop(frames.remove(1))), "chunk 2 has arrived, and not 1"),
            (spoil(|frames| drop(frames.remove(frames.len() - 2))), "chunks have arrived"),
            (spoil(|frames| frames.insert(0, vec![9])), "a frame is none"),
            (vec![Frame::End { chunks: 0 }.encode()], "its end is missing"),
            (vec![Frame::chunk(0, &[99, 1]).encode()], "there is no table 99"),
        ];
        for (frames, expected) in broken {
            let folder = Folder::new();
            let (received, _) = folder.receive(ID, cut(&frames)).await;
            let error = why(received);
            assert!(error.contains(expected), "{error}: {expected}");
            assert!(folder.is_empty(), "{expected}: the spool is left");
            let (received, had) = folder.receive(ID, cut(&good)).await;
            assert_eq!((received.unwrap().len(), had), (good.len() - 1, 0), "{expected}");
        }
    }

    #[tokio::test]
    async fn a_spool_that_reads_otherwise_is_thrown_away() {
        let (folder, frames) = (Folder::new(), frames());
        assert!(folder.receive(ID, cut(&frames[..2])).await.0.is_err());
        if let Kept::File(file) = &mut folder.inbox.spool.lock().await.kept {
            file.flush().unwrap();
        }
        let path = folder.inbox.path.clone().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let (received, _) = folder.receive(ID, cut(&frames[2..])).await;
        assert!(why(received).contains("a chunk is not what was sent"));
        assert!(folder.is_empty(), "the spool is left");
        assert!(folder.receive(ID, cut(&frames)).await.0.is_ok());
    }

    #[tokio::test]
    async fn what_the_disk_has_no_room_for_is_thrown_away() {
        let (folder, frames) = (Folder::new(), frames());
        assert!(folder.receive(ID, cut(&frames[..2])).await.0.is_err());
        folder.free.store(1000 + 3, Ordering::Relaxed);
        let (received, had) = folder.receive(ID, cut(&frames[2..])).await;
        let error = received.expect_err("no room");
        let expected = ("53100", "disk is nearly full, writes are refused", Some("node 1 in here"));
        assert_eq!((error.sqlstate, error.message.as_str(), error.detail.as_deref()), expected);
        assert_eq!(had, 2);
        assert!(folder.is_empty(), "the spool is left");
        folder.free.store(1 << 20, Ordering::Relaxed);
        let (received, had) = folder.receive(ID, cut(&frames)).await;
        assert_eq!((received.unwrap().len(), had), (frames.len() - 1, 0));
    }

    #[tokio::test]
    async fn a_witness_takes_no_data() {
        let inbox = Inbox::new(None, space().0);
        let nothing = [Frame::End { chunks: 0 }.encode()];
        assert_eq!(inbox.receive(ID, None, cut(&nothing), |_| ()).await.unwrap().count(), 0);
        assert!(inbox.receive(ID, None, cut(&frames()), |_| ()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_is_silent_has_gone_and_may_come_back() {
        let (folder, frames) = (Folder::new(), frames());
        let began = tokio::time::Instant::now();
        let silent = cut(&frames[..1]).chain(stream::pending()).boxed();
        let (received, _) = folder.receive(ID, silent).await;
        assert!(why(received).contains("timed out"));
        assert_eq!(began.elapsed(), SILENCE);
        let (received, had) = folder.receive(ID, cut(&frames[1..])).await;
        assert_eq!((received.unwrap().len(), had), (frames.len() - 1, 1));
    }
}
