//! What holds whatever is asked of a host.

use proptest::prelude::*;

use super::*;

/// One thing that is done to a host, some time after the one before.
#[derive(Clone, Debug)]
enum Step {
    Start(Drawn),
    Kill { which: usize, grace: u64 },
    Destroy { which: usize },
    Evict { which: usize },
    SetRate { quarters: u32 },
    Crash,
}

/// A container in small whole numbers, so that many things coincide.
#[derive(Clone, Debug)]
struct Drawn {
    runtime: u64,
    cpus: i64,
    usage: Option<i64>,
    limit: Option<i64>,
    image: Option<usize>,
    peak: Option<(i64, f64)>,
    stop_delay: u64,
    fails_at: Option<f64>,
    quarters: u32,
    revocable: bool,
    plain: bool,
}

const IMAGES: [u64; 4] = [0, 7, 20, 50];

impl Drawn {
    fn work(&self, task: usize) -> Work {
        let mut images = catalogue();
        let profile = Profile {
            image: self.image.map(|image| images.add(&image.to_string(), IMAGES[image])),
            cpus: self.usage.map(Scalar::whole),
            mem_peak: self.peak.map(|(mem, at)| MemPeak { mem: Peak::Mem(Scalar::whole(mem)), at }),
            stop_delay: Span::from_secs(self.stop_delay),
            fails_at: self.fails_at,
            speed: f64::from(self.quarters) / 4.0,
        };
        Work {
            runtime: Span::from_secs(self.runtime),
            cpus: Scalar::whole(self.cpus),
            limits: Limits { cpus: self.limit.map(Scalar::whole), mem: None },
            revocable: self.revocable,
            profile: (!self.plain).then(|| Arc::new(profile)),
            ..plain(task, 0.0)
        }
    }
}

fn catalogue() -> Images {
    let mut images = Images::default();
    for (image, bytes) in IMAGES.into_iter().enumerate() {
        images.add(&image.to_string(), bytes);
    }
    images
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let use_of_cpu = (0i64..4, prop::option::of(0i64..7), prop::option::of(0i64..5));
    let trouble = (prop::option::of((50i64..200, 0.0f64..=1.0)), prop::option::weighted(0.2, 0.0f64..=1.0));
    let ways = (0u64..5, 1u32..6, any::<bool>(), any::<bool>());
    (0u64..20, use_of_cpu, prop::option::of(0usize..4), trouble, ways).prop_map(
        |(
            runtime,
            (cpus, usage, limit),
            image,
            (peak, fails_at),
            (stop_delay, quarters, revocable, plain),
        )| {
            let (usage, limit) = (usage, limit.map(|limit| limit.max(cpus)));
            Drawn {
                runtime,
                cpus,
                usage,
                limit,
                image,
                peak,
                stop_delay,
                fails_at,
                quarters,
                revocable,
                plain,
            }
        },
    )
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let which = 0usize..40;
    let what = prop_oneof![
        12 => drawn().prop_map(Step::Start),
        3 => (which.clone(), 0u64..5).prop_map(|(which, grace)| Step::Kill { which, grace }),
        1 => which.clone().prop_map(|which| Step::Destroy { which }),
        1 => which.prop_map(|which| Step::Evict { which }),
        1 => (0u32..6).prop_map(|quarters| Step::SetRate { quarters }),
        1 => Just(Step::Crash),
    ];
    (0u64..6, what)
}

fn options() -> impl Strategy<Value = HostOptions> {
    (0u64..3, prop::option::of(1u64..20), 0u64..80, any::<bool>(), any::<bool>()).prop_map(
        |(delay, image_bandwidth, image_cache, enable_cfs, revocable_cpu_low_priority)| HostOptions {
            startup_delay: Span::from_secs(delay),
            image_bandwidth,
            image_cache,
            enable_cfs,
            revocable_cpu_low_priority,
        },
    )
}

