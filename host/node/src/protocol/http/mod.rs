//! SQL over HTTP/JSON: the protocol of `@neondatabase/serverless`, and what Isobar adds to it (`openapi.json`).

mod cluster;
mod configuration;
mod error;
mod origin;
mod parameters;
mod policies;
mod procedures;
mod query;
mod request;
mod respond;
mod router;
mod rows;
mod server;
mod stream;
mod transactions;

pub use configuration::Configuration;
pub use server::Server;
