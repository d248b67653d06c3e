//! What follows what: autocorrelation, and how counts vary.

/// The autocorrelation of a series at a lag; 0 if it is too short or never changes.
#[must_use]
pub fn autocorrelation(series: &[f64], lag: usize) -> f64 {
    let n = series.len();
    if lag >= n {
        return 0.0;
    }
    let mean = series.iter().sum::<f64>() / n as f64;
    let variance: f64 = series.iter().map(|x| (x - mean).powi(2)).sum();
    let together: f64 = series.iter().zip(&series[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum();
    if variance > 0.0 { together / variance } else { 0.0 }
}

/// Beyond this, an autocorrelation of so many independent numbers lies with a probability of 5 %.
#[must_use]
pub fn significant(n: usize) -> f64 {
    1.96 / (n.max(1) as f64).sqrt()
}

/// How many of these ascending times lie in each window; the last window, if it is not whole, is left out.
#[must_use]
pub fn counts(times: &[f64], window: f64, end: f64) -> Vec<f64> {
    let mut counts = vec![0.0; (end / window) as usize];
    for time in times {
        if let Some(count) = counts.get_mut((time / window) as usize) {
            *count += 1.0;
        }
    }
    counts
}

/// The index of dispersion of counts: their variance by their mean. 1 for a Poisson process.
#[must_use]
pub fn dispersion(counts: &[f64]) -> Option<f64> {
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (counts.len() > 1 && mean > 0.0).then(|| variance / mean)
}

/// The squared coefficient of variation: 1 for an exponential distribution.
#[must_use]
pub fn squared_variation(sample: &[f64]) -> f64 {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n / (mean * mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_alternates_is_its_own_opposite_a_step_later() {
        let series: Vec<f64> = (0..1000).map(|place| f64::from(place % 2)).collect();
        assert!((autocorrelation(&series, 1) + 1.0).abs() < 0.01);
        assert!((autocorrelation(&series, 2) - 1.0).abs() < 0.01);
        assert_eq!(autocorrelation(&[3.0; 10], 1), 0.0);
        assert_eq!(autocorrelation(&[1.0, 2.0], 2), 0.0);
    }

    #[test]
    fn counts_leave_the_last_part_of_a_window_out() {
        let counts = counts(&[0.0, 1.0, 9.9, 10.0, 25.0], 10.0, 25.0);
        assert_eq!(counts, [3.0, 1.0]);
        assert_eq!(dispersion(&counts), Some(1.0));
        assert_eq!(squared_variation(&[1.0, 3.0]), 0.25);
    }
}
