//! Builds the procedures for WebAssembly, as their authors would: core modules with their WIT embedded.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-unknown-unknown";

/// Packages of the workspace, and what they are made of.
const PACKAGES: &[(&str, &str)] = &[
    ("ledger", "guest/examples/ledger"),
    ("conformance", "guest/conformance"),
    ("misbehaving", "guest/hostile/misbehaving"),
    ("forbidden-import", "guest/hostile/forbidden-import"),
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let output = PathBuf::from(env::var("OUT_DIR")?);
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    println!("cargo::rerun-if-changed=build.rs");
    let sources = PACKAGES.iter().map(|(_, folder)| *folder);
    for watched in sources.chain(["guest/sdk", "wit/procedure", "Cargo.lock"]) {
        println!("cargo::rerun-if-changed={}", workspace.join(watched).display());
    }
    // OUT_DIR is <target directory>/<profile>/build/<package>/out. The engine's build uses the same folder, so that
    // wit-bindgen is compiled once for both.
    let target_directory = output.ancestors().nth(4).unwrap_or(&output).join("guest");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--target", TARGET, "--target-dir"]).arg(&target_directory);
    command.args(PACKAGES.iter().map(|(package, _)| format!("--package={package}")));
    command.current_dir(&workspace);
    // The outer Cargo's choices are not for the guests.
    for inherited in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC",
    ] {
        command.env_remove(inherited);
    }
    let status = command.status().map_err(|error| format!("cannot run Cargo for the guests: {error}"))?;
    if !status.success() {
        return Err(format!("the guests do not build for {TARGET} (see above); `rustup target add {TARGET}`?").into());
    }
    for (package, _) in PACKAGES {
        let file = format!("{}.wasm", package.replace('-', "_"));
        fs::copy(target_directory.join(TARGET).join("release").join(&file), output.join(&file))?;
    }
    Ok(())
}
