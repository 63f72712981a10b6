//! `GET` and `PUT /v1/policies`: the policies in force, and others in their place. Both are for administrators.

use std::sync::Arc;

use hyper::{HeaderMap, Response, StatusCode};
use isobar_replica::{Transaction, TransactionOptions, Ulid};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, Result, sqlstate};
use crate::node::Node;
use crate::policy::{Access, Action, Complaint, KEY, Policies, Principal, Record, Source, State};
use crate::protocol::http::error::Refusal;
use crate::protocol::http::query::commit_json;
use crate::protocol::http::request;
use crate::protocol::http::respond::{Body, json_response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PoliciesBody {
    /// Cedar's text by file name.
    files: std::collections::BTreeMap<String, String>,
    /// Cedar's JSON form of entities, as JSON or as its text.
    #[serde(default)]
    entities: Option<Value>,
}

/// `GET /v1/policies`
pub async fn show(node: &Node, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    let user = request::user(headers)?;
    let state = administered(node, &user).await?;
    let source = state.policies().source();
    let mut answer = json!({"files": source.files, "entities": source.entities});
    match &*state {
        State::Defaults(_) => answer["origin"] = json!("defaults"),
        State::Applied(_, record) => {
            answer["origin"] = json!("applied");
            answer["applied_by"] = json!(record.applied_by);
            // Microseconds since the Unix epoch.
            answer["applied_at"] = json!(record.applied_at);
        }
        State::Damaged { reason, .. } => {
            answer["origin"] = json!("damaged");
            answer["reason"] = json!(reason);
        }
    }
    Ok(json_response(StatusCode::OK, &answer))
}

/// `PUT /v1/policies`: whoever sees the commit is bound by them.
pub async fn apply(node: &Node, headers: &HeaderMap, body: &[u8]) -> Result<Response<Body>, Refusal> {
    let user = request::user(headers)?;
    let mut transaction = node.replica.begin(TransactionOptions::default()).await.map_err(Error::from)?;
    // First, so that nobody else learns what is wrong with which policies.
    within_statement(&mut transaction, |transaction| administer(node, &user, transaction).map(drop))?;
    let body: PoliciesBody = serde_json::from_slice(body).map_err(|error| {
        Refusal::malformed(format!("the body holds no policies: {error}"))
            .hint("Send {\"files\": {\"name.cedar\": \"permit (...);\"}, \"entities\": [...]}.")
    })?;
    let entities = match body.entities {
        None => "[]".into(),
        Some(Value::String(text)) => text,
        Some(entities) => format!("{entities:#}"),
    };
    let source = Source { files: body.files, entities };
    let policies = Policies::parse(source.clone()).map_err(|complaints| unsound(&complaints))?;
    let administers = policies.decide(&Principal::User(user.as_str().into()), &Access::to_database(Action::Admin));
    if !administers.allowed {
        let message = format!("by these policies \"{user}\" would not be an administrator, and could not change them");
        return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, message)
            .hint("Apply them as a user who is one by them, or keep the role admin in entities.json.")
            .into());
    }
    let applied_at = i64::try_from(node.clock.now_micros()).unwrap_or(i64::MAX);
    let record = Record::new(source, user, applied_at).to_bytes()?;
    let mut writes = vec![1];
    for part in [&KEY[..], &record] {
        writes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        writes.extend(part);
    }
    within_statement(&mut transaction, |transaction| Ok(transaction.write(&writes)?))?;
    let commit = node.replica.commit(transaction, Ulid::generate()).await.map_err(Error::from)?;
    let warnings: Vec<String> = policies.warnings().iter().map(Complaint::to_string).collect();
    let answer = json!({"policies": policies.texts().len(), "warnings": warnings, "commit": commit_json(&commit)});
    Ok(json_response(StatusCode::OK, &answer))
}

/// The policies in force, for an administrator; 42501 for anybody else.
pub async fn administered(node: &Node, user: &str) -> Result<Arc<State>> {
    let options = TransactionOptions { read_only: true, ..TransactionOptions::default() };
    let mut transaction = node.replica.begin(options).await?;
    within_statement(&mut transaction, |transaction| administer(node, user, transaction))
}

fn administer(node: &Node, user: &str, transaction: &mut Transaction) -> Result<Arc<State>> {
    let authority = node.authority(Principal::User(user.into()));
    authority.admit(transaction)?;
    authority.check(transaction, &[(Access::to_database(Action::Admin), None)])?;
    node.policies.seen_by(transaction)
}

fn within_statement<T>(transaction: &mut Transaction, run: impl FnOnce(&mut Transaction) -> Result<T>) -> Result<T> {
    transaction.begin_statement()?;
    let answer = run(transaction);
    transaction.finish_statement(answer.is_ok());
    answer
}

fn unsound(complaints: &[Complaint]) -> Refusal {
    let shown: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    Error::new(sqlstate::SYNTAX_ERROR, "the policies are not sound; those in force stay")
        .detail(shown.join("\n"))
        .hint("isobar policy check DIR says the same without a node.")
        .into()
}
