use crate::{
    Micros, Options, Quality, Status, Trace, TraceError,
    read::testing::{read, rejections},
    row::{MachineEvent, Value, Whose},
    sink::Collected,
};

fn trace(files: &[(&str, &str)]) -> (Collected, Quality) {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let (format, rows, quality) = read(&files);
    assert_eq!(format, "google-2019");
    (rows, quality)
}

/// An instance event as BigQuery writes it as JSON.
fn event(time: i64, what: &str, machine: &str) -> String {
    format!(
        "{{\"time\":\"{time}\",\"type\":{what},\"collection_id\":\"376160000000000001\",\"scheduling_class\":\"3\",\
         \"priority\":\"200\",\"alloc_collection_id\":\"0\",\"instance_index\":\"7\",\"machine_id\":\"{machine}\",\
         \"resource_request\":{{\"cpus\":0.25,\"memory\":0.125}}}}\n"
    )
}

#[test]
fn whole_numbers_are_texts_and_ids_beyond_2_to_the_53_are_kept_apart() {
    let text = event(600_000_001, "\"0\"", "0")
        + &event(600_000_002, "\"3\"", "42")
        + &event(600_000_009, "\"6\"", "42");
    let other = text.replace("0000001\",\"sched", "0000002\",\"sched");
    let (rows, quality) = trace(&[("a", &text), ("b", &other)]);
    let names: Vec<_> = rows.jobs.iter().map(|job| &*job.name).collect();
    assert_eq!((names, quality.rejected()), (vec!["376160000000000001", "376160000000000002"], 0));
    let task = &rows.tasks[0];
    assert_eq!((task.index, task.cpus, task.mem_mib), (7, Some(16.0), Some(32_768.0)));
    assert_eq!((task.duration, task.status), (Some(Micros(7)), Some(Status::Finished)));
    assert_eq!((task.machine.as_deref(), task.priority), (Some("42"), Some(200)));
    assert!(task.extra.is_empty(), "no alloc set has the number 0");
}

#[test]
fn events_have_other_numbers_than_in_2011_and_may_be_names() {
    let cases = [
        ("4", "EVICT", Status::Evicted),
        ("5", "FAIL", Status::Failed),
        ("6", "FINISH", Status::Finished),
        ("7", "KILL", Status::Killed),
        ("8", "LOST", Status::Lost),
    ];
    for (number, name, expected) in cases {
        for last in [number.to_owned(), format!("\"{number}\""), format!("\"{name}\"")] {
            let text = [("0", 1), ("1", 2), ("\"ENABLE\"", 3), ("3", 4), (&last, 9)];
            let text: String = text.iter().map(|(what, time)| event(*time, what, "5")).collect();
            let (rows, _) = trace(&[("a", &text)]);
            let task = &rows.tasks[0];
            assert_eq!(
                (task.status, task.start, task.attempts),
                (Some(expected), Some(Micros(4)), 1),
                "{last}"
            );
            assert_eq!(task.evictions, u32::from(name == "EVICT"));
        }
    }
}

#[test]
fn exports_in_no_order_are_sorted() {
    let text = event(9, "6", "5") + &event(4, "3", "5") + &event(1, "0", "0");
    let (rows, quality) = trace(&[("a", &text)]);
    let task = &rows.tasks[0];
    assert_eq!((rows.tasks.len(), task.submit, task.duration), (1, Some(Micros(1)), Some(Micros(5))));
    assert_eq!(quality.notes()["rows in no order: sorted by time in memory"], 3);
}

