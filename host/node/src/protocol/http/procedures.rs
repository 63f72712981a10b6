//! `/v1/procedures`: deploys, lists, shows, rolls back and drops stored procedures.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::error::{Error, sqlstate};
use crate::protocol::http::error::Refusal;
use crate::protocol::http::request;
use crate::protocol::http::respond::{Body, json_response};
use crate::protocol::http::router::Service;
use crate::sandbox::{Event, Results};
use crate::session::{Session, Settings, Statement};

/// What of a procedure's row is JSON already.
const LIST: &str = "SELECT json_build_object('name', name, 'owner', owner, 'version', version, 'digest', digest, \
                    'size', size, 'definer', definer, 'deployed_at', deployed_at, 'routines', routines, \
                    'imports', imports, 'limits', limits) FROM isobar.procedures";

const VERSIONS: &str = "SELECT json_build_object('version', version, 'digest', digest, 'size', size, \
                        'deployed_at', deployed_at, 'active', active) \
                        FROM isobar.procedure_versions WHERE name = $1 ORDER BY version";

/// `GET /v1/procedures`
pub async fn list(service: Arc<Service>, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let mut session = session(&service, &headers)?;
    let rows = json_rows(&mut session, &format!("{LIST} ORDER BY name"), &[]).await?;
    Ok(json_response(StatusCode::OK, &json!({"procedures": rows})))
}

/// `/v1/procedures/{name}`: GET shows it, POST deploys the body under this name, DELETE drops it.
pub async fn one(
    service: Arc<Service>,
    method: &Method,
    name: &str,
    query: &Query<'_>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Refusal> {
    let mut session = session(&service, &headers)?;
    match *method {
        Method::POST => {
            check_name(name)?;
            let definer = query.flag("definer")?;
            // Before anything is compiled for who may not deploy it.
            session.check_deploy(name).await?;
            let prepared = service.node.sandbox.procedures().prepare(body.into()).await?;
            session.deploy(name, definer, &prepared).await?;
        }
        Method::DELETE => {
            let statement = format!("DROP PROCEDURE {}", quoted(name));
            let mut results = Results::held(service.node.configuration.http.result_bytes());
            session.execute(&Statement { sql: statement, ..Statement::default() }, &mut results, None).await?;
            return Ok(json_response(StatusCode::OK, &json!({"command": "DROP PROCEDURE", "name": name})));
        }
        _ => {}
    }
    show(&mut session, name).await
}

/// `POST /v1/procedures/{name}/rollback?version=N`
pub async fn roll_back(
    service: Arc<Service>,
    name: &str,
    query: &Query<'_>,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    check_name(name)?;
    let version = query.number("version")?;
    let mut session = session(&service, &headers)?;
    session.roll_back_procedure(name, version).await?;
    show(&mut session, name).await
}

async fn show(session: &mut Session, name: &str) -> Result<Response<Body>, Refusal> {
    let found = json_rows(session, &format!("{LIST} WHERE name = $1"), &[name]).await?;
    let Some(mut procedure) = found.into_iter().next() else {
        let message = format!("procedure \"{name}\" does not exist");
        return Err(Refusal::new(StatusCode::NOT_FOUND, sqlstate::UNDEFINED_FUNCTION, message)
            .hint("GET /v1/procedures lists those that do."));
    };
    procedure["versions"] = json_rows(session, VERSIONS, &[name]).await?.into();
    Ok(json_response(StatusCode::OK, &procedure))
}

fn session(service: &Service, headers: &HeaderMap) -> Result<Session, Refusal> {
    Ok(Session::new(service.node.clone(), &request::user(headers)?, Settings::default()))
}

/// Runs a query whose only column is JSON.
async fn json_rows(session: &mut Session, sql: &str, parameters: &[&str]) -> Result<Vec<Value>, Refusal> {
    let parameters = parameters.iter().map(|parameter| Some(parameter.as_bytes()));
    let statement = Statement::with_parameters(sql, parameters)?;
    let mut results = Results::held(RESULT_BYTES_MAX);
    session.execute(&statement, &mut results, None).await?;
    let mut rows = vec![];
    for event in results.take() {
        let Event::Rows { batch, .. } = event else { continue };
        let mut rest = batch.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or_default();
            let (text, after) = after.split_at_checked(length).unwrap_or_default();
            rows.push(serde_json::from_slice(text).map_err(|_| Error::internal("a row of JSON is none"))?);
            rest = after;
        }
    }
    Ok(rows)
}

/// What the list of all procedures may take.
const RESULT_BYTES_MAX: usize = 16 << 20;

/// A procedure's name is an identifier that needs no quotes, so that it means the same on the command line, in a URL
/// and in SQL.
pub fn check_name(name: &str) -> Result<(), Error> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let rest = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if first && rest && name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(sqlstate::INVALID_NAME, format!("\"{name}\" cannot be the name of a procedure"))
        .hint("Use at most 63 lower-case letters, digits and underscores, a letter first."))
}

/// PostgreSQL's NAMEDATALEN - 1.
const NAME_BYTES_MAX: usize = 63;

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A URL's `name=value&…`. Values here are words and numbers: nothing is escaped.
pub struct Query<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Query<'a> {
    pub fn parse(query: Option<&'a str>) -> Query<'a> {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Query(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "true"))).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Refusal::malformed(format!("{name} is true or false, not \"{other}\""))),
        }
    }

    fn number(&self, name: &str) -> Result<Option<u32>, Refusal> {
        let parse = |text: &str| {
            text.parse().map_err(|_| Refusal::malformed(format!("{name} is a whole number, not \"{text}\"")))
        };
        self.get(name).map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_no_quotes() {
        for name in ["ledger", "_x", "a1_b"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "1a", "Ledger", "a-b", "a b", "é", &"a".repeat(64)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn queries_fall_into_pairs() {
        let query = Query::parse(Some("definer&version=3&x=a=b"));
        assert_eq!((query.get("definer"), query.get("x"), query.get("y")), (Some("true"), Some("a=b"), None));
        assert!(query.number("version").is_ok_and(|version| version == Some(3)));
        assert!(query.number("x").is_err() && query.flag("version").is_err());
    }
}
