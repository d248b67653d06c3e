use crate::{
    MachineEventRow, Micros, Options, Quality, Status, Trace,
    read::testing::{read, rejections},
    row::{MachineEvent, Value, Whose},
    sink::Collected,
};

/// Rows of task 0 of job 9: time, machine, event.
fn events(events: &[(i64, &str, u8)]) -> String {
    let row = |(time, machine, event): &(i64, &str, u8)| {
        format!("{time},,9,0,{machine},{event},dXNlcg==,2,4,0.125,0.25,0.0625,0\n")
    };
    events.iter().map(row).collect()
}

fn tasks(text: &str) -> (Collected, Quality) {
    let (format, rows, quality) = read(&[("a", text.as_bytes())]);
    assert_eq!(format, "google-2011");
    (rows, quality)
}

const JOB_OVER: &str =
    "600000000,,9,0,dXNlcg==,2,bmFtZQ==,bG9naWNhbA==\n900000000,,9,4,dXNlcg==,2,bmFtZQ==,\n";

#[test]
fn the_events_of_a_task_become_one_row_with_amounts_of_the_largest_machine() {
    let text = events(&[(600_000_000, "", 0), (601_000_000, "42", 1), (700_000_000, "42", 4)]);
    let (_, rows, quality) = read(&[("a", text.as_bytes()), ("b", JOB_OVER.as_bytes())]);
    let task = &rows.tasks[0];
    assert_eq!((task.cpus, task.mem_mib, task.disk_mib), (Some(8.0), Some(65_536.0), Some(262_144.0)));
    assert_eq!((task.submit, task.start), (Some(Micros(600_000_000)), Some(Micros(601_000_000))));
    assert_eq!((task.duration, task.status), (Some(Micros(99_000_000)), Some(Status::Finished)));
    assert_eq!((task.machine.as_deref(), task.priority, task.attempts), (Some("42"), Some(4), 1));
    let job = &rows.jobs[0];
    assert_eq!((&*job.name, job.user.as_deref(), job.class.as_deref()), ("9", Some("dXNlcg=="), Some("2")));
    assert_eq!((job.application.as_deref(), job.priority), (Some("bG9naWNhbA=="), Some(4)));
    assert_eq!((job.end, job.status), (Some(Micros(900_000_000)), Some(Status::Finished)));
    assert!(quality.assumptions().iter().any(|said| said.contains("64 cores, 262144 MiB")));
}

#[test]
fn a_task_that_is_submitted_again_stays_one_task_and_its_evictions_are_counted() {
    for end in [2, 3, 4, 5] {
        let (rows, _) =
            tasks(&events(&[(1, "", 0), (2, "7", 1), (5, "7", end), (5, "", 0), (6, "8", 1), (9, "8", 6)]));
        let task = &rows.tasks[0];
        assert_eq!((rows.tasks.len(), task.attempts, task.evictions), (1, 2, u32::from(end == 2)));
        assert_eq!((task.submit, task.start, task.end), (Some(Micros(1)), Some(Micros(6)), Some(Micros(9))));
        assert_eq!((task.status, task.machine.as_deref()), (Some(Status::Lost), Some("8")));
    }
}

#[test]
fn a_task_that_waited_when_it_was_killed_keeps_the_end_of_its_last_attempt() {
    let (rows, _) = tasks(&events(&[(1, "", 0), (2, "7", 1), (5, "7", 2), (5, "", 0), (9, "", 5)]));
    let task = &rows.tasks[0];
    assert_eq!(
        (task.end, task.duration, task.status),
        (Some(Micros(5)), Some(Micros(3)), Some(Status::Killed))
    );
}

#[test]
fn what_is_open_at_the_end_is_censored() {
    let (rows, _) = tasks(&events(&[(1, "", 0), (2, "7", 1)]));
    assert_eq!((rows.tasks[0].status, rows.tasks[0].end), (Some(Status::Running), None));
    assert_eq!(rows.jobs[0].status, Some(Status::Running));
    let (rows, _) = tasks(&events(&[(1, "", 0)]));
    assert_eq!((rows.tasks[0].status, rows.tasks[0].attempts), (Some(Status::Waiting), 0));
    assert_eq!(rows.jobs[0].status, Some(Status::Waiting));
}

#[test]
fn an_event_after_the_end_of_the_trace_ends_nothing() {
    let (rows, quality) = tasks(&events(&[(1, "", 0), (2, "7", 1), (i64::MAX, "7", 4)]));
    assert_eq!((rows.tasks[0].status, rows.tasks[0].end), (Some(Status::Running), None));
    assert_eq!(quality.notes()["events after the end of the trace: left out"], 1);
}

#[test]
fn a_task_that_ran_at_time_0_started_before_the_trace() {
    let (rows, quality) = tasks(&events(&[(0, "7", 0), (0, "7", 1), (700_000_000, "7", 4)]));
    assert_eq!(rows.tasks[0].extra, [("started_before_trace", Value::Number(1.0))]);
    assert_eq!(quality.notes()["events at time 0: what was so before the trace"], 2);
}

