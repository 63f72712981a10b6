//! Properties of keys and rows.

use super::index::{self, IndexDecoder};
use super::key::{append, prefix_end};
use super::row::{self, RowDecoder};
use crate::catalog::{Index, IndexColumn, IndexState, Relation, TableColumn};
use crate::types::compare::compare_as;
use crate::types::interval::Interval;
use crate::types::json::Jsonb;
use crate::types::numeric::Numeric;
use crate::types::value::Array;
use crate::types::{ColumnBuilder, DataType, Value};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::rc::Rc;

const ORDERABLE: &[DataType] = &[
    DataType::Boolean,
    DataType::SmallInt,
    DataType::Integer,
    DataType::BigInt,
    DataType::Real,
    DataType::Double,
    DataType::Numeric,
    DataType::Text,
    DataType::Char,
    DataType::Bytea,
    DataType::Uuid,
    DataType::Date,
    DataType::Time,
    DataType::TimeTz,
    DataType::Timestamp,
    DataType::Timestamptz,
    DataType::Interval,
    DataType::Oid,
    DataType::Array(&DataType::Integer),
    DataType::Array(&DataType::Text),
];

fn numeric() -> impl Strategy<Value = Numeric> {
    let small =
        (any::<i64>(), 0u16..30).prop_map(|(mantissa, scale)| Numeric::Small { mantissa: mantissa.into(), scale });
    let near = (-300i128..300, 0u16..4).prop_map(|(mantissa, scale)| Numeric::Small { mantissa, scale });
    let wide = (any::<i128>(), 0u16..40).prop_map(|(mantissa, scale)| Numeric::Small { mantissa, scale });
    let big = "-?[0-9]{1,60}(\\.[0-9]{1,40})?"
        .prop_map(|text| Numeric::Big(Rc::new(text.parse().expect("digits are a number"))));
    let special = prop_oneof![Just(Numeric::NaN), Just(Numeric::Infinity), Just(Numeric::NegativeInfinity)];
    prop_oneof![4 => small, 4 => near, 2 => wide, 2 => big, 1 => special]
}

fn interval() -> impl Strategy<Value = Interval> {
    let small = (-3i32..3, -90i32..90, -2i64..2).prop_map(|(months, days, days_of_time)| Interval {
        months,
        days,
        microseconds: days_of_time * 86_400_000_000,
    });
    let any = (any::<i32>(), any::<i32>(), any::<i64>()).prop_map(|(months, days, microseconds)| Interval {
        months,
        days,
        microseconds,
    });
    prop_oneof![small, any]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c \u{1}é]{0,6}", "[^\u{0}]{0,12}"]
}

/// A value that is not NULL, of one of the types with an order.
fn value(data_type: DataType) -> BoxedStrategy<Value> {
    match data_type {
        DataType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        DataType::SmallInt => any::<i16>().prop_map(Value::SmallInt).boxed(),
        DataType::Integer => any::<i32>().prop_map(Value::Integer).boxed(),
        DataType::BigInt => any::<i64>().prop_map(Value::BigInt).boxed(),
        DataType::Real => prop_oneof![any::<f32>(), Just(-0.0), Just(f32::NAN)].prop_map(Value::Real).boxed(),
        DataType::Double => prop_oneof![any::<f64>(), Just(-0.0), Just(f64::NAN)].prop_map(Value::Double).boxed(),
        DataType::Numeric => numeric().prop_map(Value::Numeric).boxed(),
        DataType::Bytea => proptest::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..6)
            .prop_map(|bytes| Value::Bytea(bytes.into()))
            .boxed(),
        DataType::Uuid => any::<[u8; 16]>().prop_map(Value::Uuid).boxed(),
        DataType::Date => any::<i32>().prop_map(Value::Date).boxed(),
        DataType::Time => (0..86_400_000_000i64).prop_map(Value::Time).boxed(),
        DataType::TimeTz => (0..86_400i64, -15i32..15)
            .prop_map(|(seconds, hours)| Value::TimeTz(seconds * 1_000_000, hours * 3600))
            .boxed(),
        DataType::Timestamp => any::<i64>().prop_map(Value::Timestamp).boxed(),
        DataType::Timestamptz => any::<i64>().prop_map(Value::Timestamptz).boxed(),
        DataType::Interval => interval().prop_map(Value::Interval).boxed(),
        DataType::Oid => any::<u32>().prop_map(Value::Oid).boxed(),
        DataType::Array(element) => proptest::collection::vec(nullable(*element), 0..4)
            .prop_map(|values| Value::Array(Rc::new(Array::from_values(*element, values))))
            .boxed(),
        _ => text().prop_map(|text| Value::text(&text)).boxed(),
    }
}

