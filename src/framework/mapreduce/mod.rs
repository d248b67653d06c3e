//! Hadoop MapReduce: maps near their blocks, a shuffle that ends no sooner than the last map, reduces, backups of stragglers.
//!
//! As the port of the Mesos paper does it, each map and each reduce is a Mesos task of the size of a slot. Among the jobs of the
//! framework the one with the fewest running tasks goes first (Hadoop's fair scheduler), or the oldest. A job whose next map
//! would be far from its data lets others go first for a while ([`locality`](super::locality)). Once enough maps are done
//! (`slowstart`), reduces start and copy what there is; they end when all maps are done and the rest is copied and reduced.
//!
//! Leaves out: several output commits, and memory of a slot beyond what it asks for.

mod work;

use std::collections::BTreeMap;

use mesos::{
    id::{AgentId, Id, TaskId},
    time::{Span, Time},
};
use rustc_hash::FxHashMap;

use super::{
    Application, Attempt, Context, End, Figure, KindEntry,
    locality::{Blocks, Delay, Level, Patience},
    speculation::{self, Rule, Runner},
};
use crate::{
    engine::{
        law::Law,
        random::{Seed, Stream, unit},
    },
    workload::{Demand, Job, JobDetail, JobId, TaskSpec, UNTIL_KILLED, detail::MapReduce},
};
use work::{Phase, Work};

pub(super) const KIND: KindEntry = KindEntry {
    name: "mapreduce",
    about: "Hadoop: maps near their blocks (delay scheduling), a shuffle, reduces, backups of stragglers",
    source: "Dean and Ghemawat, OSDI'04; Zaharia et al., LATE, OSDI'08 and Delay Scheduling, EuroSys'10; Mesos, NSDI'11",
};

/// Which job goes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The one with the fewest running tasks.
    Fair,
    /// The oldest.
    Fifo,
}

/// Some attempts take longer than they should.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stragglers {
    /// Which share of all attempts, drawn for each.
    pub share: f64,
    /// How many times as long they take.
    pub slowdown: f64,
}

/// How jobs are run.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// Which job goes first.
    pub order: Order,
    /// What a map or reduce asks for whose job does not say.
    pub slot: Demand,
    /// So many machines have each block.
    pub replication: u32,
    /// Bytes per second at which a map reads its block and a reduce writes.
    pub disk_rate: f64,
    /// Bytes per second at which a reduce copies.
    pub network_rate: f64,
    /// How long a job waits for a place near its data.
    pub delay: Delay,
    /// How many times as long a map takes whose block is in its rack.
    pub rack_slowdown: f64,
    /// Likewise elsewhere.
    pub remote_slowdown: f64,
    /// Reduces start when this share of the maps is done.
    pub slowstart: f64,
    /// How run times vary around what the job says: a law with mean one second. Constant: not at all.
    pub variation: Law,
    /// Attempts that take longer than they should.
    pub stragglers: Option<Stragglers>,
    /// Which tasks get a second copy.
    pub speculation: Rule,
    /// How often the rule is asked.
    pub speculation_interval: Span,
    /// So many attempts at a task may fail by themselves before its job does.
    pub most_failures: u32,
    /// So many slots are in use at once, at most.
    pub most_slots: Option<u32>,
}

/// Which task an attempt is at.
#[derive(Clone, Copy, Debug)]
struct Running {
    job: JobId,
    phase: Phase,
    place: u32,
    agent: AgentId,
    launched: Time,
    started: Option<Time>,
    /// How long it shall run, in seconds: what its progress is measured by.
    planned: f64,
    is_backup: bool,
}

/// One job that is not over.
#[derive(Debug)]
struct Active {
    inside: MapReduce,
    maps: Work,
    reduces: Work,
    blocks: Blocks,
    patience: Patience,
    maps_done_at: Option<Time>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    maps_at: [u64; 3],
    rerun: u64,
    backups: u64,
    backups_won: u64,
    completed: u64,
    failed: u64,
}

