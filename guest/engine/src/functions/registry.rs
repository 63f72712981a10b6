//! Every function and operator by name.

use super::{AggregateFunction, FunctionKind, ScalarFunction, SetFunction, WindowFunction};
use hashbrown::HashMap;

type Index<F> = HashMap<&'static str, Vec<&'static F>, foldhash::fast::FixedState>;

pub struct Registry {
    operators: Index<ScalarFunction>,
    scalars: Index<ScalarFunction>,
    sets: Index<SetFunction>,
    aggregates: Index<AggregateFunction>,
    windows: Index<WindowFunction>,
}

thread_local! {
    static REGISTRY: Registry = Registry {
        operators: index(super::operators::tables(), |function| function.name),
        scalars: index(super::scalar::tables(), |function| function.name),
        sets: index(super::set::tables(), |function| function.name),
        aggregates: index(super::aggregates::tables(), |function| function.name),
        windows: index([super::window::FUNCTIONS], |function| function.name),
    };
}

/// The registry is built at its first use.
pub fn with<T>(look: impl FnOnce(&Registry) -> T) -> T {
    REGISTRY.with(look)
}

fn index<F: 'static>(
    tables: impl IntoIterator<Item = &'static [F]>,
    name: impl Fn(&'static F) -> &'static str,
) -> Index<F> {
    let mut index = Index::<F>::default();
    for function in tables.into_iter().flatten() {
        index.entry(name(function)).or_default().push(function);
    }
    index
}

fn find<F>(index: &Index<F>, name: &str) -> Vec<&'static F> {
    index.get(name).cloned().unwrap_or_default()
}

impl Registry {
    pub fn operator(&self, symbol: &str) -> Vec<&'static ScalarFunction> {
        find(&self.operators, symbol)
    }

    pub fn scalar(&self, name: &str) -> Vec<&'static ScalarFunction> {
        find(&self.scalars, name)
    }

    pub fn set(&self, name: &str) -> Vec<&'static SetFunction> {
        find(&self.sets, name)
    }

    pub fn aggregate(&self, name: &str) -> Vec<&'static AggregateFunction> {
        find(&self.aggregates, name)
    }

    pub fn window(&self, name: &str) -> Vec<&'static WindowFunction> {
        find(&self.windows, name)
    }

    pub fn kind(&self, name: &str) -> Option<FunctionKind> {
        if self.scalars.contains_key(name) {
            Some(FunctionKind::Scalar)
        } else if self.aggregates.contains_key(name) {
            Some(FunctionKind::Aggregate)
        } else if self.sets.contains_key(name) {
            Some(FunctionKind::Set)
        } else if self.windows.contains_key(name) {
            Some(FunctionKind::Window)
        } else {
            None
        }
    }
}
