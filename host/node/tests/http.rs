//! The HTTP protocol, spoken to the real binary.

mod node;

use std::time::Duration;

use futures::future::join_all;
use http_body_util::BodyExt;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use node::{Process, command, start};

const RAW: [(&str, &str); 2] = [("neon-array-mode", "true"), ("neon-raw-text-output", "true")];
const KEY: &str = "01JDC9Z0000000000000000000";

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

async fn seats(process: &Process) {
    process.sql("CREATE TABLE seats (id integer PRIMARY KEY, holder text)").await;
    process.sql("INSERT INTO seats VALUES (1, 'ann'), (2, NULL), (3, 'bob')").await;
}

#[tokio::test]
async fn a_query_answers_as_the_neon_driver_expects() {
    let data = directory();
    let node = start(data.path(), &[]);
    seats(&node).await;
    let query = json!({"query": "SELECT id, holder FROM seats WHERE id <= $1 ORDER BY id", "params": ["2"]});
    let (status, answer) = node.post("/sql", &RAW, &query).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["rows"], json!([["1", "ann"], ["2", null]]));
    assert_eq!((&answer["command"], &answer["rowCount"]), (&json!("SELECT"), &json!(2)));
    assert_eq!(answer["rowAsArray"], json!(true));
    let fields = answer["fields"].as_array().expect("fields");
    let described: Vec<_> = fields.iter().map(|field| (&field["name"], &field["dataTypeID"])).collect();
    assert_eq!(described, [(&json!("id"), &json!(23)), (&json!("holder"), &json!(25))]);

    let (_, answer) = node.post("/sql", &[], &query).await;
    assert_eq!(answer["rows"], json!([{"id": 1, "holder": "ann"}, {"id": 2, "holder": null}]));
    let (_, answer) = node.post("/sql", &RAW, &json!({"query": "INSERT INTO seats VALUES (4)"})).await;
    assert_eq!((&answer["command"], &answer["rowCount"]), (&json!("INSERT"), &json!(1)));
    assert!(answer["commit"]["timestamp"].is_u64(), "{answer}");
}

