//! How jobs arrive: the cycles of day and week, and what is left when time is stretched so that they disappear.

use mesos::time::{Span, Time};

use super::{
    bursts::{self, TwoStates},
    family::{Candidate, FAMILIES},
    goodness::{Distances, Probabilities, bootstrap, distances},
    serial::{autocorrelation, counts, dispersion, significant, squared_variation},
};
use crate::{
    engine::random::{Seed, Stream, unit},
    workload::generator::{
        cycle::{Cycle, Rate},
        marginal::Marginal,
    },
};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// What was found out about the arrivals of a trace. Times are seconds.
#[derive(Clone, PartialEq, Debug)]
pub struct ArrivalFit {
    /// How many jobs.
    pub jobs: usize,
    /// From the first to the last.
    pub span: f64,
    /// Times are multiples of this.
    pub resolution: f64,
    /// The squared coefficient of variation of times between arrivals.
    pub variation: f64,
    /// The autocorrelation of times between arrivals at lags 1, 2, ...
    pub gap_correlation: Vec<f64>,
    /// Windows and the index of dispersion of counts in them.
    pub dispersion: Vec<(f64, f64)>,
    /// The counts of jobs in each hour.
    pub hourly: Vec<f64>,
    /// Cycles: period and weights.
    pub cycles: Vec<(f64, Vec<f64>)>,
    /// The processes that were tried on stretched time, the best first.
    pub processes: Vec<ProcessFit>,
    /// The mean time between arrivals.
    pub interarrival: f64,
    /// Times between arrivals in stretched time, with mean 1.
    pub stretched: Vec<f64>,
    /// Their autocorrelation at lags 1, 2, ...
    pub stretched_correlation: Vec<f64>,
}

/// A process that was tried.
#[derive(Clone, PartialEq, Debug)]
pub struct ProcessFit {
    /// Its name in experiment files.
    pub name: &'static str,
    /// What it is.
    pub process: Fitted,
    /// The logarithm of the likelihood of the times between arrivals that were looked at.
    pub ln_likelihood: f64,
    /// Akaike's criterion.
    pub aic: f64,
    /// Schwarz' criterion.
    pub bic: f64,
    /// How far it is from what was seen.
    pub distances: Distances,
    /// How likely that is. Not told of bursty processes.
    pub probabilities: Option<Probabilities>,
}

/// What a process is.
#[derive(Clone, PartialEq, Debug)]
pub enum Fitted {
    /// Independent times between arrivals.
    Renewal(Marginal),
    /// A rate that jumps.
    Bursty(TwoStates),
}

/// How the rate is to be described.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Shape {
    /// By a day and a week, if they are there.
    Cycles,
    /// By steps of so many seconds, as in the trace.
    Steps(f64),
}

const LAGS: usize = 20;
const WINDOWS: [f64; 5] = [60.0, 600.0, HOUR, 6.0 * HOUR, DAY];

/// Fits arrivals at these times (ascending, in seconds since the trace's beginning). `None`: there are too few.
#[must_use]
pub fn fit(times: &[f64], shape: Shape, seed: Seed) -> Option<ArrivalFit> {
    let (first, last) = (*times.first()?, *times.last()?);
    let span = last - first;
    if times.len() < 20 || span <= 0.0 {
        return None;
    }
    let times: Vec<f64> = times.iter().map(|time| time - first).collect();
    let resolution = resolution(&times);
    let spread = spread(&times, resolution, seed);
    let cycles = match shape {
        Shape::Cycles => cycles(&times, span),
        Shape::Steps(step) => steps(&times, span, step).into_iter().collect(),
    };
    let gaps = gaps(&spread);
    let interarrival = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let stretched = stretch(&spread, &cycles);
    let correlations = |series: &[f64]| (1..=LAGS).map(|lag| autocorrelation(series, lag)).collect();
    Some(ArrivalFit {
        jobs: times.len(),
        span,
        resolution,
        variation: squared_variation(&gaps),
        gap_correlation: correlations(&gaps),
        dispersion: WINDOWS
            .iter()
            .filter(|window| span / **window >= 10.0)
            .filter_map(|&window| Some((window, dispersion(&counts(&times, window, span))?)))
            .collect(),
        hourly: counts(&times, HOUR, span),
        cycles,
        processes: processes(&stretched, seed),
        interarrival,
        stretched_correlation: correlations(&stretched),
        stretched,
    })
}

/// The largest number of microseconds of which all times are multiples, in seconds.
fn resolution(times: &[f64]) -> f64 {
    let micros = times.iter().map(|time| (time * 1e6).round() as u64);
    let gcd = micros.fold(0, |a, b| {
        let (mut a, mut b) = (a, b);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    });
    gcd.max(1) as f64 / 1e6
}

/// Times as they may have been before they were rounded down: spread over the resolution, ascending.
fn spread(times: &[f64], resolution: f64, seed: Seed) -> Vec<f64> {
    let seed = seed.child(Stream::Goodness, 1);
    let jitter = |job: usize| unit(&mut seed.of(Stream::Arrival, job as u64)) * resolution;
    let mut spread: Vec<f64> = times.iter().enumerate().map(|(job, time)| time + jitter(job)).collect();
    spread.sort_by(f64::total_cmp);
    spread
}

