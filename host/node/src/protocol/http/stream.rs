//! Results as lines of JSON while the statement runs: the fields, the rows, and a last line with the command or the
//! error. The engine waits when the client does not read.

use std::convert::Infallible;
use std::ops::DerefMut;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{ACCEPT, HeaderMap};
use hyper::{Response, StatusCode};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};
use crate::protocol::http::error::{Refusal, error_json};
pub use crate::protocol::http::respond::NDJSON;
use crate::protocol::http::respond::{Body, with_body};
use crate::protocol::http::router::Service;
use crate::protocol::http::rows::{RowStyle, RowWriter, command_and_count, fields_json, notice_json};
use crate::sandbox::{Event, Interrupt, Results};
use crate::session::{Completion, Session, Statement};
use crate::threads;

pub fn is_wanted(headers: &HeaderMap) -> bool {
    let named = |value: &hyper::header::HeaderValue| {
        value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("application/x-ndjson"))
    };
    headers.get_all(ACCEPT).iter().any(named)
}

/// Starts the statement in a task of its own, and answers once its first results or its end are there: an error
/// before that is an ordinary one.
pub async fn answer<S>(
    service: &Service,
    mut session: S,
    statement: Statement,
    style: RowStyle,
) -> Result<Response<Body>, Refusal>
where
    S: DerefMut<Target = Session> + Send + 'static,
{
    let configuration = &service.node.configuration;
    let (sender, mut events) = mpsc::channel(configuration.http.stream_batches.max(1));
    let (end, mut ended) = oneshot::channel();
    let interrupt = session.interrupt();
    let held_bytes_max = configuration.session.held_result_bytes();
    let work = async move {
        let mut results = Results::streamed(sender, held_bytes_max);
        let answer = session.execute(&statement, &mut results, None).await;
        let answer = match answer {
            Ok(completion) => results.flush().await.map(|()| completion),
            Err(error) => Err(error),
        };
        drop(results);
        // The transaction's session is free again before its client hears of the end.
        drop(session);
        let _ = end.send(answer);
    };
    tokio::spawn(threads::run(work));
    let guard = InterruptOnDrop(interrupt);
    let first = events.recv().await;
    let mut lines = Lines { writer: RowWriter::new(&[], style), style };
    let mut out = Vec::new();
    match first {
        Some(event) => lines.write(&event, &mut out),
        None => {
            let completion = (&mut ended).await.unwrap_or_else(|_| Err(broken_off()))?;
            write_end(&Ok(completion), &mut out);
            return Ok(with_body(StatusCode::OK, NDJSON, http_body_util::Full::new(out.into()).boxed_unsync()));
        }
    }
    let state = State { events, ended: Some(ended), lines, first: Some(out), _guard: guard };
    let frames = futures::stream::unfold(state, |mut state| async move {
        let bytes = state.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(bytes)), state))
    });
    Ok(with_body(StatusCode::OK, NDJSON, StreamBody::new(Box::pin(frames)).boxed_unsync()))
}

/// An answer that is whole, as lines.
pub fn write_lines(events: &[Event], tag: &str, style: RowStyle, out: &mut Vec<u8>) {
    let mut lines = Lines { writer: RowWriter::new(&[], style), style };
    for event in events {
        lines.write(event, out);
    }
    write_end(&Ok(Completion { tag: tag.into(), commit: None, repeated: false }), out);
}

fn broken_off() -> Error {
    Error::internal("the statement broke off")
}

/// The client has gone, or has all: the statement need not go on.
struct InterruptOnDrop(Arc<Interrupt>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}

struct State {
    events: mpsc::Receiver<Event>,
    ended: Option<oneshot::Receiver<Result<Completion>>>,
    lines: Lines,
    first: Option<Vec<u8>>,
    _guard: InterruptOnDrop,
}

impl State {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first.into());
        }
        let mut out = Vec::new();
        while let Some(event) = self.events.recv().await {
            self.lines.write(&event, &mut out);
            if !out.is_empty() {
                return Some(out.into());
            }
        }
        let answer = self.ended.take()?.await.unwrap_or_else(|_| Err(broken_off()));
        write_end(&answer, &mut out);
        Some(out.into())
    }
}

struct Lines {
    writer: RowWriter,
    style: RowStyle,
}

impl Lines {
    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Columns(columns) => {
                self.writer = RowWriter::new(columns, self.style);
                let line = json!({"fields": fields_json(columns), "rowAsArray": self.style.arrays});
                out.extend_from_slice(line.to_string().as_bytes());
                out.push(b'\n');
            }
            Event::Rows { batch, count } => {
                out.reserve(batch.len() + batch.len() / 4);
                let mut first = true;
                self.writer.write(batch, *count, out, |out| {
                    if !std::mem::take(&mut first) {
                        out.push(b'\n');
                    }
                });
                if !first {
                    out.push(b'\n');
                }
            }
            Event::Notice(notice) => {
                out.extend_from_slice(json!({"notice": notice_json(notice)}).to_string().as_bytes());
                out.push(b'\n');
            }
        }
    }
}

fn write_end(answer: &Result<Completion>, out: &mut Vec<u8>) {
    let line = match answer {
        Ok(completion) => {
            let (command, count) = command_and_count(&completion.tag);
            json!({"command": command, "rowCount": count})
        }
        Err(error) => json!({"error": error_json(error)}),
    };
    out.extend_from_slice(line.to_string().as_bytes());
    out.push(b'\n');
}
