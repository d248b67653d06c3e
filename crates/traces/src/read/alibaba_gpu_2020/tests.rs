use crate::{
    Micros, Quality, Status,
    read::testing::{read, rejections},
    row::{Value, Whose},
    sink::Collected,
};

fn trace(files: &[(&str, &str)]) -> (Collected, Quality) {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let (format, rows, quality) = read(&files);
    assert_eq!(format, "alibaba-gpu-2020");
    (rows, quality)
}

const JOBS: &str = "4b3f04b66a525d2df903eb16,8cb3bbeef,58540f191766,Terminated,494545.5,494560.0\n\
                    deadbeef0a525d2df903eb17,9cb3bbeef,58540f191766,Waiting,500000.0,\n";
const TASKS: &str = "4b3f04b66a525d2df903eb16,ps,1.0,Terminated,494550.0,494559.5,600.0,29.296875,,CPU\n\
                     4b3f04b66a525d2df903eb16,worker,4.0,Terminated,494551.0,494560.0,600.0,29.296875,25.0,MISC\n";

#[test]
fn jobs_are_gangs_of_roles_with_fractions_of_gpus_and_their_tags() {
    let tags =
        "8cb3bbeef,58540f191766,V100,fbeb14d671c629b6e82bee889fe4bb4c,bert\n9cb3bbeef,58540f191766,,,\n";
    let (rows, quality) = trace(&[("a", TASKS), ("b", JOBS), ("c", tags)]);
    let (ps, worker) = (&rows.tasks[0], &rows.tasks[1]);
    assert_eq!(
        (ps.name.as_deref(), ps.cpus, ps.mem_mib, ps.gpus),
        (Some("ps"), Some(6.0), Some(30_000.0), None)
    );
    assert_eq!((worker.index, worker.instances, worker.gpus), (1, 4, Some(0.25)));
    assert_eq!((worker.submit, worker.start), (Some(Micros(494_545_500_000)), Some(Micros(494_551_000_000))));
    assert_eq!((worker.duration, worker.gpu_model.as_deref()), (Some(Micros(9_000_000)), Some("V100")));
    assert_eq!(worker.extra, [("gpu_type", Value::Text("MISC".into()))]);
    let job = &rows.jobs[0];
    assert_eq!(
        (job.gang, job.application.as_deref(), job.user.as_deref()),
        (true, Some("bert"), Some("58540f191766"))
    );
    assert_eq!((job.start, job.status), (Some(Micros(494_550_000_000)), Some(Status::Finished)));
    assert_eq!((rows.jobs[1].status, rows.jobs[1].end), (Some(Status::Waiting), None));
    assert_eq!((quality.missing()["plan_gpu"], quality.notes()["jobs without tasks"]), (1, 1));
}

#[test]
fn tasks_without_a_table_of_jobs_make_jobs_of_their_own() {
    let (rows, quality) = trace(&[("a", TASKS)]);
    assert_eq!(
        (rows.jobs.len(), rows.jobs[0].submit, rows.tasks.len()),
        (1, Some(Micros(494_550_000_000)), 2)
    );
    assert!(!quality.notes().contains_key("jobs that are in no table of jobs"));
    let other = TASKS.replace("4b3f04b6", "4b3f04b7");
    let (rows, quality) = trace(&[("a", &other), ("b", JOBS)]);
    assert_eq!((rows.jobs.len(), quality.notes()["jobs that are in no table of jobs"]), (3, 1));
}

#[test]
fn workers_have_the_usage_of_their_sensors() {
    let instances = "4b3f04b66a525d2df903eb16,worker,inst1,w1,8cb3bbeef,Terminated,494551.0,494560.0,m1\n\
                     4b3f04b66a525d2df903eb16,worker,inst2,w2,8cb3bbeef,Terminated,494551.0,494560.0,m1\n\
                     4b3f04b66a525d2df903eb16,chief,inst2,w3,8cb3bbeef,Terminated,494551.0,494560.0,m1\n";
    let sensors =
        "4b3f04b66a525d2df903eb16,worker,w1,8cb3bbeef,m1,/dev/nvidia0,150.0,50.0,2.0,3.0,1.0,1.0,,,0.0,0.0\n";
    let (rows, quality) = trace(&[("a", TASKS), ("b", JOBS), ("i", instances), ("s", sensors)]);
    let usage = &rows.usage[0];
    assert_eq!((rows.usage.len(), &usage.whose, usage.duration), (1, &Whose::Task(0, 1), Micros(9_000_000)));
    assert_eq!((usage.cpus, usage.gpus, usage.mem_mib), (Some(1.5), Some(0.5), Some(2048.0)));
    assert_eq!(quality.notes()["workers without a sensor: left out of usage"], 1);
    assert_eq!(quality.notes()["workers of tasks that the trace does not have: left out"], 1);
}

#[test]
fn machines_have_gpus_and_metrics() {
    let machines = "ffd5b7a3c7b7b1a4f5d4c3b2,V100M32,96,512,8\n0ad5b7a3c7b7b1a4f5d4c3b2,CPU,96,512,0\n";
    let metrics = "0a1b2c3d4e5f,ffd5b7a3c7b7b1a4f5d4c3b2,10.0,20.0,0.1,0.2,0.3,25.0,1.0,100.0,2.0,50.0\n";
    let (rows, _) = trace(&[("m", machines), ("n", metrics)]);
    let seen: Vec<_> =
        rows.machines.iter().map(|machine| (machine.gpus, machine.gpu_model.as_deref())).collect();
    assert_eq!(seen, [(Some(8.0), Some("V100M32")), (Some(0.0), None)]);
    assert_eq!((rows.usage[0].cpus, rows.usage[0].gpus), (Some(48.0), Some(2.0)));
}

#[test]
fn bad_rows_are_rejected_by_line() {
    let bad = "x,ps,0,Terminated,1,2,600,1,,CPU\nx,ps,1,Gone,1,2,600,1,,CPU\nx,ps\n";
    let (rows, quality) = trace(&[("a", &format!("{TASKS}{TASKS}{bad}"))]);
    assert_eq!((rows.tasks.len(), quality.rejected()), (4, 3));
    let expected = [
        "line 5: `inst_num` is `0`: expected a whole number, 1 or more",
        "line 6: `status` is `Gone`: expected Ready, Waiting, Running, Terminated, Failed, Cancelled, Interrupted",
        "line 7: 2 fields: expected 10 fields",
    ];
    assert_eq!(rejections(&quality), expected);
}
