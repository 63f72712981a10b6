//! A connection that notices when its other end has fallen silent.
//!
//! HTTP/2's pings make sure that something arrives at both ends every now and then; whatever arrives is a sign of life.
//! hyper's own limit does not serve for that: it waits for the answer to its ping, which may stand in a long queue
//! behind the very data that is arriving.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Fails when nothing has arrived for the time `limit`.
pub struct Watched<Stream> {
    stream: Stream,
    limit: Duration,
    last_read: Instant,
    last_write: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl<Stream> Watched<Stream> {
    pub fn new(stream: Stream, limit: Duration) -> Watched<Stream> {
        let now = Instant::now();
        Watched { stream, limit, last_read: now, last_write: now, alarm: Box::pin(sleep_until(now + limit)) }
    }

    /// Ready when there has been silence since then for too long; else the task is woken when that may be so.
    fn silent(&mut self, since: Instant, context: &mut Context<'_>) -> Poll<io::Error> {
        let until = since + self.limit;
        while Instant::now() < until {
            ready!(self.alarm.as_mut().poll(context));
            self.alarm.as_mut().reset(until);
        }
        let limit = self.limit.as_millis();
        let text = format!("nothing has arrived for {limit} ms (peers.ping_ms and peers.ping_timeout_ms)");
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, text))
    }

    /// What a write has come to. One that waits has fallen silent when nothing has arrived meanwhile either.
    fn written<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.last_write = Instant::now();
            return outcome;
        }
        let since = self.last_read.max(self.last_write);
        self.silent(since, context).map(Err)
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Watched<Stream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(outcome) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            self.last_read = Instant::now();
            return Poll::Ready(outcome);
        }
        let since = self.last_read;
        self.silent(since, context).map(Err)
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for Watched<Stream> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(outcome, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.written(outcome, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(context);
        self.written(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LIMIT: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn whatever_arrives_is_a_sign_of_life() {
        let (near, mut far) = duplex(16);
        let mut near = Watched::new(near, LIMIT);
        let begin = Instant::now();
        while begin.elapsed() < LIMIT * 2 {
            tokio::time::sleep(LIMIT / 10).await;
            far.write_all(b"x").await.expect("room");
            near.read_u8().await.expect("a sign of life");
        }
        let silence = Instant::now();
        let error = near.read_u8().await.expect_err("silence");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // The last sign of life is a moment older than this clock.
        assert!(silence.elapsed() > LIMIT * 9 / 10, "{:?}", silence.elapsed());
    }

    #[tokio::test]
    async fn a_write_that_nobody_takes_is_noticed_too() {
        let (near, _far) = duplex(16);
        let mut near = Watched::new(near, LIMIT);
        near.write_all(&[0; 16]).await.expect("room");
        assert_eq!(near.write_all(&[0; 16]).await.expect_err("silence").kind(), io::ErrorKind::TimedOut);
    }
}
