//! Random numbers that are addressed, not consumed: a generator is made from what it is for.
//!
//! Two runs that differ in one policy draw the same runtime for the same task, whatever happened before, so that their
//! results can be compared in pairs. Everything here is spelled out and pinned by tests: a library that changes how it
//! seeds or shuffles must not change our results.
//!
//! Leaves out: distributions.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// What a random stream is for. The numbers are part of every result: never change or reuse one, append.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Stream {
    /// When jobs arrive.
    Arrival = 1,
    /// How long a task runs.
    Runtime = 2,
    /// How much a task asks for.
    Demand = 3,
    /// When an agent registers within its registration backoff.
    AgentRegistration = 4,
    /// How long a message travels.
    NetworkDelay = 5,
    /// In which order the allocator visits agents or frameworks.
    VisitOrder = 6,
    /// Choices of a placement policy that draws.
    Placement = 7,
    /// Which agent is of which shape.
    ClusterShape = 8,
    /// Which tasks fail, and when.
    TaskFailure = 9,
    /// Which agents fail, and when.
    AgentFailure = 10,
    /// Which messages are lost.
    MessageLoss = 11,
    /// The order or choice of trace rows.
    TraceSampling = 12,
    /// How long a scheduler thinks.
    ThinkTime = 13,
    /// Which workers a sampling scheduler probes.
    Probe = 14,
    /// Resampling in statistics.
    Bootstrap = 15,
    /// Benchmarks and tests.
    Bench = 16,
    /// Which framework a synthetic job belongs to.
    FrameworkChoice = 17,
    /// When and for how long something is wrong, of each entity that can go wrong.
    FaultWindow = 18,
    /// Correlated outages.
    Outage = 19,
    /// Restarts of agent processes.
    AgentRestart = 20,
    /// Partitions of the network.
    Partition = 21,
    /// When the network is slow.
    SlowNetwork = 22,
    /// Failures of the master.
    MasterFailure = 23,
    /// Failures of frameworks.
    FrameworkFailure = 24,
    /// When the network loses messages.
    LossyNetwork = 25,
    /// Which tasks and machines are slow.
    Straggler = 26,
    /// How long a framework waits before it opens a stream again.
    FrameworkConnection = 27,
    /// What a random test draws.
    Fuzz = 28,
    /// Which profile the tasks of a job have.
    Profile = 29,
    /// What an application draws for its own jobs.
    Application = 30,
    /// Which machines have the blocks of a file.
    BlockPlacement = 31,
    /// Which class a generated job is of.
    Class = 40,
    /// How many tasks a generated job has, and what they ask for.
    Quantity = 41,
    /// How long a generated task runs that has a run time of its own.
    TaskDuration = 42,
    /// What quantities of a generated job have in common.
    Copula = 43,
    /// Which row of a table a generated job repeats.
    RowChoice = 44,
    /// Whose a generated job is.
    User = 45,
    /// In which state a bursty process begins.
    Burst = 46,
    /// Samples that goodness of fit is measured on, and those that it is compared with.
    Goodness = 47,
}

/// The one number from which all randomness of a run follows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seed(pub u64);

impl Seed {
    /// The generator for `stream` of `entity` (a task, an agent, ...). Depends on seed, purpose and entity, and on
    /// nothing that happened before.
    #[must_use]
    pub fn of(self, stream: Stream, entity: u64) -> Pcg64Mcg {
        let address = mix(mix(mix(self.0) ^ stream as u64) ^ entity);
        let (high, low) = (mix(address), mix(address ^ HALF));
        Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low))
    }

    /// A seed for all that is to be drawn for `stream` of `entity`, when one number is not enough to say for what.
    #[must_use]
    pub fn child(self, stream: Stream, entity: u64) -> Self {
        Self(self.of(stream, entity).next_u64())
    }
}

/// Tells the two halves of a generator's state apart (the first 64 bits of the fraction of pi).
const HALF: u64 = 0x243F_6A88_85A3_08D3;

/// One step of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a one-to-one map in which each bit of the input flips
/// each bit of the output with probability one half.
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A number from 0 to 1, 1 excluded, in steps of 2^-53.
#[inline]
pub fn unit(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A whole number below `bound`, each equally likely (Lemire, "Fast random integer generation in an interval", 2019).
///
/// Panics if `bound` is 0.
#[inline]
pub fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    assert!(bound > 0, "there is no whole number below 0 to draw");
    let mut product = u128::from(rng.next_u64()) * u128::from(bound);
    if (product as u64) < bound {
        let unfair = bound.wrapping_neg() % bound;
        while (product as u64) < unfair {
            product = u128::from(rng.next_u64()) * u128::from(bound);
        }
    }
    (product >> 64) as u64
}

