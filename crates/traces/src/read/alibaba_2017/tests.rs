use crate::{
    Micros, Quality, Status,
    read::testing::{read, rejections},
    row::{MachineEvent, Value, Whose},
    sink::Collected,
};

fn trace(files: &[(&str, &str)]) -> (Collected, Quality) {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let (format, rows, quality) = read(&files);
    assert_eq!(format, "alibaba-2017");
    (rows, quality)
}

const HEADER: &str = "task_create_time, task_end_time, job_id, task_id,number_of_instances, status, number_of_cpus_requested_per_instance_in_the_task,normalized_memory_requested_per_instance_in_the_task\n";

#[test]
fn a_header_with_blanks_in_its_names_is_no_row_and_neither_is_it_needed() {
    let row = "6459,6524,3,4,15740,Terminated,50,0.0078125\r\n";
    for text in [format!("{HEADER}{row}"), row.to_owned()] {
        let (rows, quality) = trace(&[("t", &text)]);
        let task = &rows.tasks[0];
        assert_eq!((quality.rows(), quality.rejected(), rows.jobs.len()), (1, 0, 1));
        assert_eq!((task.instances, task.cpus, task.mem_mib), (15_740, Some(0.5), Some(2048.0)));
        assert_eq!((task.submit, task.duration), (Some(Micros(6_459_000_000)), Some(Micros(65_000_000))));
        assert_eq!((&*rows.jobs[0].name, task.name.as_deref()), ("3", Some("4")));
    }
}

#[test]
fn a_task_that_is_not_over_has_no_end_though_it_has_a_time_of_change() {
    let text = "6036,6046,4,7,393,Waiting,,\n-1078,0,4,8,2,Running,50,0.01\n-5,-9,4,9,1,Failed,50,0.01\n0,10,4,10,1,Ready,,\n";
    let (rows, quality) = trace(&[("t", text)]);
    let seen: Vec<_> = rows.tasks.iter().map(|task| (task.end, task.status, task.cpus)).collect();
    let (waits, runs, failed) = (Some(Status::Waiting), Some(Status::Running), Some(Status::Failed));
    assert_eq!(
        seen,
        [(None, waits, None), (None, runs, Some(0.5)), (None, failed, Some(0.5)), (None, waits, None)]
    );
    assert_eq!(rows.tasks[1].submit, Some(Micros(-1_078_000_000)), "negative times are before the trace");
    assert_eq!((rows.jobs[0].end, rows.jobs[0].status), (None, failed));
    assert_eq!((quality.missing()["plan cpu"], quality.missing()["plan mem"]), (2, 2));
    assert_eq!(quality.notes()["tasks that are over and have no end, or one before their creation"], 1);
}

#[test]
fn the_tasks_of_a_job_may_lie_apart() {
    let text = "1,2,3,4,1,Terminated,50,0.01\n1,2,5,6,1,Terminated,50,0.01\n7,9,3,8,1,Terminated,50,0.01\n";
    let (rows, _) = trace(&[("t", text)]);
    let jobs: Vec<_> = rows.jobs.iter().map(|job| (&*job.name, job.number, job.end)).collect();
    assert_eq!(jobs, [("5", 1, Some(Micros(2_000_000))), ("3", 0, Some(Micros(9_000_000)))]);
}

#[test]
fn instances_are_usage_if_they_started_and_ended() {
    let task = "1,20,3,4,2,Terminated,50,0.01\n";
    let instances = "2,9,3,4,17,Terminated,1,1,1.58,0.21,0.02,0.01\n0,0,3,4,,Interrupted,1,2,,,,\n2,9,9,4,17,Terminated,1,1,1.58,0.21,0.02,0.01\n";
    let (rows, quality) = trace(&[("i", instances), ("t", task)]);
    let usage = &rows.usage[0];
    assert_eq!((rows.usage.len(), &usage.whose, usage.duration), (1, &Whose::Task(0, 0), Micros(7_000_000)));
    assert_eq!((usage.cpus, usage.cpus_max, usage.mem_mib), (Some(0.21), Some(1.58), Some(2621.44)));
    assert_eq!(quality.notes()["instances that had not started or ended: left out of usage"], 1);
    assert_eq!(quality.notes()["instances of tasks that the trace does not have: left out"], 1);
}

