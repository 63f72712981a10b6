//! Messages in HTTP bodies. A call's body is the message; a stream's is frames: each its length, u32 little-endian,
//! and its bytes.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bytes::{Buf, Bytes};
use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use isobar_replica::Frames;
use tokio::sync::oneshot;

pub type Body = UnsyncBoxBody<Bytes, io::Error>;

const HEADER_BYTES: usize = 4;

/// Frames up to this size are copied behind their header, larger ones follow it.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// The most that is set aside for a frame before its bytes arrive.
const AHEAD_BYTES: usize = 64 << 10;

/// A message as a body.
pub fn whole(message: Vec<u8>) -> Body {
    Full::new(Bytes::from(message)).map_err(|never| match never {}).boxed_unsync()
}

/// Frames as a body, each sent as soon as it is there. One beyond the limit breaks the stream off, and so does the end
/// of `needed`, whose other end is with whoever needs the answers.
pub fn sent(
    frames: BoxStream<'static, Vec<u8>>,
    limit: usize,
    mut needed: Option<oneshot::Receiver<Infallible>>,
    count: impl Fn(usize) + Send + 'static,
) -> Body {
    let mut chunks = frames.flat_map(move |frame| {
        let chunks = match framed(frame, limit) {
            Ok(chunks) => {
                count(chunks.iter().map(Bytes::len).sum());
                chunks.into_iter().map(|chunk| Ok(Frame::data(chunk))).collect()
            }
            Err(error) => vec![Err(error)],
        };
        stream::iter(chunks)
    });
    let chunks = stream::poll_fn(move |context| {
        if needed.as_mut().is_some_and(|needed| needed.poll_unpin(context).is_ready()) {
            needed = None;
            return Poll::Ready(Some(Err(io::Error::other("nobody needs the answers any more"))));
        }
        chunks.poll_next_unpin(context)
    });
    StreamBody::new(chunks).boxed_unsync()
}

fn framed(mut frame: Vec<u8>, limit: usize) -> io::Result<Vec<Bytes>> {
    let length = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= limit);
    let length = length.ok_or_else(|| too_long(frame.len(), limit))?.to_le_bytes();
    if frame.len() > COPIED_BYTES_MAX {
        return Ok(vec![Bytes::copy_from_slice(&length), frame.into()]);
    }
    frame.splice(0..0, length);
    Ok(vec![frame.into()])
}

fn too_long(length: usize, limit: usize) -> io::Error {
    let text = format!("a message of {length} bytes is longer than peers.message_mb allows, which is {limit} bytes");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Room for messages that are being received.
#[derive(Debug)]
pub struct Memory {
    free: AtomicUsize,
}

impl Memory {
    pub fn new(bytes: usize) -> Arc<Memory> {
        Arc::new(Memory { free: AtomicUsize::new(bytes) })
    }

    fn take(&self, bytes: usize) -> io::Result<()> {
        let taken = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(bytes));
        taken.map(drop).map_err(|_| {
            io::Error::new(io::ErrorKind::OutOfMemory, "the messages of all peers are more than peers.memory_mb allows")
        })
    }
}

/// What one message has taken of the room, until it is dropped.
pub struct Room {
    memory: Option<Arc<Memory>>,
    taken: usize,
}

impl Room {
    /// Without `memory` the message's own limit is the only one.
    pub fn new(memory: Option<Arc<Memory>>) -> Room {
        Room { memory, taken: 0 }
    }

    fn take(&mut self, bytes: usize) -> io::Result<()> {
        if let Some(memory) = &self.memory {
            memory.take(bytes)?;
            self.taken += bytes;
        }
        Ok(())
    }

    fn give_back(&mut self) {
        if let Some(memory) = &self.memory {
            memory.free.fetch_add(std::mem::take(&mut self.taken), Ordering::Relaxed);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Reads a body that is one message. `room` holds it for as long as the caller keeps that.
pub async fn message(mut body: Incoming, limit: usize, room: &mut Room) -> io::Result<Vec<u8>> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_long(announced, limit));
    }
    let mut message = Vec::with_capacity(announced.min(AHEAD_BYTES));
    while let Some(chunk) = chunk(&mut body).await? {
        if message.len() + chunk.len() > limit {
            return Err(too_long(message.len() + chunk.len(), limit));
        }
        room.take(chunk.len())?;
        message.extend_from_slice(&chunk);
    }
    Ok(message)
}

/// The next data of a body; none: its end.
async fn chunk(body: &mut Incoming) -> io::Result<Option<Bytes>> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(broken(&error)),
            // Trailers say nothing.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            },
        }
    }
}

/// A body's error as one of the connection.
fn broken(error: &hyper::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, format!("the stream broke off: {}", innermost(error)))
}

/// The innermost reason, which is the one that helps.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The frames of a body; `count` hears how long each is. An error is the last item.
pub fn received(body: Incoming, limit: usize, room: Room, count: impl Fn(usize) + Send + 'static) -> Frames {
    let reader = Reader { body, rest: Bytes::new(), limit, room, count };
    stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.frame().await.transpose()? {
            Ok(frame) => Some((Ok(frame), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

struct Reader<Count> {
    body: Incoming,
    /// Received, and not yet in a frame.
    rest: Bytes,
    limit: usize,
    room: Room,
    count: Count,
}

impl<Count: Fn(usize)> Reader<Count> {
    /// The next frame; none: the stream has ended between two frames.
    async fn frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut header = vec![];
        self.fill(&mut header, HEADER_BYTES).await?;
        let Ok(length) = <[u8; HEADER_BYTES]>::try_from(header.as_slice()) else {
            return if header.is_empty() { Ok(None) } else { Err(cut_off(header.len(), HEADER_BYTES)) };
        };
        let length = u32::from_le_bytes(length) as usize;
        if length > self.limit {
            return Err(too_long(length, self.limit));
        }
        let mut frame = Vec::with_capacity(length.min(AHEAD_BYTES));
        self.fill(&mut frame, length).await?;
        self.room.give_back();
        if frame.len() < length {
            return Err(cut_off(frame.len(), length));
        }
        (self.count)(HEADER_BYTES + length);
        Ok(Some(frame))
    }

    /// Reads until there are `length` bytes, or the stream ends.
    async fn fill(&mut self, into: &mut Vec<u8>, length: usize) -> io::Result<()> {
        while into.len() < length {
            if self.rest.is_empty() {
                let Some(data) = chunk(&mut self.body).await? else { return Ok(()) };
                self.rest = data;
            }
            let taken = self.rest.len().min(length - into.len());
            self.room.take(taken)?;
            into.extend_from_slice(&self.rest[..taken]);
            self.rest.advance(taken);
        }
        Ok(())
    }
}

fn cut_off(found: usize, expected: usize) -> io::Error {
    let text = format!("the stream ends in the middle of a frame, after {found} of {expected} bytes");
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}
