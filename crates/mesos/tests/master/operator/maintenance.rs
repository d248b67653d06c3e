use mesos::{
    call::Call,
    event::{Event, InverseOffer, ToAgent},
    id::{AgentId, ConnectionId, FrameworkId},
    maintenance::{InverseOfferStatus, Machine, MachineMode, Schedule, Unavailability, Window},
    master::MasterOptions,
    offer::Filters,
    operator::OperatorCall,
    task::{Reason, TaskState},
    time::{Span, Time},
};

use super::{OK, assert_refused, fail_over, rescinded};
use crate::talk::{Talk, subscription};

/// The machine of the agent at the n-th address.
fn machine(n: usize) -> Machine {
    Machine { hostname: format!("host{n}"), ip: format!("10.0.0.{n}") }
}

fn window(machines: &[Machine], start: u64) -> Window {
    Window { machines: machines.to_vec(), start: Time::from_secs(start), duration: None }
}

fn update(windows: &[Window]) -> OperatorCall {
    OperatorCall::UpdateMaintenanceSchedule(Schedule { windows: windows.to_vec() })
}

fn planned(start: u64) -> Unavailability {
    Unavailability { start: Time::from_secs(start), duration: None }
}

/// Puts the n-th machine into the schedule.
fn plan(talk: &mut Talk, n: usize) {
    assert_eq!(talk.operator(update(&[window(&[machine(n)], 100)])), OK);
}

fn start(machines: &[Machine]) -> OperatorCall {
    OperatorCall::StartMaintenance(machines.to_vec())
}

fn stop(machines: &[Machine]) -> OperatorCall {
    OperatorCall::StopMaintenance(machines.to_vec())
}

fn master() -> Talk {
    Talk::new(MasterOptions::default())
}

/// A framework with a task on an agent, half of which it holds.
fn one_task(talk: &mut Talk) -> ((FrameworkId, ConnectionId), AgentId) {
    let framework = talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.launch(framework, &offer, 0, "cpus:2;mem:32");
    talk.told(0);
    (framework, agent)
}

/// Inverse offers sent since somebody last looked.
fn inverse_offers(talk: &mut Talk) -> Vec<InverseOffer> {
    let inverse = |event| if let Event::InverseOffers(inverse) = event { inverse } else { vec![] };
    std::mem::take(&mut talk.said.events).into_iter().flat_map(|(_, _, event)| inverse(event)).collect()
}

fn answer(inverse: &InverseOffer, accept: bool, refuse_seconds: f64) -> Call {
    let (offers, filters) = (vec![inverse.id], Some(Filters { refuse_seconds }));
    match accept {
        true => Call::AcceptInverseOffers { offers, filters },
        false => Call::DeclineInverseOffers { offers, filters },
    }
}

#[test]
fn a_schedule_that_is_none_is_refused() {
    let mut talk = master();
    let with = |hostname: &str, ip: &str| Machine { hostname: hostname.into(), ip: ip.into() };
    let upper = Machine { hostname: "HOST1".into(), ..machine(1) };
    let negative = Window { duration: Some(-1), ..window(&[machine(1)], 0) };
    for (windows, words) in [
        (vec![window(&[], 0)], "maintenance window is empty"),
        (vec![window(&[with("", "")], 0)], "Both 'hostname' and 'ip'"),
        (vec![window(&[with("x", "10.0.0.256")], 0)], "Failed to parse"),
        (vec![negative], "'duration' is negative"),
        (vec![window(&[machine(1)], 0), window(&[upper], 9)], "more than once in the schedule"),
    ] {
        assert_refused(&mut talk, update(&windows), 400, words);
    }
    assert!(talk.said.registry.schedule.windows.is_empty());
}

#[test]
fn offers_tell_when_an_agent_will_be_away() {
    let mut talk = master();
    let (framework, _) = talk.framework("a");
    talk.agent(0, "cpus:4;mem:64");
    talk.agent(1, "cpus:4;mem:64");
    let offers = talk.offers();
    plan(&mut talk, 0);
    let events: Vec<_> = talk.said.events.iter().map(|(_, _, event)| event.clone()).collect();
    assert_eq!(events[0], Event::Rescind(offers[0].id));
    let again = talk.offers();
    assert_eq!((again.len(), again[0].framework, again[0].agent), (1, framework, offers[0].agent));
    assert_eq!(again[0].unavailability.as_deref(), Some(&planned(100)));
    assert_eq!(talk.master.machines()[&machine(0)].mode, MachineMode::Draining);
}

#[test]
fn an_agent_that_registers_on_a_machine_of_the_schedule_will_be_away_too() {
    let mut talk = master();
    talk.framework("a");
    let upper = Machine { hostname: "HOST3".into(), ..machine(3) };
    assert_eq!(talk.operator(update(&[window(&[upper], 100)])), OK);
    talk.agent(3, "cpus:4;mem:64");
    assert_eq!(talk.offers()[0].unavailability.as_deref(), Some(&planned(100)));
}

