//! All routes on one screen.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use isobar_replica::{Outcome, Ulid};
use serde_json::json;

use crate::error::{Error, sqlstate};
use crate::metrics;
use crate::node::Node;
use crate::protocol::http::error::{Refusal, error_json};
use crate::protocol::http::request::{self, Memory};
use crate::protocol::http::respond::{Body, JSON, PROMETHEUS, json_response, whole};
use crate::protocol::http::transactions::{self, Transactions};
use crate::protocol::http::{cluster, origin, policies, procedures, query};
use crate::session::once;
use crate::threads;

const OPENAPI: &str = include_str!("openapi.json");

/// What all requests share.
pub struct Service {
    pub node: Arc<Node>,
    pub transactions: Transactions,
    pub memory: Memory,
    pub connections: AtomicUsize,
    /// The node is about to stop: it is still there, but not ready for more.
    pub stopping: AtomicBool,
}

/// Answers one request; every failure is an answer too.
pub async fn route(service: Arc<Service>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let metrics = &service.node.metrics;
    metrics.http_requests.add(1);
    let allowed = origin::check(request.headers(), &service.node.configuration.http.origins);
    let (origin, answer) = match allowed {
        Err(refusal) => (None, Err(refusal)),
        Ok(origin) => (origin, answer(service.clone(), request).await),
    };
    let mut response = answer.unwrap_or_else(|refusal| {
        metrics.http_errors.add(1);
        refusal.response()
    });
    if let Some(origin) = origin {
        origin::allow(origin, response.headers_mut());
    }
    Ok(response)
}

async fn answer(service: Arc<Service>, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    let method = &parts.method;
    let route = match segments.as_slice() {
        ["sql"] => Route::Sql,
        ["v1", "transactions"] => Route::Begin,
        ["v1", "transactions", id, "sql"] => Route::TransactionSql(id),
        ["v1", "transactions", id, "commit"] => Route::Commit(id),
        ["v1", "transactions", id, "rollback"] => Route::Rollback(id),
        ["v1", "commits", id] => Route::Outcome(id),
        ["v1", "cluster"] => Route::Cluster,
        ["v1", "cluster", "remove"] => Route::ChangeCluster(cluster::Change::Remove),
        ["v1", "cluster", "transfer"] => Route::ChangeCluster(cluster::Change::Transfer),
        ["v1", "policies"] => Route::Policies,
        ["v1", "procedures"] => Route::Procedures,
        ["v1", "procedures", name] => Route::Procedure(name),
        ["v1", "procedures", name, "rollback"] => Route::RollBackProcedure(name),
        ["health"] => Route::Health,
        ["ready"] => Route::Ready,
        ["metrics"] => Route::Metrics,
        ["openapi.json"] => Route::OpenApi,
        _ => return Err(not_found(path)),
    };
    if method == Method::OPTIONS {
        let mut response = whole(StatusCode::NO_CONTENT, JSON, "");
        origin::allow_preflight(&parts.headers, response.headers_mut());
        return Ok(response);
    }
    let expected = route.methods();
    let asked = if method == Method::HEAD { &Method::GET } else { method };
    if !expected.contains(asked) {
        let expected: Vec<_> = expected.iter().map(Method::as_str).collect();
        let message = format!("{path} is served by {}, not by {method}", expected.join(" and "));
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, sqlstate::PROTOCOL_VIOLATION, message));
    }
    match route {
        Route::Sql | Route::Begin | Route::TransactionSql(_) => {
            let (body, _room) = request::read(&service.node.configuration.http, &service.memory, body).await?;
            match route {
                Route::Sql => threads::run(query::answer(service, parts.headers, body)).await,
                Route::TransactionSql(id) => {
                    let id = id.to_owned();
                    threads::run(async move { transactions::query(service, &id, parts.headers, body).await }).await
                }
                _ => transactions::begin(service, parts.headers, body).await,
            }
        }
        Route::Procedures => procedures::list(service, parts.headers).await,
        Route::Procedure(name) => {
            let (body, _room) = request::read(&service.node.configuration.http, &service.memory, body).await?;
            let query = procedures::Query::parse(parts.uri.query());
            procedures::one(service, method, name, &query, parts.headers, body).await
        }
        // What a client sends with these says nothing, but unread it would end the connection that is kept.
        Route::RollBackProcedure(_) | Route::Commit(_) | Route::Rollback(_) => {
            drop(request::read(&service.node.configuration.http, &service.memory, body).await?);
            match route {
                Route::Commit(id) => transactions::commit(service, id, parts.headers).await,
                Route::Rollback(id) => transactions::rollback(service, id, parts.headers).await,
                Route::RollBackProcedure(name) => {
                    let query = procedures::Query::parse(parts.uri.query());
                    procedures::roll_back(service, name, &query, parts.headers).await
                }
                _ => Err(not_found(path)),
            }
        }
        Route::Policies if *method == Method::PUT => {
            let (body, _room) = request::read(&service.node.configuration.http, &service.memory, body).await?;
            policies::apply(&service.node, &parts.headers, &body).await
        }
        Route::Policies => policies::show(&service.node, &parts.headers).await,
        Route::Outcome(id) => outcome(&service.node, id).await,
        Route::Cluster => cluster::show(&service.node).await,
        Route::ChangeCluster(change) => {
            let (body, _room) = request::read(&service.node.configuration.http, &service.memory, body).await?;
            cluster::change(&service.node, change, &parts.headers, &body).await
        }
        Route::Health => Ok(health(&service)),
        Route::Ready => Ok(ready(&service)),
        Route::Metrics => {
            let connections = service.connections.load(Ordering::Relaxed);
            let text = metrics::render(&service.node, connections, service.transactions.count());
            Ok(whole(StatusCode::OK, PROMETHEUS, text))
        }
        Route::OpenApi => Ok(whole(StatusCode::OK, JSON, OPENAPI)),
    }
}

