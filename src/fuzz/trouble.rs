//! What goes wrong in a case, and what its operator does.

use std::sync::Arc;

use mesos::{
    id::{AgentId, FrameworkId, Id},
    operator::OperatorCall,
    quota::QuotaConfig,
    resource::{ResourceOperation, Resources},
    time::{Span, Time},
};

use super::{case::Case, dice::Dice};
use crate::{
    cluster::{Cluster, MachineId},
    engine::law::Law,
    fault::{
        AgentCrash, AgentRestart, Capacity, Chance, Delay, Ends, FrameworkCrash, Loss, MachineStraggler,
        Maintenance, MasterFailover, Outage, Partition, Scope, Side, Spec, TaskFailure, TaskStraggler,
        windows::{When, Windows},
    },
};

const FAULTS: u64 = 3 << 8;
const CALLS: u64 = 4 << 8;
/// Those whose quota and weight the operator changes.
const ROLES: [&str; 5] = ["a", "b", "f", "own-0", "own-1"];
const SECOND: Span = Span::from_secs(1);

fn machines(dice: &mut Dice, cluster: &Cluster) -> Vec<MachineId> {
    dice.some(cluster.machines().len()).into_iter().map(MachineId::new).collect()
}

fn law(dice: &mut Dice, mean: Span) -> Law {
    match dice.whole(0, 3) {
        0 => Law::Constant(mean),
        1 => Law::weibull(mean, 0.7),
        2 => Law::lognormal(mean, 1.0),
        _ => Law::Exponential { mean },
    }
}

fn when(dice: &mut Dice, horizon: Span) -> When {
    if dice.chance(0.3) {
        return When::At((0..dice.whole(1, 3)).map(|_| dice.time(horizon)).collect());
    }
    let mean = dice.span(Span(horizon.0 / 10), horizon);
    When::Every(law(dice, mean))
}

fn windows(dice: &mut Dice, horizon: Span) -> Windows {
    let lasts = dice.span(SECOND, Span(horizon.0 / 3));
    Windows { when: when(dice, horizon), lasts: law(dice, lasts) }
}

/// A side with agents, frameworks or the master. Other nodes than the master have no links among each other.
fn ends(dice: &mut Dice, case: &Case, cluster: &Cluster) -> Arc<Ends> {
    let with_machines = dice.chance(0.7);
    let frameworks = if !with_machines || dice.chance(0.3) { dice.some(case.jobs.len()) } else { Vec::new() };
    let machines = if with_machines { machines(dice, cluster) } else { Vec::new() };
    let a = Side { master: false, machines, frameworks };
    let b = Side { master: true, ..Side::default() };
    let (a, b) = if dice.chance(0.5) { (a, b) } else { (b, a) };
    Arc::new(Ends { a, b: Some(b), one_way: dice.chance(0.3) })
}

/// The fault with this number. Only the first may be maintenance: two schedules must not hold a machine twice.
pub(super) fn fault(case: &Case, number: u64, cluster: &Cluster) -> Spec {
    let mut dice = Dice::new(case.seed, FAULTS + number);
    let (dice, horizon) = (&mut dice, case.horizon);
    match dice.whole(0, 12) {
        0 | 1 => Spec::AgentCrash(AgentCrash {
            machines: machines(dice, cluster),
            windows: windows(dice, horizon),
            graceful: dice.chance(0.3),
        }),
        2 => Spec::AgentRestart(AgentRestart {
            machines: machines(dice, cluster),
            windows: windows(dice, horizon),
        }),
        3 => {
            let scope = dice.one_of(&[Scope::Rack, Scope::Zone, Scope::Power { racks: 2 }]);
            Spec::Outage(Outage { domains: scope.domains(cluster), windows: windows(dice, horizon) })
        }
        4 => Spec::Partition(Partition { ends: ends(dice, case, cluster), windows: windows(dice, horizon) }),
        5 => Spec::Loss(Loss {
            ends: ends(dice, case, cluster),
            windows: windows(dice, horizon),
            probability: dice.one_of(&[0.001, 0.01, 0.1, 0.5]),
        }),
        6 => Spec::Delay(Delay {
            ends: ends(dice, case, cluster),
            windows: windows(dice, horizon),
            extra: dice.span(Span::from_millis(1), Span::from_secs(30)),
        }),
        7 | 8 => Spec::MasterFailover(MasterFailover { when: when(dice, horizon) }),
        9 => Spec::FrameworkCrash(FrameworkCrash {
            frameworks: dice.some(case.jobs.len()),
            windows: windows(dice, horizon),
        }),
        10 => of_tasks(dice, case, cluster),
        11 if number == 0 => maintenance(dice, horizon, cluster),
        _ => capacity(dice, horizon, cluster),
    }
}

