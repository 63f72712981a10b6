//! What a routine fails with, and what becomes of it on the way to the client.

use crate::directory;
use crate::node::start;
use crate::procedures::{brief, field};

#[tokio::test]
async fn results_that_are_errors_are_sqls_errors() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    for (routine, expected) in [
        ("double_or_error", "CF001: -1 is not positive"),
        ("double_or_text", "P0001: -1 is not positive"),
        ("double_or_enum", "P0001: dark-blue"),
        ("double_or_record", "CF002: -1 is not positive"),
        ("double_or_long_record", "CF003: -1 is not positive"),
        ("double_or_number", "P0001: 7"),
    ] {
        assert_eq!(node.text(&format!("SELECT {routine}(21)")).await, "42", "{routine}");
        let error = node.failure(&format!("SELECT {routine}(-1)")).await;
        assert_eq!(brief(&error), expected, "{routine}");
        let context = format!("routine {routine} of procedure conformance, version 1");
        assert_eq!(field(&error, "where"), context);
    }
    let error = node.failure("SELECT double_or_error(-1)").await;
    assert_eq!((field(&error, "detail"), field(&error, "hint")), ("a detail", "a hint"));
    let error = node.failure("SELECT double_or_long_record(-1)").await;
    assert_eq!((field(&error, "detail"), &error["hint"]), ("a detail", &serde_json::Value::Null));
    assert_eq!(field(&node.failure("SELECT double_or_nothing(-1)").await, "code"), "P0001");
    assert_eq!(node.refusal("CALL check_positive(-1)").await, "P0001: -1 is not positive");
    assert_eq!(node.refusal("SELECT * FROM points_or_error(-1)").await, "22023: a count is not negative");
    // An error of a statement inside, passed on by the procedure, keeps its SQLSTATE.
    assert_eq!(node.refusal("SELECT ask('SELECT 1/0')").await, "22012: division by zero");
    assert_eq!(node.refusal("SELECT ask('SELECT * FROM missing')").await, "42P01: relation \"missing\" does not exist");
    assert_eq!(field(&node.failure("SELECT ask('SELECT double_or_error(-1)')").await, "code"), "CF001");
}

#[tokio::test]
async fn sqlstates_are_checked() {
    let data = directory();
    let node = start(data.path(), &[]);
    node.deploy("misbehaving", isobar_compiled_guests::MISBEHAVING).await;
    for (given, expected) in [
        ("P0001", "P0001"),
        ("LD001", "LD001"),
        ("23505", "23505"),
        ("00000", "39001"),
        ("00001", "39001"),
        ("", "39001"),
        ("p0001", "39001"),
        ("1234", "39001"),
        ("123456", "39001"),
        ("ÄÖ", "39001"),
        ("12 45", "39001"),
    ] {
        let error = node.failure(&format!("CALL bad_sqlstate('{given}')")).await;
        assert_eq!(field(&error, "code"), expected, "{given:?}: {error}");
    }
    // One that would make the node run the statement again, or not answer at all.
    for given in ["40001", "57014", "57P01", "XX000", "08006"] {
        let error = node.failure(&format!("CALL bad_sqlstate('{given}')")).await;
        assert_eq!(field(&error, "code"), given, "{error}");
        assert_eq!(node.get("/health").await.0, 200);
    }
}