fn nullable(data_type: DataType) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 4 => value(data_type)].boxed()
}

fn pair() -> impl Strategy<Value = (DataType, Value, Value)> {
    proptest::sample::select(ORDERABLE)
        .prop_flat_map(|data_type| (Just(data_type), nullable(data_type), nullable(data_type)))
}

fn expected(data_type: DataType, left: &Value, right: &Value, descending: bool, nulls_first: bool) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) => expected(data_type, right, left, descending, nulls_first).reverse(),
        (false, false) if descending => compare_as(data_type, right, left),
        (false, false) => compare_as(data_type, left, right),
    }
}

fn key(values: &[&Value], data_type: DataType, descending: bool, nulls_first: bool) -> Vec<u8> {
    let mut key = vec![];
    for value in values {
        append(&mut key, value, data_type, descending, nulls_first).expect("an orderable value");
    }
    key
}

/// Values that can be in rows, orderable or not.
fn stored(data_type: DataType) -> BoxedStrategy<Value> {
    match data_type {
        DataType::Json => text().prop_map(|text| Value::Json(text.as_str().into())).boxed(),
        DataType::Jsonb => jsonb().prop_map(|value| Value::Jsonb(Rc::new(value))).boxed(),
        other => value(other),
    }
}

fn jsonb() -> impl Strategy<Value = Jsonb> {
    let leaf = prop_oneof![
        Just(Jsonb::Null),
        any::<bool>().prop_map(Jsonb::Boolean),
        numeric().prop_map(Jsonb::Number),
        text().prop_map(|text| Jsonb::String(text.as_str().into())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let member = (text().prop_map(|name| Rc::from(name.as_str())), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Jsonb::Array),
            proptest::collection::vec(member, 0..3).prop_map(Jsonb::Object),
        ]
    })
}

fn storable() -> impl Strategy<Value = DataType> {
    let mut types = ORDERABLE.to_vec();
    types.extend([DataType::Json, DataType::Jsonb, DataType::Varchar]);
    proptest::sample::select(types)
}

fn table() -> impl Strategy<Value = (Vec<DataType>, Vec<Value>)> {
    proptest::collection::vec(storable(), 0..12).prop_flat_map(|types| {
        let column = |data_type: &DataType| prop_oneof![1 => Just(Value::Null), 3 => stored(*data_type)].boxed();
        let values: Vec<_> = types.iter().map(column).collect();
        (Just(types), values)
    })
}

fn relation(types: &[DataType]) -> Relation {
    let column = |(at, data_type): (usize, &DataType)| TableColumn {
        name: format!("c{at}"),
        data_type: *data_type,
        modifier: -1,
        not_null: false,
        default: None,
        dropped: false,
        missing: None,
    };
    Relation { id: 16384, columns: types.iter().enumerate().map(column).collect(), ..Relation::without_columns() }
}

