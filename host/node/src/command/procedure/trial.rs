//! `isobar procedure test`: calls a function in a transaction that is rolled back.

use serde_json::json;

use crate::command::client::{Client, Failure, Query};
use crate::command::procedure::{Stop, path};
use crate::command::sql::output::{self, Format, Style};
use hyper::Method;

/// Calls `function` with these arguments and answers what it answered, notices first.
pub async fn run(
    client: &Client,
    name: &str,
    function: &str,
    arguments: &[String],
    as_json: bool,
) -> Result<String, Stop> {
    let procedure = client.request(Method::GET, &path(name, "")?).await?;
    let mut known = procedure["routines"].as_str().unwrap_or_default().lines();
    if !known.any(|routine| routine.split_once('(').is_some_and(|(name, _)| name == function)) {
        return Err(Stop::Here(format!(
            "{name} has no function {function}: `isobar procedure show {name}` lists them"
        )));
    }
    let begun = client.post("/v1/transactions", &json!({})).await?;
    let Some(id) = begun["id"].as_str() else {
        return Err(Failure::Lost("the node began a transaction without a name".into()).into());
    };
    let places: Vec<_> = (1..=arguments.len()).map(|number| format!("${number}")).collect();
    let sql = format!("SELECT * FROM {}({})", quoted(function), places.join(", "));
    let parameters: Vec<_> =
        arguments.iter().map(|argument| (argument != "NULL").then_some(argument.as_str())).collect();
    let query = Query { sql: &sql, parameters: &parameters, ..Query::default() };
    let answer = client.query(&format!("/v1/transactions/{id}/sql"), &query).await;
    let ended = client.post(&format!("/v1/transactions/{id}/rollback"), &json!({})).await;
    let answer = answer.map_err(|failure| Stop::There(failure, sql.clone()))?;
    ended?;
    let mut out = String::new();
    for notice in &answer.notices {
        out.push_str(&format!("{}:  {}\n", notice.severity, notice.message));
    }
    let format = if as_json { Format::Json } else { Format::Table };
    out.push_str(&output::render(&answer, Style { format, expanded: false }));
    if !as_json {
        out.push_str("rolled back\n");
    }
    Ok(out)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