/// See the [module](self).
pub struct MapReduces {
    options: Options,
    seed: Seed,
    /// Tells its draws from those of other frameworks.
    stream: u64,
    jobs: BTreeMap<JobId, Active>,
    running: FxHashMap<TaskId, Running>,
    /// When reduces that started before the last map was done are done.
    reduce_ends: BTreeMap<(Time, TaskId), ()>,
    /// When the rule for second copies is asked next, and the copies that it wants.
    next_check: Option<Time>,
    wanted: Vec<(JobId, Phase, u32)>,
    woken: Time,
    tally: Tally,
}

impl MapReduces {
    /// No jobs yet. `stream` tells its draws from those of other frameworks.
    #[must_use]
    pub fn new(options: Options, seed: Seed, stream: u64) -> Self {
        Self {
            options,
            seed,
            stream,
            jobs: BTreeMap::new(),
            running: FxHashMap::default(),
            reduce_ends: BTreeMap::new(),
            next_check: None,
            wanted: Vec::new(),
            woken: Time::ZERO,
            tally: Tally::default(),
        }
    }

    /// Launches one task on an agent, if a job has one for it.
    fn assign(&mut self, agent: AgentId, context: &mut Context<'_>) -> bool {
        let full = self.options.most_slots.is_some_and(|most| self.running.len() >= most as usize);
        if full || !context.pool().has(agent) {
            return false;
        }
        for job in self.in_order() {
            if self.try_map(job, agent, context) || self.try_reduce(job, agent, context) {
                return true;
            }
        }
        self.try_backup(agent, context)
    }

    /// Jobs with something to launch, the first to be served first.
    fn in_order(&self) -> Vec<JobId> {
        let with_work = |(_, job): &(&JobId, &Active)| job.maps.waiting() > 0 || self.reduces_ready(job) > 0;
        let mut jobs: Vec<_> = self.jobs.iter().filter(with_work).collect();
        if self.options.order == Order::Fair {
            jobs.sort_by_key(|(_, job)| job.maps.running() + job.reduces.running());
        }
        jobs.into_iter().map(|(&id, _)| id).collect()
    }

    /// How many reduces may start now.
    fn reduces_ready(&self, job: &Active) -> u32 {
        let enough = f64::from(job.maps.done()) >= self.options.slowstart * f64::from(job.maps.len());
        if enough && job.maps.waiting() == 0 { job.reduces.waiting() } else { 0 }
    }

    fn try_map(&mut self, id: JobId, agent: AgentId, context: &mut Context<'_>) -> bool {
        let Some(job) = self.jobs.get_mut(&id) else { return false };
        if job.maps.waiting() == 0 {
            return false;
        }
        let demand = job.inside.demand.unwrap_or(self.options.slot);
        if !context.pool().fits(&demand, agent) {
            return false;
        }
        let allowed = job.patience.allowed(context.now);
        let near =
            |blocks: &mut Blocks, level| blocks.near(agent, level, context.facts, |map| job.maps.waits(map));
        let mut choice = near(&mut job.blocks, Level::Node);
        if choice.is_none() && allowed >= Level::Rack {
            choice = near(&mut job.blocks, Level::Rack);
        }
        if choice.is_none() && allowed == Level::Any {
            choice = job.maps.first_waiting();
        }
        let Some(map) = choice else {
            job.patience.skipped(context.now);
            return false;
        };
        let level = job.blocks.level(map, agent, context.facts);
        job.patience.launched(level);
        self.tally.maps_at[level as usize] += 1;
        self.launch(id, Phase::Map, map, agent, false, context)
    }

    fn try_reduce(&mut self, id: JobId, agent: AgentId, context: &mut Context<'_>) -> bool {
        let Some(job) = self.jobs.get(&id) else { return false };
        let demand = job.inside.demand.unwrap_or(self.options.slot);
        if self.reduces_ready(job) == 0 || !context.pool().fits(&demand, agent) {
            return false;
        }
        let Some(reduce) = self.jobs.get_mut(&id).and_then(|job| job.reduces.first_waiting()) else {
            return false;
        };
        self.launch(id, Phase::Reduce, reduce, agent, false, context)
    }