#[test]
fn machines_whose_plan_stays_keep_their_offers() {
    let mut talk = master();
    talk.framework("a");
    for n in 0..3 {
        talk.agent(n, "cpus:4;mem:64");
    }
    plan(&mut talk, 0);
    talk.offers();
    let windows = [window(&[machine(0)], 100), window(&[machine(1)], 200)];
    assert_eq!(talk.operator(update(&windows)), OK);
    assert_eq!(rescinded(&mut talk).len(), 1);
}

#[test]
fn a_machine_that_leaves_the_schedule_is_up() {
    let mut talk = master();
    talk.framework("a");
    talk.agent(0, "cpus:4;mem:64");
    plan(&mut talk, 0);
    talk.offers();
    assert_eq!(talk.operator(update(&[])), OK);
    assert_eq!(talk.offers()[0].unavailability, None);
    assert!(talk.master.machines().is_empty() && talk.said.registry.machines.is_empty());
}

#[test]
fn who_holds_something_on_a_machine_is_asked_to_leave() {
    let mut talk = master();
    let (framework, agent) = one_task(&mut talk);
    talk.framework("b");
    talk.said.events.clear();
    plan(&mut talk, 0);
    let asked = inverse_offers(&mut talk);
    assert!(!asked.is_empty());
    let of_a: Vec<_> = asked.iter().filter(|inverse| inverse.framework == framework.0).collect();
    assert_eq!((of_a.len(), of_a[0].agent, of_a[0].unavailability), (1, agent, planned(100)));
}

#[test]
fn inverse_offers_share_the_numbers_of_offers_and_come_after_them() {
    let mut talk = master();
    one_task(&mut talk);
    talk.wait_until(6.0);
    talk.said.events.clear();
    plan(&mut talk, 0);
    let [(_, _, Event::Rescind(first)), (_, _, Event::Offers(offers)), (_, _, Event::InverseOffers(inverse))] =
        &talk.said.events[..]
    else {
        panic!("{:?}", talk.said.events)
    };
    assert_eq!((offers[0].id.0, inverse[0].id.0), (first.0 + 1, first.0 + 2));
}

#[test]
fn answers_change_what_is_reported_and_when_the_framework_is_asked_again() {
    let mut talk = master();
    let (framework, agent) = one_task(&mut talk);
    talk.said.events.clear();
    plan(&mut talk, 0);
    let asked = inverse_offers(&mut talk).remove(0);
    talk.call(framework, answer(&asked, true, 10.0)).unwrap();
    let statuses = |talk: &Talk| talk.master.inverse_offer_statuses(agent).collect::<Vec<_>>();
    assert_eq!(statuses(&talk), [(framework.0, InverseOfferStatus::Accept, Time::ZERO)]);
    talk.wait_until(9.5);
    assert_eq!(inverse_offers(&mut talk), []);
    talk.wait_until(12.0);
    let again = inverse_offers(&mut talk).remove(0);
    talk.call(framework, answer(&again, false, 1e9)).unwrap();
    assert_eq!(statuses(&talk), [(framework.0, InverseOfferStatus::Decline, Time::from_secs(12))]);
    talk.call(framework, answer(&asked, true, 0.0)).unwrap();
    assert_eq!(statuses(&talk).len(), 1, "nothing comes of an inverse offer that is not out");
}

#[test]
fn nobody_answers_the_inverse_offer_of_another() {
    let mut talk = master();
    one_task(&mut talk);
    let other = talk.framework("b");
    talk.said.events.clear();
    plan(&mut talk, 0);
    let asked = inverse_offers(&mut talk).remove(0);
    talk.call(other, answer(&asked, true, 10.0)).unwrap();
    assert!(talk.master.inverse_offers().any(|inverse| inverse.id == asked.id));
}

#[test]
fn an_unanswered_inverse_offer_is_rescinded_after_the_offer_timeout() {
    let mut talk =
        Talk::new(MasterOptions { offer_timeout: Some(Span::from_secs(30)), ..Default::default() });
    let (_, agent) = one_task(&mut talk);
    talk.wait_until(1.0);
    talk.said.events.clear();
    plan(&mut talk, 0);
    let asked = inverse_offers(&mut talk).remove(0);
    talk.wait_until(31.0);
    let rescind = Event::RescindInverseOffer(asked.id);
    assert!(talk.said.events.iter().any(|(_, _, event)| *event == rescind));
    assert_eq!(talk.master.inverse_offer_statuses(agent).count(), 0);
    assert_eq!(inverse_offers(&mut talk).len(), 1, "the same allocation asks again");
}

#[test]
fn another_plan_rescinds_inverse_offers_and_asks_anew() {
    let mut talk = master();
    one_task(&mut talk);
    plan(&mut talk, 0);
    let asked = inverse_offers(&mut talk).remove(0);
    assert_eq!(talk.operator(update(&[window(&[machine(0)], 200)])), OK);
    let rescind = Event::RescindInverseOffer(asked.id);
    assert!(talk.said.events.iter().any(|(_, _, event)| *event == rescind));
    assert_eq!(inverse_offers(&mut talk)[0].unavailability, planned(200));
}

