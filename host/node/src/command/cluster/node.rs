//! What needs a node: seeing how the cluster is, and changing it.

use hyper::Method;
use isobar_replica::{ClusterStatus, NodeStatus};
use serde_json::json;

use crate::command::client::{Client, DatabaseError, Failure};
use crate::command::cluster::Target;
use crate::command::cluster::report;

impl Target {
    fn client(&self) -> Result<Client, String> {
        let client = Client::new(&self.url)?;
        Ok(match &self.user {
            Some(user) => client.with_user(user),
            None => client,
        })
    }
}

pub async fn status(target: &Target, as_json: bool) -> Result<(), String> {
    let client = target.client()?;
    let answer = client.request(Method::GET, "/v1/cluster").await.map_err(refused)?;
    if as_json {
        println!("{answer:#}");
        return Ok(());
    }
    print!("{}", report::text(&understood(answer)?));
    Ok(())
}

pub async fn remove(target: &Target, whom: &str) -> Result<(), String> {
    let client = target.client()?;
    let before = cluster(&client).await?;
    let node = named(&before, whom)?;
    client.post("/v1/cluster/remove", &json!({"node": node.id})).await.map_err(refused)?;
    println!(
        "Removed node {} ({}). Stop it if it still runs, and delete its data and its invitation.\n",
        node.id, node.region
    );
    print!("{}", report::text(&cluster(&client).await?));
    Ok(())
}

pub async fn transfer(target: &Target, whom: &str) -> Result<(), String> {
    let client = target.client()?;
    let before = cluster(&client).await?;
    let node = named(&before, whom)?;
    client.post("/v1/cluster/transfer", &json!({"node": node.id})).await.map_err(refused)?;
    println!("Node {} ({}) leads.", node.id, node.region);
    Ok(())
}

async fn cluster(client: &Client) -> Result<ClusterStatus, String> {
    understood(client.request(Method::GET, "/v1/cluster").await.map_err(refused)?)
}

fn understood(answer: serde_json::Value) -> Result<ClusterStatus, String> {
    serde_json::from_value(answer).map_err(|error| format!("the node's answer makes no sense: {error}"))
}

/// The node with this number, or the only one of this region.
fn named<'a>(status: &'a ClusterStatus, whom: &str) -> Result<&'a NodeStatus, String> {
    let number: Option<u64> = whom.parse().ok();
    let fits = |node: &&NodeStatus| number.map_or(node.region == whom, |number| node.id == number);
    let found: Vec<_> = status.nodes.iter().filter(fits).collect();
    match found.as_slice() {
        [node] => Ok(node),
        [] => {
            let known: Vec<_> = status.nodes.iter().map(|node| format!("{} ({})", node.region, node.id)).collect();
            Err(format!("the cluster has no node {whom}; it has {}", known.join(", ")))
        }
        several => {
            let numbers: Vec<_> = several.iter().map(|node| node.id.to_string()).collect();
            Err(format!("{whom} has the nodes {}: name one by its number", numbers.join(", ")))
        }
    }
}

fn refused(failure: Failure) -> String {
    match failure {
        Failure::Database(error) => {
            let DatabaseError { message, detail, hint, code, .. } = *error;
            let mut text = format!("{message} ({code})");
            for (title, more) in [("DETAIL", detail), ("HINT", hint)] {
                if let Some(more) = more {
                    text.push_str(&format!("\n{title}: {more}"));
                }
            }
            text
        }
        failure => failure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::cluster::report::tests::cluster;

    #[test]
    fn nodes_are_named_by_number_or_region() {
        let mut status = cluster(&[("oregon", "voter"), ("tokyo", "voter"), ("tokyo", "learner")]);
        assert_eq!(named(&status, "oregon").map(|node| node.id), Ok(1));
        assert_eq!(named(&status, "3").map(|node| node.id), Ok(3));
        assert!(named(&status, "tokyo").is_err_and(|error| error.contains("2, 3")));
        assert!(named(&status, "paris").is_err_and(|error| error.contains("oregon (1), tokyo (2)")));
        status.nodes.clear();
        assert!(named(&status, "1").is_err());
    }
}
