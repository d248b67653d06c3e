//! Pings, trust, and the limit on how fast agents are marked unreachable.

use mesos::{
    event::{FromAgent, ToAgent},
    id::{AgentId, Id},
    master::{MasterOptions, RemovalRate, UnreachableCounts},
    time::{Span, Time},
};

use super::{SIZE, Scene};
use crate::talk::Talk;

/// Lets time pass while the agents that are `alive` answer; all notes, with their times.
fn live_until(talk: &mut Talk, seconds: f64, alive: impl Fn(usize, f64) -> bool) -> Vec<(Time, String)> {
    let until = Time((seconds * 1e9) as u64);
    let mut notes = Vec::new();
    loop {
        for (address, message) in std::mem::take(&mut talk.said.to_agents) {
            let n = address.index();
            if matches!(message, ToAgent::Ping { .. }) && alive(n, talk.now.as_secs_f64()) {
                talk.agent_says(n, FromAgent::Pong(AgentId::new(n)));
            }
        }
        notes.extend(std::mem::take(&mut talk.said.notes).into_iter().map(|note| (talk.now, note)));
        let next = talk.master.next_timeout(talk.now).filter(|&at| at <= until);
        let Some(at) = next else { break };
        talk.now = talk.now.max(at);
        talk.master.handle_timeout(talk.now, &mut talk.said);
    }
    talk.now = until;
    notes
}

fn when_unreachable(notes: &[(Time, String)], n: usize) -> Option<f64> {
    let ended = format!("AgentEnded {{ agent: AgentId({n}), end: Unreachable }}");
    notes.iter().find(|(_, note)| *note == ended).map(|(at, _)| at.as_secs_f64())
}

#[test]
fn an_agent_that_falls_silent_is_unreachable_75_to_90_seconds_later() {
    for (last_heard, expected) in [(0.0, 75.0), (0.1, 90.0), (14.9, 90.0), (15.1, 105.0), (29.0, 105.0)] {
        let mut talk = Talk::new(MasterOptions::default());
        talk.agent(0, SIZE);
        let notes = live_until(&mut talk, 300.0, |_, at| at < last_heard);
        assert_eq!(when_unreachable(&notes, 0), Some(expected), "last heard of at {last_heard} s");
        assert_eq!(talk.said.registry.unreachable[&AgentId::new(0)].since.as_secs_f64(), expected);
    }
}

#[test]
fn an_agent_that_answers_now_and_then_stays() {
    let mut talk = Talk::new(MasterOptions::default());
    let agent = talk.agent(0, SIZE);
    let notes = live_until(&mut talk, 1000.0, |_, at| (at / 15.0).round() as u64 % 5 == 4);
    assert_eq!(when_unreachable(&notes, 0), None);
    assert!(talk.master.agent_info(agent).is_some());
}

#[test]
fn pings_say_whether_the_agent_is_connected() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(15.0);
    assert_eq!(scene.talk.told(0), [ToAgent::Ping { connected: true }]);
    scene.disconnect();
    scene.talk.wait_until(30.0);
    assert_eq!(scene.talk.told(0), [ToAgent::Ping { connected: false }]);
}

#[test]
fn trust_and_doubt_have_the_consequences_of_pings_at_the_same_times() {
    for fails in [1.0, 14.0, 15.5, 31.0, 44.9, 100.0] {
        for comes_back in [20.0, 60.0, 74.0, 1000.0] {
            let explicit = conversation(fails, comes_back, false);
            let trusted = conversation(fails, comes_back, true);
            assert_eq!(explicit, trusted, "silent from {fails} s on, for {comes_back} s");
        }
    }
}

