//! Sockets between nodes: HTTP/2 over mutual TLS, with certificates of the cluster's own authority.

mod authority;
mod configuration;
mod connection;
mod frames;
mod identity;
mod invitation;
mod membership;
mod metrics;
mod place;
mod server;
mod silence;
mod tls;
mod transport;

pub use authority::{Authority, Issued, VALID_DAYS_MAX};
pub use configuration::{Configuration, Role};
pub use identity::{Identity, check_region};
pub use invitation::Invitation;
pub use membership::{Membership, create_private};
pub use metrics::{Metrics, PeerMetrics, Traffic};
pub use place::Place;
pub use server::{Listener, Server};
pub use transport::HttpTransport;
