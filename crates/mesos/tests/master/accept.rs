//! ACCEPT: offers, tasks, executors, groups.

use std::sync::Arc;

use mesos::{
    call::{Call, Operation, OperationKind},
    capability::Capabilities,
    id::{AgentId, ExecutorId, FrameworkId, Id, OfferId, OperationId, TaskId},
    master::MasterOptions,
    offer::Offer,
    task::{
        CheckInfo, ContainerInfo, ExecutorInfo, ExecutorKind, Reason, TaskDetail, TaskInfo, TaskKey,
        TaskState,
    },
};

use super::{
    making::{books_balance, fates, held, holding, launched, of, offered, run},
    talk::{Talk, accept, subscription, task},
};

fn with(task: TaskInfo, detail: TaskDetail) -> TaskInfo {
    TaskInfo { detail: Some(Arc::new(detail)), ..task }
}

fn executor(id: usize, resources: &str) -> ExecutorInfo {
    ExecutorInfo {
        id: ExecutorId::new(id),
        kind: ExecutorKind::Custom,
        framework: None,
        command: true,
        container: None,
        resources: of(resources),
        shutdown_grace: None,
    }
}

fn group_executor(id: usize, resources: &str) -> ExecutorInfo {
    ExecutorInfo { kind: ExecutorKind::Default, command: false, ..executor(id, resources) }
}

fn by(executor: &ExecutorInfo) -> TaskDetail {
    TaskDetail { executor: Some(executor.clone()), ..TaskDetail::default() }
}

/// The error of launching one task on an agent with `cpus:4;mem:1024;disk:100`.
fn error_of(make: impl FnOnce(AgentId) -> TaskInfo) -> String {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(vec![make(offer.agent)])]);
    let (state, reason, message) = fates(&mut talk).remove(0);
    assert_eq!((state, reason), (TaskState::Error, Some(Reason::TaskInvalid)), "{message}");
    assert!(launched(&mut talk).is_empty() && held(&talk, offer.agent).is_empty());
    message
}

#[test]
fn what_a_task_does_not_take_is_declined_with_the_filters() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    talk.launch(framework, &offer, 0, "cpus:1;mem:24");
    assert_eq!(held(&talk, offer.agent), of("cpus:1;mem:24"));
    talk.wait_until(4.5);
    assert_eq!(talk.offers(), []);
    talk.wait_until(5.0);
    assert_eq!(talk.offers()[0].resources, of("cpus:3;mem:1000"));
    let run = launched(&mut talk).remove(0);
    assert_eq!(
        (run.framework, run.role, run.launch_executor, run.group),
        (framework.0, offer.role, None, None)
    );
    assert_eq!(run.tasks.len(), 1);
}

#[test]
fn each_task_runs_on_what_the_previous_left() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let tasks = [3, 3, 1].iter().enumerate();
    let tasks = tasks.map(|(id, cpus)| task(id, offer.agent, &format!("cpus:{cpus};mem:1"))).collect();
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(tasks)]);
    assert_eq!(talk.master.task_count(framework.0), 2);
    let (state, reason, message) = fates(&mut talk).remove(0);
    assert_eq!((state, reason), (TaskState::Error, Some(Reason::TaskInvalid)));
    assert!(message.starts_with("Task uses more resources cpus(allocated: a)"), "{message}");
    assert_eq!(held(&talk, offer.agent), of("cpus:4;mem:2"));
}

#[test]
fn resources_of_an_invalid_task_are_filtered_like_a_decline() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let bad = task(0, AgentId::new(7), "cpus:1");
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(vec![bad])]);
    let fate = fates(&mut talk).remove(0);
    assert_eq!(fate.2, "Task uses invalid agent S7 while agent S0 is expected");
    talk.wait_until(4.5);
    assert_eq!(talk.offers(), []);
}