/// Two agents, of which one is silent for a while.
fn conversation(fails: f64, lasts: f64, is_trusted: bool) -> Vec<(Time, String)> {
    let mut talk = Talk::new(MasterOptions { trust_agents: is_trusted, ..MasterOptions::default() });
    talk.framework("a");
    let agent = talk.agent(0, SIZE);
    talk.agent(1, SIZE);
    let back = fails + lasts;
    let alive = |n: usize, at: f64| n == 1 || at < fails || at > back;
    let mut notes = live_until(&mut talk, fails, alive);
    if is_trusted {
        talk.master.doubt(talk.now, agent);
    }
    notes.extend(live_until(&mut talk, back, alive));
    if is_trusted {
        talk.master.trust(talk.now, agent);
    } else {
        talk.agent_says(0, FromAgent::Pong(agent));
    }
    notes.extend(live_until(&mut talk, back + 500.0, alive));
    notes
}

#[test]
fn trusted_agents_cost_no_timers() {
    let mut talk = Talk::new(MasterOptions { trust_agents: true, ..MasterOptions::default() });
    let agents: Vec<_> = (0..3).map(|n| talk.agent(n, SIZE)).collect();
    assert_eq!(talk.master.next_timeout(talk.now), None);
    talk.wait_until(40.0);
    talk.master.doubt(talk.now, agents[1]);
    assert_eq!(talk.master.next_timeout(talk.now), Some(Time::from_secs(45)), "the rhythm is kept");
    talk.master.trust(talk.now, agents[1]);
    assert_eq!(talk.master.next_timeout(talk.now), None);
}

#[test]
fn an_agent_that_is_disconnected_is_doubted_until_it_is_back() {
    let mut scene = Scene::new(MasterOptions { trust_agents: true, ..MasterOptions::default() }, true, true);
    scene.talk.wait_until(20.0);
    scene.disconnect();
    scene.talk.wait_until(30.0);
    assert_eq!(scene.talk.told(0), [ToAgent::Ping { connected: false }]);
    scene.reregister(0, scene.back());
    scene.talk.told(0);
    scene.talk.wait_until(300.0);
    assert_eq!(scene.talk.told(0), []);
    assert!(scene.is_registered());
}

fn limited(agents: u32, minutes: u64) -> MasterOptions {
    let rate = RemovalRate { agents, per: Span::from_secs(minutes * 60) };
    MasterOptions { agent_removal_rate_limit: Some(rate), ..MasterOptions::default() }
}

#[test]
fn the_removal_limit_lets_agents_pass_one_by_one_evenly_spaced() {
    let mut talk = Talk::new(limited(2, 10));
    (0..4).for_each(|n| {
        talk.agent(n, SIZE);
    });
    let notes = live_until(&mut talk, 3000.0, |_, _| false);
    let times: Vec<_> = (0..4).map(|n| when_unreachable(&notes, n).unwrap()).collect();
    assert_eq!(times, [75.0, 375.0, 675.0, 975.0]);
    let counts = talk.master.unreachable_counts();
    assert_eq!(counts, UnreachableCounts { scheduled: 4, completed: 4, canceled: 0 });
}

#[test]
fn an_answer_while_an_agent_waits_for_its_turn_cancels_it() {
    let mut talk = Talk::new(limited(1, 10));
    (0..3).for_each(|n| {
        talk.agent(n, SIZE);
    });
    let notes = live_until(&mut talk, 3000.0, |n, at| n == 1 && at > 200.0);
    assert_eq!([0, 1, 2].map(|n| when_unreachable(&notes, n)), [Some(75.0), None, Some(675.0)]);
    let counts = talk.master.unreachable_counts();
    assert_eq!(counts, UnreachableCounts { scheduled: 3, completed: 2, canceled: 1 });
}

#[test]
fn all_timers_share_the_removal_limit() {
    let mut options = limited(1, 10);
    options.agent_reregister_timeout = Span::from_secs(30);
    let mut scene = Scene::new(options, true, true);
    scene.talk.agent(1, SIZE);
    scene.disconnect();
    let notes = live_until(&mut scene.talk, 2000.0, |_, _| false);
    assert_eq!(when_unreachable(&notes, 0), Some(30.0), "for its connection broke");
    assert_eq!(when_unreachable(&notes, 1), Some(630.0), "for want of answers, and after the other");
}
