//! Dependencies among the tasks of a job.

/// A task that waits for itself, directly or through others, if there is one. `parents[task]` are the tasks that it waits
/// for, each below `parents.len()`.
#[must_use]
pub fn in_a_cycle(parents: &[Vec<u32>]) -> Option<u32> {
    let mut children = vec![Vec::new(); parents.len()];
    for (child, parents) in parents.iter().enumerate() {
        parents.iter().for_each(|&parent| children[parent as usize].push(child));
    }
    let mut waits: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..waits.len()).filter(|&task| waits[task] == 0).collect();
    while let Some(task) = ready.pop() {
        for &child in &children[task] {
            waits[child] -= 1;
            if waits[child] == 0 {
                ready.push(child);
            }
        }
    }
    waits.iter().position(|&waits| waits > 0).map(|task| task as u32)
}

#[cfg(test)]
mod tests {
    use super::in_a_cycle;

    #[test]
    fn a_diamond_has_no_cycle() {
        assert_eq!(in_a_cycle(&[vec![], vec![0], vec![0, 0], vec![1, 2]]), None);
        assert_eq!(in_a_cycle(&[]), None);
    }

    #[test]
    fn a_task_that_waits_for_itself_is_found_also_behind_others() {
        assert_eq!(in_a_cycle(&[vec![0]]), Some(0));
        assert_eq!(in_a_cycle(&[vec![], vec![0, 3], vec![1], vec![2]]), Some(1));
    }
}