#[test]
fn offers_of_one_agent_are_used_together() {
    let (mut talk, framework, first) = offered("cpus:4;mem:1024");
    talk.launch(framework, &first, 0, "cpus:1;mem:1");
    talk.wait_until(6.0);
    let second = talk.offers().remove(0);
    let key = TaskKey { framework: framework.0, task: TaskId::new(0) };
    talk.report(0, first.agent, key, TaskState::Finished, 1);
    talk.wait_until(7.0);
    let third = talk.offers().remove(0);
    let whole = task(1, first.agent, "cpus:4;mem:1024");
    run(&mut talk, framework, &[&second, &third], vec![OperationKind::Launch(vec![whole])]);
    assert_eq!(held(&talk, first.agent), of("cpus:4;mem:1024"));
}

#[test]
fn one_bad_offer_costs_the_whole_accept_and_gives_all_back_without_a_filter() {
    let launch = |offer: &Offer| OperationKind::Launch(vec![task(0, offer.agent, "cpus:1;mem:1")]);
    let refused = |spoil: fn(&mut Vec<OfferId>), says: &str| {
        let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
        let mut ids = vec![offer.id];
        spoil(&mut ids);
        let operations = vec![launch(&offer).into()];
        talk.call(framework, Call::Accept { offers: ids, operations, filters: None }).unwrap();
        let expected = format!("Task launched with invalid offers: {says}");
        assert_eq!(fates(&mut talk), [(TaskState::Dropped, Some(Reason::InvalidOffers), expected)]);
        assert!(launched(&mut talk).is_empty());
        (talk, offer)
    };
    let (mut talk, offer) = refused(|ids| ids.push(OfferId(99)), "Offer O99 is no longer valid");
    books_balance(&talk, offer.agent);
    assert!(talk.offers().is_empty());
    talk.wait_until(1.0);
    assert_eq!(talk.offers().len(), 1);
    refused(|ids| ids.push(ids[0]), "Duplicate offer O0 in offer list");
    let (mut talk, _) = refused(Vec::clear, "No offers specified");
    talk.wait_until(9.0);
    assert_eq!((talk.offers().len(), talk.master.outstanding_offers()), (0, 1), "not named, not discarded");
}

#[test]
fn offers_of_two_agents_do_not_go_together() {
    let (mut talk, framework, first) = offered("cpus:4;mem:1024");
    talk.agent(1, "cpus:4;mem:1024");
    let second = talk.offers().remove(0);
    let launch = OperationKind::Launch(vec![task(0, first.agent, "cpus:1")]);
    run(&mut talk, framework, &[&first, &second], vec![launch]);
    assert!(fates(&mut talk)[0].2.contains("must belong to one single agent"));
    assert_eq!(talk.master.outstanding_offers(), 0);
}

#[test]
fn an_offer_of_another_framework_is_not_taken_from_it() {
    let (mut talk, _, offer) = offered("cpus:4;mem:1024");
    let thief = talk.framework("b");
    run(&mut talk, thief, &[&offer], vec![OperationKind::Launch(vec![task(0, offer.agent, "cpus:1")])]);
    let fate = fates(&mut talk).remove(0);
    assert!(
        fate.2.ends_with("Offer O0 has invalid framework 0000 while framework 0001 is expected"),
        "{fate:?}"
    );
    assert_eq!(talk.master.outstanding_offers(), 1);
}

#[test]
fn a_framework_that_is_not_partition_aware_hears_of_a_lost_task() {
    let mut talk = Talk::new(MasterOptions::default());
    let mut subscribe = subscription("a");
    subscribe.info.capabilities = Capabilities::MULTI_ROLE;
    let (framework, connection) = talk.subscribe(subscribe);
    let agent = talk.agent(0, "cpus:4;mem:1024");
    talk.offers();
    let operations = vec![OperationKind::Launch(vec![task(0, agent, "cpus:1")]).into()];
    let call = Call::Accept { offers: vec![OfferId(9)], operations, filters: None };
    talk.call((framework, connection), call).unwrap();
    assert_eq!(fates(&mut talk)[0].0, TaskState::Lost);
}

