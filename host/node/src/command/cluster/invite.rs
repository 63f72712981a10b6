//! Making a cluster and its invitations, and accepting one. No node is talked to.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::peers::{Authority, Invitation, Membership, create_private};

const DEFAULT_FOLDER: &str = "./isobar-cluster";

/// The option that names the folder again in the commands that come next.
fn option(folder: &Path) -> String {
    if folder == Path::new(DEFAULT_FOLDER) { String::new() } else { format!(" --directory {}", folder.display()) }
}

pub fn init(folder: &Path, name: &str) -> Result<(), String> {
    let authority = Authority::create(folder, name)?;
    println!(
        "Made the cluster {} ({}). Its authority is in {}: whoever has ca.key can make members.\n\n\
         Next, an invitation for each node:\n\n  isobar cluster invite{} --region oregon",
        authority.name(),
        authority.id(),
        folder.display(),
        option(folder)
    );
    Ok(())
}

/// For whom an invitation is.
pub enum Whom {
    /// A new node of this region.
    New(String),
    /// A node that needs a new certificate.
    Known(u64),
}

pub fn invite(folder: &Path, whom: &Whom, days: u32, output: Option<PathBuf>) -> Result<(), String> {
    let mut authority = Authority::open(folder)?;
    let invitation = match whom {
        Whom::New(region) => authority.invite(region, days)?,
        Whom::Known(number) => authority.renew(*number, days)?,
    };
    let identity = &invitation.identity;
    let output = output.unwrap_or_else(|| format!("node-{}-{}.invitation", identity.node, identity.region).into());
    if output == Path::new("-") {
        return io::stdout()
            .write_all(invitation.text().as_bytes())
            .map_err(|error| format!("cannot write the invitation: {error}"));
    }
    create_private(&output, invitation.text().as_bytes())
        .map_err(|error| format!("cannot write {}: {error}", output.display()))?;
    let file = output.display();
    let join = match (whom, identity.node) {
        (Whom::Known(_), _) => "then start the node again:\n\n  isobar cluster join".to_string() + &format!(" {file}"),
        (Whom::New(_), 1) => format!(
            "it founds the cluster:\n\n  isobar cluster join {file}\n  \
             isobar start --listen-peers 0.0.0.0:7100 --advertise HOST:7100"
        ),
        (Whom::New(_), _) => format!(
            "MEMBER is any node that runs:\n\n  isobar cluster join {file}\n  \
             isobar start --listen-peers 0.0.0.0:7100 --advertise HOST:7100 --join MEMBER:7100"
        ),
    };
    println!(
        "Wrote {file} for node {} ({}), good for {days} day{}. It holds the node's private key.\n\n\
         Next, on the machine of that node; {join}",
        identity.node,
        identity.region,
        if days == 1 { "" } else { "s" }
    );
    Ok(())
}

pub fn join(invitation: &Path, data: &Path) -> Result<(), String> {
    let membership = Membership::install(&Invitation::read(invitation)?, data)?;
    let identity = &membership.identity;
    let data = if data == Path::new("./isobar-data") { String::new() } else { format!(" --data {}", data.display()) };
    let (others, member) = if identity.node == 1 {
        ("it founds the cluster", "")
    } else {
        ("MEMBER is any node that runs", " --join MEMBER:7100")
    };
    println!(
        "This is node {} ({}) of the cluster {}. The file {} has done its work: delete it.\n\n\
         Next, {others}:\n\n  isobar start{data} --listen-peers 0.0.0.0:7100 --advertise HOST:7100{member}",
        identity.node,
        identity.region,
        membership.name,
        invitation.display()
    );
    Ok(())
}
