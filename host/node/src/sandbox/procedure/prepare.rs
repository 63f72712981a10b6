//! What the deployment of a component comes to before anything is written: a checked, reflected and compiled component.

use serde_json::{Value, json};

use crate::error::Result;
use crate::sandbox::procedure::Procedures;
use crate::sandbox::procedure::component::Digest;
use crate::sandbox::procedure::description::Description;

/// A component that can be deployed: whoever has it stores `component` under `digest` and has the engine run
/// `\0isobar deploy` with `deploy_json`, both in one transaction.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// SHA-256 of `component`, its name in the store and in the caches of compiled code.
    pub digest: Digest,
    /// The component: what was given, or what a core module with embedded WIT was wrapped to.
    pub component: Vec<u8>,
    pub description: Description,
}

impl Prepared {
    /// Bytes of the component.
    pub fn size(&self) -> usize {
        self.component.len()
    }

    /// Interfaces that it imports.
    pub fn imports(&self) -> &[String] {
        &self.description.imports
    }

    /// The input of the engine's statement `\0isobar deploy`. `deployed_at`: in microseconds since the Unix epoch.
    pub fn deploy_json(&self, name: &str, definer: bool, deployed_at: i64) -> Value {
        json!({
            "name": name,
            "digest": self.digest.to_string(),
            "size": self.size(),
            "definer": definer,
            "deployed_at": deployed_at,
            "imports": self.description.imports,
            "routines": self.description.routines_json(),
        })
    }
}

impl Procedures {
    /// Checks a component, or a core module with embedded WIT, and makes it ready to be called: wraps the module,
    /// refuses imports that are not for procedures and types that SQL has none for, reflects its exports, compiles it
    /// and keeps the compiled code. Nothing is written to the store, and a component that was prepared before costs
    /// only its check.
    ///
    /// Refusals: 54000 for one that is too large or takes too long to compile, 22P03 for bytes that are no component,
    /// 42501 for a forbidden import, 0A000 for a type without a mapping, 42P13 for exports that make no routine, 42723
    /// for two of one name. Runs on a thread for blocking work; others go on meanwhile.
    pub async fn prepare(&self, bytes: Vec<u8>) -> Result<Prepared> {
        let (component, description) = self.reflect(bytes).await?;
        let digest = Digest::of(&component);
        self.compile(digest, component.clone(), description.clone()).await?;
        Ok(Prepared { digest, component, description })
    }
}