    /// A second copy, on another agent than the first.
    fn try_backup(&mut self, agent: AgentId, context: &mut Context<'_>) -> bool {
        let fits = |&(id, phase, place): &(JobId, Phase, u32)| {
            let Some(job) = self.jobs.get(&id) else { return false };
            let demand = job.inside.demand.unwrap_or(self.options.slot);
            let elsewhere =
                job.work(phase).attempts(place).iter().all(|first| self.running[first].agent != agent);
            elsewhere && context.pool().fits(&demand, agent)
        };
        let Some(wanted) = self.wanted.iter().position(fits) else { return false };
        let (id, phase, place) = self.wanted.remove(wanted);
        self.tally.backups += 1;
        self.launch(id, phase, place, agent, true, context)
    }

    fn launch(
        &mut self,
        id: JobId,
        phase: Phase,
        place: u32,
        agent: AgentId,
        is_backup: bool,
        context: &mut Context<'_>,
    ) -> bool {
        let job = self.jobs.get_mut(&id).expect("a job that is not over");
        let demand = job.inside.demand.unwrap_or(self.options.slot);
        let attempts = job.work(phase).tried(place);
        let planned = match phase {
            Phase::Map => self.options.map_time(job, place, agent, context),
            Phase::Reduce => self.options.reduce_time(job, Span::ZERO),
        };
        let planned = self.options.varied(planned, self.seed, self.entity(id, phase, place), attempts);
        let job = self.jobs.get_mut(&id).expect("a job that is not over");
        let waits_for_maps = phase == Phase::Reduce && job.maps_done_at.is_none();
        let runtime = if waits_for_maps { UNTIL_KILLED } else { planned };
        let task = job.work(phase).task(place);
        let Some(attempt) = context.launch(task, &TaskSpec { demand, runtime, profile: 0 }, agent) else {
            return false;
        };
        job.work_mut(phase).launched(place, attempt);
        let (launched, planned) = (context.now, planned.as_secs_f64());
        let running = Running { job: id, phase, place, agent, launched, started: None, planned, is_backup };
        self.running.insert(attempt, running);
        self.plan_check(context.now);
        true
    }

    fn entity(&self, job: JobId, phase: Phase, place: u32) -> u64 {
        let phase = match phase {
            Phase::Map => 0,
            Phase::Reduce => 1,
        };
        (self.stream << 56) ^ ((job.index() as u64) << 25) ^ ((place as u64) << 1) ^ phase
    }

