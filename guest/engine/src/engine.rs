//! The engine as its host sees it: a request in, an outcome out.

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::statement::{Description, Outcome, Request};
use std::rc::Rc;

/// Runs statements. It keeps no transaction's state, only what is derived from texts and catalogs.
#[derive(Default)]
pub struct Engine {
    catalog: Option<Rc<Catalog>>,
}

impl Engine {
    pub fn new() -> Engine {
        Engine::default()
    }

    /// Runs one statement in the host's open transaction.
    pub fn execute(&mut self, host: &dyn Host, request: &Request) -> Result<Outcome> {
        let _ = self.catalog(host)?;
        Err(Error::not_supported(&request.sql))
    }

    /// Types of a statement's parameters and result, without running it.
    pub fn describe(&mut self, host: &dyn Host, request: &Request) -> Result<Description> {
        let _ = self.catalog(host)?;
        Err(Error::not_supported(&request.sql))
    }

    /// The statements of a text, as offsets in bytes.
    pub fn split(&self, sql: &str) -> Result<Vec<(usize, usize)>> {
        crate::parse::split(sql)
    }

    /// The catalog that the host's transaction sees.
    pub fn catalog(&mut self, host: &dyn Host) -> Result<Rc<Catalog>> {
        match &self.catalog {
            Some(catalog) if catalog.version() == host.catalog_version() => Ok(catalog.clone()),
            _ => {
                let catalog = Rc::new(Catalog::load(host)?);
                self.catalog = Some(catalog.clone());
                Ok(catalog)
            }
        }
    }
}