/// Debug forms tell apart what SQL's equality does not: 1.0 and 1.00, 0.0 and -0.0.
fn shown(values: &[Value]) -> String {
    format!("{values:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn keys_order_as_values((data_type, left, right) in pair(), descending: bool, nulls_first: bool) {
        let key = |value| key(&[value], data_type, descending, nulls_first);
        let ordering = expected(data_type, &left, &right, descending, nulls_first);
        prop_assert_eq!(key(&left).cmp(&key(&right)), ordering);
    }

    /// No key is the beginning of another, so that columns after it cannot change its place.
    #[test]
    fn keys_are_free_of_prefixes((data_type, left, right) in pair(), descending: bool, tail: u8) {
        let mut left = key(&[&left], data_type, descending, false);
        let right = key(&[&right], data_type, descending, false);
        if left != right {
            let ordering = left.cmp(&right);
            left.push(tail);
            prop_assert_eq!(left.cmp(&right), ordering);
        }
    }

    #[test]
    fn rows_read_as_they_were_written((types, values) in table()) {
        let relation = relation(&types);
        let bytes = row::encode(&relation, &values).unwrap();
        let positions: Vec<usize> = (0..types.len()).collect();
        let decoder = RowDecoder::new(&relation, &positions).unwrap();
        prop_assert_eq!(shown(&decoder.values(&bytes).unwrap()), shown(&values));
        let mut builders: Vec<_> = types.iter().map(|data_type| ColumnBuilder::new(*data_type)).collect();
        decoder.decode(&bytes, &mut builders, |_| true).unwrap();
        let read: Vec<_> = builders.into_iter().map(|builder| builder.finish().value(0)).collect();
        prop_assert_eq!(shown(&read), shown(&values));
    }

    #[test]
    fn damaged_rows_are_errors((types, values) in table(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let relation = relation(&types);
        let mut bytes = row::encode(&relation, &values).unwrap();
        let positions: Vec<usize> = (0..types.len()).collect();
        let decoder = RowDecoder::new(&relation, &positions).unwrap();
        let damaged_at = at.index(bytes.len());
        bytes[damaged_at] = byte;
        bytes.truncate(cut.index(bytes.len() + 1));
        if let Err(error) = decoder.values(&bytes) {
            prop_assert_eq!(error.sqlstate(), "XX001");
        }
    }

    #[test]
    fn later_columns_are_missing_from_earlier_rows((types, values) in table(), added in value(DataType::Numeric)) {
        let mut relation = relation(&types);
        let bytes = row::encode(&relation, &values).unwrap();
        let mut missing = vec![];
        super::value::encode(&added, &mut missing).unwrap();
        let column = |missing| TableColumn { name: "x".into(), missing, ..relation_column() };
        relation.columns.push(column(Some(missing)));
        relation.columns.push(column(None));
        let decoder = RowDecoder::new(&relation, &[types.len(), types.len() + 1]).unwrap();
        prop_assert_eq!(shown(&decoder.values(&bytes).unwrap()), shown(&[added, Value::Null]));
    }

    #[test]
    fn entries_lead_back_to_their_rows(a in any::<i32>(), b in nullable(DataType::Text), unique: bool) {
        let mut relation = relation(&[DataType::Integer, DataType::Text, DataType::Boolean]);
        let column = |column| IndexColumn { column, descending: false, nulls_first: false };
        let index = |id, columns, primary| Index {
            id,
            oid: 20000 + id,
            name: format!("i{id}"),
            columns,
            unique: primary || unique,
            primary,
            constraint: primary,
            nulls_not_distinct: false,
            include: if primary { vec![] } else { vec![2] },
            state: IndexState::Public,
        };
        relation.indexes = vec![index(0, vec![column(0)], true), index(1, vec![column(1)], false)];
        let values = [Value::Integer(a), b.clone(), Value::Boolean(true)];
        let row_key = index::row_key(&relation, &values).unwrap().unwrap();
        let entry_key = index::entry_key(&relation, &relation.indexes[1], &values, &row_key).unwrap();
        let entry = index::entry_value(&relation, &relation.indexes[1], &values, &row_key).unwrap();
        prop_assert_eq!(index::row_key_of_entry(relation.id, &entry).unwrap(), row_key.clone());
        prop_assert_eq!(entry_key.ends_with(&row_key[9..]), !unique || b.is_null());
        prop_assert!(IndexDecoder::new(&relation, &relation.indexes[1], &[0]).is_none());
        let decoder = IndexDecoder::new(&relation, &relation.indexes[1], &[2, 1]).unwrap();
        let mut builders = [ColumnBuilder::new(DataType::Boolean), ColumnBuilder::new(DataType::Text)];
        decoder.decode(&entry, &mut builders).unwrap();
        let read = builders.map(|builder| builder.finish().value(0));
        prop_assert_eq!(shown(&read), shown(&[Value::Boolean(true), b]));
    }

    #[test]
    fn a_prefix_ends_after_all_that_start_with_it(prefix in proptest::collection::vec(prop_oneof![Just(255u8), any::<u8>()], 1..4), tail: Vec<u8>) {
        let end = prefix_end(&prefix);
        let longer = [prefix.clone(), tail].concat();
        prop_assert!(end.is_empty() || longer < end);
        prop_assert!(end.is_empty() == prefix.iter().all(|byte| *byte == 255));
    }
}

fn relation_column() -> TableColumn {
    relation(&[DataType::Numeric]).columns.remove(0)
}

#[test]
fn rows_with_more_than_64_kib_are_wide() {
    let relation = relation(&[DataType::Text, DataType::Integer, DataType::Text]);
    let values = [Value::text(&"x".repeat(70_000)), Value::Integer(7), Value::text("end")];
    let bytes = row::encode(&relation, &values).unwrap();
    let decoder = RowDecoder::new(&relation, &[2, 0]).unwrap();
    assert_eq!(shown(&decoder.values(&bytes).unwrap()), shown(&[values[2].clone(), values[0].clone()]));
}

#[test]
fn limits_are_errors_of_their_own() {
    let relation = relation(&[DataType::Text]);
    let error = row::encode(&relation, &[Value::text(&"x".repeat((8 << 20) + 1))]).unwrap_err();
    assert_eq!((error.sqlstate(), error.message()), ("54000", "maximum column size exceeded"));
    let error = super::key::check_length(&[0; 9 + 1025]).unwrap_err();
    assert_eq!((error.sqlstate(), error.message()), ("54000", "key size too large"));
}
