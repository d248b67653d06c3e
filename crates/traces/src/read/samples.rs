//! A small sample of each table of the formats, and the test that each is recognised as what it is and as nothing else.

use crate::{FORMATS, Format, Options, Source, Trace, sink::Collected};

const ID: &str = "x/XsOfHO4ocsV99i4NluqKDuxctW2MMVmwqOPAlg4wp8mqbBOe3wxBlQo0+Qx+uf";
const HEX: &str = "4b3f04b66a525d2df903eb16";

/// Format, table, and what a file of it holds.
fn samples() -> Vec<(&'static str, &'static str, String)> {
    let own = |(format, table, text): (&'static str, &'static str, &str)| (format, table, text.to_owned());
    let fixed = [
        ("google-2011", "job_events", "0,,3418309,0,70s3v5qRyCO=,3,IHgtoxEBuUT=,wAmgn2H74cd=\n"),
        ("google-2011", "task_events", "0,2,3418309,0,4155527081,0,70s3v5qRyCO=,3,9,,,,\n"),
        (
            "google-2011",
            "task_events",
            "5612587446,,6251995937,33,,0,4Ubmtv=,0,0,0.06873,0.01193,0.0001154,0\n",
        ),
        (
            "google-2011",
            "machine_events",
            "#Time stamp (microseconds),Machine ID\n0,10,0,LGzk1Or=,0.5,0.2493\n",
        ),
        ("google-2011", "machine_attributes", "0,10,2jcL3Gw=,3,0\n"),
        ("google-2011", "task_constraints", "0,3418309,0,1,2jcL3Gw=,\n"),
        (
            "google-2011",
            "task_usage",
            "600000000,900000000,3418309,0,42,0.1,0.2,0.1,0,0,0.2,0,0,0.2,0,2.1,0.01,1,0\n",
        ),
        (
            "google-2011",
            "task_usage",
            "600000000,900000000,3418309,0,,0.1,0.2,0.1,0,0,0.2,0,0,0.2,0,,,1,0,0.1\n",
        ),
        (
            "google-2019",
            "instance_events",
            "{\"time\":\"0\",\"type\":\"0\",\"collection_id\":\"5\",\"instance_index\":\"2\",\"machine_id\":\"3\"}\n",
        ),
        ("google-2019", "instance_events", "time,type,collection_id,instance_index,machine_id\n0,0,5,2,3\n"),
        (
            "google-2019",
            "collection_events",
            "{\"time\":\"0\",\"type\":\"0\",\"collection_id\":\"5\",\"user\":\"u\"}\n",
        ),
        ("google-2019", "machine_events", "{\"time\":\"0\",\"machine_id\":\"3\",\"type\":\"1\"}\n"),
        ("google-2019", "machine_attributes", "time,machine_id,name,value,deleted\n0,3,k,1,false\n"),
        (
            "google-2019",
            "instance_usage",
            "start_time,end_time,collection_id,instance_index,average_usage.cpus\n1,2,3,4,0.5\n",
        ),
        (
            "google-2019",
            "joined",
            ",time,instance_events_type,collection_id,instance_index,machine_id,collections_events_type\n0,0,2,9,1,1,2\n",
        ),
        ("alibaba-2017", "server_event", "0,1,add,,64,0.69,0.37\n"),
        ("alibaba-2017", "server_usage", "39600,1,27.5,42.1,42.6,14.1,13.9,14.0\n"),
        (
            "alibaba-2017",
            "batch_task",
            "6459,6524,3,4,15740,Terminated,50,0.007956928\n6036,6046,4,7,393,Waiting,,\n",
        ),
        (
            "alibaba-2017",
            "batch_instance",
            "41562,41618,120,686,299,Terminated,1,1,1.51,0.29,0.0113,0.0102\n",
        ),
        ("alibaba-2017", "container_event", "0,Create,1,6,4,0.04,0.05,1|2|3|4\n"),
        ("alibaba-2017", "container_usage", "39600,1,3.5,37.4,13.9,0.1,0.1,0.1,1.2,0.3,1.4,0.4\n"),
        ("alibaba-2018", "machine_meta", "m_1932,0,26,1,96,100,USING\n"),
        ("alibaba-2018", "machine_usage", "m_1932,386640,41,92,,,43.04,33.08,5\n"),
        ("alibaba-2018", "container_meta", "c_1,m_2556,0,app_5052,started,400,400,1.56\n"),
        ("alibaba-2018", "container_usage", "c_1,m_2556,386640,6,75,,,,0.01,0.02,3\n"),
        (
            "alibaba-2018",
            "batch_task",
            "M1,1,j_1,1,Terminated,419011,419900,100,0.49\ntask_Nzg3,1,j_2,1,Waiting,0,0,,\n",
        ),
        (
            "alibaba-2018",
            "batch_instance",
            "ins_74901673,task_LTg0MTUwNTA5Mjg4MDkwNjIzMA==,j_217,10,Terminated,673795,673797,m_2637,1,1,13,16,0.02,0.02\n",
        ),
        ("swf", "jobs", "0 1356996147 0 56 4 1 1024 4 864 42 1 62 1 1 -1 1 1 1 {12,12} q_2w 1:ppn=4\n"),
        ("swf", "jobs", "id submit wait\n1 20 0 12 1 -1 3 1 12 3 1 1 1 1 1 1 -1 0 DAG-1 1\n"),
        ("sacct", "jobs", "JobID|JobName|Submit|State\n12_3|a|2024-05-01T00:00:00|COMPLETED\n"),
        ("sacct", "jobs", "JobIDRaw|Elapsed|\n12|00:00:01|\n"),
        ("batsim", "workload", "{\"jobs\": [{\"id\": 1, \"subtime\": 1, \"res\": 2, \"profile\": \"d\"}]}\n"),
        ("gwf", "tasks", "WorkflowID, JobID , SubmitTime, RunTime, NProcs\n0 , 1 , 16 , 11 , 1\n"),
        (
            "philly",
            "short",
            "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,11cb48\n",
        ),
        ("philly", "jobs", "[{\"status\": \"Pass\", \"vc\": \"v\", \"jobid\": \"a\", \"attempts\": []}]\n"),
        ("philly", "machines", "machineId, number of GPUs, single GPU mem\nm1, 2, 24GB\n"),
        ("philly", "gpu_use", "time,machineId,gpu0_util,gpu1_util\n2017-11-05 00:30:00 PDT,m1,50.0,NA,\n"),
        ("philly", "cpu_use", "time,machine_id,cpu_util\n2017-11-05 00:30:00 PDT,m1,50.0\n"),
        ("philly", "memory_use", "time,machine_id,mem_total,mem_free\n2017-11-05 00:30:00 PDT,m1,4,1\n"),
        (
            "helios",
            "jobs",
            "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n",
        ),
        ("helios", "sizes", "date,vcA,vcB,total\n2020-04-01,16,0,16\n"),
        (
            "atlas",
            "jobs",
            "user_ID,submit_time,start_time,end_time,job_status,node_count\n5,,,,COMPLETED,4\n",
        ),
        ("bitbrains", "machine", "Timestamp [ms];\tCPU cores;\tCPU usage [MHZ]\n1376314846;\t4;\t2.0\n"),
        ("native", "about", "{\"mesosim_trace\": 1}\n"),
        ("swf", "jobs", "; Version: 2\n 1 0 5 60 4 -1 -1 4 100 -1 1 7 1 -1 0 -1 -1 -1\n"),
        (
            "azure-llm",
            "requests",
            "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n",
        ),
        ("azure-packing", "vm", "SQLite format 3\0"),
    ];
    let made = [
        (
            "alibaba-gpu-2020",
            "pai_job_table",
            format!("{HEX},8cb3bbeef,58540f191766,Terminated,494545.5,494560.0\n"),
        ),
        (
            "alibaba-gpu-2020",
            "pai_task_table",
            format!("{HEX},worker,4.0,Failed,494551.0,494560.0,600.0,29.3,25.0,MISC\n"),
        ),
        (
            "alibaba-gpu-2020",
            "pai_instance_table",
            format!("{HEX},worker,i1,w1,8cb3bbeef,Running,494551.0,,{HEX}\n"),
        ),
        (
            "alibaba-gpu-2020",
            "pai_sensor_table",
            format!(
                "{HEX},worker,w1,8cb3bbeef,{HEX},/dev/nvidia0,150.0,50.0,2.0,3.0,1.0,1.0,0.0,0.0,0.0,0.0\n"
            ),
        ),
        ("alibaba-gpu-2020", "pai_group_tag_table", format!("8cb3bbeef,58540f191766,,{HEX},bert\n")),
        ("alibaba-gpu-2020", "pai_machine_spec", format!("{HEX},V100M32,96,512,8\n")),
        (
            "alibaba-gpu-2020",
            "pai_machine_metric",
            format!("{HEX},{HEX},10.0,20.0,0.1,0.2,0.3,25.0,1.0,100.0,2.0,50.0\n"),
        ),
        ("azure-vm", "vmtable", format!("{ID},{ID},{ID},0,2591700,99.3,3.4,91.7,Delay-insensitive,1,1.75\n")),
        ("azure-vm", "vmtable", format!("{ID},{ID},{ID},0,2591700,99.3,3.4,91.7,Unknown,>24,>64\n")),
        ("azure-vm", "subscriptions", format!("{ID},0,7\n")),
        ("azure-vm", "deployments", format!("{ID},7\n")),
        ("azure-vm", "vm_cpu_readings", format!("300,{ID},1.5,50.25,25.1\n")),
        ("planetlab", "days", format!("host{}\n", ",25".repeat(288))),
        ("planetlab-files", "vm", "25\n".repeat(288)),
    ];
    fixed.into_iter().map(own).chain(made).collect()
}