#[test]
fn csv_flattens_with_dots_or_underscores_and_in_any_order_of_columns() {
    for (cpus, memory) in [
        ("resource_request.cpus", "resource_request.memory"),
        ("resource_request_cpus", "resource_request_memory"),
    ] {
        let text = format!(
            "time,instance_index,type,collection_id,{memory},{cpus},constraint\n\
             1,0,SUBMIT,9,0.125,0.25,\"[{{\"\"name\"\":\"\"o0\"\",\"\"value\"\":\"\"x\"\",\"\"relation\"\":\"\"5\"\"}}]\"\n\
             2,0,SCHEDULE,9,0.125,0.25,\n"
        );
        let (rows, quality) = trace(&[("a", &text)]);
        let task = &rows.tasks[0];
        assert_eq!((task.cpus, task.mem_mib, quality.rejected()), (Some(16.0), Some(32_768.0), 0));
        assert_eq!((task.constraints.as_deref(), task.status), (Some("o0 >= x"), Some(Status::Running)));
    }
}

#[test]
fn collections_tell_of_jobs_alloc_sets_and_what_comes_before_them() {
    let collections = "{\"time\":\"1\",\"type\":\"0\",\"collection_id\":\"5\",\"collection_type\":\"1\",\"user\":\"u\"}\n\
        {\"time\":\"2\",\"type\":\"SUBMIT\",\"collection_id\":\"6\",\"collection_type\":\"JOB\",\"priority\":\"103\",\"user\":\"u\",\
         \"collection_name\":\"n\",\"collection_logical_name\":\"l\",\"start_after_collection_ids\":[\"5\",\"99\"],\
         \"max_per_machine\":\"2\",\"max_per_switch\":\"0\"}\n\
        {\"time\":\"9\",\"type\":\"7\",\"collection_id\":\"6\"}\n";
    let instances = "{\"time\":\"3\",\"type\":\"0\",\"collection_id\":\"6\",\"instance_index\":\"0\",\"alloc_collection_id\":\"5\",\"alloc_instance_index\":\"0\",\"machine_id\":\"-1\",\"missing_type\":\"3\",\"constraint\":[{\"name\":\"a\",\"relation\":\"6\"},{\"name\":\"b\",\"value\":\"\",\"relation\":\"EQUAL\"}]}\n\
        {\"time\":\"9\",\"type\":\"7\",\"collection_id\":\"6\",\"instance_index\":\"0\"}\n";
    let (rows, quality) = trace(&[("a", collections), ("b", instances)]);
    let (alloc, job) =
        (rows.jobs.iter().find(|job| &*job.name == "5"), rows.jobs.iter().find(|job| &*job.name == "6"));
    let (alloc, job) = (alloc.expect("the alloc set"), job.expect("the job"));
    assert_eq!((alloc.number_of("alloc_set"), job.number_of("alloc_set")), (Some(1.0), None));
    assert_eq!((&job.parents[..], job.priority, job.status), (&[0][..], Some(103), Some(Status::Killed)));
    assert_eq!((job.application.as_deref(), job.user.as_deref()), (Some("l"), Some("u")));
    let task = &rows.tasks[0];
    assert_eq!(task.constraints.as_deref(), Some("machine max-per 2 & a present & b absent"));
    assert_eq!(
        (&task.extra[..], task.machine.as_deref()),
        (&[("alloc_collection", Value::Text("5".into()))][..], None)
    );
    assert_eq!((task.status, task.attempts), (Some(Status::Killed), 0));
    assert_eq!(quality.notes()["jobs to come after jobs that are not in the trace"], 1);
    assert_eq!(quality.notes()["rows on a dedicated machine, which has no number"], 1);
    assert_eq!(quality.notes()["rows that stand for events that were not recorded"], 1);
    assert_eq!(quality.missing()["resource_request_cpus"], 2);
}

