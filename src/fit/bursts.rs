//! A Markov-modulated Poisson process of two states, by the likelihood of all times between arrivals in their order
//! (Meier-Hellstern, European J. Operational Research 29, 1987; Ryden, Computational Statistics and Data Analysis 21, 1996).

use super::simplex::minimise;

/// The likelihood is computed over so many arrivals at most.
pub(super) const MOST_GAPS: usize = 10_000;

/// Two states, with rates of arrivals and of leaving them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TwoStates {
    /// Arrivals per mean time between arrivals, in each state.
    pub rates: [f64; 2],
    /// How often each state is left in the mean time between arrivals.
    pub leaving: [f64; 2],
}

/// What a process expects next: the probability of each state.
#[derive(Clone, Copy)]
struct Belief([f64; 2]);

impl TwoStates {
    fn of(logs: &[f64; 4]) -> Self {
        let [a, b, c, d] = logs.map(f64::exp);
        Self { rates: [a, b], leaving: [c, d] }
    }

    /// The states of which arrivals see: those of all time, weighted with their rates.
    fn at_arrivals(&self) -> Belief {
        let [a, b] = [self.leaving[1] * self.rates[0], self.leaving[0] * self.rates[1]];
        Belief([a / (a + b), b / (a + b)])
    }

    /// The probability of each state together with no arrival for so long; the logarithm of a common factor apart.
    fn survive(&self, belief: Belief, gap: f64) -> ([f64; 2], f64) {
        let [s, t] = self.leaving;
        let [p, q] = [-(s + self.rates[0]), -(t + self.rates[1])];
        let (middle, half) = (f64::midpoint(p, q), ((p - q).powi(2) / 4.0 + s * t).sqrt());
        let fade = (-2.0 * half * gap).exp();
        let cosine = f64::midpoint(1.0, fade);
        let sine = if half > 1e-12 { (1.0 - fade) / (2.0 * half) } else { gap };
        let Belief([u, v]) = belief;
        let moved = [u * (p - middle) + v * t, u * s + v * (q - middle)];
        ([u * cosine + moved[0] * sine, v * cosine + moved[1] * sine], (middle + half) * gap)
    }

    /// The logarithm of the likelihood of these times between arrivals, and, for each, the probability of a shorter one given
    /// all before it.
    fn follow(&self, gaps: &[f64], mut each: impl FnMut(f64)) -> f64 {
        let (mut belief, mut sum) = (self.at_arrivals(), 0.0);
        for &gap in gaps {
            let (alive, factor) = self.survive(belief, gap);
            each(1.0 - (alive[0] + alive[1]) * factor.exp());
            let next = [alive[0] * self.rates[0], alive[1] * self.rates[1]];
            let density = next[0] + next[1];
            if !(density > 0.0 && density.is_finite()) {
                return f64::NEG_INFINITY;
            }
            sum += density.ln() + factor;
            belief = Belief([next[0] / density, next[1] / density]);
        }
        sum
    }

    /// The logarithm of the likelihood of these times between arrivals.
    #[must_use]
    pub fn ln_likelihood(&self, gaps: &[f64]) -> f64 {
        self.follow(gaps, |_| {})
    }

    /// For each time between arrivals, the probability of a shorter one given all before it: uniform and independent if the
    /// process is as fitted.
    #[must_use]
    pub fn residuals(&self, gaps: &[f64]) -> Vec<f64> {
        let mut residuals = Vec::with_capacity(gaps.len());
        self.follow(gaps, |probability| residuals.push(probability.clamp(0.0, 1.0)));
        residuals
    }
}

/// The likeliest process for times between arrivals with the mean 1; `None` if it is as good as a Poisson process.
#[must_use]
pub fn fit(gaps: &[f64]) -> Option<TwoStates> {
    let gaps = &gaps[..gaps.len().min(MOST_GAPS)];
    let cost = |logs: &[f64; 4]| {
        if logs.iter().any(|log| log.abs() > 14.0) {
            return f64::INFINITY;
        }
        -TwoStates::of(logs).ln_likelihood(gaps)
    };
    let starts = [[3.0, 0.5, 0.05, 0.02], [10.0, 0.5, 0.5, 0.05], [2.0, 0.3, 0.002, 0.002]];
    let found = starts.map(|start: [f64; 4]| minimise(start.map(f64::ln), 0.5, 250, cost));
    let (logs, best) = found.into_iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let states = TwoStates::of(&logs);
    let apart = (states.rates[0] / states.rates[1]).ln().abs() > 0.05;
    (best.is_finite() && apart).then_some(states)
}
