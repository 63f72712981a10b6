//! Several nodes as processes of their own, formed into one cluster by its commands.

mod node;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use node::{Process, command, start};

/// A cluster's authority and the data directories of its nodes, by their numbers.
struct Cluster {
    folder: TempDir,
}

fn isobar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isobar")).args(arguments).output().expect("the binary runs")
}

/// Runs a command that must succeed.
fn done(arguments: &[&str]) -> String {
    said(&isobar(arguments))
}

/// What a command has printed that must have succeeded.
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

impl Cluster {
    fn new() -> Cluster {
        let folder = tempfile::tempdir().expect("a directory");
        done(&["cluster", "init", "--directory", text(&folder.path().join("authority"))]);
        Cluster { folder }
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn invite(&self, region: &str) -> PathBuf {
        let file = self.data(&format!("{region}.invitation"));
        let authority = self.data("authority");
        let (directory, output) = (text(&authority), text(&file));
        done(&["cluster", "invite", "--directory", directory, "--region", region, "--output", output]);
        file
    }

    /// Invites a node and starts it in a directory named like its region.
    fn start(&self, region: &str, arguments: &[&str]) -> Process {
        done(&["cluster", "join", text(&self.invite(region)), "--data", text(&self.data(region))]);
        start(&self.data(region), &[&["--listen-peers", "127.0.0.1:0"], arguments].concat())
    }

    /// Founds it with a first node and has two more join.
    async fn three(&self) -> [Process; 3] {
        let oregon = self.start("oregon", &[]);
        let address = address(&oregon, "oregon").await;
        let frankfurt = self.start("frankfurt", &["--join", &address]);
        let tokyo = self.start("tokyo", &["--peers", &address]);
        eventually(&oregon, |status| voters(status) == 3).await;
        [oregon, frankfurt, tokyo]
    }
}

async fn status(node: &Process) -> Value {
    let (code, status) = node.get("/v1/cluster").await;
    assert_eq!(code, StatusCode::OK, "{status}");
    status
}

fn of<'a>(status: &'a Value, region: &str) -> Option<&'a Value> {
    status["nodes"].as_array()?.iter().find(|node| node["region"] == region)
}

fn voters(status: &Value) -> usize {
    let nodes = status["nodes"].as_array().expect("nodes");
    nodes.iter().filter(|node| node["role"] == "voter" && node["reachable"] == true).count()
}

