//! Procedures are data: they outlive the process. Machine code is not: it is used again only as this node left it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::node::start;
use crate::{directory, ledger, numbered};

/// The files of compiled code under a folder.
fn compiled(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(compiled(&path));
        } else if path.extension().is_some_and(|extension| extension == "cwasm") {
            found.push(path);
        }
    }
    found
}

/// Which file it is, and what is in it.
fn identity(path: &Path) -> (u64, Vec<u8>) {
    (fs::metadata(path).expect("it is there").ino(), fs::read(path).expect("it can be read"))
}

#[tokio::test]
async fn procedures_survive_kill_9() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    node.deploy("numbers", &numbered("answer", 1)).await;
    node.deploy("numbers", &numbered("answer", 2)).await;
    node.sql("ALTER PROCEDURE numbers SET wall_ms TO 1234").await;
    node.sql("SELECT transfer('ann', 'bob', 12.5)").await;
    let killed = Command::new("kill").args(["-9", &node.child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    drop(node);

    let node = start(data.path(), &[]);
    let expected = "ledger|1|{}\nnumbers|2|{\"wall_ms\": 1234}";
    assert_eq!(node.text("SELECT name, version, limits FROM isobar.procedures ORDER BY 1").await, expected);
    assert_eq!(node.text("SELECT check_total(), answer()").await, "150.00|2");
    assert_eq!(node.text("SELECT from_balance, to_balance FROM transfer('ann', 'bob', 0.5)").await, "87.00|63.00");
    node.post("/v1/procedures/numbers/rollback", &[], &serde_json::json!({})).await;
    assert_eq!(node.text("SELECT answer()").await, "1");
    assert_eq!(node.get("/health").await.0, 200);
}

#[tokio::test]
async fn compiled_code_is_used_again_and_never_trusted() {
    let data = directory();
    let node = start(data.path(), &[]);
    ledger(&node).await;
    assert_eq!(node.text("SELECT check_total()").await, "150.00");
    drop(node);
    let files = compiled(data.path());
    let [file] = files.as_slice() else { panic!("one component, {files:?}") };
    let original = identity(file);
    assert_eq!(fs::metadata(file).expect("it is there").mode() & 0o077, 0, "others can read it");

    let node = start(data.path(), &[]);
    assert_eq!(node.text("SELECT check_total()").await, "150.00");
    drop(node);
    assert!(identity(file) == original, "it was compiled again");

    let damage: [fn(&mut Vec<u8>); 4] = [
        |bytes| *bytes.last_mut().expect("not empty") ^= 1,
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.clear(),
        |bytes| bytes[20] ^= 1,
    ];
    for damage in damage {
        let mut bytes = original.1.clone();
        damage(&mut bytes);
        fs::write(file, &bytes).expect("it is written");
        let node = start(data.path(), &[]);
        assert_eq!(node.text("SELECT check_total()").await, "150.00");
        drop(node);
        let mended = fs::read(file).expect("it is there");
        assert!(mended != bytes, "forged code stays");
        assert_eq!(mended.len(), original.1.len());
    }
    // Without the folder all is compiled again.
    let folder = file.parent().and_then(Path::parent).expect("a folder of code");
    fs::remove_dir_all(folder).expect("it goes");
    let node = start(data.path(), &[]);
    assert_eq!(node.text("SELECT check_total()").await, "150.00");
    assert_eq!(compiled(data.path()).len(), 1);
}
