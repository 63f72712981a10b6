use super::Numeric;
use crate::error::Result;
use proptest::prelude::*;
use std::hash::{BuildHasher, RandomState};

/// What the operation gives, in the form of `testdata/attempt.sql`.
fn outcome(operation: &str, left: &str, right: &str) -> String {
    let number = |text: &str| Numeric::parse(text).expect("a number of the test data");
    let digits = || right.parse::<i32>().expect("a number of digits");
    let left = number(left);
    let result: Result<Numeric> = match operation {
        "add" => left.add(&number(right)),
        "sub" => left.sub(&number(right)),
        "mul" => left.mul(&number(right)),
        "div" => left.div(&number(right)),
        "rem" => left.rem(&number(right)),
        "div_trunc" => left.div_trunc(&number(right)),
        "power" => left.power(&number(right)),
        "log" => left.log(&number(right)),
        "cmp" => return (left.cmp(&number(right)) as i8).to_string(),
        "sqrt" => left.sqrt(),
        "exp" => left.exp(),
        "ln" => left.ln(),
        "log10" => left.log10(),
        "abs" => Ok(left.abs()),
        "ceil" => Ok(left.ceil()),
        "floor" => Ok(left.floor()),
        "trim_scale" => Ok(left.trim_scale()),
        "round" => Ok(left.round(digits())),
        "trunc" => Ok(left.trunc(digits())),
        _ => panic!("unknown operation {operation}"),
    };
    match result {
        Ok(value) => value.to_string(),
        Err(error) => format!("{} {}", error.sqlstate(), error.message()),
    }
}

/// `testdata/numeric.tsv` holds PostgreSQL's answers.
#[test]
fn calculates_as_postgresql_does() {
    let mut wrong = vec![];
    let mut count = 0;
    for line in include_str!("../testdata/numeric.tsv").lines() {
        let [operation, left, right, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four fields in {line:?}");
        };
        count += 1;
        let actual = outcome(operation, left, right);
        if actual != expected {
            wrong.push(format!("{operation} {left} {right}: {actual}, expected {expected}"));
        }
    }
    assert!(count > 800);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

proptest! {
    #[test]
    fn reads_what_it_prints(mantissa: i128, scale in 0u16..60) {
        let value = Numeric::new(mantissa, scale);
        let printed = value.to_string();
        let read = Numeric::parse(&printed);
        prop_assert_eq!(read.as_ref().map(|read| read.to_string()), Ok(printed));
        prop_assert_eq!(read, Ok(value));
    }

    #[test]
    fn equal_numbers_hash_alike(mantissa in -1_000_000i128..1_000_000, scale in 0u16..40, zeros in 0u32..60) {
        let state = RandomState::new();
        let value = Numeric::new(mantissa, scale);
        let wider = value.round(i32::from(scale) + zeros as i32);
        prop_assert_eq!(&wider, &value);
        prop_assert_eq!(state.hash_one(&wider), state.hash_one(&value));
    }

    #[test]
    fn quotient_and_remainder_restore_the_dividend(left: i128, right in 1i128.., scale in 0u16..20) {
        let (left, right) = (Numeric::new(left, scale), Numeric::new(right, 3));
        let product = left.div_trunc(&right).and_then(|quotient| quotient.mul(&right));
        let restored = product.and_then(|product| product.add(&left.rem(&right)?));
        prop_assert_eq!(restored, Ok(left));
    }
}
