//! Values through real functions: what goes in comes out.

use super::{fields, fixture, packed, target};
use crate::sandbox::procedure::Limits;
use crate::sandbox::procedure::value::numeric_bytes;

/// Functions that answer what they are given, by way of memory where the type needs it.
const WORLD: &str = "world test {
    use isobar:procedure/types@0.1.0.{error, numeric, timestamptz, uuid, date};
    enum color { deep-red, blue }
    record point { x: s32, y: option<string> }
    export add: func(a: s32, b: s32) -> s32;
    export narrow: func(a: u8) -> u8;
    export wide: func(a: u64) -> u64;
    export letter: func(a: char) -> char;
    export text: func(a: string) -> string;
    export bytes: func(a: list<u8>) -> list<u8>;
    export numbers: func(a: list<s32>) -> list<s32>;
    export decimal: func(a: numeric) -> numeric;
    export paint: func(a: color) -> color;
    export moment: func(a: timestamptz) -> timestamptz;
    export identity: func(a: uuid) -> uuid;
    export maybe: func(a: option<s64>) -> option<s64>;
    export at: func(a: point) -> point;
    export many: func(a: s32) -> list<tuple<s32, bool>>;
    export nothing: func();
    export fails: func(a: s32) -> result<s32, error>;
    export fails-plainly: func() -> result<_, string>;
    export fails-by-name: func() -> result<_, color>;
}";

