//! Figures of a fit: distribution functions, quantiles against quantiles, arrivals over time, autocorrelation.

use crate::{
    fit::{Fit, QuantityFit, arrivals::ArrivalFit, serial::significant},
    report::{Chart, Scale},
    workload::generator::class::Quantity,
};

/// So many points of a line are drawn.
const POINTS: usize = 400;

/// All figures of a fit.
pub(super) fn charts(fit: &Fit) -> Vec<Chart> {
    let mut charts = Vec::new();
    if let Some(arrivals) = &fit.arrivals {
        charts.extend([rate(arrivals), correlation(arrivals)]);
    }
    let alone = fit.classes.len() == 1;
    for class in &fit.classes {
        let label = if alone { String::new() } else { format!(" of {}", class.name) };
        for quantity in class.quantities.iter().filter(|quantity| !quantity.candidates.is_empty()) {
            charts.extend([distribution(quantity, &label), quantiles(quantity, &label)]);
        }
    }
    charts
}

fn file(kind: &str, quantity: Quantity, label: &str) -> String {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let label: String = label.chars().map(word).collect();
    format!("{kind}-{}{label}.svg", quantity.as_str())
}

const fn title(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Tasks => "Tasks of a job",
        Quantity::Cpus => "CPUs",
        Quantity::Mem => "Memory in MiB",
        Quantity::Disk => "Disk in MiB",
        Quantity::Gpus => "GPUs",
        Quantity::Duration => "Run time",
    }
}

fn scale(quantity: Quantity, what: &str) -> Scale {
    let title = format!("{}{what}", title(quantity));
    match quantity {
        Quantity::Duration => Scale::LogDuration(title),
        Quantity::Tasks | Quantity::Cpus | Quantity::Mem | Quantity::Disk | Quantity::Gpus => {
            Scale::Log(title)
        }
    }
}

/// Probabilities at which distributions are looked at: even, and closer together at the ends.
fn probabilities() -> impl Iterator<Item = f64> {
    (1..POINTS).map(|n| {
        let even = n as f64 / POINTS as f64;
        (1.0 - (std::f64::consts::PI * even).cos()) / 2.0
    })
}

fn quantile(ascending: &[f64], probability: f64) -> f64 {
    ascending[((ascending.len() - 1) as f64 * probability).round() as usize]
}

fn distribution(fit: &QuantityFit, label: &str) -> Chart {
    let measured = probabilities().map(|p| (quantile(&fit.sample, p), p)).collect();
    let mut lines = vec![("measured".to_owned(), measured)];
    if let Some(best) = fit.candidates.first().filter(|best| best.family != fit.name) {
        let points = probabilities().map(|p| (best.marginal.quantile(p), fit.zeros + (1.0 - fit.zeros) * p));
        lines.push((format!("best family: {}", best.family), points.collect()));
    }
    lines.push((
        format!("written: {}", fit.name),
        probabilities().map(|p| (fit.chosen.quantile(p), p)).collect(),
    ));
    Chart {
        file: file("distribution", fit.quantity, label),
        title: format!("{}{label}: distribution function", title(fit.quantity)),
        x: scale(fit.quantity, ""),
        y: Scale::Linear("Share that is at most so large".to_owned()),
        lines,
        guides: Vec::new(),
    }
}

fn quantiles(fit: &QuantityFit, label: &str) -> Chart {
    let points: Vec<(f64, f64)> =
        probabilities().map(|p| (quantile(&fit.sample, p), fit.chosen.quantile(p))).collect();
    let (first, last) =
        (fit.sample.iter().copied().find(|x| *x > 0.0).unwrap_or(1.0), quantile(&fit.sample, 1.0));
    Chart {
        file: file("quantiles", fit.quantity, label),
        title: format!(
            "{}{label}: quantiles of the generator against those of the trace",
            title(fit.quantity)
        ),
        x: scale(fit.quantity, " in the trace"),
        y: scale(fit.quantity, " in the generator"),
        lines: vec![(fit.name.to_owned(), points)],
        guides: vec![vec![(first, first), (last, last)]],
    }
}

/// Jobs in each hour, and the fitted rate; of a long trace, in as many hours together as make four hundred steps.
fn rate(fit: &ArrivalFit) -> Chart {
    let together = fit.hourly.len().div_ceil(POINTS).max(1);
    let middle = |step: usize| (step as f64 + 0.5) * together as f64 * 3600.0;
    let measured = fit.hourly.chunks_exact(together).enumerate();
    let measured = measured.map(|(step, hours)| (middle(step), hours.iter().sum::<f64>() / together as f64));
    let weight = |at: f64, (period, weights): &(f64, Vec<f64>)| {
        let place = at % period / period * weights.len() as f64;
        weights[(place as usize).min(weights.len() - 1)]
    };
    let fitted = |step: usize| {
        let hours = (0..together).map(|hour| (step * together + hour) as f64 * 3600.0 + 1800.0);
        let rates = hours.map(|at| fit.cycles.iter().map(|cycle| weight(at, cycle)).product::<f64>());
        (middle(step), rates.sum::<f64>() / together as f64 * 3600.0 / fit.interarrival)
    };
    let measured: Vec<(f64, f64)> = measured.collect();
    let fitted = (0..measured.len()).map(fitted).collect();
    Chart {
        file: "arrivals.svg".to_owned(),
        title: "Arrivals per hour".to_owned(),
        x: Scale::Since("Time since the first job".to_owned()),
        y: Scale::Linear("Jobs per hour".to_owned()),
        lines: vec![("measured".to_owned(), measured), ("fitted rate".to_owned(), fitted)],
        guides: Vec::new(),
    }
}

fn correlation(fit: &ArrivalFit) -> Chart {
    let points = |series: &[f64]| (1..).map(f64::from).zip(series.iter().copied()).collect::<Vec<_>>();
    let limit = significant(fit.jobs);
    let end = fit.gap_correlation.len() as f64;
    Chart {
        file: "autocorrelation.svg".to_owned(),
        title: "Autocorrelation of the times between arrivals (dashed: significant at 5 %)".to_owned(),
        x: Scale::Linear("Lag, in arrivals".to_owned()),
        y: Scale::Linear("Autocorrelation".to_owned()),
        lines: vec![
            ("as measured".to_owned(), points(&fit.gap_correlation)),
            ("with the cycles taken out".to_owned(), points(&fit.stretched_correlation)),
        ],
        guides: vec![vec![(1.0, limit), (end, limit)], vec![(1.0, -limit), (end, -limit)]],
    }
}
