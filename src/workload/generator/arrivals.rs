//! When jobs arrive: a renewal process or one with bursts, in operational time, under a [`Rate`].

use mesos::time::{Span, Time};
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;

use super::{LATEST, cycle::Rate, marginal::Marginal};
use crate::engine::random::{Seed, Stream, below, unit};

/// When jobs arrive.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrivals {
    /// Mean time between two arrivals.
    pub interarrival: Span,
    /// How arrivals follow each other.
    pub process: Process,
    /// How the rate rises and falls.
    pub rate: Rate,
}

/// How arrivals follow each other while the rate is constant.
#[derive(Clone, PartialEq, Debug)]
pub enum Process {
    /// Times between arrivals are independent; their mean is 1. Exponential ones make a Poisson process.
    Renewal(Marginal),
    /// A Poisson process whose rate jumps between states (a Markov-modulated Poisson process; Fischer and Meier-Hellstern,
    /// Performance Evaluation 18, 1993).
    Bursty(Vec<BurstState>),
}

/// A state of a bursty process. What comes after it is each of the others with equal probability.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BurstState {
    /// The rate in it; only how the rates of all states compare matters.
    pub rate: f64,
    /// Mean time in it, exponentially distributed, in operational time.
    pub lasts: Span,
}

/// The arrivals one after the other. What is drawn for each is addressed by its number.
#[derive(Clone, Debug)]
pub struct Clock {
    spec: Arrivals,
    seed: Seed,
    now: Time,
    burst: Burst,
}

/// In which state a bursty process is, and for how many seconds yet.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Burst {
    state: usize,
    left: f64,
}

impl Clock {
    /// The first arrival comes one interarrival time after the beginning.
    #[must_use]
    pub fn new(spec: Arrivals, seed: Seed) -> Self {
        let burst = match &spec.process {
            Process::Renewal(_) => Burst::default(),
            Process::Bursty(states) => Burst::stationary(states, &mut seed.of(Stream::Burst, 0)),
        };
        Self { spec, seed, now: Time::ZERO, burst }
    }

    /// When the job of this number arrives; to be asked for all, in order. `None`: after more than a hundred years.
    pub fn next(&mut self, job: u64) -> Option<Time> {
        let mut rng = self.seed.of(Stream::Arrival, job);
        let mean = self.spec.interarrival.as_secs_f64();
        let gap = match &self.spec.process {
            Process::Renewal(law) => mean * law.draw(&mut rng),
            Process::Bursty(states) => self.burst.gap(states, mean, &mut rng),
        };
        self.now = self.spec.rate.after(self.now, gap, LATEST)?;
        Some(self.now)
    }
}

impl Burst {
    /// A state as it is met at any time: the longer it lasts, the likelier.
    fn stationary(states: &[BurstState], rng: &mut Pcg64Mcg) -> Self {
        let total: f64 = states.iter().map(|state| state.lasts.as_secs_f64()).sum();
        let mut left = unit(rng) * total;
        let state = states.iter().position(|state| {
            left -= state.lasts.as_secs_f64();
            left < 0.0
        });
        let state = state.unwrap_or(states.len() - 1);
        Self { state, left: exponential(states[state].lasts.as_secs_f64(), rng) }
    }

    /// Seconds to the next arrival.
    fn gap(&mut self, states: &[BurstState], mean: f64, rng: &mut Pcg64Mcg) -> f64 {
        let unit_rate = 1.0 / (mean * mean_rate(states));
        let mut gap = 0.0;
        loop {
            let rate = states[self.state].rate * unit_rate;
            let wait = if rate > 0.0 { exponential(1.0 / rate, rng) } else { f64::INFINITY };
            if wait < self.left {
                self.left -= wait;
                return gap + wait;
            }
            gap += self.left;
            let other = below(rng, states.len() as u64 - 1) as usize;
            self.state = if other < self.state { other } else { other + 1 };
            self.left = exponential(states[self.state].lasts.as_secs_f64(), rng);
        }
    }
}

/// The mean of the states' rates over time. Each is entered equally often, so the shares of time are as the means.
fn mean_rate(states: &[BurstState]) -> f64 {
    let total: f64 = states.iter().map(|state| state.lasts.as_secs_f64()).sum();
    states.iter().map(|state| state.rate * state.lasts.as_secs_f64()).sum::<f64>() / total
}

fn exponential(mean: f64, rng: &mut Pcg64Mcg) -> f64 {
    let unit: f64 = Exp1.sample(rng);
    mean * unit
}

#[cfg(test)]
mod tests {
    use super::{super::cycle::Cycle, *};

    fn times(process: Process, cycles: Vec<Cycle>, count: u64) -> Vec<f64> {
        let spec = Arrivals { interarrival: Span::from_secs(10), process, rate: Rate::new(cycles) };
        let mut clock = Clock::new(spec, Seed(7));
        (0..count).map(|job| clock.next(job).expect("within a hundred years").as_secs_f64()).collect()
    }

    fn bursty() -> Process {
        let state = |rate, seconds| BurstState { rate, lasts: Span::from_secs(seconds) };
        Process::Bursty(vec![state(20.0, 60), state(1.0, 600), state(0.0, 300)])
    }

    /// Half a per cent for 100,000 gaps with a coefficient of variation of 1 is a standard error and a half.
    #[test]
    fn the_mean_gap_is_the_one_asked_for_whatever_the_process() {
        let poisson = Process::Renewal(Marginal::Exponential { mean: 1.0 });
        let weibull = Process::Renewal(Marginal::weibull(1.0, 0.6));
        let day = Cycle::sinusoid(Span::from_secs(86_400), 0.9, Span::ZERO);
        for (process, cycles, tolerance) in [
            (poisson.clone(), Vec::new(), 0.01),
            (weibull, Vec::new(), 0.02),
            (bursty(), Vec::new(), 0.05),
            (poisson, vec![day], 0.015),
        ] {
            let last = times(process.clone(), cycles, 100_000).pop().expect("arrivals");
            let mean = last / 100_000.0;
            assert!((mean / 10.0 - 1.0).abs() < tolerance, "{process:?}: the mean gap is {mean} s, not 10 s");
        }
    }

    /// Counts per ten minutes of a Poisson process have the variance of their mean; bursts have far more.
    #[test]
    fn bursts_make_counts_vary_more_than_a_poisson_process_does() {
        let dispersion = |process| {
            let mut counts = vec![0.0; 1000];
            for time in times(process, Vec::new(), 100_000) {
                if let Some(count) = counts.get_mut((time / 600.0) as usize) {
                    *count += 1.0;
                }
            }
            let mean = counts.iter().sum::<f64>() / 1000.0;
            counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 999.0 / mean
        };
        let poisson = dispersion(Process::Renewal(Marginal::Exponential { mean: 1.0 }));
        assert!((0.8..1.2).contains(&poisson), "{poisson}");
        let bursty = dispersion(bursty());
        assert!(bursty > 10.0, "{bursty}");
    }
}
