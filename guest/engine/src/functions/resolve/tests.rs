use super::*;
use DataType::*;

/// The chosen argument types and result, or the error's message.
fn describe<F>(resolved: Result<Resolved<F>>) -> String {
    match resolved {
        Ok(resolved) => format!("({}) {}", list(&resolved.argument_types), resolved.result.name()),
        Err(error) => error.message().to_string(),
    }
}

#[test]
fn operators_are_chosen_as_chapter_10_says() {
    let cases: &[(&str, Option<DataType>, DataType, &str)] = &[
        ("+", Some(Integer), Integer, "(integer, integer) integer"),
        ("+", Some(SmallInt), BigInt, "(smallint, bigint) bigint"),
        ("+", Some(Integer), Unknown, "(integer, integer) integer"),
        ("+", Some(Unknown), BigInt, "(bigint, bigint) bigint"),
        ("+", Some(Integer), Numeric, "(numeric, numeric) numeric"),
        ("+", Some(Integer), Double, "(double precision, double precision) double precision"),
        ("+", Some(Real), Integer, "(real, double precision) double precision"),
        ("*", Some(Numeric), Real, "(double precision, real) double precision"),
        ("=", Some(Integer), BigInt, "(integer, bigint) boolean"),
        ("=", Some(Text), Unknown, "(text, text) boolean"),
        ("=", Some(Varchar), Unknown, "(character varying, text) boolean"),
        ("=", Some(Varchar), Text, "(character varying, text) boolean"),
        ("=", Some(Unknown), Unknown, "(text, text) boolean"),
        ("<", Some(Date), Timestamp, "(date, timestamp without time zone) boolean"),
        ("!=", Some(Uuid), Unknown, "(uuid, uuid) boolean"),
        ("=", Some(Integer.array_of()), Unknown, "(integer[], integer[]) boolean"),
        ("=", Some(Integer.array_of()), Text.array_of(), "operator does not exist: integer[] = text[]"),
        ("+", Some(Integer), Text, "operator does not exist: integer + text"),
        ("=", Some(Integer), Text, "operator does not exist: integer = text"),
        ("=", Some(Boolean), Integer, "operator does not exist: boolean = integer"),
        ("=", Some(Json), Json, "operator does not exist: json = json"),
    ];
    for (symbol, left, right, expected) in cases {
        assert_eq!(describe(operator(symbol, *left, *right)), *expected, "{left:?} {symbol} {right:?}");
    }
}

#[test]
fn unknown_functions_are_reported_with_their_argument_types() {
    assert_eq!(
        describe(scalar("no_such_function", &[Integer, Unknown])),
        "function no_such_function(integer, unknown) does not exist"
    );
}

#[test]
fn window_functions_take_their_optional_arguments() {
    assert_eq!(describe(window("lag", &[Text])), "(text) text");
    assert_eq!(describe(window("lag", &[Text, Integer])), "(text, integer) text");
    assert_eq!(describe(window("lag", &[Integer, Integer, Numeric])), "(numeric, integer, numeric) numeric");
    assert_eq!(describe(window("ntile", &[BigInt])), "function ntile(bigint) does not exist");
}

#[test]
fn common_types_follow_section_10_5() {
    let cases: &[(&[DataType], &str)] = &[
        (&[Integer, Unknown, Numeric], "numeric"),
        (&[Unknown, Unknown], "text"),
        (&[Varchar, Text], "character varying"),
        (&[Date, Timestamptz], "timestamp with time zone"),
        (&[BigInt, Integer], "bigint"),
        (&[Integer, Text], "CASE types integer and text cannot be matched"),
    ];
    for (types, expected) in cases {
        let found = common_type(types, "CASE");
        let found = found.map_or_else(|error| error.message().to_string(), |data_type| data_type.name());
        assert_eq!(found, *expected, "{types:?}");
    }
}
