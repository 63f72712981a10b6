//! `isobar procedure`, as a person types it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::node::{Process, start};
use crate::{directory, numbered};

/// Exit code, standard output and standard error.
fn isobar(url: &str, arguments: &[&str]) -> (i32, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_isobar"))
        .args(["procedure", "--url", url])
        .args(arguments)
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

fn url(node: &Process) -> String {
    format!("http://{}", node.address)
}

#[tokio::test]
async fn a_procedure_lives_by_the_command_line() {
    let data = directory();
    let node = start(&data.path().join("data"), &[]);
    let url = url(&node);
    let file = data.path().join("My-Numbers.wasm");
    let path = file.to_str().expect("a path");
    fs::write(&file, numbered("answer", 1)).expect("a file");
    let (code, out, complaint) = isobar(&url, &["deploy", path]);
    assert_eq!((code, complaint.as_str()), (0, ""));
    assert_eq!(out, "my_numbers is at version 1\n  answer() returns integer\n");
    fs::write(&file, numbered("answer", 2)).expect("a file");
    assert_eq!(isobar(&url, &["deploy", path]).1, "my_numbers is at version 2\n  answer() returns integer\n");
    let (_, out, _) = isobar(&url, &["list"]);
    assert!(out.contains("my_numbers") && out.contains("answer() returns integer"), "{out}");
    let (_, out, _) = isobar(&url, &["show", "my_numbers"]);
    for part in ["digest", "answer() returns integer", "versions", "its caller's"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (code, out, _) = isobar(&url, &["test", "my_numbers", "answer"]);
    assert!(code == 0 && out.contains('2') && out.ends_with("rolled back\n"), "{out}");
    let (code, out, _) = isobar(&url, &["rollback", "my_numbers"]);
    assert_eq!((code, out.lines().next()), (0, Some("my_numbers is at version 1")));
    assert_eq!(node.text("SELECT answer()").await, "1");
    let (code, out, _) = isobar(&url, &["rollback", "my_numbers", "--version", "2", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &answer["version"]), (0, &serde_json::json!(2)));
    let (code, out, _) = isobar(&url, &["deploy", path, "--name", "other_numbers"]);
    assert_eq!((code, out.as_str()), (1, ""), "the function is there already");
    let (code, out, _) = isobar(&url, &["drop", "my_numbers"]);
    assert_eq!((code, out.as_str()), (0, "my_numbers is dropped\n"));
    let (code, out, _) = isobar(&url, &["deploy", path, "--name", "other_numbers", "--definer"]);
    assert_eq!((code, out.lines().next()), (0, Some("other_numbers is at version 1")));
    assert!(isobar(&url, &["show", "other_numbers"]).1.contains("its own (definer)"));
    assert_eq!(node.get("/health").await.0, 200);
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let data = directory();
    let node = start(&data.path().join("data"), &[]);
    let url = url(&node);
    let write = |name: &str, bytes: &[u8]| {
        let file = data.path().join(name);
        fs::write(&file, bytes).expect("a file");
        file.to_str().expect("a path").to_owned()
    };
    let burglar = write("burglar.wasm", isobar_compiled_guests::FORBIDDEN_IMPORT);
    let (code, out, complaint) = isobar(&url, &["deploy", &burglar]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(complaint.starts_with("ERROR:  42501: ") && complaint.contains("acme:wallet/money"), "{complaint}");
    let (code, _, complaint) = isobar(&url, &["drop", "nothing"]);
    assert_eq!((code, complaint.as_str()), (1, "ERROR:  42883: could not find a procedure named \"nothing\"\n"));
    let (code, _, complaint) = isobar(&url, &["show", "nothing"]);
    assert!(code == 1 && complaint.starts_with("ERROR:  42883: procedure \"nothing\" does not exist\n"), "{complaint}");
    let text = write("main.rs", b"fn main() {}");
    let (code, _, complaint) = isobar(&url, &["deploy", &text]);
    assert!(code == 2 && complaint.contains("is not WebAssembly"), "{complaint}");
    let missing = Path::new("/nowhere/x.wasm");
    let (code, _, complaint) = isobar(&url, &["deploy", missing.to_str().expect("a path")]);
    assert!(code == 2 && complaint.contains("cannot read /nowhere/x.wasm"), "{complaint}");
    let fine = write("fine.wasm", &numbered("answer", 1));
    let (code, _, complaint) = isobar("http://127.0.0.1:1", &["deploy", &fine]);
    assert!(code == 2 && complaint.contains("`isobar start` runs a node"), "{complaint}");
    assert_eq!(isobar(&url, &["deploy", &fine]).0, 0);
    let (code, _, complaint) = isobar(&url, &["test", "fine", "question"]);
    assert!(code == 2 && complaint.contains("has no function question"), "{complaint}");
    let (code, _, complaint) = isobar(&url, &["test", "fine", "answ"]);
    assert!(code == 2 && complaint.contains("has no function answ"), "{complaint}");
    let (code, _, complaint) = isobar(&url, &["test", "fine", "answer", "1"]);
    assert!(
        code == 1 && complaint.starts_with("ERROR:  42883: function answer(unknown) does not exist"),
        "{complaint}"
    );
    let (code, _, complaint) = isobar(&url, &["rollback", "fine"]);
    assert!(code == 1 && complaint.starts_with("ERROR:  42704: "), "{complaint}");

    // What is tried leaves nothing behind.
    node.deploy("conformance", isobar_compiled_guests::CONFORMANCE).await;
    node.sql("CREATE TABLE t (id integer PRIMARY KEY)").await;
    let (code, out, _) = isobar(&url, &["test", "conformance", "caught", "INSERT INTO t VALUES (1)"]);
    assert!(code == 0 && out.contains("1 rows") && out.ends_with("rolled back\n"), "{out}");
    assert_eq!(node.text("SELECT count(*) FROM t").await, "0");
    let (code, out, _) = isobar(&url, &["test", "conformance", "echo_s32", "-5"]);
    assert!(code == 0 && out.contains("-5"), "{out}");
    let (code, out, _) = isobar(&url, &["test", "conformance", "echo_option_s32", "NULL", "--json"]);
    assert!(code == 0 && out.contains("null"), "{out}");
    let (code, out, _) = isobar(&url, &["test", "conformance", "say", "hello"]);
    assert!(code == 0 && out.contains("NOTICE:  hello\n"), "{out}");
    let (code, _, complaint) = isobar(&url, &["test", "conformance", "double_or_error", "-1"]);
    assert_eq!(code, 1);
    let said = "ERROR:  CF001: -1 is not positive\nDETAIL:  a detail\nHINT:  a hint\n\
                CONTEXT:  routine double_or_error of procedure conformance, version 1\n";
    assert_eq!(complaint, said);
}
