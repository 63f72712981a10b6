//! Interactive transactions: one transaction over several requests, known by a ULID that is also its commit's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::{HeaderMap, Response, StatusCode};
use isobar_replica::{Outcome, Ulid};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OwnedMutexGuard;

use crate::error::{Error, Result, sqlstate};
use crate::protocol::http::error::Refusal;
use crate::protocol::http::query::{self, commit_json};
use crate::protocol::http::request::{self, QueryBody};
use crate::protocol::http::respond::{Body, json_response};
use crate::protocol::http::router::Service;
use crate::protocol::http::rows::RowStyle;
use crate::sandbox::TransactionModes;
use crate::session::{Session, Status};

/// The open ones.
pub struct Transactions {
    open: Mutex<HashMap<Ulid, Entry>>,
    most: usize,
    idle: Duration,
}

#[derive(Clone)]
struct Entry {
    session: Arc<tokio::sync::Mutex<Session>>,
    used: Instant,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BeginBody {
    isolation: Option<String>,
    read_only: Option<bool>,
    settings: std::collections::BTreeMap<String, String>,
}

impl Transactions {
    pub fn new(most: usize, idle: Duration) -> Transactions {
        Transactions { open: Mutex::default(), most, idle }
    }

    pub fn count(&self) -> usize {
        self.open.lock().len()
    }

    /// Rolls back those that nobody has talked to for too long. One that runs a statement is not idle.
    pub fn drop_idle(&self) {
        let mut idle = Vec::new();
        self.open.lock().retain(|_, entry| {
            if entry.session.try_lock().is_err() {
                entry.used = Instant::now();
            }
            let keep = entry.used.elapsed() < self.idle;
            if !keep {
                idle.push(entry.session.clone());
            }
            keep
        });
        // The lock is free again while transactions end.
        drop(idle);
    }

    /// Rolls all of them back.
    pub fn clear(&self) {
        let open = std::mem::take(&mut *self.open.lock());
        drop(open);
    }

    fn insert(&self, id: Ulid, session: Session) -> Result<()> {
        let mut open = self.open.lock();
        if open.len() >= self.most {
            let message = format!("more than {} interactive transactions are open", self.most);
            return Err(Error::new(sqlstate::TOO_MANY_CONNECTIONS, message)
                .hint("Commit or roll back others, or raise http.transactions."));
        }
        open.insert(id, Entry { session: Arc::new(tokio::sync::Mutex::new(session)), used: Instant::now() });
        Ok(())
    }

    /// Finds one and marks it as used.
    fn find(&self, id: Ulid) -> Option<Arc<tokio::sync::Mutex<Session>>> {
        let mut open = self.open.lock();
        let entry = open.get_mut(&id)?;
        entry.used = Instant::now();
        Some(entry.session.clone())
    }

    fn remove(&self, id: Ulid) {
        self.open.lock().remove(&id);
    }
}

/// `POST /v1/transactions`
pub async fn begin(service: Arc<Service>, headers: HeaderMap, body: Bytes) -> Result<Response<Body>, Refusal> {
    let wanted = if body.iter().all(u8::is_ascii_whitespace) {
        BeginBody::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            Refusal::malformed(format!("the body is not a transaction: {error}"))
                .hint("Send {\"isolation\": \"repeatable read\", \"read_only\": false}; both may be left out.")
        })?
    };
    let isolation = wanted.isolation.as_deref().map(request::isolation).transpose()?;
    let settings = request::settings(wanted.settings)?;
    let id = Ulid::generate();
    let mut session = Session::new(service.node.clone(), &request::user(&headers)?, settings);
    session.begin(TransactionModes { isolation, read_only: wanted.read_only }, Some(id))?;
    service.transactions.insert(id, session)?;
    let idle_limit = service.node.configuration.http.transaction_idle_ms;
    Ok(json_response(StatusCode::OK, &json!({"id": id.to_string(), "idle_limit_ms": idle_limit})))
}