/// Does all steps and then lets everything end. After each, `check` looks at the host.
fn play(options: HostOptions, steps: &[(u64, Step)], mut check: impl FnMut(&Driven, usize)) -> Driven {
    let mut driven = Driven::new(4, options, catalogue());
    let (mut now, mut started) = (Time::ZERO, 0);
    for (pause, step) in steps {
        now = now + Span::from_secs(*pause);
        driven.until(now);
        let which = |which: usize| key(which % started.max(1));
        let host = &mut driven;
        match *step {
            Step::Start(ref drawn) => {
                let work = drawn.work(started);
                started += 1;
                host.tell(now, |host, out| host.start(now, work, out));
            }
            Step::Kill { which: task, grace } => {
                host.tell(now, |host, out| host.kill(now, which(task), Span::from_secs(grace), out));
            }
            Step::Destroy { which: task } => {
                host.tell(now, |host, out| host.destroy(now, which(task), out));
            }
            Step::Evict { which: task } => {
                host.tell(now, |host, out| host.evict(now, which(task), out));
            }
            Step::SetRate { quarters } => host.host.set_rate(now, f64::from(quarters) / 4.0),
            Step::Crash => host.tell(now, |host, out| host.crash(now, out)),
        }
        check(&driven, started);
    }
    driven.host.set_rate(now, 1.0);
    driven.finish();
    driven
}

/// CPUs are granted up to what is wanted or there is, to whom they are wanted by.
fn assert_cpus_are_conserved(driven: &Driven, started: usize) {
    let view = driven.host.view();
    let granted: f64 = (0..started).map(|task| driven.granted(task)).sum();
    let expected = view.wanted.min(view.cpus).as_f64();
    assert!((granted - expected).abs() < 1e-9, "{granted} CPUs are granted, not {expected}");
    assert!(view.used <= view.cpus && view.used <= view.wanted, "{view:?}");
}

proptest! {
    #[test]
    fn cpus_are_conserved_after_every_step(options in options(), steps in prop::collection::vec(step(), 1..40)) {
        play(options, &steps, assert_cpus_are_conserved);
    }

    #[test]
    fn every_container_ends_once_after_it_started_and_leaves_nothing_behind(
        options in options(), steps in prop::collection::vec(step(), 1..40)
    ) {
        let driven = play(options, &steps, |_, _| ());
        let count = steps.iter().filter(|(_, step)| matches!(step, Step::Start(_))).count();
        for task in 0..count {
            let (end, how, ran, progress) = driven.ended(task).expect("every container ends");
            let start = driven.started(task);
            prop_assert!((start.map_or(0.0, |start| end - start) - ran).abs() < 1e-6);
            prop_assert!(start.is_some() || matches!(how, How::Killed | How::Evicted | How::Lost));
            prop_assert!(progress <= ran * 1.25 * 1.25 + 1e-6, "{} of work in {}", progress, ran);
        }
        prop_assert!(driven.host.is_empty() && driven.host.next_wake().is_none());
        let view = driven.host.view();
        prop_assert_eq!((view.allocated, view.used, view.wanted), (Scalar::ZERO, Scalar::ZERO, Scalar::ZERO));
        prop_assert!(view.revocable.is_empty());
    }

    #[test]
    fn the_same_steps_have_the_same_outcome(options in options(), steps in prop::collection::vec(step(), 1..40)) {
        let [first, second] = [(); 2].map(|()| play(options, &steps, |_, _| ()));
        prop_assert_eq!(first.log, second.log);
    }

    /// The reference knows no fast path: it computes everything anew at each moment at which something changes.
    #[test]
    fn containers_end_when_a_naive_computation_says_so(
        cpus in 1i64..6, steps in prop::collection::vec((0u64..6, drawn()), 1..25)
    ) {
        let tame = |drawn: &Drawn| Drawn { image: None, revocable: false, ..drawn.clone() };
        let mut driven = Driven::of(cpus);
        let (mut now, mut naive) = (0.0, Vec::new());
        for (task, (pause, drawn)) in steps.iter().enumerate() {
            now += *pause as f64;
            driven.start(now, tame(drawn).work(task));
            naive.push(Naive::new(now, &tame(drawn)));
        }
        driven.finish();
        for (task, end) in naive_ends(cpus as f64, naive).into_iter().enumerate() {
            let (found, ..) = driven.ended(task).unwrap();
            prop_assert!((found - end).abs() < 1e-5, "task {} ends at {}, not at {}", task, found, end);
        }
    }

    /// While the requests of plain tasks fit the machine, it does not matter to them whether somebody is looked at closely:
    /// they themselves (second), or a neighbour who wants everything and weighs next to nothing (third).
    #[test]
    fn plain_tasks_end_at_the_same_times_whatever_path_they_take(
        tasks in prop::collection::vec((0u64..4_000_000_000, 1u64..20_000_000_000), 1..40), delay in 0u64..2
    ) {
        let [fast, slow, disturbed] = [0, 1, 2].map(|path| {
            let options = HostOptions { startup_delay: Span::from_secs(delay), ..HostOptions::default() };
            let mut driven = Driven::new(41, options, Images::default());
            if path == 2 {
                driven.start(0.0, Work { cpus: Scalar::ZERO, ..busy(1000, 1000.0, 100) });
            }
            let mut now = Time::ZERO;
            for (task, &(pause, runtime)) in tasks.iter().enumerate() {
                now = now + Span(pause);
                let profile = (path == 1).then(|| Arc::new(Profile::default()));
                let work = Work { runtime: Span(runtime), profile, ..plain(task, 0.0) };
                driven.until(now).tell(now, |host, out| host.start(now, work, out));
            }
            driven.finish();
            driven.log.retain(|(_, happening)| match happening {
                Happening::Started { key } | Happening::Ended { key, .. } => key.task.index() < 1000,
            });
            driven.log
        });
        prop_assert_eq!(&fast, &slow);
        prop_assert_eq!(&fast, &disturbed);
    }
}

