//! Writes the macro `generate!`, which must name the folder of this crate's WIT files where the macro is expanded: in
//! an author's crate, wherever Cargo has put this one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/generate.rs.in");
    let [source, output] = ["CARGO_MANIFEST_DIR", "OUT_DIR"].map(|name| PathBuf::from(env::var_os(name).expect(name)));
    let contract = source.join("wit");
    println!("cargo::rerun-if-changed={}", contract.display());
    let quoted = format!("{:?}", contract.display().to_string());
    let template = fs::read_to_string(source.join("src/generate.rs.in")).expect("src/generate.rs.in is readable");
    write(&output, &template.replace("\"@CONTRACT@\"", &quoted));
}

fn write(output: &Path, text: &str) {
    fs::write(output.join("generate.rs"), text).expect("OUT_DIR is writable");
}
