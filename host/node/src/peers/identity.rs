//! Who a node is, as its certificate says it.

use std::fmt;
use std::str::FromStr;

/// A node of a cluster. In a certificate it is a subject alternative name of the form
/// `isobar://<cluster>/node/<number>/<region>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster's ULID.
    pub cluster: String,
    /// From 1; never given to another node.
    pub node: u64,
    pub region: String,
}

const SCHEME: &str = "isobar://";

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/node/{}/{}", self.cluster, self.node, self.region)
    }
}

impl FromStr for Identity {
    type Err = String;

    fn from_str(text: &str) -> Result<Identity, String> {
        let refused = || format!("\"{text}\" does not name a node");
        let parts: Vec<_> = text.strip_prefix(SCHEME).ok_or_else(refused)?.split('/').collect();
        let [cluster, "node", number, region] = parts.as_slice() else { return Err(refused()) };
        let node = number.parse().map_err(|_| refused())?;
        let identity = Identity { cluster: (*cluster).into(), node, region: (*region).into() };
        // One text for one node: no leading zeros, no sign.
        if node == 0 || cluster.is_empty() || check_region(region).is_err() || identity.to_string() != text {
            return Err(refused());
        }
        Ok(identity)
    }
}

const REGION_CHARACTERS_MAX: usize = 63;

/// A region's name: lower-case letters, digits and hyphens, beginning with a letter, so that it is no node's number.
pub fn check_region(region: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins_well = region.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    if begins_well && region.bytes().all(allowed) && region.len() <= REGION_CHARACTERS_MAX {
        return Ok(());
    }
    Err(format!(
        "\"{region}\" is not a region's name: lower-case letters, digits and hyphens, a letter first, at most \
         {REGION_CHARACTERS_MAX} characters"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_one_node() {
        let oregon = Identity { cluster: "01JD".into(), node: 12, region: "us-west-2".into() };
        assert_eq!(oregon.to_string(), "isobar://01JD/node/12/us-west-2");
        assert_eq!(oregon.to_string().parse(), Ok(oregon));
        for refused in [
            "",
            "isobar://01JD/node/12",
            "isobar://01JD/node/012/us-west-2",
            "isobar://01JD/node/+12/us-west-2",
            "isobar://01JD/node/0/us-west-2",
            "isobar://01JD/node/12/us-west-2/",
            "isobar://01JD/node/12/US",
            "isobar:///node/12/us-west-2",
            "isobar://01JD/nodes/12/us-west-2",
            "https://01JD/node/12/us-west-2",
            "isobar://01JD/node/18446744073709551616/us-west-2",
        ] {
            assert!(refused.parse::<Identity>().is_err(), "{refused}");
        }
    }
}
