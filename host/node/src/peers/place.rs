//! A node's place in its cluster: what it needs before its replica is opened.

use std::sync::Arc;

use isobar_replica::Member;

use crate::config::Configuration;
use crate::peers::configuration::Role;
use crate::peers::invitation::Invitation;
use crate::peers::membership::Membership;
use crate::peers::metrics::Metrics;
use crate::peers::server::Listener;
use crate::peers::transport::HttpTransport;

/// A member that has taken its address and answers nobody yet.
pub struct Place {
    pub membership: Membership,
    /// As the others are to know it.
    pub member: Member,
    pub listener: Listener,
    pub transport: Arc<HttpTransport>,
    pub metrics: Arc<Metrics>,
    /// Addresses of members that may let it in; none: it founds the cluster, or goes on as before.
    pub join: Vec<String>,
}

/// How long before its end a certificate is complained about, in days.
const EXPIRY_WARNING_DAYS: u64 = 30;

impl Place {
    /// The place of the node with this data directory, after an invitation has been installed where there is one.
    /// None: it is in no cluster. The configuration's region becomes that of the invitation.
    pub async fn take(
        configuration: &mut Configuration,
        invitation: Option<&Invitation>,
    ) -> Result<Option<Place>, String> {
        let membership = match invitation {
            Some(invitation) => Some(Membership::install(invitation, &configuration.data)?),
            None => Membership::of(&configuration.data)?,
        };
        let Some(membership) = membership else { return alone(configuration).map(|()| None) };
        let identity = &membership.identity;
        if configuration.region != Configuration::default().region && configuration.region != identity.region {
            return Err(format!(
                "this node was invited for the region {}, and cannot be in {}",
                identity.region, configuration.region
            ));
        }
        configuration.region = identity.region.clone();
        if membership.expires_within(std::time::Duration::from_secs(EXPIRY_WARNING_DAYS * 86_400)) {
            eprintln!(
                "WARNING: this node's certificate ends within {EXPIRY_WARNING_DAYS} days, and then no other node talks \
                 to it. `isobar cluster invite --renew {}` makes a new one.",
                identity.node
            );
        }
        let peers = &configuration.peers;
        let metrics = Arc::<Metrics>::default();
        let listener = Listener::bind(peers, &membership, metrics.clone()).await?;
        let address = peers.advertised(listener.address)?;
        let join: Vec<_> = peers.join.iter().filter(|join| **join != address).cloned().collect();
        let has_data = configuration.data.join("store.redb").exists();
        if identity.node != 1 && join.is_empty() && !has_data {
            return Err(format!(
                "node {} of the cluster {} has no data yet, and nobody to let it in: --join HOST:PORT names a member, \
                 any that runs",
                identity.node, membership.name
            ));
        }
        let transport = Arc::new(HttpTransport::new(&membership, peers.clone(), metrics.clone())?);
        let member = Member { region: identity.region.clone(), address, witness: peers.role == Role::Witness };
        Ok(Some(Place { membership, member, listener, transport, metrics, join }))
    }
}

/// Refuses settings that a node on its own cannot follow.
fn alone(configuration: &Configuration) -> Result<(), String> {
    let peers = &configuration.peers;
    if peers.join.is_empty() && peers.role == Role::Voter && peers.advertise.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} belongs to no cluster yet: `isobar cluster invite` on the machine with the cluster's authority writes an \
         invitation, `isobar cluster join INVITATION --data {}` installs it here",
        configuration.data.display(),
        configuration.data.display()
    ))
}
