//! What was fitted, as the `[workload.generator]` of an experiment file.

use mesos::time::Span;
use serde::Serialize;

use super::{
    ClassFit, Fit, QuantityFit,
    arrivals::{ArrivalFit, Fitted},
};
use crate::{
    experiment::config::{
        Duration, Size,
        generator::{
            Arrivals, BurstState, Correlation, Cycle, Drawn, DurationOf, Family, Generator, JobClass, Part,
            Process, Quantity, QuantityName, Unit, Users,
        },
    },
    workload::generator::{
        class::Quantity as Name,
        marginal::{Marginal, Weighted},
    },
};

/// Where the block stands in an experiment.
#[derive(Serialize)]
struct File {
    workload: Workload,
}

#[derive(Serialize)]
struct Workload {
    generator: Generator,
}

/// The generator; `jobs` is how many jobs the trace has. Without arrivals, one comes each minute.
#[must_use]
pub fn generator(fit: &Fit) -> Generator {
    let arrivals = fit.arrivals.as_ref().map_or_else(one_a_minute, arrivals);
    let class = fit.classes.iter().map(|class| job_class(class, fit.jobs)).collect();
    Generator { jobs: Some(fit.jobs.max(1) as u64), until: None, arrivals, class }
}

/// The generator as TOML that an experiment file can take.
///
/// # Errors
/// It cannot be written as TOML: a fault of mesosim and not of the trace.
pub fn text(generator: Generator) -> Result<String, String> {
    let file = File { workload: Workload { generator } };
    toml::to_string(&file).map_err(|error| error.to_string())
}

fn one_a_minute() -> Arrivals {
    Arrivals {
        interarrival: Duration(Span::from_secs(60)),
        process: Process::Poisson,
        shape: None,
        sigma: None,
        states: Vec::new(),
        cycle: Vec::new(),
    }
}

fn arrivals(fit: &ArrivalFit) -> Arrivals {
    let interarrival = Duration::of(fit.interarrival.clamp(1e-6, Duration::MOST));
    let plain = Arrivals { interarrival, cycle: fit.cycles.iter().map(cycle).collect(), ..one_a_minute() };
    let best = fit.processes.first();
    match best.map(|best| &best.process) {
        Some(Fitted::Renewal(Marginal::Weibull { shape, .. })) => {
            Arrivals { process: Process::Weibull, shape: Some(three_digits(*shape)), ..plain }
        }
        Some(Fitted::Renewal(Marginal::Gamma { shape, .. })) => {
            Arrivals { process: Process::Gamma, shape: Some(three_digits(*shape)), ..plain }
        }
        Some(Fitted::Renewal(Marginal::LogNormal { sigma, .. })) => {
            Arrivals { process: Process::Lognormal, sigma: Some(three_digits(*sigma)), ..plain }
        }
        Some(Fitted::Bursty(states)) => {
            let state = |place: usize| BurstState {
                rate: three_digits(states.rates[place]),
                lasts: Duration::of((fit.interarrival / states.leaving[place]).clamp(1e-3, Duration::MOST)),
            };
            Arrivals { process: Process::Bursty, states: vec![state(0), state(1)], ..plain }
        }
        Some(Fitted::Renewal(_)) | None => plain,
    }
}

fn cycle((period, weights): &(f64, Vec<f64>)) -> Cycle {
    Cycle {
        period: Duration::of(*period),
        weights: weights.clone(),
        path: None,
        column: None,
        amplitude: None,
        peak: None,
    }
}

fn job_class(fit: &ClassFit, jobs: usize) -> JobClass {
    let marginal = |name: Name| fit.quantities.iter().find(|fit| fit.quantity == name).map(bounded);
    let correlation =
        fit.correlations.iter().map(|pair| Correlation { between: pair.between.map(name), r: pair.normals });
    JobClass {
        name: fit.name.clone(),
        share: three_digits(fit.jobs as f64 / jobs.max(1) as f64),
        tasks: marginal(Name::Tasks).map_or(Quantity::Constant(1.0), |m| quantity(&m, 1.0)),
        duration: marginal(Name::Duration)
            .map_or(Quantity::Constant(Duration(Span::from_secs(60))), |m| quantity(&m, 0.0)),
        duration_of: if fit.own_durations { DurationOf::Task } else { DurationOf::Job },
        cpus: marginal(Name::Cpus).map_or(Quantity::Constant(1.0), |m| quantity(&m, 0.001)),
        mem: marginal(Name::Mem).map_or(Quantity::Constant(Size(1 << 30)), |m| quantity(&m, 0.0)),
        disk: marginal(Name::Disk).map_or(Quantity::Constant(Size(0)), |m| quantity(&m, 0.0)),
        gpus: marginal(Name::Gpus).map_or(Quantity::Constant(0.0), |m| gpus(&m)),
        correlation: correlation.collect(),
        rows: None,
        priority: None,
        users: fit.users.map(|(count, zipf)| Users { count, zipf }),
    }
}

/// What was chosen, with nothing larger than the trace has: no machine may be large enough for it.
fn bounded(fit: &QuantityFit) -> Marginal {
    let chosen = fit.chosen.clone();
    match chosen {
        Marginal::Exponential { .. }
        | Marginal::LogNormal { .. }
        | Marginal::Weibull { .. }
        | Marginal::Gamma { .. }
        | Marginal::Mixture(_) => {
            let high = fit.sample.last().copied().unwrap_or(f64::INFINITY);
            Marginal::Clamped { of: Box::new(chosen), low: 0.0, high }
        }
        Marginal::Constant(_)
        | Marginal::Uniform { .. }
        | Marginal::Pareto { .. }
        | Marginal::Listed(_)
        | Marginal::Quantiles(_)
        | Marginal::Clamped { .. } => chosen,
    }
}

