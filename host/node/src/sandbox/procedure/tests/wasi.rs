//! What toolchains ask of WASI before an author's first line runs, and what it comes to.

use super::{fields, fixture, packed, target};
use crate::sandbox::procedure::Limits;

/// A part of WASI, with resources that one interface hands on to another.
const WORLD: &str = "
    world test {
        import wasi:clocks/monotonic-clock@0.2.3;
        import wasi:cli/stderr@0.2.3;
        import wasi:http/outgoing-handler@0.2.3;
        export slept: func() -> u64;
        export complain: func();
        export browse: func();
    }
    package wasi:io@0.2.3 {
        interface error { resource error { to-debug-string: func() -> string; } }
        interface poll { resource pollable { block: func(); } }
        interface streams {
            use error.{error};
            use poll.{pollable};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                subscribe: func() -> pollable;
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }
    }
    package wasi:clocks@0.2.3 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.3.{pollable};
            now: func() -> u64;
            subscribe-duration: func(when: u64) -> pollable;
        }
    }
    package wasi:cli@0.2.3 {
        interface stderr { use wasi:io/streams@0.2.3.{output-stream}; get-stderr: func() -> output-stream; }
    }
    package wasi:http@0.2.3 { interface outgoing-handler { handle: func(); } }
";

const MODULE: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.3" "now" (func $now (result i64)))
    (import "wasi:clocks/monotonic-clock@0.2.3" "subscribe-duration" (func $sleep (param i64) (result i32)))
    (import "wasi:io/poll@0.2.3" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:cli/stderr@0.2.3" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.3" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))
    (import "wasi:http/outgoing-handler@0.2.3" "handle" (func $browse))
---
    (data (i32.const 256) "panicked at src/lib.rs:1:1:\0aoh no\0anote: run with care\0a")
    (func (export "slept") (result i64) (local $before i64)
        (local.set $before (call $now))
        (call $block (call $sleep (i64.const 3600000000000)))
        (i64.sub (call $now) (local.get $before)))
    (func (export "complain")
        (call $write (call $stderr) (i32.const 256) (i32.const 53) (i32.const 64)) unreachable)
    (func (export "browse") (call $browse))
"#;

#[tokio::test]
async fn nothing_is_granted_and_all_can_be_imported() {
    let fixture = fixture(Limits::default()).await;
    let prepared = fixture.prepare(WORLD, MODULE).await;
    let slept = fixture.once(&target(&prepared, "slept"), &[]).await.expect("an hour in no time");
    let mut hour = Vec::new();
    crate::sandbox::procedure::value::numeric_bytes("3600000000000", &mut hour).expect("a number");
    assert_eq!(slept.rows, packed(&[Some(&hour)]));

    let error = fixture.once(&target(&prepared, "complain"), &[]).await.expect_err("it panics");
    assert_eq!(fields(&error), ("39000", "procedure \"p\" failed"));
    assert_eq!(error.fields().detail.as_deref(), Some("panicked at src/lib.rs:1:1:\noh no"));
    let logged: Vec<_> = fixture.procedures.logs().into_iter().map(|entry| entry.message).collect();
    assert_eq!(logged, ["panicked at src/lib.rs:1:1:", "oh no", "note: run with care"]);

    let error = fixture.once(&target(&prepared, "browse"), &[]).await.expect_err("there is no network");
    assert_eq!(fields(&error), ("39000", "wasi:http/outgoing-handler#handle is not available in a procedure"));
}