#[tokio::test]
async fn errors_carry_postgresqls_fields() {
    let data = directory();
    let node = start(data.path(), &[]);
    seats(&node).await;
    let (status, error) = node.post("/sql", &RAW, &json!({"query": "SELECT nothing FROM seats"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        (&error["message"], &error["code"], &error["severity"], &error["position"]),
        (&json!("column \"nothing\" does not exist"), &json!("42703"), &json!("ERROR"), &json!("8"))
    );
    let (status, error) = node.post("/sql", &RAW, &json!({"query": "INSERT INTO seats VALUES (1)"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        (&error["code"], &error["detail"], &error["table"], &error["constraint"]),
        (&json!("23505"), &json!("Key (id)=(1) already exists."), &json!("seats"), &json!("seats_pkey"))
    );
}

#[tokio::test]
async fn a_batch_is_one_transaction() {
    let data = directory();
    let node = start(data.path(), &[]);
    seats(&node).await;
    let batch = json!({"queries": [
        {"query": "UPDATE seats SET holder = $1 WHERE id = $2", "params": ["eve", "2"]},
        {"query": "SELECT holder FROM seats WHERE id = 2", "params": []},
    ]});
    let headers = [RAW[0], RAW[1], ("neon-batch-isolation-level", "Serializable"), ("neon-batch-read-only", "false")];
    let (status, answer) = node.post("/sql", &headers, &batch).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["results"][0]["command"], json!("UPDATE"));
    assert_eq!(answer["results"][1]["rows"], json!([["eve"]]));
    let batch = json!({"queries": [{"query": "DELETE FROM seats"}, {"query": "SELECT 1/0"}]});
    let (status, error) = node.post("/sql", &RAW, &batch).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &json!("22012")));
    assert_eq!(node.sql("SELECT count(*) FROM seats").await["rows"], json!([["3"]]));
    let read_only = [RAW[0], RAW[1], ("neon-batch-read-only", "true")];
    let (_, error) = node.post("/sql", &read_only, &json!({"queries": [{"query": "DELETE FROM seats"}]})).await;
    assert_eq!(error["code"], json!("25006"));
    let (_, error) = node.post("/sql", &RAW, &json!({"queries": [{"query": "COMMIT"}]})).await;
    assert_eq!(error["code"], json!("2D000"));
}

#[tokio::test]
async fn conflicting_requests_are_retried_by_the_node() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.sql("CREATE TABLE counter (id integer PRIMARY KEY, value integer)").await;
    node.sql("INSERT INTO counter VALUES (1, 0)").await;
    let batch = json!({"queries": [
        {"query": "SELECT value FROM counter"},
        {"query": "UPDATE counter SET value = value + 1"},
    ]});
    let single = json!({"query": "UPDATE counter SET value = value + 1"});
    let work = (0..20).map(|number| {
        let body = if number % 2 == 0 { &batch } else { &single };
        node.post("/sql", &RAW, body)
    });
    for (status, answer) in join_all(work).await {
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(node.sql("SELECT value FROM counter").await["rows"], json!([["20"]]));
}

#[tokio::test]
async fn a_write_under_a_key_happens_once() {
    let data = directory();
    let node = start(data.path(), &[]);
    seats(&node).await;
    let keyed = [RAW[0], RAW[1], ("idempotency-key", KEY)];
    let write = json!({"query": "INSERT INTO seats VALUES (9, 'kim') RETURNING id, holder"});
    let (status, _) = node.get(&format!("/v1/commits/{KEY}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, first) = node.post("/sql", &keyed, &write).await;
    assert_eq!((status, &first["rows"]), (StatusCode::OK, &json!([["9", "kim"]])));
    let (status, mut again) = node.post("/sql", &keyed, &write).await;
    assert_eq!((status, &again["repeated"]), (StatusCode::OK, &json!(true)));
    again.as_object_mut().expect("an object").remove("repeated");
    assert_eq!(again, first);
    let (status, outcome) = node.get(&format!("/v1/commits/{KEY}")).await;
    assert_eq!((status, &outcome["status"]), (StatusCode::OK, &json!("committed")));
    assert_eq!(outcome["timestamp"], first["commit"]["timestamp"]);
    drop(node);
    // The answer outlives the node that gave it.
    let node = start(data.path(), &[]);
    let (_, again) = node.post("/sql", &keyed, &write).await;
    assert_eq!((&again["rows"], &again["repeated"]), (&json!([["9", "kim"]]), &json!(true)));
    let batch_key = [RAW[0], RAW[1], ("idempotency-key", "01JDC9Z0000000000000000001")];
    let batch = json!({"queries": [{"query": "INSERT INTO seats VALUES (10)"}, {"query": "SELECT 1"}]});
    for _ in 0..3 {
        let (status, answer) = node.post("/sql", &batch_key, &batch).await;
        assert_eq!((status, &answer["results"][1]["rows"]), (StatusCode::OK, &json!([["1"]])), "{answer}");
    }
    assert_eq!(node.sql("SELECT count(*) FROM seats").await["rows"], json!([["5"]]));
    let (_, error) = node.post("/sql", &[("idempotency-key", "today")], &write).await;
    assert_eq!(error["code"], json!("22023"));
}

#[tokio::test]
async fn twins_under_one_key_write_once() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.sql("CREATE TABLE log (id uuid DEFAULT gen_random_uuid(), note text)").await;
    let keyed = [RAW[0], RAW[1], ("idempotency-key", KEY)];
    let write = json!({"query": "INSERT INTO log (note) VALUES ('x') RETURNING id"});
    let answers = join_all((0..8).map(|_| node.post("/sql", &keyed, &write))).await;
    for (status, answer) in &answers {
        assert_eq!(*status, 200, "{answer}");
        assert_eq!(answer["rows"], answers[0].1["rows"]);
    }
    assert_eq!(node.sql("SELECT count(*) FROM log").await["rows"], json!([["1"]]));
}

async fn begin(node: &Process, body: &Value) -> String {
    let (status, answer) = node.post("/v1/transactions", &[], body).await;
    assert_eq!(status, 200, "{answer}");
    answer["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn interactive_transactions_span_requests() {
    let data = directory();
    let node = start(data.path(), &[]);
    seats(&node).await;
    let id = begin(&node, &json!({"isolation": "serializable"})).await;
    let sql = format!("/v1/transactions/{id}/sql");
    let (_, answer) = node.post(&sql, &RAW, &json!({"query": "DELETE FROM seats WHERE id = 1"})).await;
    assert_eq!(answer["rowCount"], json!(1), "{answer}");
    let (_, answer) = node.post(&sql, &RAW, &json!({"query": "SHOW transaction_isolation"})).await;
    assert_eq!(answer["rows"], json!([["serializable"]]));
    assert_eq!(node.sql("SELECT count(*) FROM seats").await["rows"], json!([["3"]]));
    let commit = format!("/v1/transactions/{id}/commit");
    let (status, first) = node.post(&commit, &[], &json!({})).await;
    assert_eq!((status, &first["command"]), (StatusCode::OK, &json!("COMMIT")));
    let (status, again) = node.post(&commit, &[], &json!({})).await;
    assert_eq!((status, &again["commit"]), (StatusCode::OK, &first["commit"]), "a lost answer can be asked for");
    assert_eq!(node.sql("SELECT count(*) FROM seats").await["rows"], json!([["2"]]));
    let (status, _) = node.post(&sql, &RAW, &json!({"query": "SELECT 1"})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let id = begin(&node, &json!({})).await;
    let sql = format!("/v1/transactions/{id}/sql");
    node.post(&sql, &RAW, &json!({"query": "DELETE FROM seats"})).await;
    let (_, error) = node.post(&sql, &RAW, &json!({"query": "SELECT 1/0"})).await;
    assert_eq!(error["code"], json!("22012"));
    let (_, error) = node.post(&sql, &RAW, &json!({"query": "SELECT 1"})).await;
    assert_eq!(error["code"], json!("25P02"));
    let (_, answer) = node.post(&format!("/v1/transactions/{id}/commit"), &[], &json!({})).await;
    assert_eq!(answer["command"], json!("ROLLBACK"));
    let id = begin(&node, &json!({})).await;
    node.post(&format!("/v1/transactions/{id}/sql"), &RAW, &json!({"query": "DELETE FROM seats"})).await;
    let (_, answer) = node.post(&format!("/v1/transactions/{id}/rollback"), &[], &json!({})).await;
    assert_eq!(answer["command"], json!("ROLLBACK"));
    assert_eq!(node.sql("SELECT count(*) FROM seats").await["rows"], json!([["2"]]));
}

#[tokio::test]
async fn a_commit_whose_client_goes_away_has_one_outcome() {
    let data = directory();
    let node = start(data.path(), &[]);
    seats(&node).await;
    for lost in [true, false] {
        let id = begin(&node, &json!({})).await;
        let sql = format!("/v1/transactions/{id}/sql");
        let many = "INSERT INTO seats SELECT g, repeat('x', 1000) FROM generate_series(1000, 40000) g";
        for write in [many, "UPDATE seats SET holder = 'mine' WHERE id = 1"] {
            node.post(&sql, &RAW, &json!({"query": write})).await;
        }
        if lost {
            node.sql("UPDATE seats SET holder = 'theirs' WHERE id = 1").await;
        }
        let mut stream = tokio::net::TcpStream::connect(node.address).await.expect("a connection");
        let head = format!("POST /v1/transactions/{id}/commit HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("it is sent");
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(stream);
        let commit = format!("/v1/transactions/{id}/commit");
        let mut answer = node.post(&commit, &[], &json!({})).await;
        while answer.0 == StatusCode::CONFLICT {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer = node.post(&commit, &[], &json!({})).await;
        }
        if lost {
            assert_eq!(answer.1["code"], json!("40001"), "{}", answer.1);
        } else {
            assert!(answer.1["commit"]["id"] == json!(id), "{}", answer.1);
        }
        let (status, _) = node.post(&sql, &RAW, &json!({"query": "DELETE FROM seats"})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "its statements do not run on their own");
    }
    assert_eq!(node.sql("SELECT count(*) FROM seats").await["rows"], json!([["39004"]]));
}

#[tokio::test]
async fn idle_and_excess_transactions_are_refused() {
    let data = directory();
    let file = data.path().join("isobar.toml");
    std::fs::write(&file, "[http]\ntransactions = 2\ntransaction_idle_ms = 300\n").expect("a file");
    let node = start(&data.path().join("data"), &["--config", file.to_str().expect("a path")]);
    let id = begin(&node, &json!({})).await;
    begin(&node, &json!({})).await;
    let (_, error) = node.post("/v1/transactions", &[], &json!({})).await;
    assert_eq!(error["code"], json!("53300"));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (status, _) = node.post(&format!("/v1/transactions/{id}/sql"), &RAW, &json!({"query": "SELECT 1"})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    begin(&node, &json!({})).await;
}

#[tokio::test]
async fn rows_stream_as_lines() {
    let data = directory();
    let node = start(data.path(), &[]);
    let headers = [RAW[0], RAW[1], ("accept", "application/x-ndjson")];
    let query = json!({"query": "SELECT g FROM generate_series(1, 20000) AS g"}).to_string();
    let (status, body) = node.request("POST", "/sql", &headers, query).await;
    assert_eq!(status, 200);
    let lines: Vec<Value> = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("each line is JSON"))
        .collect();
    assert_eq!(lines.len(), 20_002);
    assert_eq!(lines[0]["fields"][0]["name"], json!("g"));
    assert_eq!((&lines[1], &lines[20_000]), (&json!(["1"]), &json!(["20000"])));
    assert_eq!(lines[20_001], json!({"command": "SELECT", "rowCount": 20000}));

    let query = json!({"query": "SELECT 1/(g - 15000) FROM generate_series(1, 20000) AS g"}).to_string();
    let (_, body) = node.request("POST", "/sql", &headers, query).await;
    let last = body.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().expect("a last line");
    let last: Value = serde_json::from_slice(last).expect("JSON");
    assert_eq!(last["error"]["code"].as_str().or(last["code"].as_str()), Some("22012"));
    let (status, _) = node.request("POST", "/sql", &headers, json!({"query": "SELEC"}).to_string()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "an error before the first row is an ordinary one");
}

#[tokio::test]
async fn a_stream_waits_for_its_reader_and_ends_with_it() {
    let data = directory();
    let node = start(data.path(), &[]);
    let query = json!({"query": "SELECT repeat('x', 1000) FROM generate_series(1, 100000000)"}).to_string();
    let request = hyper::Request::post("/sql").header("host", "here").header("accept", "application/x-ndjson");
    let body = http_body_util::Full::new(bytes::Bytes::from(query));
    let mut response = node.send(request.body(body).expect("a request")).await;
    let frame = response.body_mut().frame().await.expect("a frame").expect("no error");
    assert!(frame.is_data());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.child.id())).expect("Linux");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let resident_kb: u64 = resident.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(resident_kb < 400_000, "100 GB are not kept for a reader that does not read: {resident_kb} kB");
    drop(response);
    for _ in 0..100 {
        if metric(&node, "isobar_engine_instances_running").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the statement goes on without a reader");
}

async fn metric(node: &Process, name: &str) -> u64 {
    let (_, body) = node.request("GET", "/metrics", &[], "").await;
    let text = String::from_utf8(body.to_vec()).expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).expect("the metric is there");
    line.parse().expect("a number")
}

#[tokio::test]
async fn settings_travel_with_the_client() {
    let data = directory();
    let node = start(data.path(), &[]);
    let (_, answer) = node.post("/sql", &RAW, &json!({"query": "SET application_name = 'desk'"})).await;
    assert_eq!(answer["settings"], json!({"application_name": "desk"}));
    let show = json!({"query": "SHOW application_name", "settings": answer["settings"]});
    let (_, answer) = node.post("/sql", &RAW, &show).await;
    assert_eq!(answer["rows"], json!([["desk"]]));
    assert!(answer.get("settings").is_none());
}

#[tokio::test]
async fn copied_rows_come_with_the_request() {
    let data = directory();
    let node = start(data.path(), &[]);
    seats(&node).await;
    let copy = json!({"query": "COPY seats FROM STDIN (FORMAT csv)", "input": "20,zoe\n21,\n"});
    let (status, answer) = node.post("/sql", &RAW, &copy).await;
    assert_eq!(
        (status, &answer["command"], &answer["rowCount"]),
        (StatusCode::OK, &json!("COPY"), &json!(2)),
        "{answer}"
    );
    assert_eq!(node.sql("SELECT holder FROM seats WHERE id >= 20 ORDER BY id").await["rows"], json!([["zoe"], [null]]));
}

#[tokio::test]
async fn answers_that_nobody_reads_count_as_memory() {
    let data = directory();
    let file = data.path().join("isobar.toml");
    std::fs::write(&file, "[http]\nmemory_mb = 32\nbody_ms = 300\n").expect("a file");
    let node = start(&data.path().join("data"), &["--config", file.to_str().expect("a path")]);
    let query = json!({"query": "SELECT repeat('x', 30000000)"});
    let request =
        format!("POST /sql HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{query}", query.to_string().len());
    let mut reader = tokio::net::TcpStream::connect(node.address).await.expect("a connection");
    reader.write_all(request.as_bytes()).await.expect("it is sent");
    reader.read_exact(&mut [0; 20]).await.expect("it begins to answer");
    let (status, error) = node.post("/sql", &RAW, &query).await;
    assert_eq!((status, &error["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("53000")));
    drop(reader);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(node.post("/sql", &RAW, &query).await.0, StatusCode::OK);
}

#[tokio::test]
async fn foreign_pages_are_kept_out() {
    let data = directory();
    let node = start(data.path(), &[]);
    let query = json!({"query": "SELECT 1"}).to_string();
    let foreign = [("origin", "https://evil.example")];
    let (status, _) = node.request("POST", "/sql", &foreign, query.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = node.request("POST", "/sql", &[("origin", "http://localhost:3000")], query).await;
    assert_eq!(status, 200);
    let request = hyper::Request::options("/sql")
        .header("host", "here")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "neon-connection-string,neon-raw-text-output");
    let response = node.send(request.body(http_body_util::Full::default()).expect("a request")).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:3000");
    assert_eq!(response.headers()["access-control-allow-headers"], "neon-connection-string,neon-raw-text-output");
}

#[tokio::test]
async fn hostile_requests_are_refused_and_forgotten() {
    let data = directory();
    let file = data.path().join("isobar.toml");
    std::fs::write(&file, "[http]\nbody_mb = 1\nheader_ms = 300\n").expect("a file");
    let node = start(&data.path().join("data"), &["--config", file.to_str().expect("a path")]);
    for (method, path, body, expected) in [
        ("POST", "/sql", "", 400),
        ("POST", "/sql", "nonsense", 400),
        ("POST", "/sql", "[1]", 400),
        ("POST", "/sql", "{\"query\": \"\\ud800\"}", 400),
        ("POST", "/sql", "{\"queries\": [{}]}", 400),
        ("GET", "/sql", "", 405),
        ("POST", "/v1/transactions", "{\"isolation\": \"chaos\"}", 400),
        ("POST", "/v1/transactions/nonsense/sql", "{}", 400),
        ("POST", "/v1/transactions/01JDC9Z0000000000000000000/commit", "", 404),
        ("GET", "/v1/commits/nonsense", "", 400),
        ("GET", "/nowhere", "", 404),
        ("GET", "/../../etc/passwd", "", 404),
    ] {
        let (status, answer) = node.request(method, path, &[], body).await;
        assert_eq!(status.as_u16(), expected, "{method} {path} {body}: {answer:?}");
        serde_json::from_slice::<Value>(&answer).unwrap_or_else(|_| panic!("{method} {path}: {answer:?}"));
    }
    for text in ["SELECT 1\0", "\0isobar remove-table 1"] {
        let (_, error) = node.post("/sql", &[], &json!({"query": text})).await;
        assert_eq!(error["code"], json!("22021"), "only the engine speaks to itself so");
    }
    let deep = format!("{{\"query\": \"SELECT {}1\"}}", "(".repeat(200_000));
    let (status, _) = node.request("POST", "/sql", &[], deep).await;
    assert_eq!(status, 400);
    let nested = format!("{{\"query\": \"SELECT 1\", \"params\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let (status, _) = node.request("POST", "/sql", &[], nested).await;
    assert_eq!(status, 400);
    let (status, _) = node.request("POST", "/sql", &[], vec![b' '; 2 << 20]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    // Headers that never end, bytes that are not HTTP, and a client that stops half-way.
    for bytes in [&b"GET /health HTTP/1.1\r\nhost: x\r\n"[..], b"\x16\x03\x01\x02\x00", b"POST /sql HTTP/1.1\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(node.address).await.expect("a connection");
        stream.write_all(bytes).await.expect("it is sent");
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "the node waits for ever");
    }
    assert_eq!(node.get("/health").await.0, 200);
}

#[tokio::test]
async fn the_node_tells_of_itself() {
    let data = directory();
    let node = start(data.path(), &["--region", "home"]);
    assert_eq!(node.get("/ready").await, (StatusCode::OK, json!({"status": "ready", "region": "home"})));
    let (_, description) = node.get("/openapi.json").await;
    assert!(description["paths"]["/sql"]["post"].is_object());
    node.sql("SELECT 1").await;
    assert!(metric(&node, "isobar_statements_total").await >= 1);
}

#[tokio::test]
async fn a_node_starts_alone_and_only_where_it_is_safe() {
    let data = directory();
    let _first = start(data.path(), &[]);
    let second = command(data.path(), &[]).output().expect("it ends");
    let complaint = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && complaint.contains("in use"), "{complaint}");
    let other = directory();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_isobar"));
    command.arg("start").arg("--data").arg(other.path()).args(["--http", "0.0.0.0:0"]);
    let refused = command.output().expect("it ends");
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && complaint.contains("--insecure"), "{complaint}");
}
