//! Builds `guest/engine` to a component, compiles it to machine code and leaves it where `src/sandbox/runtime.rs`
//! embeds it, so that a plain `cargo build` makes the whole node.
//!
//! `ISOBAR_ENGINE_COMPONENT` names a ready-made component instead, for machines without the WebAssembly target.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use wasmtime::Engine;

#[path = "src/sandbox/compilation.rs"]
mod compilation;

const COMPONENT_VARIABLE: &str = "ISOBAR_ENGINE_COMPONENT";
const GUEST_TARGET: &str = "wasm32-unknown-unknown";

/// Stack inside the guest's memory, for values whose address is taken. Untouched pages cost nothing.
const GUEST_STACK_BYTES: usize = 8 << 20;

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
    println!("cargo::rerun-if-env-changed={COMPONENT_VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/sandbox/compilation.rs");
    let component = match env::var_os(COMPONENT_VARIABLE) {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", Path::new(&path).display());
            fs::read(&path).map_err(|error| format!("{COMPONENT_VARIABLE}: {}: {error}", Path::new(&path).display()))?
        }
        None => build_component(&output)?,
    };
    let machine_code = Engine::new(&target_configuration()?)?.precompile_component(&component)?;
    fs::write(output.join("engine.cwasm"), machine_code)?;
    Ok(())
}

/// Compiles the engine with a Cargo of its own, which must not share the outer one's target directory or flags.
fn build_component(output: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for watched in ["guest/engine/src", "guest/engine/Cargo.toml", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", workspace.join(watched).display());
    }
    install_target()?;
    // OUT_DIR is <target directory>/<profile>/build/<package>/out.
    let guest_directory = output.ancestors().nth(4).unwrap_or(output).join("guest");
    let flags =
        ["-Ctarget-feature=+simd128,+bulk-memory".to_owned(), format!("-Clink-arg=-zstack-size={GUEST_STACK_BYTES}")];
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["rustc", "--package=isobar-engine", "--lib", "--crate-type=cdylib", "--release"])
        .arg(format!("--target={GUEST_TARGET}"))
        .arg("--target-dir")
        .arg(&guest_directory)
        .current_dir(&workspace)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    if env::var("PROFILE")? == "release" {
        // Worth minutes of building: the engine's small functions are spread over its libraries.
        command.args(["--config", "profile.release.lto='fat'", "--config", "profile.release.codegen-units=1"]);
    }
    for inherited in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "RUSTC_WORKSPACE_WRAPPER", "RUSTC"] {
        command.env_remove(inherited);
    }
    let status = command.status().map_err(|error| format!("cannot run Cargo for guest/engine: {error}"))?;
    if !status.success() {
        return Err(format!(
            "guest/engine does not build for {GUEST_TARGET} (see above); \
             {COMPONENT_VARIABLE}=<file> takes a ready-made component instead"
        )
        .into());
    }
    let module = fs::read(guest_directory.join(GUEST_TARGET).join("release/isobar_engine.wasm"))?;
    Ok(wit_component::ComponentEncoder::default().validate(true).module(&module)?.encode()?)
}

/// Adds the WebAssembly target where rustup can; elsewhere says how to go on.
fn install_target() -> Result<(), Box<dyn Error>> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = Command::new(compiler)
        .args(["--print=target-libdir", "--target", GUEST_TARGET])
        .output()
        .map(|answer| answer.stdout);
    let present = libraries
        .ok()
        .and_then(|path| String::from_utf8(path).ok())
        .is_some_and(|path| fs::read_dir(path.trim()).is_ok_and(|mut entries| entries.next().is_some()));
    if present || Command::new("rustup").args(["target", "add", GUEST_TARGET]).status().is_ok_and(|it| it.success()) {
        return Ok(());
    }
    Err(format!(
        "the Rust target {GUEST_TARGET} is missing and rustup cannot add it: \
         set {COMPONENT_VARIABLE} to the path of a ready-made engine component"
    )
    .into())
}

/// The machine that the engine's code is for: never the builder's own, so that a binary built on a new processor runs
/// on an old one. x86-64 means x86-64-v2 (2009 and later; without SSE 4.1, SIMD and rounding become calls), aarch64
/// means Armv8.0.
fn target_configuration() -> Result<wasmtime::Config, Box<dyn Error>> {
    let mut configuration = compilation::configuration();
    configuration.target(&env::var("TARGET")?)?;
    if env::var("CARGO_CFG_TARGET_ARCH")? == "x86_64" {
        for feature in ["has_cmpxchg16b", "has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"] {
            // SAFETY: these flags only choose instructions, and wasmtime refuses to load the result on a processor
            // that lacks them.
            unsafe { configuration.cranelift_flag_enable(feature) };
        }
    }
    Ok(configuration)
}
