//! Which running tasks get a second copy: rules of Hadoop, LATE and Spark.
//!
//! What a rule sees of a task is what a scheduler hears: how long its attempt has run, and how much of it is done.

/// When a second copy of a task is started. The first to finish counts; the other is killed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Rule {
    /// Never.
    Never,
    /// Hadoop's first: progress is 0.2 below the mean of its kind, after a minute.
    Naive,
    /// Zaharia et al., "Improving MapReduce Performance in Heterogeneous Environments", OSDI 2008: of the quarter with the
    /// lowest rate of progress the one with the most time left, after a minute; backups in at most a tenth of the slots.
    Late,
    /// Hadoop 1 and 2: rate of progress more than one standard deviation below the mean; fewer backups than
    /// max(10, 1 % of the slots, 10 % of what runs).
    Deviation,
    /// Spark: when this share of a stage is done, tasks that run for longer than so many times the median.
    Spark {
        /// `spark.speculation.quantile`.
        quantile: f64,
        /// `spark.speculation.multiplier`.
        multiplier: f64,
    },
}

/// A running task without a second copy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Runner {
    /// How long it has run, in seconds.
    pub elapsed: f64,
    /// How much is done, 0 to 1.
    pub progress: f64,
}

/// What a rule knows of all tasks of one kind of a job.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Scene<'a> {
    /// Those that run and have no second copy.
    pub running: &'a [Runner],
    /// How many backups run now.
    pub backups: usize,
    /// How many slots the framework has in use.
    pub slots: usize,
    /// How many tasks of this kind the job has.
    pub tasks: usize,
    /// How long those took that are done, in seconds.
    pub took: &'a [f64],
}

/// Hadoop's least time that a task must have run, in seconds.
const HADOOP_LEAST: f64 = 60.0;
/// Spark's (`spark.speculation.minTaskRuntime`).
const SPARK_LEAST: f64 = 0.1;

impl Rule {
    /// The places of those that should get a second copy now, the most urgent first.
    #[must_use]
    pub fn choose(self, scene: &Scene<'_>) -> Vec<usize> {
        let (cap, mut chosen) = match self {
            Self::Never => return Vec::new(),
            Self::Naive => (usize::MAX, naive(scene)),
            Self::Late => ((scene.slots / 10).max(1), late(scene)),
            Self::Deviation => {
                (10.max(scene.slots / 100).max(scene.running.len() / 10), below_a_deviation(scene))
            }
            Self::Spark { quantile, multiplier } => {
                (usize::MAX, slower_than_median(scene, quantile, multiplier))
            }
        };
        let left = |&place: &usize| time_left(&scene.running[place]);
        chosen.sort_by(|a, b| left(b).total_cmp(&left(a)).then(a.cmp(b)));
        chosen.truncate(cap.saturating_sub(scene.backups));
        chosen
    }
}

/// Seconds that a task still needs at the rate at which it went so far.
fn time_left(runner: &Runner) -> f64 {
    let rate = runner.progress / runner.elapsed.max(1e-9);
    if rate > 0.0 { (1.0 - runner.progress) / rate } else { f64::INFINITY }
}

fn rates(scene: &Scene<'_>) -> Vec<f64> {
    scene.running.iter().map(|runner| runner.progress / runner.elapsed.max(1e-9)).collect()
}

fn old_enough(scene: &Scene<'_>, least: f64) -> impl Iterator<Item = usize> {
    (0..scene.running.len()).filter(move |&place| scene.running[place].elapsed >= least)
}

fn naive(scene: &Scene<'_>) -> Vec<usize> {
    let done = scene.took.len() as f64;
    let sum: f64 = scene.running.iter().map(|runner| runner.progress).sum::<f64>() + done;
    let mean = sum / (scene.running.len() as f64 + done).max(1.0);
    old_enough(scene, HADOOP_LEAST).filter(|&place| scene.running[place].progress < mean - 0.2).collect()
}

fn late(scene: &Scene<'_>) -> Vec<usize> {
    let rates = rates(scene);
    let mut sorted = rates.clone();
    sorted.extend(scene.took.iter().map(|took| 1.0 / took.max(1e-9)));
    sorted.sort_by(f64::total_cmp);
    let Some(&slow) = sorted.get(sorted.len() / 4) else { return Vec::new() };
    old_enough(scene, HADOOP_LEAST).filter(|&place| rates[place] < slow).collect()
}

fn below_a_deviation(scene: &Scene<'_>) -> Vec<usize> {
    let mut all = rates(scene);
    let running = all.len();
    all.extend(scene.took.iter().map(|took| 1.0 / took.max(1e-9)));
    let mean = all.iter().sum::<f64>() / (all.len() as f64).max(1.0);
    let variance = all.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / (all.len() as f64).max(1.0);
    let bound = mean - variance.sqrt();
    old_enough(scene, 0.0).filter(|&place| place < running && all[place] < bound).collect()
}

fn slower_than_median(scene: &Scene<'_>, quantile: f64, multiplier: f64) -> Vec<usize> {
    if (scene.took.len() as f64) < (quantile * scene.tasks as f64).max(1.0) {
        return Vec::new();
    }
    let mut took = scene.took.to_vec();
    took.sort_by(f64::total_cmp);
    let bound = (multiplier * took[took.len() / 2]).max(SPARK_LEAST);
    old_enough(scene, bound).filter(|&place| scene.running[place].elapsed > bound).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene<'a>(running: &'a [Runner], took: &'a [f64]) -> Scene<'a> {
        Scene { running, backups: 0, slots: 100, tasks: running.len() + took.len(), took }
    }

    const fn runner(elapsed: f64, progress: f64) -> Runner {
        Runner { elapsed, progress }
    }

    #[test]
    fn hadoop_copies_what_lags_a_fifth_behind_the_mean_for_a_minute() {
        let running = [runner(70.0, 0.9), runner(70.0, 0.5), runner(50.0, 0.1)];
        assert_eq!(Rule::Naive.choose(&scene(&running, &[60.0; 7])), [1]);
    }

    #[test]
    fn late_copies_the_slow_one_with_the_most_time_left() {
        let running = [runner(100.0, 0.3), runner(100.0, 0.1), runner(100.0, 0.8)];
        assert_eq!(Rule::Late.choose(&scene(&running, &[100.0; 5])), [1, 0]);
        let full = Scene { backups: 10, ..scene(&running, &[100.0; 5]) };
        assert!(Rule::Late.choose(&full).is_empty(), "a tenth of 100 slots has backups");
    }

    #[test]
    fn spark_waits_until_three_quarters_are_done() {
        let rule = Rule::Spark { quantile: 0.75, multiplier: 1.5 };
        let running = [runner(16.0, 0.5), runner(14.0, 0.9)];
        assert_eq!(rule.choose(&scene(&running, &[10.0; 6])), [0]);
        assert!(rule.choose(&scene(&running, &[10.0; 5])).is_empty(), "5 of 7 are less than three quarters");
    }

    #[test]
    fn one_that_is_a_deviation_slower_than_others_is_copied() {
        let running = [runner(10.0, 0.05), runner(10.0, 0.9)];
        assert_eq!(Rule::Deviation.choose(&scene(&running, &[10.0; 20])), [0]);
        assert!(Rule::Never.choose(&scene(&running, &[10.0; 20])).is_empty());
    }
}
