//! `GET /v1/cluster`: the cluster as its nodes report it, to anybody, as are the metrics. `POST /v1/cluster/remove` and
//! `/v1/cluster/transfer` change it, for administrators.

use std::time::{Duration, Instant};

use hyper::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, sqlstate};
use crate::node::Node;
use crate::protocol::http::error::Refusal;
use crate::protocol::http::policies::administered;
use crate::protocol::http::request;
use crate::protocol::http::respond::{Body, json_response};

/// What is to be done with a node.
#[derive(Clone, Copy)]
pub enum Change {
    /// It is to be a member no more.
    Remove,
    /// It is to lead.
    Transfer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    /// The number of the node.
    node: u64,
}

/// `GET /v1/cluster`
pub async fn show(node: &Node) -> Result<Response<Body>, Refusal> {
    let mut status = node.replica.cluster_status().await.map_err(Error::from)?;
    // A node that is alone has told nobody where it is.
    if node.membership.is_none() {
        for alone in &mut status.nodes {
            alone.region.clone_from(&node.configuration.region);
            alone.version = Some(env!("CARGO_PKG_VERSION").into());
        }
    }
    let status = serde_json::to_value(status).map_err(|error| Error::internal(error.to_string()))?;
    Ok(json_response(StatusCode::OK, &status))
}

/// `POST /v1/cluster/remove` and `/v1/cluster/transfer`: answers when it is done.
pub async fn change(node: &Node, change: Change, headers: &HeaderMap, body: &[u8]) -> Result<Response<Body>, Refusal> {
    let user = request::user(headers)?;
    // First, so that nobody else learns what there is.
    administered(node, &user).await?;
    let body: ChangeBody = serde_json::from_slice(body)
        .map_err(|error| Refusal::malformed(format!("the body names no node: {error}")).hint("Send {\"node\": 2}."))?;
    if node.membership.is_none() {
        let message = "this node is in no cluster";
        return Err(Error::new(sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            .hint("isobar cluster --help shows how one is formed.")
            .into());
    }
    match change {
        Change::Remove => node.replica.remove_member(body.node).await.map_err(Error::from)?,
        Change::Transfer => {
            node.replica.transfer_leader(body.node).await.map_err(Error::from)?;
            leads(node, body.node).await?;
        }
    }
    Ok(json_response(StatusCode::OK, &json!({"node": body.node, "done": true})))
}

/// How long a node may take to lead after it has been asked to.
const TRANSFER_TIME: Duration = Duration::from_secs(5);

/// Waits until a node leads that has been asked to: another one may win the election.
async fn leads(node: &Node, wanted: u64) -> Result<(), Error> {
    let begin = Instant::now();
    while begin.elapsed() < TRANSFER_TIME {
        if node.replica.progress().leader == Some(wanted) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let leader = match node.replica.progress().leader {
        Some(leader) => format!("node {leader} leads"),
        None => "nobody is known to lead".into(),
    };
    let message = format!("node {wanted} has not taken over");
    Err(Error::new(sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE, message).detail(leader).hint("Try again."))
}
