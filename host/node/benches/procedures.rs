//! What stored procedures cost and save, over HTTP on loopback and with a disk below: a call against `SELECT 1`, a
//! function over many rows against a built-in one, a transfer as one call against its four statements and against
//! PL/pgSQL in PostgreSQL 15 (driven by pgbench). Prints ratios; a number is worth something only beside another from
//! the same run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use isobar_compiled_guests::{CONFORMANCE, LEDGER, LEDGER_SCHEMA};
use isobar_node::config::Configuration;
use isobar_node::node::Node;
use isobar_node::protocol::http::Server;
use serde_json::{Value, json};

const CLIENTS: u64 = 8;
const ACCOUNTS: u64 = 1000;
const SECONDS: u64 = 5;
const CALLS: u32 = 2000;
const ROUNDS: u32 = 5;
const ROWS: u32 = 100_000;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut configuration = Configuration { data: folder.path().join("data"), ..Configuration::default() };
    configuration.store.disk_reserve_mb = 0;
    configuration.http.listen = ([127, 0, 0, 1], 0).into();
    let node = Arc::new(Node::open(configuration).await.expect("a node"));
    let server = Server::start(node.clone()).await.expect("a server");
    let client = Client::new(&format!("http://{}", server.address));
    client.deploy("conformance", CONFORMANCE).await;
    client.deploy("ledger", LEDGER).await;
    for statement in LEDGER_SCHEMA.split(';').filter(|statement| statement.contains("CREATE")) {
        client.sql(statement, &[]).await;
    }
    client.sql(&fill(), &[]).await;

    // `-- transfers`: those alone.
    if std::env::args().any(|argument| argument == "transfers") {
        return compare_transfers(&client, server, &node, folder.path()).await;
    }
    let one = client.latency("SELECT 1").await;
    let call = client.latency("SELECT nothing()").await;
    println!("{:<44}{:>10.1} us", "SELECT 1, one connection", micros(one));
    println!("{:<44}{:>10.1} us", "SELECT of a function that does nothing", micros(call));
    println!("{:<44}{:>10.1} us\n", "a call costs", micros(call) - micros(one));

    let built_in = client.longest(&format!("SELECT sum(abs(g)) FROM generate_series(1, {ROWS}) AS g")).await;
    let own = client.longest(&format!("SELECT sum(echo_s32(g)) FROM generate_series(1, {ROWS}) AS g")).await;
    println!("{:<44}{:>10.3} us a row", "abs over 100 000 rows", micros(built_in) / f64::from(ROWS));
    println!("{:<44}{:>10.3} us a row", "a function of a procedure over them", micros(own) / f64::from(ROWS));
    println!("{:<44}{:>10.3} us a row\n", "the difference", (micros(own) - micros(built_in)) / f64::from(ROWS));

    compare_transfers(&client, server, &node, folder.path()).await;
}

