//! Real clients against a real node. Needs npm and node; without them the test fails and says so, for a driver that
//! was not tried is not a driver that works.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A node on a free port and a temporary folder, killed when dropped.
struct Node {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Node {
    fn start() -> Node {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let process = Command::new(env!("CARGO_BIN_EXE_isobar"))
            .args(["start", "--http", &format!("127.0.0.1:{port}"), "--data"])
            .arg(folder.path().join("data"))
            .stdout(Stdio::null())
            .spawn()
            .expect("the node starts");
        let mut node = Node { process, url: format!("http://127.0.0.1:{port}"), _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = node.process.try_wait().expect("the node can be asked") {
                panic!("the node stopped at once: {status}");
            }
            assert!(Instant::now() < deadline, "the node does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        node
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself, which its test has seen.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a program in a folder and panics with its output when it fails.
fn run(folder: &Path, program: &str, arguments: &[&str], environment: &[(&str, &str)]) {
    let result = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    let output = match result {
        Ok(output) => output,
        Err(error) => {
            panic!("`{program}` cannot be run ({error}): the driver test needs npm and node, version 19 or newer")
        }
    };
    let text = |bytes: &[u8]| BufReader::new(bytes).lines().map_while(Result::ok).collect::<Vec<_>>().join("\n");
    assert!(
        output.status.success(),
        "`{program} {}` failed:\n{}\n{}",
        arguments.join(" "),
        text(&output.stdout),
        text(&output.stderr)
    );
}

#[test]
fn the_neon_driver_works_unmodified() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/neon");
    // A copy outside the sources, kept between runs, so that nothing is installed among them.
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("neon");
    std::fs::create_dir_all(&folder).expect("a folder for the driver");
    for name in ["package.json", "package-lock.json", "neon.test.js"] {
        std::fs::copy(source.join(name), folder.join(name)).expect("the test's files are there");
    }
    if !folder.join("node_modules/@neondatabase/serverless/package.json").exists() {
        run(&folder, "npm", &["ci", "--no-audit", "--no-fund"], &[]);
    }
    let node = Node::start();
    run(&folder, "node", &["--test", "neon.test.js"], &[("ISOBAR_URL", &node.url)]);
}