/// Strings and lists come as a pointer and a length, and go as a pointer to both.
const MODULE: &str = r#"
    (func $pair (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "narrow") (param i32) (result i32) (local.get 0))
    (func (export "wide") (param i64) (result i64) (local.get 0))
    (func (export "letter") (param i32) (result i32) (local.get 0))
    (func (export "text") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
    (func (export "bytes") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
    (func (export "numbers") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
    (func (export "decimal") (param i32 i32) (result i32) (call $pair (local.get 0) (local.get 1)))
    (func (export "paint") (param i32) (result i32) (local.get 0))
    (func (export "moment") (param i64) (result i64) (local.get 0))
    (func (export "identity") (param i64 i64) (result i32)
        (i64.store (i32.const 16) (local.get 0)) (i64.store (i32.const 24) (local.get 1)) (i32.const 16))
    (func (export "maybe") (param i32 i64) (result i32)
        (i32.store (i32.const 16) (local.get 0)) (i64.store (i32.const 24) (local.get 1)) (i32.const 16))
    (func (export "at") (param i32 i32 i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
        (i32.store (i32.const 24) (local.get 2)) (i32.store (i32.const 28) (local.get 3)) (i32.const 16))
    (func (export "many") (param $count i32) (result i32) (local $index i32)
        (block $end (loop $next
            (br_if $end (i32.ge_s (local.get $index) (local.get $count)))
            (i32.store (i32.add (i32.const 1024) (i32.mul (local.get $index) (i32.const 8))) (local.get $index))
            (i32.store8 offset=4 (i32.add (i32.const 1024) (i32.mul (local.get $index) (i32.const 8)))
                (i32.and (local.get $index) (i32.const 1)))
            (local.set $index (i32.add (local.get $index) (i32.const 1)))
            (br $next)))
        (call $pair (i32.const 1024) (local.get $count)))
    (func (export "nothing"))
    ;; result<s32, error>: tag, then the value or sqlstate, message, detail, hint
    (data (i32.const 512) "AB001your account is emptythe hint")
    (func (export "fails") (param i32) (result i32)
        (memory.fill (i32.const 128) (i32.const 0) (i32.const 64))
        (if (i32.eqz (local.get 0)) (then (i32.store (i32.const 132) (i32.const 7)) (return (i32.const 128))))
        (i32.store (i32.const 128) (i32.const 1))
        (i32.store (i32.const 132) (i32.const 512)) (i32.store (i32.const 136) (local.get 0))
        (i32.store (i32.const 140) (i32.const 517)) (i32.store (i32.const 144) (i32.const 21))
        (i32.store (i32.const 160) (i32.const 1))
        (i32.store (i32.const 164) (i32.const 538)) (i32.store (i32.const 168) (i32.const 8))
        (i32.const 128))
    (func (export "fails-plainly") (result i32)
        (i32.store (i32.const 128) (i32.const 1))
        (i32.store (i32.const 132) (i32.const 517)) (i32.store (i32.const 136) (i32.const 4)) (i32.const 128))
    (func (export "fails-by-name") (result i32)
        (i32.store8 (i32.const 128) (i32.const 1)) (i32.store8 (i32.const 129) (i32.const 0)) (i32.const 128))
"#;

fn numeric(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    numeric_bytes(text, &mut bytes).expect("a number");
    bytes
}

#[tokio::test]
async fn values_go_in_and_come_out() {
    let fixture = fixture(Limits::default()).await;
    let prepared = fixture.prepare(WORLD, MODULE).await;
    let row = |text: Option<&[u8]>| {
        let mut bytes = 2i32.to_be_bytes().to_vec();
        bytes.extend_from_slice(&23i32.to_be_bytes());
        bytes.extend(packed(&[Some(&7i32.to_be_bytes())]));
        bytes.extend_from_slice(&25i32.to_be_bytes());
        bytes.extend(packed(&[text]));
        bytes
    };
    let array: Vec<u8> = [1i32, 0, 23, 2, 1, 4, 5, 4, 6].iter().flat_map(|word| word.to_be_bytes()).collect();
    let empty: Vec<u8> = [0i32, 0, 23].iter().flat_map(|word| word.to_be_bytes()).collect();
    let (high, later) = (numeric("18446744073709551615"), 86_400_000_000i64.to_be_bytes());
    for (export, argument) in [
        ("narrow", Some(&255i16.to_be_bytes()[..])),
        ("wide", Some(&high)),
        ("letter", Some("é".as_bytes())),
        ("text", Some(b"")),
        ("text", Some("a longer text \u{1f600}".as_bytes())),
        ("bytes", Some(&[0, 1, 255])),
        ("numbers", Some(&array)),
        ("numbers", Some(&empty)),
        ("decimal", Some(&numeric("-12345.6700"))),
        ("paint", Some(b"deep-red")),
        ("moment", Some(&later)),
        ("moment", Some(&i64::MAX.to_be_bytes())),
        ("identity", Some(&[7; 16])),
        ("maybe", None),
        ("maybe", Some(&(-5i64).to_be_bytes())),
    ] {
        let arguments = packed(&[argument]);
        let answer = fixture.once(&target(&prepared, export), &arguments).await;
        let answer = answer.unwrap_or_else(|error| panic!("{export}: {error}"));
        assert_eq!((answer.rows, answer.count), (arguments, 1), "{export}");
    }
    for text in [None, Some(&b"there"[..])] {
        let answer = fixture.once(&target(&prepared, "at"), &packed(&[Some(&row(text))])).await.expect("a row");
        assert_eq!(answer.rows, packed(&[Some(&7i32.to_be_bytes()), text]));
    }
    let answer = fixture.once(&target(&prepared, "many"), &packed(&[Some(&3i32.to_be_bytes())])).await.expect("rows");
    let rows: Vec<u8> = (0..3)
        .flat_map(|index: i32| packed(&[Some(&index.to_be_bytes()), Some(&[u8::from(index % 2 == 1)])]))
        .collect();
    assert_eq!((answer.rows, answer.count), (rows, 3));
    let answer = fixture.once(&target(&prepared, "nothing"), &[]).await.expect("void");
    assert_eq!((answer.rows, answer.count), (vec![], 1));
}

#[tokio::test]
async fn a_batch_is_one_call_per_row() {
    let fixture = fixture(Limits::default()).await;
    let prepared = fixture.prepare(WORLD, MODULE).await;
    let number = |number: i32| number.to_be_bytes();
    let arguments: Vec<u8> = (0..100).flat_map(|row| packed(&[Some(&number(row)), Some(&number(1000))])).collect();
    let target = target(&prepared, "add");
    let (_, answer) = fixture.procedures.call(fixture.call().await, &target, &arguments, 100, None).await;
    let answer = answer.expect("sums");
    let sums: Vec<u8> = (0..100).flat_map(|row| packed(&[Some(&number(1000 + row))])).collect();
    assert_eq!((answer.rows, answer.count), (sums, 100));
    let usage = fixture.procedures.usage();
    assert_eq!((usage[0].calls, usage[0].routine.as_ref()), (100, "add"));
}

#[tokio::test]
async fn values_that_do_not_fit_name_function_and_parameter() {
    let fixture = fixture(Limits::default()).await;
    let prepared = fixture.prepare(WORLD, MODULE).await;
    let two: Vec<u8> = [2i32, 0, 23, 1, 1, 1, 1, 4, 6].iter().flat_map(|word| word.to_be_bytes()).collect();
    for (export, argument, sqlstate, why) in [
        ("narrow", Some(&(-1i16).to_be_bytes()[..]), "22003", "value \"-1\" is out of range for u8"),
        ("wide", Some(&numeric("-1")), "22003", "value \"-1\" is out of range for u64"),
        ("wide", Some(&numeric("1.5")), "22003", "value \"1.5\" is out of range for u64"),
        ("letter", Some(b"ab"), "22P02", "text of 2 characters where one is expected"),
        ("paint", Some(b"green"), "22P02", "\"green\" is none of its labels: deep-red, blue"),
        ("text", None, "22004", "NULL is not allowed: its type is no option"),
        ("numbers", Some(&two), "2202E", "array has 2 dimensions, a list has one"),
    ] {
        let error = fixture.once(&target(&prepared, export), &packed(&[argument])).await.expect_err(export);
        let message = format!("parameter \"a\" of function \"{export}\": {why}");
        assert_eq!(fields(&error), (sqlstate, message.as_str()));
        let context = format!("routine {export} of procedure p, version 3");
        assert_eq!(error.fields().context.as_deref(), Some(context.as_str()));
    }
    let error = fixture.once(&target(&prepared, "text"), &packed(&[Some(b"a\0b")])).await.expect_err("a NUL");
    assert_eq!(
        fields(&error),
        ("22021", "result of function \"text\": invalid byte sequence for encoding \"UTF8\": 0x00")
    );
    let error =
        fixture.once(&target(&prepared, "decimal"), &packed(&[Some(&[0, 0])])).await.expect_err("half a numeric");
    assert_eq!(error.sqlstate(), "22P03");
}

#[tokio::test]
async fn functions_raise_errors_of_their_own() {
    let fixture = fixture(Limits::default()).await;
    let prepared = fixture.prepare(WORLD, MODULE).await;
    let fails = target(&prepared, "fails");
    let length = |length: i32| packed(&[Some(&length.to_be_bytes())]);
    assert_eq!(fixture.once(&fails, &length(0)).await.expect("it is well").rows, packed(&[Some(&7i32.to_be_bytes())]));
    let error = fixture.once(&fails, &length(5)).await.expect_err("it fails");
    assert_eq!(fields(&error), ("AB001", "your account is empty"));
    assert_eq!((error.fields().detail.clone(), error.fields().hint.as_deref()), (None, Some("the hint")));
    let error = fixture.once(&fails, &length(4)).await.expect_err("it fails");
    assert_eq!(fields(&error), ("39001", "function \"fails\" has failed with the invalid SQLSTATE \"AB00\""));
    let error = fixture.once(&target(&prepared, "fails-plainly"), &[]).await.expect_err("it fails");
    assert_eq!(fields(&error), ("P0001", "your"));
    let error = fixture.once(&target(&prepared, "fails-by-name"), &[]).await.expect_err("it fails");
    assert_eq!(fields(&error), ("P0001", "deep-red"));
    let usage = fixture.procedures.usage();
    assert_eq!(usage.iter().map(|usage| usage.errors.len()).sum::<usize>(), 4);
}