    /// All maps of a job are done: its reduces copy the rest, and end.
    fn maps_done(&mut self, id: JobId, now: Time) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.maps_done_at = Some(now);
        let attempts: Vec<TaskId> = job.reduces.all_attempts().collect();
        for attempt in attempts {
            self.plan_reduce_end(attempt, now);
        }
    }

    /// A reduce that was launched before the last map was done runs, and all maps are done: it ends when its work is.
    fn plan_reduce_end(&mut self, attempt: TaskId, now: Time) {
        let Some(running) = self.running.get_mut(&attempt) else { return };
        let Some(started) = running.started else { return };
        let Some(job) = self.jobs.get(&running.job) else { return };
        let Some(maps_done) = job.maps_done_at.filter(|&done| running.launched < done) else { return };
        let whole = self.options.reduce_time(job, Span::ZERO).as_secs_f64();
        let left = self.options.reduce_time(job, maps_done.since(started.min(maps_done))).as_secs_f64();
        let left = Span::from_secs_f64(running.planned * left / whole.max(1e-9)).unwrap_or(Span::ZERO);
        running.planned = now.since(started).as_secs_f64() + left.as_secs_f64();
        self.reduce_ends.insert((now + left, attempt), ());
    }

    /// An attempt did its work: the first at its task counts.
    fn done(&mut self, attempt: TaskId, running: Running, context: &mut Context<'_>) {
        let Some(job) = self.jobs.get_mut(&running.job) else { return };
        let took = running.started.map_or(0.0, |started| context.now.since(started).as_secs_f64());
        let others = job.work_mut(running.phase).finished(running.place, attempt, running.agent, took);
        self.tally.backups_won += u64::from(running.is_backup);
        self.wanted.retain(|&wanted| wanted != (running.job, running.phase, running.place));
        for other in others {
            context.kill(other);
        }
        let job = &self.jobs[&running.job];
        if running.phase == Phase::Map && job.maps.done() == job.maps.len() {
            self.maps_done(running.job, context.now);
        }
        let job = &self.jobs[&running.job];
        if job.maps.done() == job.maps.len() && job.reduces.done() == job.reduces.len() {
            self.finish(running.job, true, context);
        }
    }

    fn finish(&mut self, id: JobId, success: bool, context: &mut Context<'_>) {
        let job = self.jobs.remove(&id).expect("a job that is not over");
        let attempts: Vec<_> = job.maps.all_attempts().chain(job.reduces.all_attempts()).collect();
        attempts.into_iter().for_each(|attempt| context.kill(attempt));
        self.wanted.retain(|(of, ..)| *of != id);
        self.tally.completed += u64::from(success);
        self.tally.failed += u64::from(!success);
        context.job_ended(id, success);
    }

    /// A map waits again: it can be found near its block.
    fn again(&mut self, id: JobId, phase: Phase, place: u32, context: &mut Context<'_>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if phase == Phase::Map {
            job.blocks.offer(place, context.facts);
            job.maps_done_at = None;
            make_room(job, context);
        }
        context.want_offers();
    }

    fn plan_check(&mut self, now: Time) {
        if self.options.speculation != Rule::Never && self.next_check.is_none() {
            self.next_check = Some(now + self.options.speculation_interval);
        }
    }

    /// Asks the rule which tasks of jobs without waiting tasks should get a second copy.
    fn check_speculation(&mut self, context: &mut Context<'_>) {
        self.next_check = None;
        if self.running.is_empty() {
            return;
        }
        self.plan_check(context.now);
        let backups = self.backups();
        let mut wanted = Vec::new();
        for (&id, job) in &self.jobs {
            for phase in [Phase::Map, Phase::Reduce] {
                wanted.extend(self.slow_ones(id, job, phase, backups, context.now));
            }
        }
        if wanted.iter().any(|new| !self.wanted.contains(new)) {
            context.want_offers();
        }
        self.wanted = wanted;
    }

    #[expect(clippy::disallowed_methods, reason = "a count does not depend on the order")]
    fn backups(&self) -> usize {
        self.running.values().filter(|running| running.is_backup).count()
    }

    fn slow_ones(
        &self,
        id: JobId,
        job: &Active,
        phase: Phase,
        backups: usize,
        now: Time,
    ) -> Vec<(JobId, Phase, u32)> {
        let work = job.work(phase);
        if work.waiting() > 0 || (phase == Phase::Reduce && job.maps_done_at.is_none()) {
            return Vec::new();
        }
        let alone = |place: &u32| work.attempts(*place).len() == 1;
        let seen = |place: u32| {
            let running = &self.running[&work.attempts(place)[0]];
            let elapsed = now.since(running.started?).as_secs_f64();
            // One that overruns its time reports that it is almost done, ever more slowly.
            let progress = (elapsed / running.planned.max(1e-9)).min(0.99);
            Some((place, Runner { elapsed, progress }))
        };
        let (places, running): (Vec<u32>, Vec<Runner>) =
            work.in_progress().filter(alone).filter_map(seen).unzip();
        let (slots, tasks, took) = (self.running.len(), work.len() as usize, work.took());
        let scene = speculation::Scene { running: &running, backups, slots, tasks, took };
        let chosen = self.options.speculation.choose(&scene);
        chosen.into_iter().map(|slow| (id, phase, places[slow])).collect()
    }
}

/// If all that could run is taken by reduces that wait for maps, one of them gives way to a map that has to run again.
fn make_room(job: &Active, context: &mut Context<'_>) {
    if job.maps.running() == 0
        && let Some(reduce) = job.reduces.all_attempts().next()
    {
        context.kill(reduce);
    }
}