#[test]
fn machines_come_have_soft_errors_and_go_with_hard_ones() {
    let events = "0,1,add,,64,0.5,1\n50,1,softerror,linkfailed,64,0.5,1\n60,1,harderror,disk,64,0.5,1\n70,1,add,,64,0.5,1\n";
    let usage = "39600,1,50,25,42,0.3,0.2,0.2\n39600,2,-1,25,42,0.3,0.2,0.2\n";
    let (rows, quality) = trace(&[("e", events), ("u", usage)]);
    assert_eq!(
        (rows.machines.len(), rows.machines[0].cpus, rows.machines[0].mem_mib),
        (1, Some(64.0), Some(131_072.0))
    );
    let kinds: Vec<_> = rows.machine_events.iter().map(|event| event.event).collect();
    assert_eq!(kinds, [MachineEvent::Add, MachineEvent::SoftError, MachineEvent::Remove, MachineEvent::Add]);
    assert_eq!((rows.usage[0].cpus, rows.usage[0].duration), (Some(32.0), Micros(300_000_000)));
    assert_eq!(rows.usage[1].cpus, None);
    assert_eq!(quality.rejected(), 0);
}

#[test]
fn a_container_is_a_job_of_one_task_from_its_creation_to_its_removal() {
    let events = "0,Create,101,7,4,0.05,0.1,1|2|3|4\n0,Create,102,7,8,0.05,0.1,\n5,Create,101,7,4,0.05,0.1,\n90,Remove,101,7,4,0.05,0.1,\n91,Remove,101,7,4,0.05,0.1,\n";
    let usage = "300,102,50,20,1,0,0,0,1,1,1,1\n300,109,50,20,1,0,0,0,1,1,1,1\n";
    let task = "1,20,3,4,2,Terminated,50,0.01\n";
    let (rows, quality) = trace(&[("a", task), ("e", events), ("u", usage)]);
    let jobs: Vec<_> = rows.jobs.iter().map(|job| (job.number, &*job.name, job.status)).collect();
    let expected = [
        (0, "3", Some(Status::Finished)),
        (1, "101", Some(Status::Killed)),
        (2, "102", Some(Status::Running)),
    ];
    assert_eq!(jobs, expected);
    assert_eq!((rows.tasks[1].cpus, rows.tasks[1].duration), (Some(4.0), Some(Micros(90_000_000))));
    assert_eq!(rows.tasks[1].extra, [("cpuset_cpus", Value::Number(4.0))]);
    assert_eq!(
        (rows.usage.len(), &rows.usage[0].whose, rows.usage[0].cpus),
        (1, &Whose::Task(2, 0), Some(4.0))
    );
    assert_eq!(quality.notes()["containers that were created twice: the first counts"], 1);
    assert_eq!(quality.notes()["removals of containers that were not there: left out"], 1);
}

#[test]
fn bad_rows_are_rejected_by_line() {
    let good = "1,2,3,4,1,Terminated,50,0.01\n";
    let (rows, quality) = trace(&[(
        "t",
        &format!("{good}{good}{good}{good}1,2,3,4,1,Done,50,0.01\n,2,3,4,1,Failed,50,0.01\n1,2,3\n"),
    )]);
    assert_eq!((rows.tasks.len(), rows.jobs.len()), (4, 1));
    let expected = [
        "line 5: `status` is `Done`: expected Ready, Waiting, Running, Terminated, Failed, Cancelled, Interrupted",
        "line 6: `create timestamp` is ``: expected a time in seconds",
        "line 7: 3 fields: expected 8 fields",
    ];
    assert_eq!(rejections(&quality), expected);
}
