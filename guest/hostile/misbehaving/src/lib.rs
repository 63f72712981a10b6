//! Every way of misbehaving that a component has while it runs. `guest/hostile/README.md` says what each must end with.

#![cfg(target_family = "wasm")]

mod lies;

use isobar_procedure::bindings::log::{Level, Severity, log, notice};
use isobar_procedure::{Value, params, sql};
use std::hint::black_box;

isobar_procedure::generate!("hostile:misbehaving/misbehaving" in "wit");

const MIB: usize = 1 << 20;

struct Misbehaving;

impl Guest for Misbehaving {
    fn endless_loop() -> u32 {
        let mut turns = 0_u32;
        loop {
            turns = black_box(turns.wrapping_add(1));
        }
    }

    fn endless_statement() -> Result<i64, Error> {
        sql::query("SELECT count(*) AS n FROM generate_series(1, 1000000000000)", &[])?.only()?.get("n")
    }

    fn memory_hog() -> u32 {
        let mut hoard: Vec<Vec<u8>> = vec![];
        loop {
            hoard.push(black_box(vec![1; MIB]));
        }
    }

    fn memory_hog_at_once() -> u32 {
        black_box(vec![1_u8; 2000 * MIB]).len() as u32
    }

    fn deep_recursion(depth: u64) -> u64 {
        recurse(black_box(depth))
    }

    fn deep_recursion_in_memory(depth: u64) -> u64 {
        recurse_in_memory(black_box(depth))
    }

    fn log_flood() {
        loop {
            log(Level::Info, "and another thing");
        }
    }

    fn notice_flood() {
        loop {
            notice(Severity::Notice, "and another thing");
        }
    }

    fn sql_flood() -> Result<u64, Error> {
        loop {
            black_box(sql::execute("SELECT 1", &[])?);
        }
    }

    fn failing_sql_flood() {
        loop {
            let _ = black_box(sql::execute("SELECT 1 / 0", &[]));
        }
    }

    fn row_flood() -> Result<u64, Error> {
        Ok(sql::query("SELECT g FROM generate_series(1, 1000000000000) g", &[])?.count() as u64)
    }

    fn rows_hoard() -> Result<u32, Error> {
        let mut hoard = vec![];
        loop {
            hoard.push(sql::query("SELECT g FROM generate_series(1, 100) g", &[])?);
        }
    }

    fn huge_text(mib: u32) -> String {
        text(mib)
    }

    fn huge_set(rows: u32) -> Vec<Numbered> {
        (0..rows).map(|number| Numbered { number, text: "x".repeat(100) }).collect()
    }

    fn huge_log_message(mib: u32) {
        log(Level::Info, &text(mib));
    }

    fn huge_notice(mib: u32) {
        notice(Severity::Notice, &text(mib));
    }

    fn huge_statement(mib: u32) -> Result<(), Error> {
        sql::execute(&format!("SELECT '{}'", text(mib)), &[]).map(drop)
    }

    fn huge_parameter(mib: u32) -> Result<i64, Error> {
        sql::query("SELECT length($1::text)::bigint AS n", &[Value::Text(text(mib))])?.only()?.get("n")
    }

    fn panic(message: String) -> u32 {
        panic!("{message}")
    }

    fn trap() {
        std::arch::wasm32::unreachable()
    }

    fn trap_in_destructor() {
        struct Trap;
        impl Drop for Trap {
            fn drop(&mut self) {
                std::arch::wasm32::unreachable()
            }
        }
        black_box(Trap);
    }

    fn bad_sqlstate(sqlstate: String) -> Result<(), Error> {
        Err(Error::new(&sqlstate, "the SQLSTATE is none"))
    }

    fn huge_error(mib: u32) -> Result<(), Error> {
        Err(Error::new("P0001", text(mib)).with_detail(text(mib)).with_hint(text(mib)))
    }

    fn numeric_of(text: String) -> Numeric {
        Numeric { text }
    }

    fn json_of(text: String) -> Json {
        Json { text }
    }

    fn date_of(days: i32) -> Date {
        Date { days }
    }

    fn timestamptz_of(microseconds: i64) -> Timestamptz {
        Timestamptz { microseconds }
    }

    fn invalid_text() -> String {
        lies::invalid_text()
    }

    fn text_out_of_bounds() -> String {
        lies::text_out_of_bounds()
    }

    fn foreign_handle() -> Result<u32, Error> {
        Ok(lies::rows_of_nobody().next(1).len() as u32)
    }

    fn nest(depth: u32) -> Result<u32, Error> {
        if depth == 0 {
            return Ok(0);
        }
        let below: u32 = sql::query("SELECT nest($1) AS below", &params![depth - 1])?.only()?.get("below")?;
        Ok(below + 1)
    }

    fn nest_forever() -> Result<u32, Error> {
        sql::query("SELECT nest_forever() AS n", &[])?.only()?.get("n")
    }

    fn run(sql: String) -> Result<u64, Error> {
        sql::execute(&sql, &[])
    }

    fn run_and_ignore(sql: String) -> String {
        match sql::execute(&sql, &[]) {
            Ok(rows) => format!("{rows} rows"),
            Err(error) => error.sqlstate,
        }
    }
}

/// Needs the host's stack and nothing else. The products keep it from being a loop in disguise.
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    if depth == 0 { 1 } else { recurse(depth - 1).wrapping_mul(depth | 1).rotate_left(7) }
}

/// Needs the stack inside its own memory, where the compiler keeps what has an address.
fn recurse_in_memory(depth: u64) -> u64 {
    let kept = black_box([depth; 16]);
    if depth == 0 { 0 } else { recurse_in_memory(depth - 1) + kept[(depth % 16) as usize] }
}

fn text(mib: u32) -> String {
    "x".repeat(mib as usize * MIB)
}

export!(Misbehaving);
