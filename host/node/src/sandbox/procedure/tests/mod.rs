//! Procedures made by hand: what they may do, what they must not, and that each failure costs its statement alone.

mod component;
mod limits;
mod nesting;
mod reflection;
mod values;
mod wasi;

use std::sync::Arc;
use std::time::{Duration, Instant};

use isobar_replica::{Clock, Options as ReplicaOptions, Replica, TransactionOptions, Ulid};

use crate::error::Error;
use crate::policy::{Authority, InForce, Principal};
use crate::sandbox::procedure::call::Answer;
use crate::sandbox::procedure::{Digest, Limits, Nesting, Options, Prepared, Procedures, Target, TargetLimits};
use crate::sandbox::{Call, Interrupt, Results, Role};

struct Still;

impl Clock for Still {
    fn now_micros(&self) -> u64 {
        1_000_000
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

/// Procedures over an empty replica, ticking.
struct Fixture {
    procedures: Procedures,
    replica: Replica,
    _data: tempfile::TempDir,
}

async fn fixture(limits: Limits) -> Fixture {
    let data = tempfile::tempdir().expect("a directory");
    let replica = Replica::open(ReplicaOptions::new(data.path(), Arc::new(Still))).await.expect("a replica");
    let procedures = Procedures::new(Options { limits, folder: Some(data.path().join("procedures")) });
    let procedures = procedures.expect("procedures");
    let ticking = procedures.clone();
    std::thread::spawn(move || {
        for _ in 0..20_000 {
            std::thread::sleep(Duration::from_millis(2));
            ticking.tick();
        }
    });
    Fixture { procedures, replica, _data: data }
}

impl Fixture {
    async fn call(&self) -> Box<Call> {
        let mut transaction = self.replica.begin(TransactionOptions::default()).await.expect("a transaction");
        transaction.begin_statement().expect("a statement");
        Box::new(Call {
            transaction: Some(transaction),
            read_only: false,
            results: Results::held(1 << 20),
            authority: Authority::new(Arc::new(InForce::new().expect("policies")), Principal::Node),
            transaction_time: 1_700_000_000_000_000,
            statement_time: 0,
            clock: Arc::new(Still),
            interrupt: Arc::new(Interrupt::default()),
            deadline: Some(Instant::now() + Duration::from_secs(60)),
            transaction_id: Ulid::from_parts(1, 2),
            caller: "ann".into(),
            role: Role::default(),
            region: "here".into(),
            settings: Arc::default(),
            procedures: Nesting::default(),
        })
    }

    async fn prepare(&self, world: &str, module: &str) -> Prepared {
        self.procedures.prepare(component::module(world, module)).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Calls a function once in a statement of its own.
    async fn once(&self, target: &Target, arguments: &[u8]) -> Result<Answer, Error> {
        self.procedures.call(self.call().await, target, arguments, 1, None).await.1
    }
}

fn target(prepared: &Prepared, export: &str) -> Target {
    let name = export.rsplit_once('#').map_or(export, |(_, name)| name).replace('-', "_");
    Target {
        procedure: "p".into(),
        procedure_id: 20_000,
        version: 3,
        digest: Digest(prepared.digest.0),
        export: export.into(),
        routine: name.as_str().into(),
        definer: false,
        limits: TargetLimits::default(),
        may_define: false,
    }
}

/// Packs values in binary form.
fn packed(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        let length = value.map_or(-1, |value| i32::try_from(value.len()).expect("short"));
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(value.unwrap_or_default());
    }
    out
}

fn fields(error: &Error) -> (&str, &str) {
    (error.sqlstate(), error.message())
}
