//! What a component may import: the interfaces for procedures, and those of WASI that toolchains bring along.

use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

use crate::error::{Error, Result, sqlstate};

/// Our own package and its version up to the patch.
const OURS: &str = "isobar:procedure";
const OUR_INTERFACES: [&str; 4] = ["types", "sql", "log", "context"];
const OUR_VERSION: (u64, u64) = (0, 1);

/// WASI's packages. They may be imported and grant nothing.
const WASI: [&str; 7] = ["cli", "io", "clocks", "random", "filesystem", "sockets", "http"];
const WASI_VERSION: (u64, u64) = (0, 2);

/// Refused imports that an error names.
const REFUSED_SHOWN: usize = 10;

/// The names of a world's imports; 42501 for one that no procedure may have.
pub fn allowed(resolve: &Resolve, world: WorldId) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut refused = Vec::new();
    for (key, item) in &resolve.worlds[world].imports {
        let name = resolve.name_world_key(key);
        let allowed = match (key, item) {
            (_, WorldItem::Type { .. }) => continue,
            (WorldKey::Interface(id), WorldItem::Interface { .. }) => is_allowed(resolve, *id),
            _ => false,
        };
        let list = if allowed { &mut names } else { &mut refused };
        list.push(name);
    }
    if refused.is_empty() {
        return Ok(names);
    }
    let shown: Vec<_> = refused.iter().take(REFUSED_SHOWN).map(|name| format!("\"{name}\"")).collect();
    let more = if refused.len() > REFUSED_SHOWN {
        format!(" and {} more", refused.len() - REFUSED_SHOWN)
    } else {
        String::new()
    };
    Err(Error::new(
        sqlstate::INSUFFICIENT_PRIVILEGE,
        format!("the component imports {}{more}, which procedures may not have", shown.join(", ")),
    )
    .hint(
        "A procedure may import isobar:procedure/{types,sql,log,context}@0.1, and \
         wasi:{cli,io,clocks,random,filesystem,sockets,http}@0.2, which grant nothing.",
    ))
}

fn is_allowed(resolve: &Resolve, interface: wit_parser::InterfaceId) -> bool {
    let interface = &resolve.interfaces[interface];
    let (Some(name), Some(package)) = (&interface.name, interface.package) else { return false };
    let package = &resolve.packages[package].name;
    let Some(version) = &package.version else { return false };
    let version = (version.major, version.minor);
    if format!("{}:{}", package.namespace, package.name) == OURS {
        return OUR_INTERFACES.contains(&name.as_str()) && version == OUR_VERSION;
    }
    package.namespace == "wasi" && WASI.contains(&package.name.as_str()) && version == WASI_VERSION
}