impl Active {
    const fn work(&self, phase: Phase) -> &Work {
        match phase {
            Phase::Map => &self.maps,
            Phase::Reduce => &self.reduces,
        }
    }

    const fn work_mut(&mut self, phase: Phase) -> &mut Work {
        match phase {
            Phase::Map => &mut self.maps,
            Phase::Reduce => &mut self.reduces,
        }
    }
}

impl Options {
    fn map_time(&self, job: &Active, map: u32, agent: AgentId, context: &Context<'_>) -> Span {
        let bytes = job.inside.input as f64 / f64::from(job.maps.len().max(1));
        let local = job.inside.map_runtime.map_or(bytes / self.disk_rate, Span::as_secs_f64);
        let factor = match job.blocks.level(map, agent, context.facts) {
            Level::Node => 1.0,
            Level::Rack => self.rack_slowdown,
            Level::Any => self.remote_slowdown,
        };
        seconds(local * factor)
    }

    /// Copying, of which so much time is over while maps still ran, and reducing. The share of the last map is copied after it.
    fn reduce_time(&self, job: &Active, copied: Span) -> Span {
        let reduces = f64::from(job.reduces.len().max(1));
        let copy = job.inside.shuffle as f64 / reduces / self.network_rate;
        let write = (job.inside.shuffle + job.inside.output) as f64 / reduces / self.disk_rate;
        let rest = job.inside.reduce_runtime.map_or(write, Span::as_secs_f64);
        let least = copy / f64::from(job.maps.len().max(1));
        seconds((copy - copied.as_secs_f64()).max(least) + rest)
    }

    fn varied(&self, time: Span, seed: Seed, entity: u64, attempt: u32) -> Span {
        let mut factor = self.variation.draw(&mut seed.of(Stream::Application, entity)).as_secs_f64();
        if let Some(stragglers) = self.stragglers {
            let address = entity ^ (u64::from(attempt) << 48);
            if unit(&mut seed.of(Stream::Straggler, address)) < stragglers.share {
                factor *= stragglers.slowdown;
            }
        }
        seconds(time.as_secs_f64() * factor)
    }
}

/// At least a millisecond, so that time passes.
fn seconds(seconds: f64) -> Span {
    Span::from_secs_f64(seconds.max(0.001)).unwrap_or(Span::from_secs(100 * 365 * 86_400))
}

impl Application for MapReduces {
    fn submit(&mut self, job: &Job, _: TaskId, context: &mut Context<'_>) {
        let inside = match job.detail.as_deref() {
            Some(JobDetail::MapReduce(inside)) => inside.clone(),
            // A job of plain tasks is one of maps without reduces.
            Some(JobDetail::Stages(_) | JobDetail::Training(_) | JobDetail::Service(_)) | None => plain(job),
        };
        let demand = inside.demand.unwrap_or(self.options.slot);
        let (maps, reduces) = (inside.maps, inside.reduces);
        let mut tasks = |count: u32| {
            let spec = TaskSpec { demand, runtime: Span::ZERO, profile: 0 };
            Work::new((0..count).map(|_| context.new_task(job.id, spec)).collect())
        };
        let (maps_work, reduces_work) = (tasks(maps), tasks(reduces));
        let entity = (self.stream << 24) ^ job.id.index() as u64;
        let blocks = Blocks::scattered(maps, self.options.replication, entity, self.seed, context.facts);
        let patience = Patience::new(self.options.delay);
        let maps_done_at = (maps == 0).then_some(context.now);
        self.jobs.insert(
            job.id,
            Active { inside, maps: maps_work, reduces: reduces_work, blocks, patience, maps_done_at },
        );
        if maps + reduces == 0 {
            self.finish(job.id, true, context);
        }
    }

    fn offers(&mut self, context: &mut Context<'_>) {
        let agents: Vec<AgentId> = context.pool().iter().collect();
        for agent in agents {
            while self.assign(agent, context) {}
        }
    }

    fn started(&mut self, attempt: &Attempt, context: &mut Context<'_>) {
        if let Some(running) = self.running.get_mut(&attempt.id) {
            running.started = Some(context.now);
            self.plan_reduce_end(attempt.id, context.now);
        }
    }