enum Route<'a> {
    Sql,
    Begin,
    TransactionSql(&'a str),
    Commit(&'a str),
    Rollback(&'a str),
    Outcome(&'a str),
    Cluster,
    ChangeCluster(cluster::Change),
    Policies,
    Procedures,
    Procedure(&'a str),
    RollBackProcedure(&'a str),
    Health,
    Ready,
    Metrics,
    OpenApi,
}

impl Route<'_> {
    fn methods(&self) -> &'static [Method] {
        match self {
            Route::Sql
            | Route::Begin
            | Route::TransactionSql(_)
            | Route::Commit(_)
            | Route::Rollback(_)
            | Route::ChangeCluster(_)
            | Route::RollBackProcedure(_) => &[Method::POST],
            Route::Policies => &[Method::GET, Method::PUT],
            Route::Procedure(_) => &[Method::GET, Method::POST, Method::DELETE],
            Route::Outcome(_)
            | Route::Cluster
            | Route::Procedures
            | Route::Health
            | Route::Ready
            | Route::Metrics
            | Route::OpenApi => &[Method::GET],
        }
    }
}

fn not_found(path: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, sqlstate::PROTOCOL_VIOLATION, format!("{path} is not served here"))
        .hint("GET /openapi.json lists what is.")
}

/// `GET /v1/commits/{ulid}`: by a commit's own id, or by the idempotency key of its request.
async fn outcome(node: &Node, id: &str) -> Result<Response<Body>, Refusal> {
    let id = Ulid::from_string(id)
        .map_err(|_| Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("a commit's id is a ULID, not \"{id}\"")))?;
    let shown = id.to_string();
    match node.replica.outcome(id).await.map_err(Error::from)? {
        Some(Outcome::Committed { timestamp }) => {
            let answer = json!({"id": shown, "status": "committed", "timestamp": timestamp});
            return Ok(json_response(StatusCode::OK, &answer));
        }
        Some(Outcome::Refused { error }) => {
            let answer = json!({"id": shown, "status": "refused", "error": error_json(&Error::from(error))});
            return Ok(json_response(StatusCode::OK, &answer));
        }
        None => {}
    }
    match once::find(node, id).await? {
        Some(repeated) => {
            let timestamp = repeated.commit.map(|commit| commit.timestamp);
            let answer = json!({"id": shown, "status": "committed", "timestamp": timestamp});
            Ok(json_response(StatusCode::OK, &answer))
        }
        None => Ok(json_response(StatusCode::NOT_FOUND, &json!({"id": shown, "status": "unknown"}))),
    }
}

/// A node that has failed lives for a moment only, and says why.
fn health(service: &Service) -> Response<Body> {
    match service.node.replica.failure() {
        Some(error) => failed(service, error),
        None => json_response(StatusCode::OK, &json!({"status": "ok"})),
    }
}

fn failed(service: &Service, error: isobar_replica::Error) -> Response<Body> {
    let region = &service.node.configuration.region;
    let answer = json!({"status": "failed", "region": region, "error": error_json(&Error::from(error))});
    json_response(StatusCode::SERVICE_UNAVAILABLE, &answer)
}

fn ready(service: &Service) -> Response<Body> {
    let region = &service.node.configuration.region;
    if let Some(error) = service.node.replica.failure() {
        return failed(service, error);
    }
    if service.stopping.load(Ordering::Relaxed) {
        return json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "stopping", "region": region}));
    }
    if !service.node.serving.load(Ordering::Relaxed) {
        return json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "joining", "region": region}));
    }
    json_response(StatusCode::OK, &json!({"status": "ready", "region": region}))
}
