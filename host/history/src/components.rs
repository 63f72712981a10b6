//! Strongly connected components (Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972), without recursion:
//! a history's chain may be as long as the history.

/// The components of more than one node, where `edges(node)` gives the range of the node's edges and `target(edge)`
/// where an edge leads, or None when it is not to be followed. No node has an edge to itself.
pub fn components(
    nodes: usize,
    edges: impl Fn(u32) -> std::ops::Range<u32>,
    target: impl Fn(u32) -> Option<u32>,
) -> Vec<Vec<u32>> {
    const UNVISITED: u32 = u32::MAX;
    let mut index = vec![UNVISITED; nodes];
    let mut low = vec![0; nodes];
    let mut is_on_stack = vec![false; nodes];
    let mut stack: Vec<u32> = vec![];
    let mut path: Vec<(u32, std::ops::Range<u32>)> = vec![];
    let mut visited = 0;
    let mut found = vec![];
    for root in 0..nodes as u32 {
        if index[root as usize] != UNVISITED {
            continue;
        }
        let mut enter = Some(root);
        loop {
            if let Some(node) = enter.take() {
                index[node as usize] = visited;
                low[node as usize] = visited;
                visited += 1;
                stack.push(node);
                is_on_stack[node as usize] = true;
                path.push((node, edges(node)));
            }
            let Some((node, rest)) = path.last_mut() else { break };
            let node = *node as usize;
            if let Some(edge) = rest.next() {
                let Some(next) = target(edge) else { continue };
                if index[next as usize] == UNVISITED {
                    enter = Some(next);
                } else if is_on_stack[next as usize] {
                    low[node] = low[node].min(index[next as usize]);
                }
                continue;
            }
            path.pop();
            if let Some((above, _)) = path.last() {
                low[*above as usize] = low[*above as usize].min(low[node]);
            }
            if low[node] == index[node] {
                let mut component = vec![];
                while let Some(member) = stack.pop() {
                    is_on_stack[member as usize] = false;
                    component.push(member);
                    if member as usize == node {
                        break;
                    }
                }
                if component.len() > 1 {
                    found.push(component);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::components;

    /// Against reachability by Warshall's algorithm, on random graphs.
    #[test]
    fn agrees_with_reachability() {
        let mut state = 1u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for _ in 0..500 {
            let nodes = 2 + random(9);
            let mut targets = vec![vec![]; nodes];
            let mut reaches = vec![vec![false; nodes]; nodes];
            for _ in 0..random(nodes * 2) {
                let (from, to) = (random(nodes), random(nodes));
                if from != to {
                    targets[from].push(to as u32);
                    reaches[from][to] = true;
                }
            }
            for middle in 0..nodes {
                for from in 0..nodes {
                    for to in 0..nodes {
                        reaches[from][to] |= reaches[from][middle] && reaches[middle][to];
                    }
                }
            }
            let flat: Vec<u32> = targets.concat();
            let start = |node: u32| targets[..node as usize].iter().map(Vec::len).sum::<usize>() as u32;
            let mut found = components(nodes, |node| start(node)..start(node + 1), |edge| Some(flat[edge as usize]));
            found.iter_mut().for_each(|component| component.sort_unstable());
            found.sort();
            let mut expected: Vec<Vec<u32>> = (0..nodes)
                .filter(|node| reaches[*node][*node])
                .map(|node| {
                    (0..nodes)
                        .filter(|other| reaches[node][*other] && reaches[*other][node])
                        .map(|n| n as u32)
                        .collect()
                })
                .collect();
            expected.sort();
            expected.dedup();
            assert_eq!(found, expected);
        }
    }
}
