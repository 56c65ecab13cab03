//! Orders and cycles among things that need each other: types that hold types, tables that refer to tables.

/// Which node needs which; nodes are numbered from 0.
pub(super) struct Graph {
    needs: Vec<Vec<usize>>,
}

/// What a graph says.
pub(super) struct Order {
    /// Every node after all that it needs; nodes in a cycle, and those that need one, are not here.
    pub(super) sorted: Vec<usize>,
    /// Cycles: each node needs the next, the last needs the first. At least one of every knot.
    pub(super) cycles: Vec<Vec<usize>>,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Graph {
        Graph { needs: vec![Vec::new(); nodes] }
    }

    pub(super) fn add(&mut self, node: usize, needs: usize) {
        if let Some(list) = self.needs.get_mut(node) {
            list.push(needs);
        }
    }

    pub(super) fn order(&self) -> Order {
        let mut waits_for: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let mut needed_by = vec![Vec::new(); self.needs.len()];
        for (node, needs) in self.needs.iter().enumerate() {
            for needed in needs {
                needed_by[*needed].push(node);
            }
        }
        let mut sorted: Vec<usize> = (0..self.needs.len()).filter(|node| waits_for[*node] == 0).collect();
        let mut next = 0;
        while let Some(node) = sorted.get(next).copied() {
            next += 1;
            for waiting in &needed_by[node] {
                waits_for[*waiting] -= 1;
                if waits_for[*waiting] == 0 {
                    sorted.push(*waiting);
                }
            }
        }
        Order { sorted, cycles: self.cycles(&waits_for) }
    }

    /// A node that still waits needs another one that does: following them must come round.
    fn cycles(&self, waits_for: &[usize]) -> Vec<Vec<usize>> {
        let mut cycles = Vec::new();
        let mut walk_of = vec![None; waits_for.len()];
        for start in (0..waits_for.len()).filter(|node| waits_for[*node] > 0) {
            let mut walk = Vec::new();
            let mut node = start;
            while walk_of[node].is_none() {
                walk_of[node] = Some(start);
                walk.push(node);
                node = self.needs[node].iter().copied().find(|needed| waits_for[*needed] > 0).unwrap_or(node);
            }
            if walk_of[node] == Some(start) {
                cycles.extend(walk.iter().position(|at| *at == node).map(|at| walk[at..].to_vec()));
            }
        }
        cycles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(6);
        for (node, needs) in edges {
            graph.add(*node, *needs);
        }
        graph
    }

    #[test]
    fn needed_ones_come_first() {
        let order = graph(&[(0, 1), (1, 2), (0, 2), (3, 0)]).order();
        let at = |node| order.sorted.iter().position(|it| *it == node).unwrap();
        assert!(at(2) < at(1) && at(1) < at(0) && at(0) < at(3));
        assert_eq!(order.sorted.len(), 6);
        assert!(order.cycles.is_empty());
    }

    #[test]
    fn each_knot_gives_a_cycle() {
        let order = graph(&[(0, 1), (1, 2), (2, 1), (3, 3), (4, 3)]).order();
        assert_eq!(order.cycles, [vec![1, 2], vec![3]]);
        assert_eq!(order.sorted, [5]);
    }
}