/// The session of an open transaction, for this request alone; none when the transaction has ended. Whoever went away
/// while COMMIT ran has left a session without its block: what ran in it now would be on its own.
/// It answers the user who has begun it, and nobody else.
fn open_session(service: &Service, id: Ulid, headers: &HeaderMap) -> Result<Option<OwnedMutexGuard<Session>>, Refusal> {
    let user = request::user(headers)?;
    let Some(shared) = service.transactions.find(id) else { return Ok(None) };
    let session = shared.try_lock_owned().map_err(|_| busy())?;
    if !session.belongs_to(&user) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            sqlstate::INSUFFICIENT_PRIVILEGE,
            format!("the transaction {id} belongs to another user"),
        )
        .hint("Send the connection string that it was begun with."));
    }
    if session.status() == Status::Idle {
        service.transactions.remove(id);
        return Ok(None);
    }
    Ok(Some(session))
}

/// `POST /v1/transactions/{id}/sql`
pub async fn query(
    service: Arc<Service>,
    id: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Refusal> {
    let id = parse(id)?;
    let statement = QueryBody::parse(&body)?.statement()?;
    let session = open_session(&service, id, &headers)?.ok_or_else(|| missing(id))?;
    let shared = OwnedMutexGuard::mutex(&session).clone();
    let answer = query::single(&service, session, statement, &headers, None, RowStyle::of(&headers)).await;
    // COMMIT and ROLLBACK as statements end it too. A stream that still runs keeps it.
    if shared.try_lock().is_ok_and(|session| session.status() == Status::Idle) {
        service.transactions.remove(id);
    }
    answer
}

/// `POST /v1/transactions/{id}/commit`. Sent again after a lost answer, it tells what became of the first.
pub async fn commit(service: Arc<Service>, id: &str, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let id = parse(id)?;
    let Some(mut session) = open_session(&service, id, &headers)? else { return first_commit(&service, id).await };
    // In a task of its own, so that it ends as it would when the client goes away.
    let owner = service.clone();
    let committing = tokio::spawn(async move {
        let answer = session.commit().await;
        owner.transactions.remove(id);
        answer
    });
    let completion =
        committing.await.map_err(|failure| Error::internal("the commit broke off").detail(failure.to_string()))??;
    let commit = completion.commit.as_ref().map(commit_json);
    Ok(json_response(StatusCode::OK, &json!({"command": completion.tag, "commit": commit})))
}

/// What became of a commit that was asked for before.
async fn first_commit(service: &Service, id: Ulid) -> Result<Response<Body>, Refusal> {
    match service.node.replica.outcome(id).await.map_err(Error::from)? {
        Some(Outcome::Committed { timestamp }) => {
            let commit = isobar_replica::Commit { id, timestamp };
            let answer = json!({"command": "COMMIT", "commit": commit_json(&commit), "repeated": true});
            Ok(json_response(StatusCode::OK, &answer))
        }
        Some(Outcome::Refused { error }) => Err(Error::from(error).into()),
        None => Err(missing(id)),
    }
}

/// `POST /v1/transactions/{id}/rollback`
pub async fn rollback(service: Arc<Service>, id: &str, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let id = parse(id)?;
    let mut session = open_session(&service, id, &headers)?.ok_or_else(|| missing(id))?;
    let completion = session.rollback();
    service.transactions.remove(id);
    Ok(json_response(StatusCode::OK, &json!({"command": completion.tag})))
}

fn parse(id: &str) -> Result<Ulid, Refusal> {
    Ulid::from_string(id).map_err(|_| {
        Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("a transaction's id is a ULID, not \"{id}\"")).into()
    })
}

fn missing(id: Ulid) -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        sqlstate::NO_ACTIVE_SQL_TRANSACTION,
        format!("there is no open transaction {id}"),
    )
    .hint("It has ended, or was rolled back because nobody used it within its idle_limit_ms.")
}

fn busy() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        sqlstate::OBJECT_IN_USE,
        "another statement of this transaction is still running",
    )
}