#[test]
fn machines_are_added_with_1_and_have_switches_and_attributes() {
    let machines = "{\"time\":\"0\",\"machine_id\":\"3\",\"type\":\"1\",\"switch_id\":\"s\",\"capacity\":{\"cpus\":0.5,\"memory\":0.25},\"platform_id\":\"p\"}\n\
        {\"time\":\"5\",\"machine_id\":\"3\",\"type\":\"REMOVE\",\"capacity\":{\"cpus\":0.5,\"memory\":0.25}}\n\
        {\"time\":\"6\",\"machine_id\":\"3\",\"type\":\"0\"}\n";
    let attributes =
        "{\"time\":\"0\",\"machine_id\":\"3\",\"name\":\"k\",\"value\":\"1\",\"deleted\":false}\n";
    let (rows, quality) = trace(&[("m", machines), ("a", attributes)]);
    let machine = &rows.machines[0];
    assert_eq!(
        (machine.cpus, machine.mem_mib, machine.rack.as_deref()),
        (Some(32.0), Some(65_536.0), Some("s"))
    );
    assert_eq!(machine.attributes, [("k".into(), "1".into()), ("platform".into(), "p".into())]);
    let kinds: Vec<_> = rows.machine_events.iter().map(|event| event.event).collect();
    assert_eq!((kinds, quality.rejected()), (vec![MachineEvent::Add, MachineEvent::Remove], 1));
}

#[test]
fn usage_is_of_instances_and_nested() {
    let usage = "{\"start_time\":\"300000000\",\"end_time\":\"600000000\",\"collection_id\":\"5\",\"instance_index\":\"2\",\"machine_id\":\"3\",\"average_usage\":{\"cpus\":0.5,\"memory\":0.25},\"maximum_usage\":{\"cpus\":0.75},\"assigned_memory\":0.1}\n";
    let (rows, _) = trace(&[("u", usage)]);
    let used = &rows.usage[0];
    assert_eq!((&used.whose, used.duration), (&Whose::Task(0, 2), Micros(300_000_000)));
    assert_eq!((used.cpus, used.cpus_max, used.mem_mib), (Some(32.0), Some(48.0), Some(65_536.0)));
}

#[test]
fn the_joined_sample_is_refused_with_a_reason() {
    let header = ",time,instance_events_type,collection_id,scheduling_class,collection_type,priority,alloc_collection_id,instance_index,machine_id,resource_request,constraint,collections_events_type,user\n";
    let row = "0,0,2,94591244395,3,1,200,0,144,168846390496,\"{'cpus': 0.02, 'memory': 0.014}\",[],2,u\n";
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("x");
    std::fs::write(&path, format!("{header}{row}")).expect("a file");
    let trace = Trace::one(&path, None).expect("a known format");
    let read = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
    let Err(TraceError::Malformed { problem, .. }) = read else { panic!("{read:?}") };
    assert!(problem.contains("borg_traces_data.csv"), "{problem}");
}

#[test]
fn bad_rows_are_rejected_by_line() {
    let good = event(1, "0", "0");
    let bad = "{\"time\":\"-1\",\"type\":0,\"collection_id\":\"1\",\"instance_index\":\"1\"}\n{\"time\n{\"time\":\"2\",\"type\":\"11\",\"collection_id\":\"1\",\"instance_index\":\"1\"}\n{\"time\":\"2\",\"type\":\"1\",\"collection_id\":\"1.5\",\"instance_index\":\"1\"}\n";
    let (rows, quality) = trace(&[("a", &format!("{good}{bad}"))]);
    assert_eq!((rows.tasks.len(), quality.rows()), (1, 5));
    let expected = [
        "line 2: `time` is `-1`: expected a time in microseconds, 0 or later",
        "line 3: EOF while parsing a string at line 1 column 6: expected a JSON object",
        "line 4: `type` is `11`: expected 0 to 10 or SUBMIT, QUEUE, ENABLE, SCHEDULE, EVICT, FAIL, FINISH, KILL, LOST, UPDATE_PENDING, UPDATE_RUNNING",
        "line 5: `collection_id` is `1.5`: expected a whole number, 0 or more",
    ];
    let found = rejections(&quality);
    assert_eq!(found[..3], expected[..3]);
    assert!(found[3].contains("`collection_id` is `1.5`"), "{}", found[3]);
}