async fn compare_transfers(client: &Client, server: Server, node: &Node, folder: &Path) {
    let url = client.url.clone();
    let (before, used) = (node.replica.metrics(), processor_time());
    let calls = transfers(&url, Way::Procedure).await;
    let (after, used) = (node.replica.metrics(), processor_time() - used);
    println!("{:<44}{calls:>10.0} /s", "transfers, a procedure call each");
    let commits = (after.committed - before.committed).max(1);
    let shared = commits as f64 / (after.entries - before.entries).max(1) as f64;
    println!("{:<44}{:>10.1} us", "processor time of one, its client's too", micros(used) / commits as f64);
    println!("{:<44}{shared:>10.2}", "commits in one entry of the journal");
    let used = processor_time();
    let before = node.replica.metrics().committed;
    let statements = transfers(&url, Way::Statements).await;
    let used = micros(processor_time() - used) / (node.replica.metrics().committed - before).max(1) as f64;
    println!("{:<44}{statements:>10.0} /s{:>8.2} x", "transfers, four statements each", calls / statements);
    println!("{:<44}{used:>10.1} us", "processor time of one, its client's too");
    let total = client.sql("SELECT check_total()", &[]).await;
    assert_eq!(total["rows"][0][0], json!(format!("{}.00", ACCOUNTS * 1000)), "money was made or lost");
    server.stop().await;
    node.replica.shutdown().await.expect("a clean end");
    match postgresql(folder) {
        Ok(theirs) => {
            println!("{:<44}{theirs:>10.0} /s{:>8.2} x", "transfers, PL/pgSQL in PostgreSQL 15", calls / theirs);
        }
        Err(why) => println!("PostgreSQL 15 was not asked: {why}"),
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// What this process has used of all processors, and the system for it.
fn processor_time() -> Duration {
    // SAFETY: all zeros are a value of this type, and the pointer is to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn fill() -> String {
    format!(
        "INSERT INTO account (id, opening, balance) SELECT 'a' || g, 1000, 1000 FROM generate_series(1, {ACCOUNTS}) AS g"
    )
}

/// One connection.
struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    url: String,
}

impl Client {
    fn new(url: &str) -> Client {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = HttpClient::builder(TokioExecutor::new()).pool_max_idle_per_host(1).build(connector);
        Client { http, url: url.into() }
    }

    async fn post(&self, path: &str, body: Bytes) -> Result<Value, Value> {
        let request = Request::post(format!("{}{path}", self.url))
            .header("neon-raw-text-output", "true")
            .header("neon-array-mode", "true")
            .body(Full::new(body))
            .expect("a request");
        let response = self.http.request(request).await.expect("an answer");
        let fine = response.status().is_success();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let answer = serde_json::from_slice(&body).expect("JSON");
        if fine { Ok(answer) } else { Err(answer) }
    }

    async fn deploy(&self, name: &str, module: &'static [u8]) {
        let answer = self.post(&format!("/v1/procedures/{name}"), Bytes::from_static(module)).await;
        answer.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    async fn ask(&self, path: &str, sql: &str, parameters: &[&str]) -> Result<Value, Value> {
        self.post(path, json!({"query": sql, "params": parameters}).to_string().into()).await
    }

    async fn sql(&self, sql: &str, parameters: &[&str]) -> Value {
        self.ask("/sql", sql, parameters).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The mean of the best of several rounds.
    async fn latency(&self, sql: &str) -> Duration {
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            for _ in 0..CALLS {
                self.sql(sql, &[]).await;
            }
            best = best.min(started.elapsed() / CALLS);
        }
        best
    }

    /// The best of several runs of a long statement.
    async fn longest(&self, sql: &str) -> Duration {
        let mut best = Duration::MAX;
        for _ in 0..=ROUNDS {
            let started = Instant::now();
            self.sql(sql, &[]).await;
            best = best.min(started.elapsed());
        }
        best
    }
}

#[derive(Clone, Copy)]
enum Way {
    Procedure,
    Statements,
}

/// Transfers a second of all clients together.
async fn transfers(url: &str, way: Way) -> f64 {
    let started = Instant::now();
    let end = started + Duration::from_secs(SECONDS);
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(transfer_until(url.to_owned(), way, number, end))).collect();
    let mut done = 0;
    for client in clients {
        done += client.await.expect("a client");
    }
    done as f64 / started.elapsed().as_secs_f64()
}

async fn transfer_until(url: String, way: Way, seed: u64, end: Instant) -> u64 {
    let client = Client::new(&url);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |most: u64| {
        // xorshift64 (Marsaglia, 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % most
    };
    let mut done = 0;
    while Instant::now() < end {
        let from = random(ACCOUNTS);
        let to = (from + 1 + random(ACCOUNTS - 1)) % ACCOUNTS;
        let (from, to) = (format!("a{}", from + 1), format!("a{}", to + 1));
        let made = match way {
            Way::Procedure => client.ask("/sql", "SELECT transfer($1, $2, $3)", &[&from, &to, "0.01"]).await.map(drop),
            Way::Statements => statements(&client, &from, &to).await,
        };
        match made {
            Ok(()) => done += 1,
            Err(error) => assert_eq!(error["code"], "40001", "{error}"),
        }
    }
    done
}

/// What the procedure does, as a client would: in one transaction, statement by statement.
async fn statements(client: &Client, from: &str, to: &str) -> Result<(), Value> {
    let begun = client.post("/v1/transactions", Bytes::from_static(b"{}")).await?;
    let path = format!("/v1/transactions/{}", begun["id"].as_str().expect("an id"));
    let sql = format!("{path}/sql");
    let answered = async {
        let take = "UPDATE account SET balance = balance - $2 WHERE id = $1 AND balance >= $2 RETURNING balance";
        let taken = client.ask(&sql, take, &[from, "0.01"]).await?;
        let give = "UPDATE account SET balance = balance + $2 WHERE id = $1 RETURNING balance";
        let given = client.ask(&sql, give, &[to, "0.01"]).await?;
        let noted = client.ask(&sql, "INSERT INTO transfer (amount) VALUES ($1) RETURNING id, made", &["0.01"]).await?;
        let text = |answer: &Value, column: usize| answer["rows"][0][column].as_str().expect("a value").to_owned();
        let entries = "INSERT INTO entry (account, made, transfer, amount, balance) \
                       VALUES ($1, $3, $4, -$5::numeric, $6), ($2, $3, $4, $5::numeric, $7)";
        let values = [text(&noted, 1), text(&noted, 0), text(&taken, 0), text(&given, 0)];
        client.ask(&sql, entries, &[from, to, &values[0], &values[1], "0.01", &values[2], &values[3]]).await
    };
    let answered = answered.await;
    let verb = if answered.is_ok() { "commit" } else { "rollback" };
    let ended = client.post(&format!("{path}/{verb}"), Bytes::from_static(b"{}")).await;
    answered.and(ended).map(drop)
}

const PLPGSQL: &str = r"
CREATE FUNCTION transfer(from_account text, to_account text, amount numeric,
                         OUT transfer uuid, OUT made timestamptz, OUT from_balance numeric, OUT to_balance numeric)
LANGUAGE plpgsql AS $$
BEGIN
    IF from_account = to_account THEN RAISE EXCEPTION 'account % cannot pay itself', from_account; END IF;
    IF amount <= 0 OR amount <> round(amount, 2) THEN RAISE EXCEPTION '% is not an amount of money', amount; END IF;
    UPDATE account SET balance = balance - amount WHERE id = from_account AND balance >= amount
        RETURNING balance INTO from_balance;
    IF NOT FOUND THEN RAISE EXCEPTION 'account % does not have %', from_account, amount; END IF;
    UPDATE account SET balance = balance + amount WHERE id = to_account RETURNING balance INTO to_balance;
    IF NOT FOUND THEN RAISE EXCEPTION 'there is no account %', to_account; END IF;
    INSERT INTO transfer AS t (amount) VALUES (transfer.amount) RETURNING t.id, t.made INTO transfer, made;
    INSERT INTO entry (account, made, transfer, amount, balance)
        VALUES (from_account, made, transfer, -amount, from_balance), (to_account, made, transfer, amount, to_balance);
END $$;
";

/// Transfers a second in PostgreSQL 15 by its own load generator: as many clients, as durable, for as long.
fn postgresql(folder: &Path) -> Result<f64, String> {
    let programs = Path::new("/usr/lib/postgresql/15/bin");
    let home = folder.join("postgresql");
    std::fs::create_dir(&home).map_err(|error| error.to_string())?;
    let script = home.join("transfer.sql");
    let text = format!(
        "\\set a random(1, {ACCOUNTS})\n\\set b (:a + random(0, {ACCOUNTS} - 2)) % {ACCOUNTS} + 1\n\
         SELECT transfer('a' || :a, 'a' || :b, 0.01);\n"
    );
    std::fs::write(&script, text).map_err(|error| error.to_string())?;
    // It refuses to run as root.
    let is_root = run(Command::new("id").arg("-u"))?.trim() == "0";
    let command = |program: &Path| {
        let mut command = if is_root { Command::new("runuser") } else { Command::new(program) };
        if is_root {
            command.args(["-u", "postgres", "--"]).arg(program);
        }
        command.current_dir("/");
        command
    };
    if is_root {
        run(Command::new("chmod").arg("755").arg(folder))?;
        run(Command::new("chown").arg("-R").arg("postgres").arg(&home))?;
    }
    let data = home.join("data");
    run(command(&programs.join("initdb")).arg("-D").arg(&data).args([
        "-E",
        "UTF8",
        "--locale=C",
        "-U",
        "postgres",
        "-A",
        "trust",
    ]))?;
    let options = format!("-k {} -h '' -c shared_buffers=256MB", home.display());
    run(command(&programs.join("pg_ctl"))
        .arg("-D")
        .arg(&data)
        .args(["-w", "-l"])
        .arg(home.join("log"))
        .arg("-o")
        .arg(options)
        .arg("start"))?;
    let answer = (|| {
        let psql = || {
            let mut psql = command(&programs.join("psql"));
            psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"]).arg(&home);
            psql
        };
        // A parameter and a table share the name `transfer` there; the function's own statements say which is meant.
        let schema =
            format!("{LEDGER_SCHEMA};{};{}", PLPGSQL.replace("VALUES (transfer.amount)", "VALUES ($3)"), fill());
        run(psql().arg("-c").arg(schema.replace("AS $$\nBEGIN", "AS $$\n#variable_conflict use_column\nBEGIN")))?;
        let seconds = SECONDS.to_string();
        let clients = CLIENTS.to_string();
        let said = run(command(&programs.join("pgbench"))
            .args(["-n", "-M", "prepared", "-c", &clients, "-j", "2", "-T", &seconds, "-U", "postgres", "-h"])
            .arg(&home)
            .arg("-f")
            .arg(&script)
            .arg("postgres"))?;
        let line = said.lines().find_map(|line| line.strip_prefix("tps = ")).ok_or("pgbench names no rate")?;
        line.split_whitespace().next().and_then(|rate| rate.parse().ok()).ok_or_else(|| format!("no rate: {line}"))
    })();
    run(command(&programs.join("pg_ctl")).arg("-D").arg(&data).args(["-m", "immediate", "stop"]))?;
    answer
}

fn run(command: &mut Command) -> Result<String, String> {
    let done = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr)))
    }
}
