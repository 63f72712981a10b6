use serde_json::{Value, json};

use super::component::{dummy, module};
use crate::error::Error;
use crate::sandbox::procedure::Description;
use crate::sandbox::procedure::reflect::{reflect, wrap};

fn reflected(world: &str) -> Result<Description, Error> {
    reflect(&wrap(dummy(world))?)
}

/// A function of this type, as JSON.
fn routine(function: &str) -> Value {
    let world = format!(
        "world test {{
            use isobar:procedure/types@0.1.0.{{error, numeric, date, time, timestamp, timestamptz, interval, uuid, json}};
            enum color {{ deep-red, blue }}
            record point {{ x: s32, long-name: option<string> }}
            export f: func{function};
        }}"
    );
    let description = reflected(&world).unwrap_or_else(|error| panic!("{function}: {error}"));
    description.routines_json()[0].clone()
}

fn refused(function: &str) -> (String, String) {
    let world = format!(
        "world test {{
            flags rights {{ read }}
            variant either {{ a, b(u8) }}
            record inner {{ a: u8 }}
            record outer {{ inner: inner }}
            export f: func{function};
        }}"
    );
    let error = reflected(&world).expect_err(function);
    (error.sqlstate().to_owned(), error.message().to_owned())
}

#[test]
fn every_type_of_the_table_has_its_sql_type() {
    for (wit, type_oid) in [
        ("bool", 16),
        ("s8", 21),
        ("u8", 21),
        ("s16", 21),
        ("u16", 23),
        ("s32", 23),
        ("u32", 20),
        ("s64", 20),
        ("u64", 1700),
        ("f32", 700),
        ("f64", 701),
        ("char", 25),
        ("string", 25),
        ("list<u8>", 17),
        ("color", 25),
        ("numeric", 1700),
        ("date", 1082),
        ("time", 1083),
        ("timestamp", 1114),
        ("timestamptz", 1184),
        ("interval", 1186),
        ("uuid", 2950),
        ("json", 3802),
        ("list<s32>", 1007),
        ("list<list<u8>>", 1001),
        ("list<option<string>>", 1009),
        ("list<numeric>", 1231),
        ("list<color>", 1009),
    ] {
        let plain = routine(&format!("(a: {wit}) -> {wit}"));
        let parameter = json!([{"name": "a", "type_oid": type_oid, "wit": wit, "nullable": false, "fields": []}]);
        assert_eq!(plain["parameters"], parameter, "{wit}");
        assert_eq!(plain["returns"], "value");
        assert_eq!(plain["columns"], json!([{"name": "f", "type_oid": type_oid, "nullable": false}]), "{wit}");
        let optional = routine(&format!("(a: option<{wit}>) -> result<option<{wit}>, error>"));
        assert_eq!(optional["parameters"][0]["nullable"], true, "{wit}");
        assert_eq!(optional["columns"], json!([{"name": "f", "type_oid": type_oid, "nullable": true}]), "{wit}");
    }
}

#[test]
fn results_are_nothing_a_row_or_rows() {
    let point = json!([{"name": "x", "type_oid": 23, "nullable": false}, {"name": "long_name", "type_oid": 25, "nullable": true}]);
    let tuple = json!([{"name": "column1", "type_oid": 20, "nullable": false}, {"name": "column2", "type_oid": 16, "nullable": false}]);
    for (result, returns, columns) in [
        ("", "nothing", json!([])),
        (" -> result", "nothing", json!([])),
        (" -> result<_, string>", "nothing", json!([])),
        (" -> point", "row", point.clone()),
        (" -> result<tuple<u32, bool>, color>", "row", tuple.clone()),
        (" -> list<point>", "rows", point.clone()),
        (" -> result<list<tuple<u32, bool>>>", "rows", tuple),
    ] {
        let routine = routine(&format!("(){result}"));
        assert_eq!((&routine["returns"], &routine["columns"]), (&json!(returns), &columns), "{result}");
    }
    let row = routine("(where-from: point, to: option<tuple<s16>>)");
    assert_eq!(
        row["parameters"][0],
        json!({"name": "where_from", "type_oid": 2249, "wit": "point", "nullable": false, "fields": point})
    );
    assert_eq!(row["parameters"][1]["fields"], json!([{"name": "f1", "type_oid": 21, "nullable": false}]));
    assert_eq!(row["parameters"][1]["nullable"], true);
}

