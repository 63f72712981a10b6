//! Planted commit timestamps.

use crate::notation::expect;
use isobar_history::Kind;

#[test]
fn duplicate() {
    expect(
        "0 1-9 a1:1 @5
         1 1-9 a2:1 @5",
        &[Kind::DuplicateTimestamp],
    );
    // Without appends it means nothing.
    expect(
        "0 1-9 a1:1 @5
         1 1-9 r1:1 @5",
        &[],
    );
}

#[test]
fn against_real_time() {
    expect(
        "0 1-2 a1:1 @5
         1 3-4 a2:1 @4",
        &[Kind::TimestampOrder],
    );
    expect(
        "0 1-3 a1:1 @5
         1 3-4 a2:1 @4",
        &[],
    );
}

#[test]
fn against_dependencies() {
    // ww
    expect(
        "0 1-9 a1:1 @5
         1 1-9 a1:2 @4
         2 1-9 r1:1,2",
        &[Kind::TimestampOrder],
    );
    // wr
    expect(
        "0 1-9 a1:1 @5
         1 1-9 r1:1 a2:1 @4",
        &[Kind::TimestampOrder],
    );
    // rw, of a transaction whose reads are certified
    expect(
        "0 1-9 r1: a2:1 @5 serializable
         1 1-9 a1:1 @4",
        &[Kind::TimestampOrder],
    );
    expect(
        "0 1-9 r1: a2:1 @5
         1 1-9 a1:1 @4",
        &[],
    );
}
