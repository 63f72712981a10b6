//! Components from WAT and a world.

use std::path::Path;

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, WorldId, WorldItem};

/// What every module needs: memory, and an allocator that only ever takes more.
const ALLOCATOR: &str = r#"
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
        (global.set $next (i32.add (local.get $at) (local.get 3)))
        (block $enough
            (br_if $enough (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
            (br_if $enough (i32.ne (i32.const -1) (memory.grow (i32.add (i32.const 1)
                (i32.shr_u (i32.sub (global.get $next) (i32.mul (memory.size) (i32.const 65536))) (i32.const 16))))))
            unreachable)
        (local.get $at))
"#;

/// The package `test:test` of this text, whose world is `test`.
fn resolved(world: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/procedure");
    resolve.push_path(wit).expect("wit/procedure parses");
    let package = format!("package test:test;\n{world}");
    let package = resolve.push_str("test.wit", &package).unwrap_or_else(|error| panic!("{error:?}"));
    let world = resolve.select_world(&[package], Some("test")).expect("the world is there");
    (resolve, world)
}

fn embedded(text: &str, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    embed_component_metadata(&mut bytes, resolve, world, StringEncoding::UTF8).expect("metadata");
    bytes
}

/// A core module with embedded WIT. Its imports come first in `body`, separated from the rest by `---` where there are
/// any.
pub fn module(world: &str, body: &str) -> Vec<u8> {
    let (imports, code) = body.split_once("---").unwrap_or(("", body));
    let (resolve, world) = resolved(world);
    embedded(&format!("(module {imports} {ALLOCATOR} {code})"), &resolve, world)
}

/// A module that has every export of a world, each of which traps: for what never runs.
pub fn dummy(world: &str) -> Vec<u8> {
    let (resolve, world) = resolved(world);
    let mut code = String::new();
    let mut add = |name: &str, function: &wit_parser::Function| {
        let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let shown = |types: &[WasmType]| types.iter().map(|ty| core_type(*ty)).collect::<Vec<_>>().join(" ");
        let (parameters, results) = (shown(&signature.params), shown(&signature.results));
        code.push_str(&format!("(func (export \"{name}\") (param {parameters}) (result {results}) unreachable)"));
    };
    for (key, item) in &resolve.worlds[world].exports {
        match item {
            WorldItem::Function(function) => add(&function.name, function),
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                for function in resolve.interfaces[*id].functions.values() {
                    add(&format!("{interface}#{}", function.name), function);
                }
            }
            WorldItem::Type { .. } => {}
        }
    }
    embedded(&format!("(module {ALLOCATOR} {code})"), &resolve, world)
}

fn core_type(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}
