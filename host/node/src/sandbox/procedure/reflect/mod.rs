//! Reads from a component which routines it makes. Names and types come from the component alone: authors write no
//! declaration twice.

mod imports;
mod types;

use std::collections::HashMap;

use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{Function, FunctionKind, Resolve, WorldId, WorldItem};

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::procedure::description::{Description, Routine};

/// PostgreSQL's NAMEDATALEN less its terminator.
const NAME_BYTES_MAX: usize = 63;

/// What a function may take, PostgreSQL's FUNC_MAX_ARGS.
const PARAMETERS_MAX: usize = 100;

/// The first bytes of a core module and of a component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component from what an author deploys: itself, or a core module with embedded WIT.
pub fn wrap(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.starts_with(COMPONENT) {
        return Ok(bytes);
    }
    if !bytes.starts_with(CORE_MODULE) {
        return Err(not_a_component("it begins with neither's first bytes"));
    }
    ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| not_a_component(format!("the core module cannot be wrapped: {error:#}")))
}

fn not_a_component(why: impl Into<String>) -> Error {
    Error::new(sqlstate::INVALID_BINARY_REPRESENTATION, "not a WebAssembly component or core module with embedded WIT")
        .detail(why)
}

/// Reads a component's imports and exports, and refuses what cannot be a procedure.
pub fn reflect(component: &[u8]) -> Result<Description> {
    let (resolve, world) = match wit_component::decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => return Err(not_a_component("it is a WIT package without code")),
        Err(error) => return Err(not_a_component(format!("{error:#}"))),
    };
    let imports = imports::allowed(&resolve, world)?;
    let mut routines = Vec::new();
    for (path, function) in exported(&resolve, world) {
        if !is_initializer(&path, function) {
            routines.push(routine(&resolve, path, function)?);
        }
    }
    if routines.is_empty() {
        return Err(Error::new(sqlstate::INVALID_FUNCTION_DEFINITION, "the component exports no functions")
            .hint("Export plain functions from its world, or an interface that has some."));
    }
    refuse_equal_names(&routines)?;
    Ok(Description { imports, routines })
}

/// The functions that a world exports, itself and by its interfaces, with their paths.
fn exported(resolve: &Resolve, world: WorldId) -> Vec<(String, &Function)> {
    let mut functions = Vec::new();
    for (key, item) in &resolve.worlds[world].exports {
        match item {
            WorldItem::Function(function) => functions.push((function.name.clone(), function)),
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                for function in resolve.interfaces[*id].functions.values() {
                    functions.push((format!("{interface}#{}", function.name), function));
                }
            }
            WorldItem::Type { .. } => {}
        }
    }
    functions
}

/// What componentize-qjs and componentize-py export beside the author's functions, and call themselves at build time.
fn is_initializer(path: &str, function: &Function) -> bool {
    let first = function.params.first().map_or("", |first| first.name.as_str());
    matches!((path, first), ("init", "" | "shim") | ("exports#init", "app-name"))
}

fn routine(resolve: &Resolve, export: String, function: &Function) -> Result<Routine> {
    let refuse = |what: &str| {
        Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, format!("function \"{export}\" {what}, which SQL cannot call")))
    };
    match function.kind {
        FunctionKind::Freestanding => {}
        FunctionKind::AsyncFreestanding => return refuse("is async"),
        _ => return refuse("belongs to a resource"),
    }
    if function.params.len() > PARAMETERS_MAX {
        return refuse(&format!("has more than {PARAMETERS_MAX} parameters"));
    }
    let name = sql_name(&export, &function.name)?;
    let parameters = function
        .params
        .iter()
        .map(|parameter| types::parameter(resolve, &export, &parameter.name, &parameter.ty))
        .collect::<Result<Vec<_>>>()?;
    if let Some(name) = first_repeated(parameters.iter().map(|parameter| parameter.name.as_str())) {
        return Err(Error::new(
            sqlstate::INVALID_FUNCTION_DEFINITION,
            format!("parameter name \"{name}\" is used more than once by function \"{export}\""),
        ));
    }
    let (returns, fallible) = types::result(resolve, &export, function.result.as_ref())?;
    Ok(Routine { export, name, parameters, returns, fallible })
}

/// Kebab case becomes snake case, and capital letters small ones, as SQL has names without quotes.
fn sql_name(export: &str, label: &str) -> Result<String> {
    let name = label.replace('-', "_").to_lowercase();
    if name.len() > NAME_BYTES_MAX {
        return Err(Error::new(
            sqlstate::NAME_TOO_LONG,
            format!("the name \"{name}\" in function \"{export}\" is longer than {NAME_BYTES_MAX} bytes"),
        ));
    }
    Ok(name)
}

fn first_repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

fn refuse_equal_names(routines: &[Routine]) -> Result<()> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for routine in routines {
        if let Some(other) = seen.insert(&routine.name, &routine.export) {
            return Err(Error::new(
                sqlstate::DUPLICATE_FUNCTION,
                format!(
                    "functions \"{other}\" and \"{}\" would both be named \"{}\" in SQL",
                    routine.export, routine.name
                ),
            )
            .hint("Rename one of them: a procedure's routines have one name each."));
        }
    }
    Ok(())
}