#[test]
fn updates_change_the_request_of_a_running_task() {
    let mut text = events(&[(1, "", 0), (2, "7", 1)]);
    text.push_str("3,,9,0,7,8,dXNlcg==,2,11,0.5,0.25,0.0625,1\n");
    let (rows, quality) = tasks(&text);
    let task = &rows.tasks[0];
    assert_eq!((task.cpus, task.priority, task.attempts), (Some(32.0), Some(11), 1));
    assert_eq!(task.constraints.as_deref(), Some("machine distinct"));
    assert_eq!(quality.notes()["updates of requests: the last one is kept"], 1);
}

#[test]
fn rows_with_missing_info_are_taken_and_counted_and_empty_requests_are_missing_not_zero() {
    let (rows, quality) =
        tasks("0,2,3418309,0,4155527081,0,dXNlcg==,3,9,,,,\n0,,3418309,1,4,0,dXNlcg==,3,9,0,0.1,0,1\n");
    assert_eq!((rows.tasks[0].cpus, rows.tasks[0].mem_mib, rows.tasks[1].cpus), (None, None, Some(0.0)));
    assert_eq!((quality.missing()["CPU request"], quality.missing()["disk space request"]), (1, 1));
    assert_eq!(quality.notes()["rows that stand for an unrecorded creation (missing info 2)"], 1);
}

#[test]
fn a_job_id_that_is_used_again_is_another_job_with_tasks_of_its_own() {
    let jobs = "1,,9,0,dXNlcg==,2,bg==,bg==\n5,,9,5,dXNlcg==,2,bg==,bg==\n6,,9,0,dXNlcg==,2,bg==,bg==\n";
    let text = events(&[(1, "", 0), (2, "7", 1), (5, "7", 5), (6, "", 0)]);
    let (_, rows, quality) = read(&[("jobs", jobs.as_bytes()), ("tasks", text.as_bytes())]);
    let keys: Vec<_> = rows.tasks.iter().map(|task| (task.job, task.index, task.status)).collect();
    assert_eq!(keys, [(0, 0, Some(Status::Killed)), (1, 0, Some(Status::Waiting))]);
    assert_eq!((rows.jobs[0].status, rows.jobs[1].status), (Some(Status::Killed), Some(Status::Waiting)));
    assert_eq!(quality.notes()["job ids that were used again: jobs of their own"], 1);
}

#[test]
fn tasks_of_a_job_that_is_over_leave_memory_and_a_job_may_have_no_tasks() {
    let text = events(&[(600_000_000, "", 0), (601_000_000, "42", 1)]);
    let others = "950000000,,10,0,,0,dXNlcg==,2,4,,,,\n960000000,,9,0,42,4,dXNlcg==,2,4,,,,\n";
    let jobs = format!("{JOB_OVER}900000001,,11,0,dXNlcg==,2,bg==,bg==\n");
    let (_, rows, _) = read(&[("a", format!("{text}{others}").as_bytes()), ("b", jobs.as_bytes())]);
    let order: Vec<_> = rows.tasks.iter().map(|task| (task.job, task.end)).collect();
    assert_eq!(order, [(0, Some(Micros(960_000_000))), (2, None)], "the one that was over came first");
    assert_eq!(rows.jobs.iter().map(|job| &*job.name).collect::<Vec<_>>(), ["9", "11", "10"]);
}

#[test]
fn without_events_of_jobs_a_job_ends_with_the_last_of_its_tasks() {
    let mut text = events(&[(1, "", 0), (2, "7", 1), (8, "7", 3)]);
    text.push_str("1,,9,1,,0,dXNlcg==,2,4,,,,\n2,,9,1,7,1,dXNlcg==,2,4,,,,\n5,,9,1,7,4,dXNlcg==,2,4,,,,\n");
    let (rows, quality) = tasks(&text);
    assert_eq!((rows.jobs[0].end, rows.jobs[0].status), (Some(Micros(8)), Some(Status::Failed)));
    let disorder = "rows with an earlier time than the row before: taken as they come";
    assert_eq!(quality.notes()[disorder], 1);
}

#[test]
fn constraints_are_joined_and_those_of_a_later_submission_replace_them() {
    let text = events(&[(1, "", 0), (2, "7", 1), (5, "7", 2), (5, "", 0)]);
    let text = text.replace(",0\n", ",1\n");
    let constraints =
        "1,9,0,0,b2xk,1\n5,9,0,1,YXR0cg==,\n5,9,0,3,bGV2ZWw=,4\n5,9,0,2,bGV2ZWw=,8\n7,8,0,0,b2xk,1\n";
    let (_, rows, quality) = read(&[("c", constraints.as_bytes()), ("t", text.as_bytes())]);
    let expected = "machine distinct & YXR0cg== present & bGV2ZWw= > 4 & bGV2ZWw= < 8";
    assert_eq!(rows.tasks[0].constraints.as_deref(), Some(expected));
    assert_eq!(quality.notes()["constraints of tasks that are not open: left out"], 1);
}

