//! The smallest value of a function of a few numbers, without its derivatives (Nelder and Mead, Computer Journal 7, 1965).

/// Where the search from `start` ends, and what the function is there.
pub(super) fn minimise<const N: usize>(
    start: [f64; N],
    step: f64,
    rounds: usize,
    f: impl Fn(&[f64; N]) -> f64,
) -> ([f64; N], f64) {
    let mut corners = vec![(start, f(&start))];
    for place in 0..N {
        let mut corner = start;
        corner[place] += step;
        corners.push((corner, f(&corner)));
    }
    for _ in 0..rounds {
        corners.sort_by(|a, b| a.1.total_cmp(&b.1));
        if corners[N].1 - corners[0].1 < 1e-6 {
            break;
        }
        let centre: [f64; N] = std::array::from_fn(|place| {
            corners[..N].iter().map(|corner| corner.0[place]).sum::<f64>() / N as f64
        });
        let worst = corners[N];
        let at = |way: f64| {
            let point: [f64; N] =
                std::array::from_fn(|place| centre[place] + way * (centre[place] - worst.0[place]));
            (point, f(&point))
        };
        let mirrored = at(1.0);
        let better = if mirrored.1 < corners[0].1 {
            let further = at(2.0);
            if further.1 < mirrored.1 { Some(further) } else { Some(mirrored) }
        } else if mirrored.1 < corners[N - 1].1 {
            Some(mirrored)
        } else {
            let nearer = at(if mirrored.1 < worst.1 { 0.5 } else { -0.5 });
            (nearer.1 < worst.1.min(mirrored.1)).then_some(nearer)
        };
        match better {
            Some(corner) => corners[N] = corner,
            None => shrink(&mut corners, &f),
        }
    }
    corners.sort_by(|a, b| a.1.total_cmp(&b.1));
    corners[0]
}

/// Brings all corners half way to the best.
fn shrink<const N: usize>(corners: &mut [([f64; N], f64)], f: impl Fn(&[f64; N]) -> f64) {
    let best = corners[0].0;
    for corner in &mut corners[1..] {
        corner.0 = std::array::from_fn(|place| f64::midpoint(best[place], corner.0[place]));
        corner.1 = f(&corner.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley has its lowest point at (1, 1).
    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        let valley = |[x, y]: &[f64; 2]| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        let (point, value) = minimise([-1.2, 1.0], 0.5, 500, valley);
        assert!((point[0] - 1.0).abs() < 0.01 && value < 1e-4, "{point:?}: {value}");
    }
}