#[test]
fn a_task_is_checked_in_order_with_the_words_of_mesos() {
    let grace = |kill_grace| TaskDetail { command: true, kill_grace, ..TaskDetail::default() };
    let plain = |agent| task(0, agent, "cpus:1;mem:1");
    let says = |detail: TaskDetail| error_of(|agent| with(plain(agent), detail));
    assert_eq!(error_of(|agent| task(0, agent, "")), "Task uses no resources");
    assert_eq!(says(grace(Some(-1))), "Task's 'kill_policy.grace_period' must be non-negative");
    let detail = TaskDetail { max_completion_time: Some(-1), ..grace(None) };
    assert_eq!(says(detail), "Task's 'max_completion_time' must be non-negative");
    let bad = CheckInfo { timeout: -1, ..CheckInfo::default() };
    let detail = TaskDetail { health_check: Some(bad), ..grace(None) };
    assert_eq!(
        says(detail),
        "Task uses invalid health check: Expecting 'timeout_seconds' to be non-negative"
    );
    let neither = "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present";
    assert_eq!(says(TaskDetail::default()), neither);
    assert_eq!(says(TaskDetail { command: true, ..by(&executor(0, "cpus:1")) }), neither);
    assert_eq!(says(by(&group_executor(0, "cpus:1"))), "'ExecutorInfo.type' must be 'CUSTOM'");
    let mut other = executor(0, "cpus:1");
    other.framework = Some(FrameworkId::new(5));
    let says_framework = "ExecutorInfo has an invalid FrameworkID (Actual: 0005 vs Expected: 0000)";
    assert_eq!(says(by(&other)), says_framework);
    assert!(error_of(|agent| task(0, agent, "gpus:0.5")).starts_with("Task uses invalid resources"));
}

#[test]
fn limits_are_of_cpus_and_mem_and_not_below_the_request() {
    let says = |name: &str, limit| {
        let limits = vec![(name.to_owned(), limit)];
        let detail = TaskDetail { command: true, limits, ..TaskDetail::default() };
        error_of(|agent| with(task(0, agent, "cpus:1;mem:10"), detail))
    };
    assert!(says("disk", 5.0).contains("not for 'disk'"));
    assert!(says("mem", 5.0).contains("limit 5 is less than its 'mem' request 10"));
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let limits = vec![("cpus".to_owned(), f64::INFINITY)];
    let detail = TaskDetail { command: true, limits, ..TaskDetail::default() };
    let task = with(task(0, offer.agent, "cpus:1;mem:10"), detail);
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(vec![task])]);
    assert_eq!(talk.master.task_count(framework.0), 1);
}

#[test]
fn a_task_id_is_used_again_only_when_its_task_is_over_and_acknowledged() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let twice = vec![task(0, offer.agent, "cpus:1"), task(0, offer.agent, "cpus:1")];
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(twice)]);
    let (state, _, message) = fates(&mut talk).remove(0);
    assert_eq!((state, &*message), (TaskState::Error, "Task has duplicate ID: 0"));
    assert_eq!(talk.master.task_count(framework.0), 1);
}

#[test]
fn an_executor_is_charged_once() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let own = executor(0, "cpus:1;mem:32");
    let tasks = [0, 1].map(|id| with(task(id, offer.agent, "cpus:1;mem:10"), by(&own)));
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(tasks.into())]);
    assert_eq!(held(&talk, offer.agent), of("cpus:3;mem:52"));
    let runs = launched(&mut talk);
    let new: Vec<_> = runs.iter().map(|run| run.launch_executor).collect();
    assert_eq!(new, [Some(true), Some(false)]);
    let named = runs[0].tasks[0].detail.as_ref().and_then(|detail| detail.executor.as_ref());
    assert_eq!(named.and_then(|executor| executor.framework), Some(framework.0), "filled in");
    let holds =
        talk.said.notes.iter().filter(|note| note.starts_with("Executor") && note.contains("holds: true"));
    assert_eq!(holds.count(), 1);
}