#[test]
fn machines_come_with_the_attributes_of_time_0_and_later_ones_are_events() {
    let machines = "0,5,0,cGxhdA==,0.5,0.2493\n7,5,1,cGxhdA==,0.5,0.2493\n9,5,2,cGxhdA==,1,\n";
    let attributes = "0,5,a2V5,3,0\n8,5,a2V5,4,0\n9,5,a2V5,,1\n0,6,a2V5,3,0\n";
    let (_, rows, quality) = read(&[("m", machines.as_bytes()), ("n", attributes.as_bytes())]);
    let machine = &rows.machines[0];
    assert_eq!((rows.machines.len(), machine.cpus), (1, Some(32.0)));
    let pairs: Vec<_> = machine.attributes.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(pairs, [("a2V5", "3"), ("platform", "cGxhdA==")]);
    let kind = |row: &MachineEventRow<'_>| (row.at.0, row.event, row.attribute.is_some());
    let kinds: Vec<_> = rows.machine_events.iter().map(kind).collect();
    use MachineEvent::{Add, Remove, Update};
    let expected =
        [(0, Add, false), (7, Remove, false), (8, Update, true), (9, Update, true), (9, Update, false)];
    assert_eq!(kinds, expected);
    assert_eq!(quality.notes()["machines with attributes that never came: left out"], 1);
    assert_eq!(quality.missing()["memory capacity"], 1);
}

#[test]
fn without_machine_events_the_machines_are_those_that_tasks_ran_on() {
    let (rows, quality) = tasks(&events(&[(0, "8", 0), (2, "7", 1), (3, "7", 2), (4, "8", 1)]));
    let names: Vec<_> = rows.machines.iter().map(|machine| (&*machine.name, machine.cpus)).collect();
    assert_eq!(names, [("7", None), ("8", None)]);
    assert!(quality.assumptions().iter().any(|said| said.contains("no table of machine events")));
}

#[test]
fn usage_has_19_columns_or_20_and_may_exceed_the_request() {
    let row = "600000000,900000000,9,0,7,0.5,0.25,0.3,0,0,0.3,0,0,0.75,0,2.1,0.01,1,0";
    let usage = format!("{row}\n{row},0.5\n");
    for text in [usage, format!("{row}\n")] {
        let (rows, quality) = tasks(&text);
        assert_eq!((rows.usage.len() as u64, quality.rejected()), (quality.rows(), 0));
        let first = &rows.usage[0];
        assert_eq!((&first.whose, first.duration), (&Whose::Task(0, 0), Micros(300_000_000)));
        assert_eq!((first.cpus, first.cpus_max, first.mem_mib), (Some(32.0), Some(48.0), Some(65_536.0)));
    }
}

#[test]
fn usage_that_is_not_wanted_is_not_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("usage");
    std::fs::write(&path, "1,2,9,0,7,0.5,0.25,0.3,0,0,0.3,0,0,0.75,0,2.1,0.01,1,0\n").expect("a file");
    let options = Options { usage: false, ..Options::default() };
    let mut rows = Collected::default();
    let trace = Trace::one(&path, None).expect("a trace");
    let quality = trace.read(&options, &mut rows, &mut |_| true).expect("rows");
    assert_eq!((rows.usage.len(), quality.files().len()), (0, 0));
    assert!(quality.assumptions().iter().any(|said| said.contains("not wanted")));
}

#[test]
fn parts_are_read_in_the_order_of_their_times_not_of_their_names() {
    let late = events(&[(6, "8", 1), (9, "8", 4)]);
    let early = events(&[(1, "", 0), (2, "7", 1), (5, "7", 2), (5, "", 0)]);
    let (_, rows, quality) = read(&[("a", late.as_bytes()), ("b", early.as_bytes())]);
    assert_eq!((rows.tasks[0].attempts, rows.tasks[0].status), (2, Some(Status::Finished)));
    assert!(quality.notes().is_empty(), "{:?}", quality.notes());
}

#[test]
fn bad_rows_are_rejected_by_line_and_comments_and_line_ends_do_not_matter() {
    let good = "1,,9,0,,0,dXNlcg==,2,4,0.1,0.1,0.1,0\r\n";
    let bad = "-1,,9,0,,0,u,2,4,0,0,0,0\n2,,9,0,,9,u,2,4,0,0,0,0\n3,,9,0,,0,u,2,4,-0.5,0,0,0\n4,7,9,0,,0,u,2,4,0,0,0,0\n5,,9\n6,,9,5000000000,,0,u,2,4,0,0,0,0";
    let (rows, quality) = tasks(&format!("#Time,Missing info\n{good}{good}{good}\n{good}{good}{good}{bad}"));
    assert_eq!((rows.tasks.len(), quality.rows(), quality.rejected()), (1, 12, 6));
    let expected = [
        "line 9: `time` is `-1`: expected a time in microseconds, 0 or later",
        "line 10: `event type` is `9`: expected an event type, 0 to 8",
        "line 11: `CPU request` is `-0.5`: expected a number, 0 or more",
        "line 12: `missing info` is `7`: expected nothing, 0, 1 or 2",
        "line 13: 3 fields: expected 13 fields",
        "line 14: `task index` is `5000000000`: expected a whole number, 0 or more, and not huge",
    ];
    assert_eq!(rejections(&quality), expected);
}
