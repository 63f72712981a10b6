//! The sockets between nodes, over real loopback connections.

mod certificates;
mod hostile;
mod loss;
mod nodes;
mod talk;
