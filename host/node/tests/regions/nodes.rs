//! The three nodes: real processes, each in a region of its own, which reach each other by the links alone.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{self, Failure};
use crate::link::Network;

pub const REGIONS: [&str; 3] = ["oregon", "frankfurt", "tokyo"];

/// One way, when nothing is slow.
pub const DELAY: Duration = Duration::from_millis(2);

pub struct Cluster {
    pub folder: TempDir,
    pub network: Network,
    seats: [Mutex<Seat>; REGIONS.len()],
    http: Vec<SocketAddr>,
    peers: Vec<SocketAddr>,
}

/// A region's node, one after the other.
struct Seat {
    /// How many nodes the region had before.
    generation: u32,
    child: Option<Child>,
    paused: bool,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Below those that the system gives to connections, so that a node finds its port again when it is started anew.
fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 1000) as u16 * 10;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub fn isobar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isobar")).args(arguments).output().expect("the binary runs")
}

fn done(arguments: &[&str]) {
    let output = isobar(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Options of a node that is started.
#[derive(Clone, Copy, Default)]
pub struct Start {
    /// The region of a member that a new node asks to be let in.
    pub join: Option<usize>,
    /// Has it find its disk full.
    pub full_disk: bool,
}

impl Cluster {
    /// Invites and starts all three.
    pub async fn form() -> Cluster {
        let folder = tempfile::tempdir().expect("a directory");
        done(&["cluster", "init", "--directory", text(&folder.path().join("authority"))]);
        let full = "[store]\ndisk_reserve_mb = 1000000000\n";
        std::fs::write(folder.path().join("full.toml"), full).expect("a file");
        let http: Vec<_> = REGIONS.iter().map(|_| free_port()).collect();
        let peers: Vec<_> = REGIONS.iter().map(|_| free_port()).collect();
        let network = Network::between(&peers, DELAY).await;
        let seats = REGIONS.map(|_| Mutex::new(Seat { generation: 0, child: None, paused: false }));
        let cluster = Cluster { folder, network, seats, http, peers };
        for place in 0..REGIONS.len() {
            cluster.invite(place);
            cluster.start(place, Start { join: (place > 0).then_some(0), ..Start::default() });
            cluster.until(place, "serves", |status| voters(status) == place + 1).await;
        }
        cluster
    }

    pub fn http(&self, place: usize) -> SocketAddr {
        self.http[place]
    }

    pub fn url(&self, place: usize) -> String {
        format!("http://{}", self.http[place])
    }

    fn data(&self, place: usize) -> PathBuf {
        self.folder.path().join(format!("{}-{}", REGIONS[place], self.seats[place].lock().generation))
    }

    /// Makes a new node a member, which is started next.
    fn invite(&self, place: usize) {
        let data = self.data(place);
        let (authority, file) = (self.folder.path().join("authority"), data.with_extension("invitation"));
        let (authority, region, file) = (text(&authority), REGIONS[place], text(&file));
        done(&["cluster", "invite", "--directory", authority, "--region", region, "--output", file]);
        done(&["cluster", "join", file, "--data", text(&data)]);
    }

    /// Starts a region's node where it was; does not wait for it.
    pub fn start(&self, place: usize, options: Start) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isobar"));
        command.arg("start").arg("--data").arg(self.data(place));
        command.args(["--http", &self.http[place].to_string(), "--listen-peers", &self.peers[place].to_string()]);
        for other in (0..REGIONS.len()).filter(|other| *other != place) {
            command.args(["--peer", &format!("{}={}", REGIONS[other], self.network.address(place, other))]);
        }
        if let Some(member) = options.join {
            command.args(["--join", &self.network.address(place, member).to_string()]);
        }
        if options.full_disk {
            command.arg("--config").arg(self.folder.path().join("full.toml"));
        }
        let log = File::options().create(true).append(true).open(self.log(place)).expect("a file");
        command.stdout(Stdio::null()).stderr(log);
        let mut seat = self.seats[place].lock();
        assert!(seat.child.is_none(), "{} runs already", REGIONS[place]);
        seat.child = Some(command.spawn().expect("the binary runs"));
    }

    /// What a region's nodes say on their standard error.
    pub fn log(&self, place: usize) -> PathBuf {
        self.folder.path().join(format!("{}.log", REGIONS[place]))
    }

    fn signal(&self, place: usize, signal: i32) {
        let seat = self.seats[place].lock();
        let Some(child) = &seat.child else { return };
        // SAFETY: kill(2) takes any numbers; the process is a child that nobody has waited for yet.
        let outcome = unsafe { libc::kill(child.id() as i32, signal) };
        assert_eq!(outcome, 0, "{}: {}", REGIONS[place], std::io::Error::last_os_error());
    }

    /// Kills a node that runs, with no time for anything.
    pub fn kill(&self, place: usize) {
        self.signal(place, libc::SIGKILL);
        let child = self.seats[place].lock().child.take();
        if let Some(mut child) = child {
            child.wait().expect("it ends");
        }
    }

    /// Asks a node to stop, and waits until it has.
    pub async fn stop(&self, place: usize) {
        self.signal(place, libc::SIGTERM);
        let Some(mut child) = self.seats[place].lock().child.take() else { return };
        let ended = tokio::task::spawn_blocking(move || child.wait()).await;
        let ended = ended.expect("no panic").expect("it ends");
        assert!(
            ended.success(),
            "{} did not stop as asked: {ended}; see {}",
            REGIONS[place],
            self.log(place).display()
        );
    }

    /// A process that stands still and cannot know it.
    pub fn pause(&self, place: usize) {
        self.signal(place, libc::SIGSTOP);
        self.seats[place].lock().paused = true;
    }

    /// Lets paused nodes go on, and starts those that are gone.
    pub fn revive(&self) {
        for place in 0..REGIONS.len() {
            if std::mem::take(&mut self.seats[place].lock().paused) {
                self.signal(place, libc::SIGCONT);
            }
            let is_gone = self.seats[place].lock().child.is_none();
            if is_gone {
                self.start(place, Start::default());
            }
        }
    }

    /// The processes that have ended although nobody ended them.
    pub fn fallen(&self) -> Vec<&'static str> {
        let has_fallen = |place: &usize| {
            let mut seat = self.seats[*place].lock();
            seat.child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
        };
        (0..REGIONS.len()).filter(has_fallen).map(|place| REGIONS[place]).collect()
    }

    /// A new node in place of a region's old one, which is gone for good.
    pub fn replace(&self, place: usize, member: usize) {
        self.kill(place);
        self.seats[place].lock().generation += 1;
        self.invite(place);
        self.start(place, Start { join: Some(member), ..Start::default() });
    }

    pub async fn status(&self, place: usize) -> Result<Value, Failure> {
        let answer = client::request(self.http[place], "GET", "/v1/cluster", &[], String::new()).await?;
        Ok(answer.body)
    }

    /// The place of whoever leads, as far as anybody knows.
    pub async fn leader(&self) -> Option<usize> {
        for place in 0..REGIONS.len() {
            let status = tokio::time::timeout(Duration::from_secs(2), self.status(place)).await;
            let Ok(Ok(status)) = status else { continue };
            let leads = status["nodes"].as_array().and_then(|nodes| nodes.iter().find(|node| node["leader"] == true));
            let region = leads.and_then(|node| node["region"].as_str());
            if let Some(place) = REGIONS.iter().position(|known| Some(*known) == region) {
                return Some(place);
            }
        }
        None
    }

    /// Waits until a node's status is as wanted.
    pub async fn until(&self, place: usize, what: &str, wanted: impl Fn(&Value) -> bool) {
        let begin = std::time::Instant::now();
        let mut last = String::new();
        while begin.elapsed() < PATIENCE {
            let fallen = self.fallen();
            assert!(fallen.is_empty(), "{fallen:?} ended on their own; see {}", self.log(place).display());
            match self.status(place).await {
                Ok(status) if wanted(&status) => return,
                Ok(status) => last = status.to_string(),
                Err(failure) => last = format!("{failure:?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} is not so after {PATIENCE:?}: {what}; {last}", REGIONS[place]);
    }
}

/// How long a cluster may take to come back to service: elections, a node's start on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Votes that are there.
pub fn voters(status: &Value) -> usize {
    let nodes = status["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    nodes.iter().filter(|node| node["role"] == "voter" && node["reachable"] == true).count()
}
