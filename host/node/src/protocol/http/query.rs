//! `POST /sql`: a statement, or an atomic batch of them.

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::sync::Arc;

use bytes::Bytes;
use hyper::{HeaderMap, Response};
use isobar_replica::{Commit, Ulid};
use serde_json::json;

use crate::error::{Error, sqlstate};
use crate::protocol::http::error::Refusal;
use crate::protocol::http::request::{self, QueryBody};
use crate::protocol::http::respond::{Body, JSON, holding};
use crate::protocol::http::router::Service;
use crate::protocol::http::rows::{RowStyle, write_members};
use crate::protocol::http::stream;
use crate::sandbox::{Event, Results};
use crate::session::{Session, Statement};

/// Answers `POST /sql`.
pub async fn answer(service: Arc<Service>, headers: HeaderMap, body: Bytes) -> Result<Response<Body>, Refusal> {
    let style = RowStyle::of(&headers);
    let key = request::idempotency_key(&headers)?;
    let mut body = QueryBody::parse(&body)?;
    let settings = request::settings(std::mem::take(&mut body.settings))?;
    let session = Session::new(service.node.clone(), &request::user(&headers)?, settings);
    match body.queries.take() {
        Some(queries) => batch(&service, session, &headers, queries, key).await,
        None => {
            let statement = body.statement()?;
            single(&service, Box::new(session), statement, &headers, key, style).await
        }
    }
}

/// Runs one statement of a session and answers in the form that the client wants.
pub async fn single<S>(
    service: &Service,
    mut session: S,
    statement: Statement,
    headers: &HeaderMap,
    key: Option<Ulid>,
    style: RowStyle,
) -> Result<Response<Body>, Refusal>
where
    S: DerefMut<Target = Session> + Send + 'static,
{
    // What is sent again under a key is answered from the store, so it must have been whole.
    if stream::is_wanted(headers) && key.is_none() {
        return stream::answer(service, session, statement, style).await;
    }
    let before = session.settings().clone();
    let mut results = Results::held(service.node.configuration.http.result_bytes());
    let completion = session.execute(&statement, &mut results, key).await?;
    let events = results.take();
    let mut out = Vec::with_capacity(256 + events.iter().map(event_bytes).sum::<usize>());
    if stream::is_wanted(headers) {
        stream::write_lines(&events, &completion.tag, style, &mut out);
        return respond(service, stream::NDJSON, out, completion.commit.is_some()).await;
    }
    out.push(b'{');
    write_members(&events, &completion.tag, style, &mut out);
    write_commit(completion.commit, completion.repeated, &mut out);
    if session.settings().session() != before.session() {
        write_settings(session.settings().session(), &mut out);
    }
    out.push(b'}');
    respond(service, JSON, out, completion.commit.is_some()).await
}

async fn batch(
    service: &Service,
    mut session: Session,
    headers: &HeaderMap,
    queries: Vec<QueryBody>,
    key: Option<Ulid>,
) -> Result<Response<Body>, Refusal> {
    let style = RowStyle::of(headers);
    let configuration = &service.node.configuration.http;
    let most = configuration.batch_statements;
    if queries.len() > most {
        let error = Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, format!("more than {most} statements in a batch"));
        return Err(error.hint("Send several batches, or raise http.batch_statements.").into());
    }
    let modes = request::batch_modes(headers)?;
    let statements = queries.into_iter().map(QueryBody::statement).collect::<Result<Vec<_>, _>>()?;
    let before = session.settings().clone();
    let answer = session.execute_batch(&statements, modes, configuration.result_bytes(), key).await?;
    let mut out = b"{\"results\":[".to_vec();
    for (index, answer) in answer.answers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.push(b'{');
        write_members(&answer.events, &answer.tag, style, &mut out);
        out.push(b'}');
    }
    out.push(b']');
    write_commit(answer.commit, answer.repeated, &mut out);
    if session.settings().session() != before.session() {
        write_settings(session.settings().session(), &mut out);
    }
    out.push(b'}');
    respond(service, JSON, out, answer.commit.is_some()).await
}

/// `committed`: there is no telling the client to try again later, whatever the memory.
async fn respond(
    service: &Service,
    content_type: hyper::header::HeaderValue,
    out: Vec<u8>,
    committed: bool,
) -> Result<Response<Body>, Refusal> {
    let permit = match service.memory.reserve(out.len()).await {
        Err(refusal) if !committed => return Err(refusal),
        permit => permit.ok(),
    };
    Ok(holding(content_type, out, permit))
}

/// JSON takes more than the packed form, though not always.
fn event_bytes(event: &Event) -> usize {
    match event {
        Event::Rows { batch, .. } => batch.len() + batch.len() / 4,
        Event::Columns(columns) => columns.len() * 160,
        Event::Notice(_) => 256,
    }
}

fn write_commit(commit: Option<Commit>, repeated: bool, out: &mut Vec<u8>) {
    if let Some(commit) = commit {
        out.extend_from_slice(format!(",\"commit\":{}", commit_json(&commit)).as_bytes());
    }
    if repeated {
        out.extend_from_slice(b",\"repeated\":true");
    }
}

pub fn commit_json(commit: &Commit) -> serde_json::Value {
    json!({"id": commit.id.to_string(), "timestamp": commit.timestamp})
}

/// All settings after a change, for the client to send with its next request.
fn write_settings(settings: &BTreeMap<String, String>, out: &mut Vec<u8>) {
    out.extend_from_slice(format!(",\"settings\":{}", json!(settings)).as_bytes());
}
