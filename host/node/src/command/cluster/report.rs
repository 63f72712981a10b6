//! A cluster's status as people read it.

use std::collections::BTreeSet;

use isobar_replica::{ClusterStatus, NodeStatus};
use unicode_width::UnicodeWidthStr;

const COLUMNS: [&str; 10] =
    ["region", "node", "role", "leads", "state", "entries behind", "ms behind", "lease ms", "version", "address"];

/// A table of the nodes, and what would be lost with each region.
pub fn text(status: &ClusterStatus) -> String {
    let mut nodes: Vec<_> = status.nodes.iter().collect();
    nodes.sort_by(|one, other| (&one.region, one.id).cmp(&(&other.region, other.id)));
    let rows: Vec<_> = nodes.iter().map(|node| row(node)).collect();
    let widths: Vec<usize> = (0..COLUMNS.len())
        .map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0).max(COLUMNS[column].width()))
        .collect();
    let mut text = line(&COLUMNS.map(String::from), &widths);
    rows.iter().for_each(|row| text.push_str(&line(row, &widths)));
    text.push('\n');
    let voters: Vec<_> = status.nodes.iter().filter(|node| votes(node)).collect();
    let up = voters.iter().filter(|node| node.reachable).count();
    text.push_str(&format!(
        "{up} of {} votes are here, {} are needed; {}, as node {} sees it\n",
        voters.len(),
        majority(voters.len()),
        match status.leader {
            Some(leader) => format!("node {leader} leads, term {}", status.term),
            None => "nobody is known to lead".to_string(),
        },
        status.node
    ));
    for region in nodes.iter().map(|node| &node.region).collect::<BTreeSet<_>>() {
        text.push_str(&format!("without {region}: {}\n", loss(status, region)));
    }
    text
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

fn row(node: &NodeStatus) -> [String; COLUMNS.len()] {
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_string(), |value| value.to_string());
    let state = match (node.reachable, node.heard_ms) {
        (true, _) => "up".to_string(),
        (false, Some(heard)) => format!("silent for {} s", heard / 1000),
        (false, None) => "silent".to_string(),
    };
    [
        node.region.clone(),
        node.id.to_string(),
        node.role.clone(),
        if node.leader { "leads" } else { "" }.into(),
        state,
        number(node.lag_entries),
        number(node.lag_ms),
        number(node.lease_ms),
        node.version.clone().unwrap_or_else(|| "-".into()),
        if node.address.is_empty() { "-".into() } else { node.address.clone() },
    ]
}

fn votes(node: &NodeStatus) -> bool {
    node.role != "learner"
}

fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

/// What would happen if all nodes of a region went now.
fn loss(status: &ClusterStatus, region: &str) -> String {
    let voters: Vec<_> = status.nodes.iter().filter(|node| votes(node)).collect();
    let needed = majority(voters.len());
    let up: Vec<_> = voters.iter().filter(|node| node.reachable).collect();
    let left: Vec<_> = up.iter().filter(|node| node.region != region).collect();
    if up.len() < needed {
        return "there is no majority now: reads and writes are refused".into();
    }
    if left.len() < needed {
        return "no majority: reads and writes are refused".into();
    }
    if left.iter().all(|node| node.role == "witness") {
        return "only witnesses are left, which have no data: reads and writes are refused".into();
    }
    let here = || status.nodes.iter().filter(|node| node.region == region);
    if here().any(|node| node.leader) {
        "reads and writes go on after an election".into()
    } else if here().all(|node| node.role == "witness") {
        "nothing but its vote is lost".into()
    } else if here().any(votes) {
        "reads go on; writes go on when its lease has ended".into()
    } else {
        "nothing but its reads is lost; writes wait until its lease has ended".into()
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Nodes by region and role, all up, the first leads.
    pub fn cluster(nodes: &[(&str, &str)]) -> ClusterStatus {
        let node = |(index, (region, role)): (usize, &(&str, &str))| NodeStatus {
            id: index as u64 + 1,
            region: region.to_string(),
            address: format!("{region}.example:7100"),
            role: role.to_string(),
            leader: index == 0,
            reachable: true,
            version: Some("0.1.0".into()),
            applied_index: Some(7),
            visible_index: Some(7),
            lag_entries: Some(index as u64),
            lag_ms: Some(20 * index as u64),
            lease_ms: (index > 0).then_some(900),
            heard_ms: Some(15),
            local_reads: None,
            remote_reads: None,
            remote_commits: None,
        };
        let nodes = nodes.iter().enumerate().map(node).collect();
        ClusterStatus { node: 1, leader: Some(1), term: 3, last_index: 7, nodes }
    }

    #[test]
    fn a_table_and_what_would_be_lost() {
        let mut status =
            cluster(&[("tokyo", "voter"), ("oregon", "voter"), ("frankfurt", "voter"), ("paris", "learner")]);
        let expected = "\
region     node  role     leads  state  entries behind  ms behind  lease ms  version  address
frankfurt  3     voter           up     2               40         900       0.1.0    frankfurt.example:7100
oregon     2     voter           up     1               20         900       0.1.0    oregon.example:7100
paris      4     learner         up     3               60         900       0.1.0    paris.example:7100
tokyo      1     voter    leads  up     0               0          -         0.1.0    tokyo.example:7100

3 of 3 votes are here, 2 are needed; node 1 leads, term 3, as node 1 sees it
without frankfurt: reads go on; writes go on when its lease has ended
without oregon: reads go on; writes go on when its lease has ended
without paris: nothing but its reads is lost; writes wait until its lease has ended
without tokyo: reads and writes go on after an election
";
        assert_eq!(text(&status), expected);
        status.nodes[1].reachable = false;
        status.nodes[1].heard_ms = Some(12_345);
        let shown = text(&status);
        assert!(shown.contains("silent for 12 s") && shown.contains("2 of 3 votes"), "{shown}");
        for (region, what) in [
            ("oregon", "reads go on; writes"),
            ("tokyo", "no majority"),
            ("frankfurt", "no majority"),
            ("paris", "nothing but its reads"),
        ] {
            assert!(loss(&status, region).starts_with(what), "{region}: {}", loss(&status, region));
        }
        status.nodes[2].reachable = false;
        assert!(loss(&status, "paris").starts_with("there is no majority now"));
    }

    #[test]
    fn witnesses_vote_and_have_no_data() {
        let status = cluster(&[("tokyo", "voter"), ("oregon", "witness"), ("oregon", "witness")]);
        assert!(loss(&status, "tokyo").starts_with("only witnesses are left"));
        let status = cluster(&[("tokyo", "voter"), ("oregon", "voter"), ("paris", "witness")]);
        assert_eq!(loss(&status, "paris"), "nothing but its vote is lost");
        assert_eq!(loss(&cluster(&[("local", "voter")]), "local"), "no majority: reads and writes are refused");
    }
}