fn of_tasks(dice: &mut Dice, case: &Case, cluster: &Cluster) -> Spec {
    let frameworks = dice.some(case.jobs.len());
    let (probability, factor) = (dice.one_of(&[0.01, 0.2, 0.9]), dice.one_of(&[1.5, 10.0]));
    match dice.whole(0, 3) {
        0 => Spec::TaskFailure(TaskFailure { frameworks, chance: Chance::PerAttempt(probability) }),
        1 => {
            let mean = dice.span(Span::from_millis(10), Span::from_secs(3600));
            Spec::TaskFailure(TaskFailure { frameworks, chance: Chance::PerTime(mean) })
        }
        2 => Spec::TaskStraggler(TaskStraggler { frameworks, probability, factor }),
        _ => {
            let windows = windows(dice, case.horizon);
            Spec::MachineStraggler(MachineStraggler { machines: machines(dice, cluster), windows, factor })
        }
    }
}

fn maintenance(dice: &mut Dice, horizon: Span, cluster: &Cluster) -> Spec {
    let groups = Scope::Rack.domains(cluster).into_iter().map(|rack| rack.machines).collect();
    let notice = dice.one_of(&[Span::ZERO, SECOND, Span::from_secs(600)]);
    let lasts = dice.span(SECOND, Span(horizon.0 / 5));
    let pause = dice.span(SECOND, Span::from_secs(600));
    Spec::Maintenance(Maintenance { groups, start: dice.time(horizon), lasts, pause, notice })
}

fn capacity(dice: &mut Dice, horizon: Span, cluster: &Cluster) -> Spec {
    let day = Span(horizon.0.max(4 * SECOND.0));
    let from = Span(dice.whole(0, day.0 / 2 - 1));
    let to = Span(dice.whole(day.0 / 2, day.0 - 1));
    let (from, to) = if dice.chance(0.5) { (from, to) } else { (to, from) };
    let factor = dice.one_of(&[0.0, 0.25, 0.5, 0.9]);
    Spec::Capacity(Capacity { machines: machines(dice, cluster), factor, from, to, day })
}

/// The operator's call with this number. Agents and frameworks that it names need not exist.
pub(super) fn call(case: &Case, number: u64, cluster: &Cluster) -> (Time, OperatorCall) {
    let mut dice = Dice::new(case.seed, CALLS + number);
    let at = dice.time(case.horizon);
    let agent = AgentId::new(dice.whole(0, cluster.machines().len() as u64) as usize);
    let role = dice.one_of(&ROLES).to_owned();
    let call = match dice.whole(0, 9) {
        0..=2 => {
            let limits = vec![("cpus".into(), dice.whole(0, 40) as f64), ("mem".into(), 1024.0 * 64.0)];
            let guarantees = if dice.chance(0.5) { vec![("cpus".into(), 1.0)] } else { Vec::new() };
            let limits = if dice.chance(0.2) { Vec::new() } else { limits };
            let config = QuotaConfig { role, guarantees, limits };
            OperatorCall::UpdateQuota { force: dice.chance(0.7), configs: vec![config] }
        }
        3 => OperatorCall::UpdateWeights(vec![(role, dice.one_of(&[0.1, 1.0, 3.0, 100.0]))]),
        4 | 5 => OperatorCall::DrainAgent {
            agent,
            max_grace_period: dice.one_of(&[None, Some(0), Some(60_000_000_000)]),
            mark_gone: dice.chance(0.3),
        },
        6 => OperatorCall::DeactivateAgent(agent),
        7 => OperatorCall::ReactivateAgent(agent),
        8 => {
            let text = dice.one_of(&["cpus(reserved):1", "mem(reserved):256", "cpus(b):0.5"]);
            let resources = Resources::parse(text).expect("constants");
            let operation = if dice.chance(0.7) {
                ResourceOperation::Reserve { source: None, resources }
            } else {
                ResourceOperation::Unreserve { resources }
            };
            OperatorCall::Resources { agent, operation }
        }
        _ if dice.chance(0.3) => OperatorCall::MarkAgentGone(agent),
        _ => OperatorCall::Teardown(FrameworkId::new(dice.whole(0, 6) as usize)),
    };
    (at, call)
}
