//! From what to how: access paths, join order and method.