#[test]
fn an_executor_must_be_what_the_running_one_with_its_id_is() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let tasks = [executor(0, "cpus:1;mem:32"), executor(0, "cpus:0.5;mem:32")];
    let tasks = tasks.iter().enumerate().map(|(id, own)| with(task(id, offer.agent, "cpus:1"), by(own)));
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(tasks.collect())]);
    assert!(fates(&mut talk)[0].2.starts_with("ExecutorInfo is not compatible with existing ExecutorInfo"));
    assert_eq!(held(&talk, offer.agent), of("cpus:2;mem:32"));
}

#[test]
fn a_task_and_its_new_executor_must_fit_together() {
    let says = |own: ExecutorInfo| error_of(|agent| with(task(0, agent, "cpus:3;mem:32"), by(&own)));
    assert!(says(executor(0, "cpus:2;mem:32")).starts_with("Task uses more resources"));
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;ports:[1-10]");
    let own = executor(0, "cpus:1;mem:32;ports:[3-4]");
    let overlapping = with(task(0, offer.agent, "cpus:1;ports:[4-5]"), by(&own));
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(vec![overlapping])]);
    assert_eq!(fates(&mut talk)[0].2, "Task and its executor use overlapping resources");
}

#[test]
fn a_group_is_launched_with_its_executor() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
    let executor = group_executor(0, "cpus:0.1;mem:32;disk:10");
    let tasks = [0, 1].map(|id| task(id, offer.agent, "cpus:1;mem:10"));
    let group = OperationKind::LaunchGroup { executor: executor.clone(), tasks: tasks.clone().into() };
    run(&mut talk, framework, &[&offer], vec![group]);
    assert_eq!(held(&talk, offer.agent), of("cpus:2.1;mem:52;disk:10"));
    let run = launched(&mut talk).remove(0);
    let filled = ExecutorInfo { framework: Some(framework.0), ..executor };
    assert_eq!((run.group, run.launch_executor), (Some(filled), Some(true)));
    assert_eq!(run.tasks.to_vec(), tasks);
}

#[test]
fn a_group_with_one_error_is_an_error_of_every_task() {
    let says = |executor: ExecutorInfo, resources: [&str; 2], spoil: fn(&mut Vec<TaskInfo>)| {
        let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
        let tasks = resources.iter().enumerate().map(|(id, resources)| task(id, offer.agent, resources));
        let mut tasks: Vec<TaskInfo> = tasks.collect();
        spoil(&mut tasks);
        run(&mut talk, framework, &[&offer], vec![OperationKind::LaunchGroup { executor, tasks }]);
        assert!(held(&talk, offer.agent).is_empty() && launched(&mut talk).is_empty());
        let fates = fates(&mut talk);
        let is_error = |fate: &&(TaskState, Option<Reason>, String)| {
            (fate.0, fate.1) == (TaskState::Error, Some(Reason::TaskGroupInvalid))
        };
        assert_eq!(fates.iter().filter(is_error).count(), 2, "{fates:?}");
        fates[0].2.clone()
    };
    let good = || group_executor(3, "cpus:0.1;mem:32;disk:10");
    let fine = ["cpus:1", "cpus:1"];
    let same = |_: &mut Vec<TaskInfo>| ();
    assert_eq!(says(good(), ["cpus:1", ""], same), "Task '1' is invalid: Task uses no resources");
    assert!(says(good(), ["cpus:2", "cpus:2"], same).starts_with("Task group uses more resources"));
    let unset = ExecutorInfo { kind: ExecutorKind::Unset, ..good() };
    assert_eq!(says(unset, fine, same), "'ExecutorInfo.type' must be set");
    let commanded = ExecutorInfo { command: true, ..good() };
    let expected = "'ExecutorInfo.command' must not be set for 'DEFAULT' executor";
    assert_eq!(says(commanded, fine, same), expected);
    let little = group_executor(3, "mem:32;disk:10");
    assert!(says(little, fine, same).starts_with("Executor '3' uses less CPUs (0) than the minimum"));
    let little = group_executor(3, "cpus:1;mem:31;disk:10");
    assert!(says(little, fine, same).starts_with("Executor '3' uses less memory (31 MB)"));
    assert_eq!(says(group_executor(3, "cpus:1;mem:32"), fine, same), "Executor '3' uses no disk");
    let other = |tasks: &mut Vec<TaskInfo>| {
        tasks[1].detail = Some(Arc::new(by(&group_executor(9, "cpus:1"))));
    };
    let expected = "The `ExecutorInfo` of task '1' is different from executor '3'";
    assert_eq!(says(good(), fine, other), expected);
    let twice = |tasks: &mut Vec<TaskInfo>| tasks[1].id = tasks[0].id;
    assert_eq!(says(good(), fine, twice), "Task '0' is invalid: Task has duplicate ID: 0");
    let docker = |tasks: &mut Vec<TaskInfo>| {
        let container = Some(ContainerInfo { is_docker: true, image: None });
        tasks[0].detail = Some(Arc::new(TaskDetail { container, ..TaskDetail::default() }));
    };
    let expected = "Task '0' is invalid: Docker ContainerInfo is not supported on the task";
    assert_eq!(says(good(), fine, docker), expected);
}

