use super::parse_name;
use crate::{
    Micros, Quality, Status,
    read::testing::{read, rejections},
    row::{MachineEvent, Whose},
    sink::Collected,
};

fn trace(files: &[(&str, &str)]) -> (Collected, Quality) {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let (format, rows, quality) = read(&files);
    assert_eq!(format, "alibaba-2018");
    (rows, quality)
}

/// A job of tasks with these names.
fn job(names: &[&str]) -> (Collected, Quality) {
    let row = |name: &&str| format!("{name},2,j_1,1,Terminated,10,20,50,0.5\n");
    trace(&[("tasks", &names.iter().map(row).collect::<String>())])
}

fn parents(rows: &Collected) -> Vec<Vec<u32>> {
    rows.tasks.iter().map(|task| task.parents.clone()).collect()
}

#[test]
fn the_number_of_a_task_and_its_parents_are_in_its_name() {
    type Parsed = Option<(u32, &'static [u32])>;
    let cases: [(&str, Parsed); 14] = [
        ("M1", Some((1, &[]))),
        ("R2_1", Some((2, &[1]))),
        ("M5_3_4", Some((5, &[3, 4]))),
        ("J3_1_2", Some((3, &[1, 2]))),
        ("MR12_11", Some((12, &[11]))),
        ("R2_", Some((2, &[]))),
        ("M2_Stg1", Some((2, &[]))),
        ("R3_2_Stg5", Some((3, &[2]))),
        ("R3_2_Stg5_1", Some((3, &[2]))),
        ("R3_99999999999_2", Some((3, &[]))),
        ("task_Nzg3MDQ2==", None),
        ("task_12", None),
        ("MergeTask", None),
        ("7_1", None),
    ];
    for (name, expected) in cases {
        let expected = expected.map(|(own, parents)| (own, parents.to_vec()));
        assert_eq!(parse_name(name), expected, "{name}");
    }
}

#[test]
fn parents_are_found_by_number_whatever_the_order_of_rows() {
    let (rows, quality) = job(&["J3_1_2", "M1", "task_abc", "M2_1", "MergeTask"]);
    assert_eq!(parents(&rows), [vec![1, 3], vec![], vec![], vec![1], vec![]]);
    assert!(quality.notes().is_empty(), "{:?}", quality.notes());
}

#[test]
fn parents_that_do_not_exist_and_tasks_that_are_their_own_parents_are_counted() {
    let (rows, quality) = job(&["M1_9", "R2_2_1_1_8"]);
    assert_eq!(parents(&rows), [vec![], vec![0]]);
    assert_eq!(quality.notes()["parents that the job does not have: left out"], 2);
    assert_eq!(quality.notes()["tasks that are their own parents: that is left out"], 1);
}

#[test]
fn of_tasks_of_one_name_and_of_one_number_the_first_counts() {
    let (rows, quality) = job(&["M1", "M1", "R1", "J2_1"]);
    assert_eq!(parents(&rows), [vec![], vec![], vec![0]]);
    assert_eq!(quality.notes()["tasks with the name of another task of their job: left out"], 1);
    let note = "tasks with the number of another task of their job: the first is the parent";
    assert_eq!(quality.notes()[note], 1);
}

#[test]
fn a_circle_is_cut_and_a_parent_with_a_higher_number_is_none() {
    let (rows, quality) = job(&["M1_3", "R2_1", "R3_2"]);
    assert_eq!(parents(&rows), [vec![], vec![0], vec![1]]);
    assert_eq!(quality.notes()["parents in a circle: those with higher numbers are left out"], 1);
    let (rows, _) = job(&["M1_2", "M2"]);
    assert_eq!(parents(&rows), [vec![1], vec![]]);
}

#[test]
fn a_job_whose_rows_lie_apart_is_one_job_submitted_with_its_first_start() {
    let text = "R2_1,3,j_1,1,Terminated,30,50,100,1\nM1,1,j_2,1,Failed,5,9,50,0.5\nM1,1,j_1,1,Terminated,10,30,50,0.5\n";
    let (rows, _) = trace(&[("tasks", text)]);
    let names: Vec<_> = rows.jobs.iter().map(|job| (&*job.name, job.number)).collect();
    assert_eq!(names, [("j_2", 1), ("j_1", 0)], "a job is handed out with its last row");
    let job = &rows.jobs[1];
    assert_eq!(
        (job.submit, job.start, job.end),
        (Some(Micros(10_000_000)), Some(Micros(10_000_000)), Some(Micros(50_000_000)))
    );
    assert_eq!((rows.jobs[0].status, job.status), (Some(Status::Failed), Some(Status::Finished)));
    let task = rows.tasks.iter().find(|task| task.instances == 3).expect("the task of three");
    assert_eq!(
        (task.cpus, task.mem_mib, task.duration),
        (Some(1.0), Some(2621.44), Some(Micros(20_000_000)))
    );
    assert_eq!(task.submit, Some(Micros(10_000_000)));
}

#[test]
fn tasks_that_were_not_over_have_no_end_and_requests_may_be_missing() {
    let text = "M1,1,j_1,1,Running,30,0,100,1\nM2,1.0,j_1,1,Running,30,20,,\nM3,1,j_1,1,Waiting,0,0,,\n";
    let (rows, quality) = trace(&[("tasks", text)]);
    let ends: Vec<_> = rows.tasks.iter().map(|task| (task.end, task.duration)).collect();
    assert_eq!(ends, [(None, None); 3]);
    assert_eq!((rows.tasks[2].start, rows.tasks[2].attempts, rows.tasks[1].attempts), (None, 0, 1));
    assert_eq!((rows.jobs[0].end, rows.jobs[0].status), (None, Some(Status::Running)));
    assert_eq!((quality.missing()["plan_cpu"], quality.missing()["plan_mem"]), (2, 2));
    assert_eq!(quality.notes()["ends before their starts, of tasks that were not over: taken as missing"], 1);
}

#[test]
fn a_machine_has_several_rows_and_only_changes_are_events() {
    let text = "m_1,0,26,1,96,100,USING\nm_1,50,26,1,96,100,USING\nm_1,60,26,1,64,100,USING\nm_2,0,27,1,96,101,IMPORT\n";
    let (rows, quality) = trace(&[("machines", text)]);
    let machine = &rows.machines[0];
    assert_eq!((rows.machines.len(), machine.cpus, machine.mem_mib), (2, Some(96.0), Some(262_144.0)));
    assert_eq!((machine.rack.as_deref(), machine.zone.as_deref()), (Some("26"), Some("1")));
    assert_eq!(rows.machines[1].mem_mib, None, "101 marks an invalid value");
    let event = &rows.machine_events[0];
    assert_eq!((rows.machine_events.len(), event.event, event.cpus), (1, MachineEvent::Update, Some(64.0)));
    assert_eq!(quality.notes()["rows of machines with another status than USING"], 1);
}

#[test]
fn values_of_minus_1_and_101_are_invalid_measurements() {
    let usage = "m_1,10,50,20,,,0.1,0.1,3\nm_1,20,-1,101,,,0.1,0.1,3\n";
    let (rows, quality) = trace(&[("m", "m_1,0,26,1,96,100,USING\n"), ("u", usage)]);
    let used: Vec<_> = rows.usage.iter().map(|usage| (usage.cpus, usage.mem_mib)).collect();
    assert_eq!(used, [(Some(48.0), Some(52_428.8)), (None, None)]);
    let note = "per cents outside of 0 to 100, which mark invalid measurements: taken as missing";
    assert_eq!(quality.notes()[note], 2);
}

#[test]
fn containers_of_one_application_are_one_job_that_runs_on() {
    let meta = "c_1,m_2556,0,app_5052,started,400,400,1.56\nc_1,m_2556,287942,app_5052,started,800,800,1.56\nc_2,m_9,7,app_5052,started,400,400,\n";
    let usage = "c_1,m_2556,10,50,20,1.0,,,0.1,0.1,3\nc_7,m_1,10,50,20,1.0,,,0.1,0.1,3\n";
    let (rows, quality) = trace(&[("c", meta), ("u", usage)]);
    assert_eq!((rows.jobs.len(), rows.jobs[0].class.as_deref(), rows.tasks.len()), (1, Some("service"), 2));
    let task = &rows.tasks[0];
    assert_eq!((task.cpus, task.start, task.status), (Some(8.0), Some(Micros(0)), Some(Status::Running)));
    assert_eq!(task.machine.as_deref(), Some("m_2556"));
    assert_eq!((&rows.usage[0].whose, rows.usage[0].cpus), (&Whose::Task(0, 0), Some(4.0)));
    assert_eq!(quality.notes()["usage of containers that the trace does not have: left out"], 1);
}

#[test]
fn instances_tell_what_their_tasks_used() {
    let tasks = "M1,2,j_1,1,Terminated,10,20,50,0.5\n";
    let instances = "ins_1,M1,j_1,1,Terminated,10,20,m_1,1,1,40,90,0.1,0.2\nins_2,M1,j_1,1,Interrupted,10,0,m_1,1,2,,,,\nins_2,M2,j_1,1,Terminated,10,20,m_1,2,2,,,,\n";
    let (rows, quality) = trace(&[("t", tasks), ("u", instances)]);
    let usage = &rows.usage[0];
    assert_eq!((rows.usage.len(), &usage.whose, usage.duration), (1, &Whose::Task(0, 0), Micros(10_000_000)));
    assert_eq!((usage.cpus, usage.cpus_max), (Some(0.4), Some(0.9)));
    assert_eq!(quality.notes()["instances of tasks that the trace does not have: left out"], 1);
    assert_eq!(quality.notes()["attempts that were interrupted"], 1);
}

#[test]
fn a_rejected_row_is_the_last_of_its_job_all_the_same() {
    let good = "M1,1,j_1,1,Terminated,10,20,50,0.5\n";
    let (rows, quality) = trace(&[(
        "t",
        &format!("{good}M2,0,j_1,1,Terminated,1,2,1,1\nM3,1,j_1,1,Gone,1,2,1,1\n{good}M,1,j_2\n"),
    )]);
    assert_eq!((rows.jobs.len(), rows.tasks.len()), (1, 1));
    let expected = [
        "line 2: `instance_num` is `0`: expected a whole number, 1 or more",
        "line 3: `status` is `Gone`: expected Ready, Waiting, Running, Terminated, Failed, Cancelled, Interrupted",
        "line 5: 3 fields: expected 9 fields",
    ];
    assert_eq!(rejections(&quality), expected);
}