#[test]
fn types_without_a_mapping_name_function_parameter_and_type() {
    for (function, why) in [
        ("(a: rights)", "parameter \"a\" of function \"f\" has the type rights, for which SQL has none: it is a flags"),
        (
            "(a: either)",
            "parameter \"a\" of function \"f\" has the type either, for which SQL has none: it is a variant",
        ),
        (
            "(a: list<list<s32>>)",
            "parameter \"a\" of function \"f\" has the type list<list<s32>>, for which SQL has none: an array's elements are single values",
        ),
        (
            "(a: list<inner>)",
            "parameter \"a\" of function \"f\" has the type list<inner>, for which SQL has none: an array's elements are single values",
        ),
        (
            "(a: option<option<u8>>)",
            "parameter \"a\" of function \"f\" has the type option<option<u8>>, for which SQL has none: NULL is one value, an option of an option has two",
        ),
        (
            "(a: result<u8>)",
            "parameter \"a\" of function \"f\" has the type result<u8, _>, for which SQL has none: only the result as a whole may be an error",
        ),
        (
            "() -> outer",
            "the result of function \"f\" has the type outer, for which SQL has none: it has a record or tuple inside",
        ),
        (
            "() -> option<inner>",
            "the result of function \"f\" has the type option<inner>, for which SQL has none: a record or tuple is not one value here",
        ),
        (
            "() -> list<option<inner>>",
            "the result of function \"f\" has the type list<option<inner>>, for which SQL has none: an array's elements are single values",
        ),
    ] {
        assert_eq!(refused(function), ("0A000".to_owned(), why.to_owned()));
    }
}

#[test]
fn interfaces_export_by_their_path() {
    let description = reflected(
        "interface accounts { open-account: func(name: string) -> s64; }
        world test { export accounts; export init: func(); export close: func(); }",
    )
    .expect("it has functions");
    let names: Vec<_> =
        description.routines.iter().map(|routine| (routine.export.as_str(), routine.name.as_str())).collect();
    assert_eq!(names, [("close", "close"), ("test:test/accounts#open-account", "open_account")]);
}

#[test]
fn names_that_meet_are_refused() {
    let error =
        reflected("interface one { go: func(); } interface two { go: func(); } world test { export one; export two; }")
            .expect_err("two functions go");
    assert_eq!(error.sqlstate(), "42723");
    assert_eq!(
        error.message(),
        "functions \"test:test/one#go\" and \"test:test/two#go\" would both be named \"go\" in SQL"
    );
    let error = reflected("world test { export nothing: interface {} }").expect_err("there is none");
    assert_eq!(error.sqlstate(), "42P13");
}

#[test]
fn imports_are_ours_or_refused() {
    let reflected = |world: &str, import: &str| {
        reflect(&wrap(module(world, &format!("(import {import}) --- (func (export \"f\"))")))?)
    };
    let world = "world test { include isobar:procedure/procedure@0.1.0; export f: func(); }";
    let import = "\"isobar:procedure/log@0.1.0\" \"log\" (func (param i32 i32 i32))";
    assert_eq!(reflected(world, import).expect("allowed").imports, ["isobar:procedure/log@0.1.0"]);
    for (world, import, name) in [
        (
            "interface disk { wipe: func(); } world test { import disk; export f: func(); }",
            "\"test:test/disk\" \"wipe\" (func)",
            "test:test/disk",
        ),
        ("world test { import wipe: func(); export f: func(); }", "\"$root\" \"wipe\" (func)", "wipe"),
    ] {
        let error = reflected(world, import).expect_err("not for procedures");
        assert_eq!(error.sqlstate(), "42501");
        assert_eq!(error.message(), format!("the component imports \"{name}\", which procedures may not have"));
    }
}

#[test]
fn what_is_no_component_is_refused() {
    for bytes in [&b""[..], b"hello", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0", b"\0asm\x0d\0\x01\0\xff\xff\xff"] {
        let error = wrap(bytes.to_vec()).and_then(|component| reflect(&component)).expect_err("no component");
        assert!(matches!(error.sqlstate(), "22P03" | "42P13"), "{error}");
    }
}