fn gaps(times: &[f64]) -> Vec<f64> {
    times.windows(2).map(|two| (two[1] - two[0]).max(1e-9)).collect()
}

/// A day is there if an hour's count is like that a day before, and more than like that of half a day before; likewise a week
/// of days.
fn cycles(times: &[f64], span: f64) -> Vec<(f64, Vec<f64>)> {
    let mut cycles = Vec::new();
    let hourly = counts(times, HOUR, span);
    let day = autocorrelation(&hourly, 24);
    if span >= 3.0 * DAY && day > significant(hourly.len()) && day > autocorrelation(&hourly, 12) {
        cycles.push((DAY, weights(times, span, DAY, 24)));
    }
    let daily = counts(times, DAY, span);
    let week = autocorrelation(&daily, 7);
    if span >= 21.0 * DAY && week > significant(daily.len()) && week > autocorrelation(&daily, 3) {
        cycles.push((7.0 * DAY, weights(times, span, 7.0 * DAY, 7)));
    }
    cycles
}

/// The rate of a trace in steps of about so many seconds, as one cycle that takes as long as the trace.
fn steps(times: &[f64], span: f64, step: f64) -> Option<(f64, Vec<f64>)> {
    let steps = ((span / step).ceil() as usize).max(1);
    let period = steps as f64 * step;
    (period >= 60.0).then(|| (period, weights(times, span, period, steps)))
}

/// Arrivals in each step of a period, by how long the trace was in it; their mean is 1.
fn weights(times: &[f64], span: f64, period: f64, steps: usize) -> Vec<f64> {
    let step = period / steps as f64;
    let (mut arrivals, mut exposure) = (vec![0.0; steps], vec![0.0; steps]);
    for time in times {
        arrivals[((time % period / step) as usize).min(steps - 1)] += 1.0;
    }
    for place in 0..(span / step).ceil() as usize {
        exposure[place % steps] += (span - place as f64 * step).min(step);
    }
    let rates: Vec<f64> =
        arrivals.iter().zip(&exposure).map(|(n, time)| if *time > 0.0 { n / time } else { 0.0 }).collect();
    let mean = rates.iter().sum::<f64>() / steps as f64;
    rates.iter().map(|rate| (rate / mean * 1e4).round() / 1e4).collect()
}

/// Times between arrivals when time runs with the rate, made to have the mean 1.
fn stretch(times: &[f64], cycles: &[(f64, Vec<f64>)]) -> Vec<f64> {
    let at = |seconds: f64| Time((seconds * 1e9).round() as u64);
    let cycles = cycles.iter().map(|(period, weights)| Cycle::steps(Span(at(*period).0), weights));
    let rate = Rate::new(cycles.collect());
    let gaps: Vec<f64> =
        times.windows(2).map(|two| rate.integral(at(two[0]), at(two[1])).max(1e-9)).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    gaps.iter().map(|gap| gap / mean).collect()
}

/// All processes on the same times, the best by Schwarz' criterion first.
fn processes(stretched: &[f64], seed: Seed) -> Vec<ProcessFit> {
    let gaps = &stretched[..stretched.len().min(bursts::MOST_GAPS)];
    let mut ascending = gaps.to_vec();
    ascending.sort_by(f64::total_cmp);
    let renewal = FAMILIES.iter().filter(|family| name_of(family.name).is_some());
    let renewal = renewal.filter_map(|family| {
        let Candidate { marginal, ln_likelihood, aic, bic, .. } = family.candidate(gaps)?;
        Some(ProcessFit {
            name: name_of(family.name)?,
            distances: distances(&ascending, |x| marginal.cdf(x)),
            probabilities: bootstrap(gaps, seed, family.fit),
            process: Fitted::Renewal(marginal),
            ln_likelihood,
            aic,
            bic,
        })
    });
    let mut found: Vec<ProcessFit> = renewal.chain(bursty(gaps)).collect();
    found.sort_by(|a, b| a.bic.total_cmp(&b.bic));
    found
}

fn bursty(gaps: &[f64]) -> Option<ProcessFit> {
    let states = bursts::fit(gaps)?;
    let ln_likelihood = states.ln_likelihood(gaps);
    let mut residuals = states.residuals(gaps);
    residuals.sort_by(f64::total_cmp);
    Some(ProcessFit {
        name: "bursty",
        process: Fitted::Bursty(states),
        ln_likelihood,
        aic: 2.0 * (4.0 - ln_likelihood),
        bic: 4.0 * (gaps.len() as f64).ln() - 2.0 * ln_likelihood,
        distances: distances(&residuals, |x| x),
        probabilities: None,
    })
}

/// The process whose times between arrivals are of a family.
fn name_of(family: &str) -> Option<&'static str> {
    [("exponential", "poisson"), ("weibull", "weibull"), ("gamma", "gamma"), ("lognormal", "lognormal")]
        .into_iter()
        .find_map(|(of, name)| (of == family).then_some(name))
}
