//! Every row of the table of types in `docs/procedures.md`, both ways: what a routine is given, it answers, and the text
//! is the one that PostgreSQL 15 prints for the value.

use serde_json::json;

use crate::RAW;
use crate::directory;
use crate::node::{Process, start};
use crate::procedures::{brief, field, shown};

/// Routine of `guest/conformance`, an argument, and what PostgreSQL prints for it.
const VALUES: &[(&str, &str, &str)] = &[
    ("echo_bool", "true", "t"),
    ("echo_bool", "false", "f"),
    ("echo_s8", "'-128'::smallint", "-128"),
    ("echo_s8", "127::smallint", "127"),
    ("echo_u8", "0::smallint", "0"),
    ("echo_u8", "255::smallint", "255"),
    ("echo_s16", "'-32768'::smallint", "-32768"),
    ("echo_s16", "32767::smallint", "32767"),
    ("echo_u16", "65535", "65535"),
    ("echo_s32", "-2147483648", "-2147483648"),
    ("echo_s32", "2147483647", "2147483647"),
    ("echo_u32", "4294967295", "4294967295"),
    ("echo_s64", "-9223372036854775808", "-9223372036854775808"),
    ("echo_s64", "9223372036854775807", "9223372036854775807"),
    ("echo_u64", "0", "0"),
    ("echo_u64", "18446744073709551615", "18446744073709551615"),
    ("echo_f32", "0.1::real", "0.1"),
    ("echo_f32", "'-0'::real", "-0"),
    ("echo_f32", "'3.4028235e38'::real", "3.4028235e+38"),
    ("echo_f32", "'1e-45'::real", "1e-45"),
    ("echo_f32", "'NaN'::real", "NaN"),
    ("echo_f32", "'Infinity'::real", "Infinity"),
    ("echo_f32", "'-Infinity'::real", "-Infinity"),
    ("echo_f64", "0.1::double precision", "0.1"),
    ("echo_f64", "'-0'::double precision", "-0"),
    ("echo_f64", "1e300::double precision", "1e+300"),
    ("echo_f64", "'5e-324'::double precision", "5e-324"),
    ("echo_f64", "1.7976931348623157e308::double precision", "1.7976931348623157e+308"),
    ("echo_f64", "'NaN'::double precision", "NaN"),
    ("echo_f64", "'Infinity'::double precision", "Infinity"),
    ("echo_f64", "'-Infinity'::double precision", "-Infinity"),
    ("echo_char", "'x'", "x"),
    ("echo_char", "'é'", "é"),
    ("echo_char", "U&'\\+01F980'", "🦀"),
    ("echo_string", "''", ""),
    ("echo_string", "'naïve 🦀 ''quoted'' \"text\" \\'", "naïve 🦀 'quoted' \"text\" \\"),
    ("echo_string", "E'tab\\tline\\nend'", "tab\tline\nend"),
    ("echo_string", "length(repeat('é', 100000))::text", "100000"),
    ("echo_bytes", "'\\x'::bytea", "\\x"),
    ("echo_bytes", "'\\x00ff0a27'::bytea", "\\x00ff0a27"),
    ("echo_enum", "'red'", "red"),
    ("echo_enum", "'dark-blue'", "dark-blue"),
    ("echo_numeric", "-10.50", "-10.50"),
    ("echo_numeric", "0.000", "0.000"),
    ("echo_numeric", "'NaN'::numeric", "NaN"),
    ("echo_numeric", "'Infinity'::numeric", "Infinity"),
    ("echo_numeric", "'-Infinity'::numeric", "-Infinity"),
    (
        "echo_numeric",
        "1234567890123456789012345678901234567890.0123456789012345678901234567890123456789",
        "1234567890123456789012345678901234567890.0123456789012345678901234567890123456789",
    ),
    ("echo_numeric", "-1e-30", "-0.000000000000000000000000000001"),
    ("echo_numeric", "1e30", "1000000000000000000000000000000"),
    ("echo_date", "'2024-02-29'::date", "2024-02-29"),
    ("echo_date", "'0001-01-01 BC'::date", "0001-01-01 BC"),
    ("echo_date", "'9999-12-31'::date", "9999-12-31"),
    ("echo_date", "'infinity'::date", "infinity"),
    ("echo_date", "'-infinity'::date", "-infinity"),
    ("echo_time", "'00:00'::time", "00:00:00"),
    ("echo_time", "'23:59:59.999999'::time", "23:59:59.999999"),
    ("echo_time", "'24:00'::time", "24:00:00"),
    ("echo_timestamp", "'1969-12-31 23:59:59.999999'::timestamp", "1969-12-31 23:59:59.999999"),
    ("echo_timestamp", "'0044-03-15 12:00 BC'::timestamp", "0044-03-15 12:00:00 BC"),
    ("echo_timestamp", "'infinity'::timestamp", "infinity"),
    ("echo_timestamp", "'-infinity'::timestamp", "-infinity"),
    ("echo_timestamptz", "'2026-01-02 03:04:05.6+09'::timestamptz", "2026-01-01 18:04:05.6+00"),
    ("echo_timestamptz", "'infinity'::timestamptz", "infinity"),
    ("echo_timestamptz", "'-infinity'::timestamptz", "-infinity"),
    ("echo_interval", "interval '14 months -3 days 4:05:06.000007'", "1 year 2 mons -3 days +04:05:06.000007"),
    ("echo_interval", "interval '0'", "00:00:00"),
    ("echo_interval", "interval '-1 year -00:00:01'", "-1 years -00:00:01"),
    ("echo_uuid", "'00000000-0000-0001-ffff-ffffffffffff'::uuid", "00000000-0000-0001-ffff-ffffffffffff"),
    ("echo_uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("echo_json", "'{\"b\": [1, null, 1.50], \"a\": \"\\u00e9\"}'::jsonb", "{\"a\": \"é\", \"b\": [1, null, 1.50]}"),
    ("echo_json", "'null'::jsonb", "null"),
    ("echo_json", "'\"text\"'::jsonb", "\"text\""),
    ("echo_option_s32", "NULL::integer", "NULL"),
    ("echo_option_s32", "-5", "-5"),
    ("echo_option_string", "NULL::text", "NULL"),
    ("echo_option_string", "''", ""),
    ("echo_option_numeric", "NULL::numeric", "NULL"),
    ("echo_option_numeric", "1.10", "1.10"),
    ("echo_list_bool", "ARRAY[true, false]", "{t,f}"),
    ("echo_list_s32", "ARRAY[1, -2, 3]", "{1,-2,3}"),
    ("echo_list_s32", "'{}'::integer[]", "{}"),
    ("echo_list_string", "ARRAY['a', '', 'b c', 'null', '\"', 'é']", "{a,\"\",\"b c\",\"null\",\"\\\"\",é}"),
    ("echo_list_option_s64", "ARRAY[1::bigint, NULL, 9223372036854775807]", "{1,NULL,9223372036854775807}"),
    ("echo_list_numeric", "ARRAY[1.50, 'NaN'::numeric, -0.001]", "{1.50,NaN,-0.001}"),
    ("echo_list_colour", "ARRAY['red', 'dark-blue']", "{red,dark-blue}"),
    ("echo_record", "ROW(1, 2.5, 'a b')", "(1,2.5,\"a b\")"),
    ("echo_record", "ROW(-1, NULL, '')", "(-1,,\"\")"),
    ("echo_tuple", "ROW(7, 'seven')", "(7,seven)"),
];

/// Arguments that SQL's own rules bring to the parameter's type.
const CASTS: &[(&str, &str)] = &[
    ("SELECT echo_bool('yes')", "t"),
    ("SELECT echo_s32(5::smallint)", "5"),
    ("SELECT echo_s64(5)", "5"),
    ("SELECT echo_f64(2.5)", "2.5"),
    ("SELECT echo_f64(7)", "7"),
    ("SELECT echo_numeric(7)", "7"),
    ("SELECT echo_numeric('12.50')", "12.50"),
    ("SELECT echo_u64(5)", "5"),
    ("SELECT echo_string('x'::varchar(5))", "x"),
    ("SELECT echo_timestamp('2026-01-01'::date)", "2026-01-01 00:00:00"),
    ("SELECT echo_list_s32('{1,2}')", "{1,2}"),
    ("SELECT echo_date('2026-01-31')", "2026-01-31"),
    ("SELECT echo_json('[1,  2]')", "[1, 2]"),
    ("SELECT value FROM echo_s32(3) AS value", "3"),
    ("SELECT echo_s32(value => 4)", "4"),
];

/// Calls that must fail, and how.
const REFUSALS: &[(&str, &str)] = &[
    ("SELECT echo_s8(128::smallint)", "22003"),
    ("SELECT echo_s8('-129'::smallint)", "22003"),
    ("SELECT echo_u8(256::smallint)", "22003"),
    ("SELECT echo_u8('-1'::smallint)", "22003"),
    ("SELECT echo_u16(65536)", "22003"),
    ("SELECT echo_u16(-1)", "22003"),
    ("SELECT echo_u32(4294967296)", "22003"),
    ("SELECT echo_u32(-1)", "22003"),
    ("SELECT echo_u64(18446744073709551616)", "22003"),
    ("SELECT echo_u64(-1)", "22003"),
    ("SELECT echo_u64(1.5)", "22003"),
    ("SELECT echo_u64('NaN'::numeric)", "22003"),
    ("SELECT echo_char('')", "22P02"),
    ("SELECT echo_char('ab')", "22P02"),
    ("SELECT echo_enum('blue')", "22P02"),
    ("SELECT echo_enum('dark_blue')", "22P02"),
    ("SELECT echo_enum('RED')", "22P02"),
    ("SELECT echo_list_colour(ARRAY['red', 'pink'])", "22P02"),
    ("SELECT echo_s32(NULL)", "22004"),
    ("SELECT echo_list_s32(ARRAY[1, NULL])", "22004"),
    ("SELECT echo_record(NULL)", "22004"),
    ("SELECT echo_record(ROW(NULL, 1, 'a'))", "22004"),
    ("SELECT echo_s32('x')", "22P02"),
    ("SELECT echo_s32('x'::text)", "42883"),
    ("SELECT echo_s32(1.5)", "42883"),
    ("SELECT echo_s32(5::bigint)", "42883"),
    ("SELECT echo_record(ROW(1))", "42883"),
    ("SELECT echo_tuple(ROW(1, 'a', 'b'))", "42883"),
    ("SELECT echo_list_s32(ARRAY['a'])", "42883"),
    ("SELECT echo_list_s32(ARRAY[[1, 2], [3, 4]])", "2202E"),
];

async fn conformance(data: &tempfile::TempDir) -> Process {
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    node
}

#[tokio::test]
async fn every_type_goes_both_ways() {
    let data = directory();
    let node = conformance(&data).await;
    let mut wrong = vec![];
    for (routine, argument, expected) in VALUES {
        let sql = format!("SELECT {routine}({argument})");
        let (status, answer) = node.post("/sql", &RAW, &json!({"query": sql})).await;
        let found = if status == 200 { shown(&answer) } else { brief(&answer) };
        if found != *expected {
            wrong.push(format!("{sql}: {found} and not {expected}"));
        }
    }
    for (sql, expected) in CASTS {
        let (status, answer) = node.post("/sql", &RAW, &json!({"query": sql})).await;
        let found = if status == 200 { shown(&answer) } else { brief(&answer) };
        if found != *expected {
            wrong.push(format!("{sql}: {found} and not {expected}"));
        }
    }
    for (sql, expected) in REFUSALS {
        let (_, answer) = node.post("/sql", &RAW, &json!({"query": sql})).await;
        if field(&answer, "code") != *expected {
            wrong.push(format!(
                "{sql}: {} and not {expected}",
                if answer["rows"].is_array() { shown(&answer) } else { brief(&answer) }
            ));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(node.get("/health").await.0, 200);
}

/// The types as SQL sees them, in the words of the table.
#[tokio::test]
async fn routines_have_sqls_types() {
    let data = directory();
    let node = conformance(&data).await;
    for (routine, expected) in [
        ("echo_bool", "boolean"),
        ("echo_s8", "smallint"),
        ("echo_u8", "smallint"),
        ("echo_s16", "smallint"),
        ("echo_u16", "integer"),
        ("echo_s32", "integer"),
        ("echo_u32", "bigint"),
        ("echo_s64", "bigint"),
        ("echo_u64", "numeric"),
        ("echo_f32", "real"),
        ("echo_f64", "double precision"),
        ("echo_char", "text"),
        ("echo_string", "text"),
        ("echo_bytes", "bytea"),
        ("echo_enum", "text"),
        ("echo_numeric", "numeric"),
        ("echo_date", "date"),
        ("echo_time", "time without time zone"),
        ("echo_timestamp", "timestamp without time zone"),
        ("echo_timestamptz", "timestamp with time zone"),
        ("echo_interval", "interval"),
        ("echo_uuid", "uuid"),
        ("echo_json", "jsonb"),
        ("echo_option_s32", "integer"),
        ("echo_list_bool", "boolean[]"),
        ("echo_list_s32", "integer[]"),
        ("echo_list_option_s64", "bigint[]"),
        ("echo_list_colour", "text[]"),
        ("echo_record", "record"),
        ("points", "TABLE(x integer, y double precision, label text)"),
        ("pairs", "TABLE(column1 bigint, column2 text)"),
        ("nothing", "void"),
        ("check_positive", "void"),
        ("double_or_error", "integer"),
        ("resource_free_count", "bigint[]"),
    ] {
        let sql = format!("SELECT pg_get_function_result(oid) FROM pg_proc WHERE proname = '{routine}'");
        assert_eq!(node.text(&sql).await, expected, "{routine}");
    }
    for (routine, expected) in [
        ("echo_u64", "value numeric"),
        ("echo_option_string", "value text"),
        ("echo_list_numeric", "value numeric[]"),
        ("points_or_error", "count integer"),
        ("batches", "rows bigint, most bigint"),
    ] {
        let sql = format!("SELECT pg_get_function_identity_arguments(oid) FROM pg_proc WHERE proname = '{routine}'");
        assert_eq!(node.text(&sql).await, expected, "{routine}");
    }
}

#[tokio::test]
async fn records_and_lists_of_them_are_columns_and_rows() {
    let data = directory();
    let node = conformance(&data).await;
    for (sql, expected) in [
        ("SELECT * FROM echo_record(ROW(1, 2.5, 'a'))", "1|2.5|a"),
        ("SELECT label, x + 1 FROM echo_record(ROW(1, NULL, 'a')) WHERE y IS NULL", "a|2"),
        ("SELECT column1, column2 FROM echo_tuple(ROW(7, 'seven'))", "7|seven"),
        ("SELECT * FROM points(3)", "0|0|point 0\n1|NULL|point 1\n2|1|point 2"),
        ("SELECT * FROM points(0)", ""),
        ("SELECT sum(x), count(y) FROM points(1000) p WHERE label LIKE 'point%'", "499500|500"),
        ("SELECT * FROM readings(2)", "1970-01-01 00:00:00+00|0\n1970-01-01 00:00:01+00|1"),
        ("SELECT * FROM pairs(2) AS p (number, name)", "0|pair 0\n1|pair 1"),
        ("SELECT count(*) FROM points_or_error(2)", "2"),
        ("SELECT g, x FROM generate_series(1, 2) g, points(g::bigint) ORDER BY 1, 2", "1|0\n2|0\n2|1"),
        ("SELECT * FROM points(2) WITH ORDINALITY", "0|0|point 0|1\n1|NULL|point 1|2"),
        ("SELECT points(1)", "(0,0,\"point 0\")"),
        ("CALL pairs(1)", "0|pair 0"),
        ("SELECT nothing()", ""),
        ("SELECT check_positive(1)", ""),
        ("SELECT resource_free_count(3)", "{1,2,3}"),
        ("SELECT echo_record(p) FROM (SELECT 1) s, LATERAL (SELECT ROW(1, 2, 'x') AS p) r", "(1,2,x)"),
    ] {
        let (status, answer) = node.post("/sql", &RAW, &json!({"query": sql})).await;
        // The only one that has no meaning yet says so.
        if sql.contains("echo_record(p)") && status != 200 {
            assert_eq!(field(&answer, "code"), "0A000", "{answer}");
            continue;
        }
        assert_eq!(status, 200, "{sql}: {answer}");
        assert_eq!(shown(&answer), expected, "{sql}");
    }
    // A parameter of the request takes the type of the routine's.
    let query = json!({"query": "SELECT echo_u64($1), echo_json($2), echo_option_s32($3)",
                       "params": ["18446744073709551615", "{\"a\":1}", null]});
    let (status, answer) = node.post("/sql", &RAW, &query).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(shown(&answer), "18446744073709551615|{\"a\": 1}|NULL");
}

/// All conversions that the SDK of Rust offers, inside the procedure.
#[tokio::test]
async fn values_inside_a_procedure_convert() {
    let data = directory();
    let node = conformance(&data).await;
    assert_eq!(node.text("SELECT conversions() > 30").await, "t");
    assert_eq!(node.text("SELECT * FROM batches(10, 4)").await, "4\n4\n2");
    assert_eq!(node.text("SELECT count(*), sum(column1) FROM batches(5000, 1000)").await, "5|5000");
    let typed = "SELECT ask('SELECT 1::smallint AS a, NULL::text AS b, ARRAY[1,2] AS c, 1.50 AS d')";
    let answer = node.text(typed).await;
    assert!(answer.starts_with("a smallint, b text, c integer[], d numeric\n"), "{answer}");
    assert!(answer.contains("{1,2}") && answer.contains("1.50"), "{answer}");
}
