//! Compiled patterns: a statement uses few of them, on many rows.

use crate::error::Result;
use hashbrown::HashMap;
use std::rc::Rc;

/// More patterns than this at a time are compiled again when they come back.
const CAPACITY: usize = 64;

/// Compiled patterns by their source.
pub struct Cache<K, P> {
    compiled: HashMap<K, Rc<P>, foldhash::fast::FixedState>,
}

impl<K, P> Default for Cache<K, P> {
    fn default() -> Cache<K, P> {
        Cache { compiled: HashMap::default() }
    }
}

impl<K: Eq + std::hash::Hash, P> Cache<K, P> {
    pub fn get<Q>(&mut self, key: &Q, compile: impl FnOnce() -> Result<P>) -> Result<Rc<P>>
    where
        Q: std::hash::Hash + hashbrown::Equivalent<K> + ?Sized,
        for<'a> K: From<&'a Q>,
    {
        if let Some(pattern) = self.compiled.get(key) {
            return Ok(pattern.clone());
        }
        if self.compiled.len() >= CAPACITY {
            self.compiled.clear();
        }
        let pattern = Rc::new(compile()?);
        self.compiled.insert(K::from(key), pattern.clone());
        Ok(pattern)
    }
}