/// Where its peers find a region's node.
async fn address(node: &Process, region: &str) -> String {
    let status = status(node).await;
    let address = of(&status, region).and_then(|node| node["address"].as_str());
    address.unwrap_or_else(|| panic!("{region} is not in {status}")).to_string()
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the cluster is as wanted.
async fn eventually(node: &Process, wanted: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let status = status(node).await;
        if wanted(&status) {
            return status;
        }
        assert!(begin.elapsed() < PATIENCE, "still {status:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Runs a statement until it succeeds.
async fn patiently(node: &Process, sql: &str) -> Value {
    let begin = Instant::now();
    let headers = [("neon-array-mode", "true"), ("neon-raw-text-output", "true")];
    loop {
        let (code, answer) = node.post("/sql", &headers, &json!({"query": sql, "params": []})).await;
        if code == StatusCode::OK {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "{sql}: {answer}");
    }
}

fn url(node: &Process) -> String {
    format!("http://{}", node.address)
}

#[tokio::test]
async fn three_regions_are_one_database_which_survives_its_leader() {
    let cluster = Cluster::new();
    let [mut oregon, frankfurt, tokyo] = cluster.three().await;
    frankfurt.sql("CREATE TABLE places (id int PRIMARY KEY, name text)").await;
    for (id, node) in [&oregon, &frankfurt, &tokyo].into_iter().enumerate() {
        node.sql(&format!("INSERT INTO places VALUES ({id}, 'here')")).await;
        // What one region has acknowledged, every region reads.
        for reader in [&oregon, &frankfurt, &tokyo] {
            assert_eq!(reader.sql("SELECT count(*) FROM places").await["rows"], json!([[(id + 1).to_string()]]));
        }
    }
    let before = status(&tokyo).await;
    assert_eq!(of(&before, "oregon").map(|node| &node["leader"]), Some(&json!(true)), "{before}");
    let oregon_peers = address(&tokyo, "oregon").await;
    oregon.child.kill().expect("it runs");
    oregon.child.wait().expect("it ends");
    patiently(&tokyo, "INSERT INTO places VALUES (10, 'without oregon')").await;
    let after = status(&tokyo).await;
    assert_eq!(of(&after, "oregon").map(|node| &node["reachable"]), Some(&json!(false)), "{after}");
    let shown = done(&["cluster", "status", "--url", &url(&tokyo)]);
    assert!(shown.contains("2 of 3 votes are here"), "{shown}");
    assert!(shown.contains("without tokyo: no majority"), "{shown}");
    // It comes back where it was, and has what it missed.
    let oregon = start(&cluster.data("oregon"), &["--listen-peers", &oregon_peers]);
    assert_eq!(oregon.sql("SELECT count(*) FROM places").await["rows"], json!([["4"]]));
    eventually(&oregon, |status| voters(status) == 3).await;
    let (_, metrics) = oregon.request("GET", "/metrics", &[], "").await;
    let metrics = String::from_utf8_lossy(&metrics);
    assert!(metrics.contains("isobar_peer_calls_total{peer=\"3\",region=\"tokyo\",side=\"asked\"}"), "{metrics}");
}

#[tokio::test]
async fn nodes_come_and_go_while_writes_go_on() {
    let cluster = Cluster::new();
    let [oregon, frankfurt, tokyo] = cluster.three().await;
    oregon.sql("CREATE TABLE log (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), note text)").await;
    let writer = async {
        let mut written = 0_u32;
        loop {
            patiently(&frankfurt, "INSERT INTO log (note) VALUES ('x')").await;
            written += 1;
            tokio::time::sleep(Duration::from_millis(if written.is_multiple_of(10) { 20 } else { 0 })).await;
        }
    };
    let changes = async {
        // A learner is let in by its invitation alone.
        let invitation = cluster.invite("paris");
        let seed = address(&oregon, "tokyo").await;
        let arguments =
            ["--listen-peers", "127.0.0.1:0", "--invitation", text(&invitation), "--join", &seed, "--learner"];
        let (data, arguments) = (cluster.data("paris"), arguments.map(String::from));
        let paris = tokio::task::spawn_blocking(move || start(&data, &arguments.each_ref().map(String::as_str)));
        let paris = paris.await.expect("it starts");
        let status = eventually(&oregon, |status| of(status, "paris").is_some()).await;
        assert_eq!(of(&status, "paris").map(|node| &node["role"]), Some(&json!("learner")));
        assert_ne!(paris.sql("SELECT count(*) FROM log").await["rows"], json!([["0"]]));
        let tokyo_url = url(&tokyo);
        let change = |arguments: [&str; 2]| {
            let arguments = [&["cluster"], &arguments[..], &["--url", &tokyo_url]].concat();
            let arguments: Vec<String> = arguments.into_iter().map(String::from).collect();
            tokio::task::spawn_blocking(move || isobar(&arguments.iter().map(String::as_str).collect::<Vec<_>>()))
        };
        // Under load another node may win the election, which the command says.
        let begin = Instant::now();
        loop {
            let output = change(["transfer", "tokyo"]).await.expect("no panic");
            if output.status.success() {
                assert_eq!(String::from_utf8_lossy(&output.stdout), "Node 3 (tokyo) leads.\n");
                break;
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("node 3 has not taken over") && begin.elapsed() < PATIENCE, "{said}");
        }
        let removed = said(&change(["remove", "oregon"]).await.expect("no panic"));
        assert!(removed.starts_with("Removed node 1 (oregon)."), "{removed}");
        let status = eventually(&tokyo, |status| of(status, "oregon").is_none()).await;
        assert_eq!(voters(&status), 2);
        let removed = said(&change(["remove", "paris"]).await.expect("no panic"));
        assert!(removed.starts_with("Removed node 4 (paris)."), "{removed}");
    };
    tokio::select! {
        never = writer => never,
        () = changes => {}
    }
    patiently(&tokyo, "INSERT INTO log (note) VALUES ('last')").await;
    let counts = [&frankfurt, &tokyo].map(|node| node.sql("SELECT count(*), count(DISTINCT id) FROM log"));
    let [one, other] = futures::future::join_all(counts).await.try_into().expect("two");
    assert_eq!(one["rows"], other["rows"]);
    for (arguments, complaint) in
        [(["remove", "atlantis"], "the cluster has no node atlantis"), (["transfer", "9"], "the cluster has no node 9")]
    {
        let output = isobar(&[&["cluster"], &arguments[..], &["--url", &url(&tokyo)]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(complaint), "{said}");
    }
    let output = isobar(&["cluster", "remove", "tokyo", "--user", "eve", "--url", &url(&tokyo)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("42501"), "{said}");
}

#[tokio::test]
async fn strangers_are_not_let_in() {
    let (cluster, foreign) = (Cluster::new(), Cluster::new());
    let oregon = cluster.start("oregon", &[]);
    let address = address(&oregon, "oregon").await;
    // Without an invitation, and with nobody to ask.
    let data = cluster.data("nobody");
    for arguments in [&["--join", &address][..], &["--learner"], &["--advertise", "node.example:7100"]] {
        let output = command(&data, arguments).output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("isobar cluster join INVITATION"), "{said}");
    }
    let invitation = cluster.invite("frankfurt");
    let arguments = ["--invitation", text(&invitation), "--listen-peers", "127.0.0.1:0"];
    let output = command(&data, &arguments).output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("--join HOST:PORT names a member"), "{said}");
    let output = command(&data, &["--region", "tokyo"]).output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("invited for the region frankfurt"), "{said}");
    // With an invitation to another cluster it waits, and says that it is not ready.
    foreign.invite("first");
    let invitation = foreign.invite("mordor");
    let arguments = ["--invitation", text(&invitation), "--listen-peers", "127.0.0.1:0", "--join", &address];
    let mut stranger = command(&foreign.data("mordor"), &arguments).spawn().expect("the binary runs");
    let lines = BufReader::new(stranger.stderr.take().expect("a pipe")).lines();
    let mut waiting =
        lines.map_while(Result::ok).filter_map(|line| line.split("--url http://").nth(1).map(String::from));
    let waits = waiting.next().and_then(|rest| rest.split(' ').next().and_then(|address| address.parse().ok()));
    let stranger = Process { child: stranger, address: waits.expect("it says where it waits") };
    let (code, answer) = stranger.get("/ready").await;
    assert_eq!((code, &answer["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("joining")));
    let (code, answer) = stranger.post("/sql", &[], &json!({"query": "SELECT 1", "params": []})).await;
    assert_eq!((code, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("57P03")), "{answer}");
    assert_eq!(status(&oregon).await["nodes"].as_array().map(Vec::len), Some(1));
    let (_, metrics) = oregon.request("GET", "/metrics", &[], "").await;
    let metrics = String::from_utf8_lossy(&metrics);
    let refused = metrics.lines().find_map(|line| line.strip_prefix("isobar_peer_refused_total "));
    assert!(refused.is_some_and(|count| count != "0"), "{metrics}");
}

/// Its last words, once it has ended by itself.
fn refused(command: &mut Command) -> String {
    let output = command.output().expect("the binary runs");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_number_is_one_node_for_ever() {
    let cluster = Cluster::new();
    let oregon = cluster.start("oregon", &[]);
    let seed = address(&oregon, "oregon").await;
    let mut frankfurt = cluster.start("frankfurt", &["--join", &seed]);
    eventually(&oregon, |status| voters(status) == 2).await;
    // A copy of its data does not take its place while it runs.
    let at = address(&oregon, "frankfurt").await;
    frankfurt.child.kill().expect("it runs");
    frankfurt.child.wait().expect("it ends");
    let (data, copy) = (cluster.data("frankfurt"), cluster.data("copy"));
    let copied = Command::new("cp").arg("-r").args([&data, &copy]).status().expect("cp runs");
    assert!(copied.success());
    let _frankfurt = start(&data, &["--listen-peers", &at]);
    eventually(&oregon, |status| voters(status) == 2).await;
    oregon.sql("CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut twin = command(&copy, &["--listen-peers", "127.0.0.1:0"]).spawn().expect("the binary runs");
    let mut lines = BufReader::new(twin.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let complaint = format!("node 2 answers at {at}");
    assert!(lines.any(|line| line.contains(&complaint)), "the twin does not hear why");
    let lines = lines.filter_map(|line| line.split("--url http://").nth(1).map(String::from));
    let mut waiting = lines.filter_map(|rest| rest.split(' ').next().and_then(|address| address.parse().ok()));
    let waits = waiting.next();
    let twin = Process { child: twin, address: waits.expect("it says where it waits") };
    assert_eq!(address(&oregon, "frankfurt").await, at);
    // What it has is old, and it has no leave to show it.
    let query = json!({"query": "SELECT count(*) FROM t", "params": []});
    let (code, answer) = twin.post("/sql", &[], &query).await;
    assert_eq!((code, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("57P03")), "{answer}");
    drop((twin, waiting));
    // Nor does an empty node with its invitation once it has been removed.
    done(&["cluster", "remove", "frankfurt", "--url", &url(&oregon)]);
    oregon.sql("INSERT INTO t VALUES (1)").await;
    assert_eq!(oregon.sql("SELECT count(*) FROM t").await["rows"], json!([["1"]]), "the last voter serves");
    let invitation = cluster.data("frankfurt.invitation");
    let arguments = ["--listen-peers", "127.0.0.1:0", "--invitation", text(&invitation), "--join", &seed];
    let said = refused(&mut command(&cluster.data("empty"), &arguments));
    assert!(said.contains("node 2 has been removed from this cluster"), "{said}");
}