#[test]
fn a_framework_that_is_away_loses_its_inverse_offers() {
    let mut talk = master();
    let framework = talk.subscribe(mesos::call::Subscribe {
        info: mesos::call::FrameworkInfo { failover_timeout: 60.0, ..subscription("a").info },
        ..subscription("a")
    });
    let agent = talk.agent(0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.launch(framework, &offer, 0, "cpus:2;mem:32");
    plan(&mut talk, 0);
    assert_eq!(inverse_offers(&mut talk)[0].agent, agent);
    talk.master.framework_disconnected(talk.now, framework.1, &mut talk.said);
    assert_eq!(talk.master.inverse_offers().count(), 0);
    talk.wait_until(10.0);
    assert_eq!(talk.master.inverse_offers().count(), 0);
}

#[test]
fn nobody_is_asked_to_leave_a_deactivated_agent() {
    let mut talk = master();
    let (_, agent) = one_task(&mut talk);
    talk.operator(OperatorCall::DeactivateAgent(agent));
    plan(&mut talk, 0);
    assert_eq!(inverse_offers(&mut talk), []);
    talk.operator(OperatorCall::ReactivateAgent(agent));
    talk.wait_until(10.0);
    assert_eq!(inverse_offers(&mut talk), [], "the allocator thinks that it was asked, as in Mesos");
}

#[test]
fn maintenance_begins_by_an_operators_word_only() {
    let mut talk = master();
    let (_, agent) = one_task(&mut talk);
    talk.master.trust(talk.now, agent);
    plan(&mut talk, 0);
    talk.wait_until(200.0);
    assert!(talk.master.agent_info(agent).is_some());
}

#[test]
fn a_machine_that_goes_down_loses_its_agents_and_their_tasks() {
    let mut talk = master();
    let (_, agent) = one_task(&mut talk);
    plan(&mut talk, 0);
    talk.said.events.clear();
    assert_eq!(talk.operator(start(&[Machine { hostname: "Host0".into(), ..machine(0) }])), OK);
    assert!(matches!(&talk.told(0)[..], [ToAgent::Shutdown { .. }]));
    let updates = talk.updates();
    let lost: Vec<_> = updates.iter().map(|status| (status.state, status.reason)).collect();
    assert_eq!(lost, [(TaskState::Lost, Some(Reason::AgentRemoved))]);
    assert!(talk.master.agent_info(agent).is_none());
    assert_eq!(talk.master.machines()[&machine(0)].mode, MachineMode::Down);
}

#[test]
fn an_agent_may_not_register_before_its_machine_is_up_again() {
    let mut talk = master();
    plan(&mut talk, 0);
    assert_eq!(talk.operator(start(&[machine(0)])), OK);
    fail_over(&mut talk);
    let info = mesos::registration::AgentInfo {
        hostname: "HOST0".into(),
        ip: "10.0.0.0".into(),
        ..Default::default()
    };
    let register = || mesos::event::FromAgent::Register(Box::new(info.clone()));
    talk.agent_says(0, register());
    assert!(matches!(&talk.told(0)[..], [ToAgent::Shutdown { .. }]));
    assert_eq!(talk.operator(stop(&[machine(0)])), OK);
    talk.agent_says(0, register());
    assert!(matches!(&talk.told(0)[..], [ToAgent::Registered { .. }, ..]));
    assert!(talk.said.registry.machines.is_empty() && talk.said.registry.schedule.windows.is_empty());
    assert!(talk.master.maintenance_schedule().windows.is_empty());
}

#[test]
fn machines_go_down_from_the_schedule_and_up_from_below_only() {
    let mut talk = master();
    plan(&mut talk, 0);
    for call in [start, stop] {
        assert_refused(&mut talk, call(&[]), 400, "List of machines is empty");
        assert_refused(&mut talk, call(&[machine(0), machine(0)]), 400, "more than once");
        assert_refused(
            &mut talk,
            call(&[machine(0), machine(1)][1..]),
            400,
            "not part of a maintenance schedule",
        );
    }
    assert_refused(&mut talk, stop(&[machine(0)]), 400, "not in DOWN mode");
    assert_eq!(talk.operator(start(&[machine(0)])), OK);
    assert_refused(&mut talk, start(&[machine(0)]), 400, "not in DRAINING mode");
    assert_refused(&mut talk, update(&[]), 400, "is deactivated and cannot be removed");
    assert_eq!(talk.operator(update(&[window(&[machine(0)], 300)])), OK);
    assert_eq!(talk.master.machines()[&machine(0)].mode, MachineMode::Down, "down is down");
}

#[test]
fn the_schedule_outlives_the_master() {
    let mut talk = master();
    plan(&mut talk, 0);
    fail_over(&mut talk);
    talk.framework("a");
    talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.offers()[0].unavailability.as_deref(), Some(&planned(100)));
}
