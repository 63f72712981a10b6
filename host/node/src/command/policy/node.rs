//! What needs a node: putting policies in force, and seeing those that are.

use std::fs;
use std::path::Path;

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use crate::command::client::{self, Client};
use crate::command::policy::changes::Changes;
use crate::command::policy::{Failure, Target};
use crate::policy::{Policies, Source};

const PATH: &str = "/v1/policies";

/// What `GET /v1/policies` answers.
#[derive(Deserialize)]
struct InForce {
    files: std::collections::BTreeMap<String, String>,
    entities: String,
    origin: String,
    applied_by: Option<String>,
    reason: Option<String>,
}

impl InForce {
    fn into_source(self) -> Source {
        Source { files: self.files, entities: self.entities }
    }
}

impl Target {
    fn client(&self) -> Result<Client, Failure> {
        let client = Client::new(&self.url).map_err(Failure::NothingDone)?;
        Ok(match &self.user {
            Some(user) => client.with_user(user),
            None => client,
        })
    }
}

pub async fn apply(target: &Target, policies: &Policies) -> Result<(), Failure> {
    let client = target.client()?;
    let before = in_force(&client).await?.into_source();
    let source = policies.source();
    let body = json!({"files": source.files, "entities": source.entities});
    let changes = Changes::between(&before, policies);
    client.put(PATH, &body).await.map_err(refused)?;
    print!("{changes}");
    println!("{} policies are in force at {}", policies.texts().len(), client.url());
    Ok(())
}

pub async fn show(target: &Target, folder: Option<&Path>) -> Result<(), Failure> {
    let client = target.client()?;
    let in_force = in_force(&client).await?;
    match (in_force.origin.as_str(), &in_force.applied_by, &in_force.reason) {
        ("applied", Some(user), _) => eprintln!("applied by {user}"),
        (_, _, Some(reason)) => eprintln!("what was applied cannot be read, so all is denied: {reason}"),
        _ => eprintln!("nobody has applied any: these are the defaults"),
    }
    let source = in_force.into_source();
    if let Some(folder) = folder {
        return write(folder, &source).map_err(|error| {
            Failure::NothingDone(format!("the policies cannot be written into {}: {error}", folder.display()))
        });
    }
    for (name, text) in &source.files {
        println!("// {name}\n{}\n", text.trim_end());
    }
    println!("// entities.json\n{}", source.entities.trim_end());
    Ok(())
}

async fn in_force(client: &Client) -> Result<InForce, Failure> {
    let answer = client.request(Method::GET, PATH).await.map_err(refused)?;
    serde_json::from_value(answer)
        .map_err(|error| Failure::NothingDone(format!("the node's answer makes no sense: {error}")))
}

fn refused(failure: client::Failure) -> Failure {
    match failure {
        client::Failure::Database(error) => {
            eprintln!("isobar: {}: {}", error.code, error.message);
            for (name, text) in [("DETAIL", &error.detail), ("HINT", &error.hint)] {
                if let Some(text) = text {
                    eprintln!("{name}:  {text}");
                }
            }
            Failure::Refused
        }
        other => Failure::NothingDone(other.to_string()),
    }
}

/// Only into a folder that is made for them: nothing is written over. Names come from the node, so that none may lead
/// out of it.
fn write(folder: &Path, source: &Source) -> std::io::Result<()> {
    fs::create_dir(folder)?;
    for (name, text) in &source.files {
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':']);
        if !name.split('/').all(is_plain) {
            let message = format!("{name:?} is no name of a file within a folder");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    fs::write(folder.join("entities.json"), &source.entities)
}