#[test]
fn resources_may_say_that_they_are_allocated_to_the_role_of_the_offer() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let tasks = ["a", "b"].iter().enumerate();
    let tasks = tasks.map(|(id, role)| holding(id, offer.agent, of("cpus:1;mem:10").allocate(role)));
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(tasks.collect())]);
    assert_eq!(held(&talk, offer.agent), of("cpus:1;mem:10"));
    assert_eq!(fates(&mut talk).len(), 1, "another role is not in the offer");
}

#[test]
fn a_second_group_joins_the_executor_that_is_there() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
    let executor = group_executor(0, "cpus:0.1;mem:32;disk:10");
    let groups = [0, 1].map(|id| {
        let tasks = vec![task(id, offer.agent, "cpus:1;mem:10")];
        OperationKind::LaunchGroup { executor: executor.clone(), tasks }
    });
    run(&mut talk, framework, &[&offer], groups.into());
    assert_eq!(held(&talk, offer.agent), of("cpus:2.1;mem:52;disk:10"));
    let new: Vec<_> = launched(&mut talk).iter().map(|run| run.launch_executor).collect();
    assert_eq!(new, [Some(true), Some(false)]);
}

#[test]
fn a_launch_with_an_operation_id_is_an_error_of_its_tasks() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let what = OperationKind::Launch(vec![task(0, offer.agent, "cpus:1;mem:1")]);
    let operation = Operation { id: Some(OperationId::new(1)), what };
    talk.call(framework, accept(&[&offer], vec![operation], 5.0)).unwrap();
    let (state, reason, _) = fates(&mut talk).remove(0);
    assert_eq!((state, reason), (TaskState::Error, Some(Reason::TaskInvalid)));
    assert!(held(&talk, offer.agent).is_empty());
    books_balance(&talk, offer.agent);
}

#[test]
fn the_id_of_a_task_on_an_unreachable_agent_is_taken() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    talk.launch(framework, &offer, 0, "cpus:4;mem:1024");
    talk.wait_until(100.0);
    let agent = talk.agent(1, "cpus:4;mem:1024");
    let offer = talk.offers().remove(0);
    let again = OperationKind::Launch(vec![task(0, agent, "cpus:1;mem:1")]);
    run(&mut talk, framework, &[&offer], vec![again]);
    assert_eq!(fates(&mut talk)[0].2, "Task reuses the ID of an unreachable task: 0");
}

#[test]
fn a_launch_of_no_tasks_declines_the_offer() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(vec![])]);
    talk.wait_until(4.5);
    assert_eq!(talk.offers(), []);
    talk.wait_until(5.0);
    assert_eq!(talk.offers().len(), 1);
}
