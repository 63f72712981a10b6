use crate::catalog::Catalog;
use crate::functions::{FunctionContext, Settings, resolve};
use crate::host::{Environment, Unrestricted};
use crate::types::{Column, ColumnBuilder, DataType, Value, text};

struct Still;

impl Environment for Still {
    fn transaction_time(&self) -> i64 {
        0
    }

    fn statement_time(&self) -> i64 {
        0
    }

    fn clock_time(&self) -> i64 {
        0
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// Types and rows in text form
type Arguments = &'static [(DataType, &'static str)];

/// One group of rows, in text form, through one aggregate; `-` is NULL.
fn aggregate(name: &str, arguments: Arguments) -> String {
    let settings = Settings::default();
    let catalog = Catalog::default();
    let context =
        FunctionContext { environment: &Still, authorization: &Unrestricted, settings: &settings, catalog: &catalog };
    let types: Vec<DataType> = arguments.iter().map(|(data_type, _)| *data_type).collect();
    let resolved = resolve::aggregate(name, &types).expect("the aggregate exists");
    let columns: Vec<Column> = arguments
        .iter()
        .zip(&resolved.argument_types)
        .map(|((_, rows), data_type)| {
            let mut builder = ColumnBuilder::new(*data_type);
            for row in rows.split_whitespace() {
                let value = match row {
                    "-" => Value::Null,
                    text => text::parse(text, *data_type, -1, &context).expect("a good literal"),
                };
                builder.push(&value);
            }
            builder.finish()
        })
        .collect();
    let columns: Vec<&Column> = columns.iter().collect();
    let rows: Vec<u32> = (0..columns.first().map_or(0, |column| column.data.len() as u32)).collect();
    let mut accumulator = (resolved.function.accumulator)(&resolved.argument_types);
    accumulator.resize(2);
    let finished = accumulator
        .update(&context, &vec![0; rows.len()], &rows, &columns)
        .and_then(|()| Ok((accumulator.finish(&context, 0)?, accumulator.finish(&context, 1)?)));
    match finished {
        Ok((value, empty)) => {
            let again = accumulator.finish(&context, 0).expect("the result again");
            assert_eq!(format!("{value:?}"), format!("{again:?}"), "{name} finished twice");
            let expected_empty = if name.ends_with("count") { "0" } else { "" };
            assert_eq!(text::to_string(&empty, resolved.result, &settings), expected_empty, "{name} of no rows");
            text::to_string(&value, resolved.result, &settings)
        }
        Err(error) => error.message().to_string(),
    }
}

#[test]
fn aggregates_answer_as_postgresql() {
    use DataType::*;
    let cases: &[(&str, Arguments, &str)] = &[
        ("count", &[(Integer, "1 - 3")], "2"),
        ("sum", &[(SmallInt, "32767 32767 -")], "65534"),
        ("sum", &[(Integer, "2147483647 2147483647")], "4294967294"),
        ("sum", &[(BigInt, "9223372036854775807 9223372036854775807")], "18446744073709551614"),
        ("sum", &[(Real, "0.1 0.2 0.3")], "0.6"),
        ("sum", &[(Double, "0.1 0.2 0.3")], "0.6000000000000001"),
        ("sum", &[(Numeric, "1.10 2.205 -")], "3.305"),
        ("sum", &[(Double, "1e308 1e308")], "value out of range: overflow"),
        ("avg", &[(Integer, "1 2 2")], "1.6666666666666667"),
        ("avg", &[(BigInt, "10 20 30")], "20.0000000000000000"),
        ("avg", &[(Numeric, "1.1 2.2 3.3 3.3")], "2.4750000000000000"),
        ("avg", &[(Double, "1 2 4")], "2.3333333333333335"),
        ("avg", &[(Real, "0.1 0.2")], "0.15000000223517418"),
        ("min", &[(Integer, "3 - 1 2")], "1"),
        ("max", &[(Double, "3 NaN 1")], "NaN"),
        ("max", &[(Text, "b a c")], "c"),
        ("min", &[(Numeric, "1.10 1.1 2")], "1.1"),
        ("bool_and", &[(Boolean, "t f t")], "f"),
        ("bool_or", &[(Boolean, "- f t")], "t"),
        ("bit_and", &[(Integer, "7 5 13")], "5"),
        ("bit_xor", &[(BigInt, "7 5")], "2"),
        ("string_agg", &[(Text, "a - c"), (Text, "; ; ,")], "a,c"),
        ("json_agg", &[(Integer, "1 - 3")], "[1, null, 3]"),
        ("json_object_agg", &[(Text, "a b"), (Integer, "1 -")], "{ \"a\" : 1, \"b\" : null }"),
        ("jsonb_agg", &[(Text, "a -")], "[\"a\", null]"),
        ("jsonb_object_agg", &[(Text, "b a b"), (Integer, "1 2 3")], "{\"a\": 2, \"b\": 3}"),
        ("variance", &[(Integer, "1 2 4")], "2.3333333333333333"),
        ("stddev", &[(Integer, "1 2 4")], "1.5275252316519467"),
        ("stddev_pop", &[(Numeric, "1.5 2.5 4.25")], "1.1365151414154880"),
        ("var_pop", &[(Double, "1 2 4")], "1.5555555555555556"),
        ("stddev_samp", &[(Double, "1 2 4")], "1.5275252316519468"),
        ("var_samp", &[(Integer, "5")], ""),
        ("corr", &[(Double, "1 2 3"), (Double, "1 2 4")], "0.9819805060619659"),
        ("covar_pop", &[(Double, "1 2 3"), (Double, "1 2 4")], "1"),
        ("regr_slope", &[(Double, "1 2 3"), (Double, "1 2 4")], "0.6428571428571429"),
        ("regr_intercept", &[(Double, "1 2 3"), (Double, "1 2 4")], "0.4999999999999997"),
        ("regr_count", &[(Double, "1 - 3"), (Double, "1 2 4")], "2"),
        ("percentile_cont", &[(Double, "0.5 0.5 0.5 0.5"), (Double, "1 2 4 9")], "3"),
        ("percentile_disc", &[(Double, "0.5 0.5 0.5 0.5"), (Integer, "1 2 4 9")], "2"),
        ("percentile_disc", &[(Double, "1.5"), (Integer, "1")], "percentile value 1.5 is not between 0 and 1"),
        ("mode", &[(Text, "a b b c c")], "b"),
    ];
    for (name, arguments, expected) in cases {
        assert_eq!(aggregate(name, arguments), *expected, "{name} of {arguments:?}");
    }
}