const fn name(name: Name) -> QuantityName {
    match name {
        Name::Tasks => QuantityName::Tasks,
        Name::Cpus => QuantityName::Cpus,
        Name::Mem => QuantityName::Mem,
        Name::Disk => QuantityName::Disk,
        Name::Gpus => QuantityName::Gpus,
        Name::Duration => QuantityName::Duration,
    }
}

/// Means over the tasks of a job may be numbers of GPUs that no task can have: above 1, whole ones are written.
fn gpus(marginal: &Marginal) -> Quantity<f64> {
    let Marginal::Listed(listed) = marginal else { return quantity(marginal, 0.0) };
    let possible = |gpus: f64| if gpus < 0.9995 { (gpus * 1000.0).round() / 1000.0 } else { gpus.round() };
    list(listed.shares().map(|(value, share)| (possible(value), share)), 0.0)
}

fn quantity<T: Unit>(marginal: &Marginal, least: f64) -> Quantity<T> {
    let drawn = match marginal {
        Marginal::Constant(value) => return Quantity::Constant(T::of(value.clamp(least, T::MOST))),
        Marginal::Listed(listed) => return list(listed.shares(), least),
        Marginal::Mixture(parts) => {
            Drawn { parts: parts.iter().map(part).collect(), ..blank(Family::Mixture) }
        }
        Marginal::Quantiles(values) => {
            let values = values.iter().map(|&value| T::of(value.clamp(least, T::MOST))).collect();
            Drawn { values, ..blank(Family::Empirical) }
        }
        Marginal::Clamped { of, low, high } => match quantity(of, least) {
            Quantity::Drawn(drawn) => Drawn {
                min: (*low > 0.0).then(|| T::of(*low)),
                max: Some(T::of(high.min(T::MOST))),
                ..*drawn
            },
            fixed @ (Quantity::Constant(_) | Quantity::List(_)) => return fixed,
        },
        Marginal::Uniform { .. }
        | Marginal::Exponential { .. }
        | Marginal::LogNormal { .. }
        | Marginal::Weibull { .. }
        | Marginal::Gamma { .. }
        | Marginal::Pareto { .. } => {
            let Part { distribution, mean, shape, sigma, min, max, .. } =
                part(&Weighted { share: 1.0, of: marginal.clone() });
            Drawn { mean, shape, sigma, min, max, ..blank(distribution) }
        }
    };
    Quantity::Drawn(Box::new(drawn))
}

/// A list of numbers with their shares; a constant if there is only one. Numbers that are written alike are one.
fn list<T: Unit>(shares: impl Iterator<Item = (f64, f64)>, least: f64) -> Quantity<T> {
    let mut values: Vec<T> = Vec::new();
    let mut weights: Vec<f64> = Vec::new();
    for (value, share) in shares {
        let value = T::of(value.clamp(least, T::MOST));
        match weights.last_mut() {
            Some(weight) if values.last() == Some(&value) => *weight += share,
            Some(_) | None => {
                values.push(value);
                weights.push(share);
            }
        }
    }
    if let [value] = values[..] {
        return Quantity::Constant(value);
    }
    let weights = weights.into_iter().map(|weight| (weight * 1e9).round() / 1e9).collect();
    Quantity::Drawn(Box::new(Drawn { values, weights, ..blank(Family::List) }))
}

fn blank<T>(distribution: Family) -> Drawn<T> {
    Drawn {
        distribution,
        mean: None,
        shape: None,
        sigma: None,
        min: None,
        max: None,
        values: Vec::new(),
        weights: Vec::new(),
        path: None,
        column: None,
        parts: Vec::new(),
    }
}

fn part<T: Unit>(Weighted { share, of }: &Weighted) -> Part<T> {
    let weight = (share * 1e6).round().max(1.0) / 1e6;
    let blank = Part {
        weight,
        distribution: Family::Constant,
        mean: None,
        shape: None,
        sigma: None,
        min: None,
        max: None,
    };
    let mean = |mean: f64| Some(T::of(mean.clamp(1e-6, T::MOST)));
    match of {
        Marginal::Exponential { mean: m } => {
            Part { distribution: Family::Exponential, mean: mean(*m), ..blank }
        }
        Marginal::LogNormal { mu, sigma } => Part {
            distribution: Family::Lognormal,
            mean: mean((mu + sigma * sigma / 2.0).exp()),
            sigma: Some(*sigma),
            ..blank
        },
        Marginal::Weibull { scale, shape } => Part {
            distribution: Family::Weibull,
            mean: mean(scale * statrs::function::gamma::gamma(1.0 + 1.0 / shape)),
            shape: Some(*shape),
            ..blank
        },
        Marginal::Gamma { scale, shape } => {
            Part { distribution: Family::Gamma, mean: mean(scale * shape), shape: Some(*shape), ..blank }
        }
        Marginal::Uniform { low, high } => {
            Part { distribution: Family::Uniform, min: Some(T::of(*low)), max: Some(T::of(*high)), ..blank }
        }
        Marginal::Pareto { low, high, shape } => Part {
            distribution: Family::Pareto,
            // A power law must begin above 0, also after rounding.
            min: Some(T::of(low.max(0.001))),
            max: Some(T::of(*high)),
            shape: Some(*shape),
            ..blank
        },
        Marginal::Constant(value) => Part { mean: Some(T::of(*value)), ..blank },
        Marginal::Mixture(_) | Marginal::Listed(_) | Marginal::Quantiles(_) | Marginal::Clamped { .. } => {
            Part { mean: Some(T::of(of.quantile(0.5))), ..blank }
        }
    }
}

fn three_digits(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}