    fn ended(&mut self, attempt: &Attempt, end: End, context: &mut Context<'_>) {
        let Some(running) = self.running.remove(&attempt.id) else { return };
        let Running { job: id, phase, place, .. } = running;
        if end == End::Finished {
            self.done(attempt.id, running, context);
            return;
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let waits_again = job.work_mut(phase).lost(place, attempt.id, end == End::Failed);
        if job.work(phase).failures(place) >= self.options.most_failures {
            self.finish(id, false, context);
        } else if waits_again {
            self.again(id, phase, place, context);
        }
    }

    fn agent_lost(&mut self, agent: AgentId, context: &mut Context<'_>) {
        let ids: Vec<JobId> = self.jobs.keys().copied().collect();
        for id in ids {
            let job = self.jobs.get_mut(&id).expect("a job that is not over");
            if job.reduces.len() == job.reduces.done() {
                continue; // nobody will read what its maps wrote
            }
            let lost = job.maps.forget_outputs(agent);
            self.tally.rerun += lost.len() as u64;
            for map in lost {
                self.again(id, Phase::Map, map, context);
            }
        }
    }

    fn next_wake(&self) -> Option<Time> {
        let patience = self.jobs.values().filter(|job| job.maps.waiting() > 0);
        let patience = patience.filter_map(|job| job.patience.next(self.woken)).min();
        let reduce = self.reduce_ends.first_key_value().map(|(&(at, _), ())| at);
        [patience, reduce, self.next_check].into_iter().flatten().min()
    }

    fn wake(&mut self, context: &mut Context<'_>) {
        while let Some((&(at, attempt), ())) = self.reduce_ends.first_key_value() {
            if at > context.now {
                break;
            }
            self.reduce_ends.pop_first();
            if let Some(running) = self.running.remove(&attempt) {
                context.stop(attempt);
                self.done(attempt, running, context);
            }
        }
        if self.next_check.is_some_and(|at| at <= context.now) {
            self.check_speculation(context);
        }
        if self.jobs.values().any(|job| job.maps.waiting() > 0) {
            context.want_offers();
        }
        self.woken = context.now;
    }

    fn waiting(&self) -> usize {
        let of = |job: &Active| (job.maps.waiting() + self.reduces_ready(job)) as usize;
        self.jobs.values().map(of).sum::<usize>() + self.wanted.len()
    }

    fn figures(&self, _: Time) -> Vec<Figure> {
        let [node, rack, any] = self.tally.maps_at.map(|count| count as f64);
        let all = (node + rack + any).max(1.0);
        vec![
            Figure::new(
                "maps_node_local",
                node / all,
                "share",
                "maps launched on a machine with their block",
            ),
            Figure::new("maps_rack_local", rack / all, "share", "maps launched in a rack with their block"),
            Figure::new("maps_remote", any / all, "share", "maps launched elsewhere"),
            Figure::new(
                "maps_rerun",
                self.tally.rerun as f64,
                "tasks",
                "maps run again because their output was lost",
            ),
            Figure::new("backups", self.tally.backups as f64, "tasks", "second copies of slow tasks"),
            Figure::new(
                "backups_won",
                self.tally.backups_won as f64,
                "tasks",
                "second copies that were first to finish",
            ),
            Figure::new(
                "jobs_completed",
                self.tally.completed as f64,
                "jobs",
                "jobs that did all their work",
            ),
            Figure::new(
                "jobs_failed",
                self.tally.failed as f64,
                "jobs",
                "jobs of which a task failed too often",
            ),
        ]
    }
}

/// A job of tasks that have nothing to do with each other.
fn plain(job: &Job) -> MapReduce {
    let longest = job.tasks.iter().map(|task| task.runtime).max();
    MapReduce {
        maps: job.tasks.len() as u32,
        reduces: 0,
        input: 0,
        shuffle: 0,
        output: 0,
        map_runtime: longest,
        reduce_runtime: None,
        demand: job.tasks.first().map(|task| task.demand),
    }
}
