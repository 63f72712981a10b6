//! What was acknowledged is there after the process is killed, and after it is told to stop.

mod node;

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;

use node::{Process, command, start, started};

#[tokio::test]
async fn acknowledged_writes_survive_kill_9() {
    let data = tempfile::tempdir().expect("a directory");
    let mut acknowledged = 0;
    for round in 0..3 {
        let node = Arc::new(start(data.path(), &[]));
        if round == 0 {
            node.sql("CREATE TABLE log (id bigint PRIMARY KEY, note text)").await;
        }
        let count = node.sql("SELECT count(*), max(id) FROM log").await;
        let found: i64 = count["rows"][0][0].as_str().and_then(|count| count.parse().ok()).expect("a count");
        assert!(found >= acknowledged, "{acknowledged} were acknowledged, {found} are there");
        let next = Arc::new(AtomicI64::new(i64::from(round) * 1_000_000));
        let answered = Arc::new(AtomicI64::new(0));
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let (node, next, answered) = (node.clone(), next.clone(), answered.clone());
                tokio::spawn(async move {
                    loop {
                        let id = next.fetch_add(1, Ordering::Relaxed);
                        let query = json!({"query": "INSERT INTO log VALUES ($1, 'x')", "params": [id.to_string()]});
                        let (status, answer) = node.post("/sql", &[], &query).await;
                        assert_eq!(status, 200, "{answer}");
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(400)).await;
        let before = answered.load(Ordering::Relaxed);
        let killed = Command::new("kill").args(["-9", &node.child.id().to_string()]).status().expect("kill");
        assert!(killed.success());
        for writer in writers {
            writer.abort();
            // Either cut off by the end of the node, or by us.
            let _ = writer.await;
        }
        assert!(before > 0, "nothing was written in time");
        acknowledged = found + before;
    }
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_keeps_everything() {
    let data = tempfile::tempdir().expect("a directory");
    let mut node = start(data.path(), &[]);
    node.sql("CREATE TABLE log (id bigint PRIMARY KEY)").await;
    let slow = json!({"query": "INSERT INTO log SELECT g FROM generate_series(1, 20000) AS g"});
    let headers = [];
    let request = node.post("/sql", &headers, &slow);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Command::new("kill").args(["-TERM", &node.child.id().to_string()]).status().expect("kill")
    };
    let ((status, answer), stopped) = tokio::join!(request, stop);
    assert!(stopped.success());
    assert_eq!(status, 200, "{answer}");
    let ended = node.child.wait().expect("it ends");
    assert!(ended.success(), "{ended}");
    let node = start(data.path(), &[]);
    assert_eq!(node.get("/health").await.0, 200);
    assert_eq!(node.sql("SELECT count(*) AS n FROM log").await["rows"], json!([["20000"]]));
}

/// Limits the size of the files of a process: no write to its disk succeeds any more.
fn fail_disk(process: &Process) {
    let process = process.child.id().to_string();
    let limited = Command::new("prlimit").args(["--pid", &process, "--fsize=0"]).status().expect("util-linux");
    assert!(limited.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_disk_fails_says_so_and_ends() {
    let data = tempfile::tempdir().expect("a directory");
    // The signal of that limit would end the process, which a disk does not.
    let ignoring = ["-c", "trap '' XFSZ; exec \"$0\" \"$@\""];
    let node = command(data.path(), &[]);
    let mut ignored = Command::new("sh");
    ignored.args(ignoring).arg(node.get_program()).args(node.get_args());
    ignored.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut node = started(ignored.spawn().expect("the shell runs"));
    node.sql("CREATE TABLE log (id bigint PRIMARY KEY)").await;
    node.sql("INSERT INTO log VALUES (1)").await;
    assert_eq!(node.get("/health").await.0, 200);
    fail_disk(&node);
    let (status, answer) = node.post("/sql", &[], &json!({"query": "INSERT INTO log VALUES (2)"})).await;
    assert!(!status.is_success(), "{answer}");
    for path in ["/health", "/ready"] {
        let (status, answer) = node.get(path).await;
        assert_eq!((status.as_u16(), &answer["status"]), (503, &json!("failed")), "{path}: {answer}");
        assert!(answer["error"].to_string().contains("cannot be written to"), "{path}: {answer}");
    }
    let child = &mut node.child;
    let ended = tokio::task::block_in_place(|| child.wait()).expect("it ends");
    assert_eq!(ended.code(), Some(1));
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!(said.matches("this node has failed and stops").count(), 1, "{said}");
    assert!(said.contains("see to the disk of"), "{said}");
    // The disk is mended.
    let node = start(data.path(), &[]);
    let count = node.sql("SELECT count(*) FROM log WHERE id = 1").await;
    assert_eq!(count["rows"], json!([["1"]]));
}

#[tokio::test]
async fn an_index_build_goes_on_where_the_last_process_left_it() {
    let data = tempfile::tempdir().expect("a directory");
    let mut node = start(data.path(), &[]);
    node.sql("CREATE TABLE log (id bigint PRIMARY KEY, note text)").await;
    for first in [0, 40_000, 80_000] {
        let rows = format!("INSERT INTO log SELECT g, 'note ' || g FROM generate_series({first}, {first} + 39999) g");
        node.sql(&rows).await;
    }
    let state = "SELECT indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = 'log_by_note'";
    let build = json!({"query": "CREATE INDEX log_by_note ON log (note)"});
    tokio::select! {
        _ = node.post("/sql", &[], &build) => panic!("the build was not interrupted"),
        () = async {
            while node.sql(state).await["rows"] != json!([["f"]]) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        } => {}
    }
    node.child.kill().expect("it is killed");
    node.child.wait().expect("it ends");
    let node = start(data.path(), &[]);
    let limit = Duration::from_secs(60);
    let finished = tokio::time::timeout(limit, async {
        while node.sql(state).await["rows"] != json!([["t"]]) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(finished.await.is_ok(), "the index is not finished");
    let found = node.sql("SELECT id FROM log WHERE note = 'note 119999'").await;
    assert_eq!(found["rows"], json!([["119999"]]));
}
