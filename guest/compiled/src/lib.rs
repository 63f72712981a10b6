//! Procedures for tests: those under `guest/`, as their authors' compiler leaves them, and some that none would make.
//! Nothing but tests depends on this crate.

pub mod handmade;
pub mod malformed;

/// Core modules with their WIT embedded, which a deploy wraps into components.
macro_rules! module {
    ($file:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $file))
    };
}

/// `guest/examples/ledger`: double-entry transfers over the tables of its `schema.sql`.
pub const LEDGER: &[u8] = module!("ledger.wasm");
pub const LEDGER_SCHEMA: &str = include_str!("../../examples/ledger/schema.sql");

/// `guest/conformance`: every type both ways, every import, a function that does nothing.
pub const CONFORMANCE: &[u8] = module!("conformance.wasm");

/// `guest/hostile/misbehaving`: an export for every way of misbehaving.
pub const MISBEHAVING: &[u8] = module!("misbehaving.wasm");

/// `guest/hostile/forbidden-import`: imports what no procedure may have.
pub const FORBIDDEN_IMPORT: &[u8] = module!("forbidden_import.wasm");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_modules_with_their_wit() {
        for (name, module) in [
            ("ledger", LEDGER),
            ("conformance", CONFORMANCE),
            ("misbehaving", MISBEHAVING),
            ("forbidden-import", FORBIDDEN_IMPORT),
        ] {
            assert!(module.starts_with(b"\0asm\x01\0\0\0"), "{name} is no core module");
            let section = "component-type:wit-bindgen:";
            assert!(module.windows(section.len()).any(|bytes| bytes == section.as_bytes()), "{name} has no WIT");
        }
    }
}
