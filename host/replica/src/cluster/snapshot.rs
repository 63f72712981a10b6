//! A whole store on its way to a node that has been away for longer than the journal is kept: what sends it. What
//! receives it is `inbox`.

use super::message::{self, Opening, SnapshotAnswer};
use crate::error::Result;
use crate::journal::{SnapshotData, Types, Vote};
use crate::store::Chunks;
use crate::transport::{Member, Transport};
use futures::{StreamExt, stream};
use openraft::alias::SnapshotOf;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A receiver that is silent for so long has gone; installing may take as long.
const PATIENCE: Duration = Duration::from_secs(120);

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
        stream::iter(frames_of(chunks.skip(skipped as usize), skipped))
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

/// A frame after the opening.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Numbered from 0, with the CRC-32 of its bytes.
    Chunk { number: u64, checksum: u32, bytes: &'a [u8] },
    /// There were so many chunks.
    End { chunks: u64 },
}

/// Less than any protocol's number, with which all other frames begin.
const CHUNK: u8 = 0;
const END: u8 = 1;

impl<'a> Frame<'a> {
    pub fn chunk(number: u64, bytes: &'a [u8]) -> Frame<'a> {
        Frame::Chunk { number, checksum: crc32fast::hash(bytes), bytes }
    }

    pub fn encode(&self) -> Vec<u8> {
        match self {
            Frame::Chunk { number, checksum, bytes } => {
                [&[CHUNK], number.to_le_bytes().as_slice(), &checksum.to_le_bytes(), bytes].concat()
            }
            Frame::End { chunks } => [&[END], chunks.to_le_bytes().as_slice()].concat(),
        }
    }

    /// None: these bytes are no frame.
    pub fn decode(bytes: &'a [u8]) -> Option<Frame<'a>> {
        let (kind, rest) = bytes.split_first()?;
        let (number, rest) = rest.split_first_chunk()?;
        let number = u64::from_le_bytes(*number);
        match *kind {
            CHUNK => {
                let (checksum, bytes) = rest.split_first_chunk()?;
                Some(Frame::Chunk { number, checksum: u32::from_le_bytes(*checksum), bytes })
            }
            END => rest.is_empty().then_some(Frame::End { chunks: number }),
            _ => None,
        }
    }
}

/// The frames of chunks and of their end. A chunk that cannot be read ends them early: without an end, the receiver
/// does not take them for all.
fn frames_of(mut chunks: impl Iterator<Item = Result<Vec<u8>>>, first: u64) -> impl Iterator<Item = Vec<u8>> {
    let (mut number, mut ended) = (first, false);
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        match chunks.next() {
            Some(Ok(chunk)) => {
                let frame = Frame::chunk(number, &chunk).encode();
                number += 1;
                Some(frame)
            }
            Some(Err(error)) => {
                tracing::error!(%error, "a snapshot cannot be read");
                ended = true;
                None
            }
            None => {
                ended = true;
                Some(Frame::End { chunks: number }.encode())
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn frames_come_back() {
        for frame in [Frame::chunk(7, b"bytes"), Frame::chunk(0, b""), Frame::End { chunks: 8 }] {
            let bytes = frame.encode();
            assert_eq!(Frame::decode(&bytes), Some(frame));
            for cut in 0..9 {
                assert_eq!(Frame::decode(&bytes[..cut]), None);
            }
        }
        assert_eq!(Frame::decode(&[9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]), None);
    }

    #[test]
    fn a_chunk_that_cannot_be_read_leaves_the_end_out() {
        let chunks = [Ok(b"first".to_vec()), Err(Error::corrupted("page")), Ok(b"third".to_vec())];
        let frames: Vec<Vec<u8>> = frames_of(chunks.into_iter(), 3).collect();
        assert_eq!(frames, [Frame::chunk(3, b"first").encode()]);
        let frames: Vec<Vec<u8>> = frames_of([Ok(b"last".to_vec())].into_iter(), 3).collect();
        assert_eq!(frames.last(), Some(&Frame::End { chunks: 4 }.encode()));
    }
}