/// A container in seconds and CPUs.
struct Naive {
    start: f64,
    left: f64,
    weight: f64,
    usage: f64,
    wanted: f64,
    speed: f64,
    end: Option<f64>,
}

impl Naive {
    fn new(start: f64, drawn: &Drawn) -> Self {
        let Drawn { runtime, cpus, usage, limit, peak, fails_at, quarters, plain, .. } = *drawn;
        let oom = peak.filter(|peak| peak.0 > 100).map_or(1.0, |(mem, at)| at * 100.0 / mem as f64);
        let part = if plain { 1.0 } else { oom.min(fails_at.unwrap_or(1.0)) };
        let usage = if plain { cpus } else { usage.unwrap_or(cpus) } as f64;
        let limit = limit.filter(|_| !plain).map_or(f64::INFINITY, |limit| (limit as f64).max(0.01));
        Self {
            start,
            // To the nanosecond, because a slow container stretches what is cut off.
            left: (runtime as f64 * part * 1e9).round() / 1e9,
            weight: (cpus as f64).max(2.0 / 1024.0),
            usage,
            wanted: usage.min(limit),
            speed: if plain { 1.0 } else { f64::from(quarters) / 4.0 },
            end: None,
        }
    }

    fn rate(&self, level: f64) -> f64 {
        let share = if self.usage > 0.0 { self.wanted.min(level * self.weight) / self.usage } else { 1.0 };
        self.speed * share
    }
}

fn naive_ends(cpus: f64, mut all: Vec<Naive>) -> Vec<f64> {
    let mut now = 0.0;
    while all.iter().any(|one| one.end.is_none()) {
        let runs = |one: &&mut Naive| one.end.is_none() && one.start <= now;
        let level = level(cpus, &all, now);
        let next_start =
            all.iter().map(|one| one.start).filter(|&start| start > now).fold(f64::MAX, f64::min);
        let running = all.iter().filter(|one| one.end.is_none() && one.start <= now);
        let next_end = running.map(|one| now + one.left / one.rate(level)).fold(f64::MAX, f64::min);
        let next = next_start.min(next_end);
        for one in all.iter_mut().filter(runs) {
            one.left -= (next - now) * one.rate(level);
            one.end = (one.left < 1e-9).then_some(next);
        }
        now = next;
    }
    all.into_iter().filter_map(|one| one.end).collect()
}

/// How many CPUs there are for a weight of one, by bisection.
fn level(cpus: f64, all: &[Naive], now: f64) -> f64 {
    let running: Vec<_> = all.iter().filter(|one| one.end.is_none() && one.start <= now).collect();
    let used = |level: f64| running.iter().map(|one| one.wanted.min(level * one.weight)).sum::<f64>();
    let (mut low, mut high) = (0.0, 1e6);
    if used(high) <= cpus {
        return high;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if used(middle) < cpus { low = middle } else { high = middle }
    }
    low
}