/// Brings `items` into a random order, each equally likely (Fisher and Yates, from the end).
pub fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_three(seed: u64, stream: Stream, entity: u64) -> [u64; 3] {
        let mut rng = Seed(seed).of(stream, entity);
        std::array::from_fn(|_| rng.next_u64())
    }

    /// The expected values come from a second program, in another language.
    #[test]
    fn the_values_of_a_stream_never_change() {
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF, "the first value of SplitMix64 from 0");
        assert_eq!(
            first_three(0, Stream::Arrival, 0),
            [0x2C59_9ED4_E040_C73C, 0x81F1_8A28_D246_7FCB, 0x7530_27E2_13BD_24DC]
        );
        assert_eq!(
            first_three(42, Stream::Runtime, 7),
            [0xB01B_5B50_3B53_5267, 0x2A7E_866B_D240_DE2D, 0x5A50_F0F4_EBA4_3773]
        );
        assert_eq!(
            first_three(u64::MAX, Stream::Bench, u64::MAX),
            [0x903C_41EB_76B9_EFB5, 0x81FB_DA9F_6687_4918, 0xA62C_F003_F9E5_FACE]
        );
    }

    #[test]
    fn a_shuffle_never_changes() {
        let mut items: Vec<u32> = (0..10).collect();
        shuffle(&mut Seed(42).of(Stream::VisitOrder, 0), &mut items);
        assert_eq!(items, [5, 8, 7, 2, 9, 3, 4, 6, 1, 0]);
    }

    #[test]
    fn seed_purpose_and_entity_each_make_another_stream() {
        let here = first_three(1, Stream::Runtime, 2);
        assert_eq!(here, first_three(1, Stream::Runtime, 2));
        assert_ne!(here, first_three(2, Stream::Runtime, 2));
        assert_ne!(here, first_three(1, Stream::Demand, 2));
        assert_ne!(here, first_three(1, Stream::Runtime, 3));
        assert_ne!(first_three(1, Stream::Demand, 2), first_three(2, Stream::Arrival, 3));
    }

    /// The correlation between the n-th draws of neighbours, for the first four draws: each must lie within five
    /// standard errors, 1 / sqrt(N), of zero. The variance of a draw is 1 / 12.
    #[test]
    fn streams_of_neighbouring_entities_are_uncorrelated() {
        const N: usize = 100_000;
        let draw = |entity: usize, lag: usize| {
            let mut rng = Seed(3).of(Stream::Runtime, entity as u64);
            (0..lag).for_each(|_| _ = rng.next_u64());
            unit(&mut rng) - 0.5
        };
        for lag in 0..4 {
            let sum: f64 = (0..N).map(|entity| draw(entity, lag) * draw(entity + 1, lag)).sum();
            let correlation = 12.0 * sum / N as f64;
            assert!(correlation.abs() < 5.0 / (N as f64).sqrt(), "correlation {correlation} at draw {lag}");
        }
    }

    /// Chi-square against equal counts; `limit` is the 99.9 % point for `counts.len() - 1` degrees of freedom.
    fn assert_even(counts: &[u32], limit: f64) {
        let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        let chi: f64 = counts.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        assert!(chi < limit, "chi-square {chi} is above {limit} for {counts:?}");
    }

    #[test]
    fn first_draws_of_many_entities_are_spread_evenly() {
        let mut counts = [0u32; 100];
        for entity in 0..100_000 {
            counts[(unit(&mut Seed(4).of(Stream::Arrival, entity)) * 100.0) as usize] += 1;
        }
        assert_even(&counts, 148.2);
    }

    #[test]
    fn draws_below_a_bound_are_equally_likely() {
        let mut rng = Seed(5).of(Stream::Bench, 0);
        let mut counts = [0u32; 6];
        (0..60_000).for_each(|_| counts[below(&mut rng, 6) as usize] += 1);
        assert_even(&counts, 20.5);
    }

    #[test]
    fn all_orders_of_a_shuffle_are_equally_likely() {
        let mut rng = Seed(6).of(Stream::Bench, 0);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            let mut items = [0, 1, 2];
            shuffle(&mut rng, &mut items);
            counts[items[0] * 2 + usize::from(items[1] > items[2])] += 1;
        }
        assert_even(&counts, 20.5);
    }
}