#[test]
fn each_table_is_recognised_as_what_it_is_and_as_nothing_else() {
    for (name, table, text) in samples() {
        for text in [text.clone(), text.repeat(3), text.trim_end().to_owned()] {
            if name == "planetlab-files" && text.lines().count() != 288 {
                continue;
            }
            let source = Source { path: "x".into(), head: text.into_bytes() };
            let found: Vec<_> =
                FORMATS.iter().filter_map(|format| Some((format.name, (format.detect)(&source)?))).collect();
            assert_eq!(found, [(name, table)], "{:?}", source.lines().next());
        }
    }
}

#[test]
fn files_of_no_format_are_recognised_as_none() {
    for text in [
        "",
        "\n\n",
        "hello",
        "1",
        "1,2",
        "a,b,c\n1,2,3\n",
        "{}",
        "[]",
        "{\"a\":1}\n",
        "\u{0}\u{1}\u{2}",
        "<html>",
    ] {
        let source = Source { path: "x".into(), head: text.as_bytes().to_vec() };
        let found: Vec<_> = FORMATS.iter().filter(|format| (format.detect)(&source).is_some()).collect();
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

/// The text with some bytes replaced, left out or doubled, all addressed by the seed (Knuth's MMIX generator).
fn damaged(text: &str, seed: u64) -> Vec<u8> {
    const BYTES: &[u8] = b",\n\"-09._|{}[]:;eE+ mj\t\r\xff\0";
    let mut state = seed;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=draw(6) {
        let at = draw(bytes.len());
        match draw(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, BYTES[draw(BYTES.len())]),
            _ if at < bytes.len() => bytes[at] = BYTES[draw(BYTES.len())],
            _ => {}
        }
    }
    bytes
}

#[test]
fn damaged_files_are_read_or_refused_and_never_panic() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, table, text) in samples() {
        let format = Format::named(name).expect("a known format");
        for seed in 0..20 {
            let path = dir.path().join("x");
            std::fs::write(&path, damaged(&text.repeat(3), seed)).expect("a small file");
            let files = vec![(Source::of(&path).expect("a file"), table)];
            let mut rows = Collected::default();
            if let Ok(quality) = (Trace { format, files }).read(&Options::default(), &mut rows, &mut |_| true)
            {
                assert!(quality.rejected() <= quality.rows(), "{name} {table} {seed}");
                let jobs: std::collections::BTreeSet<u64> = rows.jobs.iter().map(|job| job.number).collect();
                assert_eq!(jobs.len(), rows.jobs.len(), "{name} {table} {seed}: numbers of jobs are unique");
                let has_job = rows.tasks.iter().all(|task| jobs.contains(&task.job));
                assert!(has_job, "{name} {table} {seed}: each task has a job");
            }
        }
    }
}
