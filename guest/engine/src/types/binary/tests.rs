//! PostgreSQL's bytes against ours, round trips, and bytes that mean nothing.

use super::*;
use crate::catalog::Catalog;
use crate::functions::FunctionContext;
use crate::host::Unrestricted;
use crate::types::compare::compare;
use crate::types::oracle::{Clock, READABLE, compare as compare_lines, explicit_cast, settings, type_and_modifier};
use proptest::prelude::*;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn written(value: &Value, data_type: DataType) -> Vec<u8> {
    let mut bytes = vec![];
    write(value, data_type, &mut bytes);
    bytes
}

#[test]
fn sends_and_receives_as_postgresql_does() {
    compare_lines(include_str!("../testdata/binary.tsv"), 350, |arguments, context| {
        let [name, input] = arguments else { panic!("type and text in {arguments:?}") };
        let data_type = type_and_modifier(name).0;
        let value = explicit_cast(&Value::text(input), DataType::Unknown, name, context).expect("a value");
        let bytes = written(&value, data_type);
        let again = read(&bytes, data_type).expect("bytes of the type's own");
        let print = |value: &Value| text::to_string(value, data_type, context.settings);
        assert_eq!(print(&again), print(&value), "{arguments:?}");
        hexadecimal(&bytes)
    });
}

#[test]
fn records_name_their_fields_types() {
    let row = Value::Record([Value::Integer(1), Value::text("a"), Value::Null].into());
    // PostgreSQL 15: encode(record_send(row(1, 'a'::text, null::int4)), 'hex')
    let mut bytes = vec![];
    let Value::Record(values) = &row else { panic!("a record") };
    write_record(values, &[DataType::Integer, DataType::Text, DataType::Integer], &mut bytes);
    assert_eq!(hexadecimal(&bytes), "0000000300000017000000040000000100000019000000016100000017ffffffff");
    assert_eq!(compare(&read(&bytes, DataType::Record).unwrap(), &row), std::cmp::Ordering::Equal);
}

#[test]
fn what_is_no_value_is_refused() {
    let cases: &[(DataType, &[u8], &str)] = &[
        (DataType::Integer, &[0, 0, 1], "08P01"),
        (DataType::Integer, &[0, 0, 0, 1, 2], "22P03"),
        (DataType::Boolean, &[], "08P01"),
        (DataType::Text, &[0xff], "22021"),
        (DataType::Text, &[b'a', 0], "22021"),
        (DataType::Name, &[b'x'; 64], "42622"),
        (DataType::Uuid, &[0; 15], "08P01"),
        (DataType::Time, &[0xff; 8], "22008"),
        (DataType::TimeTz, &[0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0], "22009"),
        (DataType::Date, &[0x7f, 0xff, 0xff, 0xfe], "22008"),
        (DataType::Timestamp, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], "22008"),
        (DataType::Jsonb, &[2, b'1'], "22P03"),
        (DataType::Jsonb, &[1, b'{'], "22P02"),
        (DataType::Json, b"x", "22P02"),
        (DataType::Numeric, &[0, 1, 0, 0, 0, 1, 0, 0, 0, 1], "22P03"),
        (DataType::Numeric, &[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10], "22P03"),
        (DataType::Numeric, &[0, 0, 0, 0, 0, 0, 0xff, 0xff], "22P03"),
        (DataType::Numeric, &[0xff, 0xff, 0, 0, 0, 0, 0, 0], "08P01"),
        (DataType::Array(&DataType::Integer), &[0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 23], "54000"),
        (DataType::Array(&DataType::Integer), &[0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23], "22P03"),
        (DataType::Array(&DataType::Integer), &[0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 23], "22P03"),
        (DataType::Array(&DataType::Integer), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25], "42804"),
        // A length of two milliards, and no element.
        (
            DataType::Array(&DataType::Integer),
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0x7f, 0xff, 0xff, 0xfe, 0, 0, 0, 1],
            "08P01",
        ),
        (DataType::Record, &[0x7f, 0xff, 0xff, 0xff], "22P03"),
        (DataType::Record, &[0, 0, 0, 1, 0, 0, 0x99, 0x99, 0xff, 0xff, 0xff, 0xff], "0A000"),
    ];
    for (data_type, bytes, sqlstate) in cases {
        let error = read(bytes, *data_type).unwrap_err();
        assert_eq!(error.sqlstate(), *sqlstate, "{data_type:?} {bytes:?}: {error}");
    }
}

#[test]
fn rows_do_not_nest_without_end() {
    let mut bytes = vec![0, 0, 0, 0];
    for _ in 0..1000 {
        let inner = bytes;
        bytes = [&[0, 0, 0, 1][..], &2249u32.to_be_bytes(), &(inner.len() as u32).to_be_bytes(), &inner].concat();
    }
    assert_eq!(read(&bytes, DataType::Record).unwrap_err().sqlstate(), "54001");
}

proptest! {
    /// What a text reads as is the same after a way through bytes.
    #[test]
    fn values_survive(
        text in prop_oneof![
            "\\PC{0,20}",
            "-?[0-9]{1,40}(\\.[0-9]{1,40})?(e-?[0-9]{1,2})?",
            "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{0,6})?[-+][01][0-9]",
            "[-+]?[0-9]{1,9} (years?|mons?|days?|hours?|us)",
            "\\{([0-9]{1,3}|NULL)(,([0-9]{1,3}|NULL)){0,5}\\}",
        ],
    ) {
        let settings = settings();
        let catalog = Catalog::default();
        let context = FunctionContext { environment: &Clock, authorization: &Unrestricted, settings: &settings, catalog: &catalog };
        for &data_type in READABLE {
            // A "char" is a byte.
            if data_type == DataType::InternalChar && text.starts_with(|first: char| u32::from(first) > 255) {
                continue;
            }
            let Ok(value) = text::parse(&text, data_type, -1, &context) else { continue };
            let bytes = written(&value, data_type);
            let again = read(&bytes, data_type).unwrap_or_else(|error| panic!("{data_type:?} {text:?}: {error}"));
            prop_assert_eq!(compare(&value, &again), std::cmp::Ordering::Equal, "{:?} {:?}", data_type, &text);
            prop_assert_eq!(written(&again, data_type), bytes);
        }
    }

    /// Any bytes are a value or an error.
    #[test]
    fn no_bytes_break_a_receive_function(bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(23), any::<u8>()], 0..64)) {
        for &data_type in crate::types::data_type::SCALAR_TYPES {
            for data_type in [data_type, data_type.array_of()] {
                if let Ok(value) = read(&bytes, data_type) {
                    let _ = written(&value, data_type);
                }
            }
        }
    }
}
