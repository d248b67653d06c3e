//! Small samples of all tables of formats that say little of themselves: each is recognised as its own format and no other,
//! and none of them, however it is broken, makes a reader panic.

use mesosim_traces::{FORMATS, Format, Options, Quality, Source, Trace, TraceError, sink::Collected};
use proptest::prelude::*;

/// Format, table, name of the file, content.
type Sample = (&'static str, &'static str, &'static str, &'static str);

const SAMPLES: &[Sample] = &[
    ("openb", "nodes", "a.csv", "sn,cpu_milli,memory_mib,gpu,model\nn0,96000,786432,8,G2\nn1,1,1,0,\n"),
    (
        "openb",
        "pods",
        "a.csv",
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n\
         p0,1500,2048,1,333,T4|P100,LS,Running,5,9,6\np1,1,1,0,0,,BE,Pending,5,9,\n",
    ),
    ("openb", "pods", "a.csv", "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,4000,3,2,1000\n"),
    ("machine-events", "events", "a.csv", "time_s,machine,event\n0.5,m1,down\n3,m2,up\n"),
    (
        "dlrm-2025",
        "instances",
        "a.csv",
        "instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,rdma_request,rdma_limit,memory_request,\
         memory_limit,disk_request,disk_limit,max_instance_per_node,creation_time,scheduled_time,deletion_time\n\
         i0,HN,app_0,12,14,1,1,25,30,120.0,121.0,640.0,800.0,8,475.0,476.0,900.0\n\
         i1,CN,app_1,64,64,0,0,5,5,320,320,1,1,-1,,,\n",
    ),
    ("spot-2026", "nodes", "a.csv", "gpu_model,gpu_capacity_num,cpu_num,node_name\nA10,1,128,0\n"),
    (
        "spot-2026",
        "jobs",
        "a.csv",
        "job_name,organization,gpu_model,cpu_request,gpu_request,worker_num,submit_time,duration,job_type\n\
         j0,org,H800,12,0.5,4,0,60.5,HP\n",
    ),
    (
        "gavel",
        "jobs",
        "a.trace",
        "ResNet-18 (batch size 128)\tpython3 main.py --data_dir=%s/cifar10\timage\t--num_steps\t1\t1000\t4\t1\t-1.000000\t46317\n",
    ),
    (
        "gavel",
        "old-jobs",
        "a.trace",
        "Transformer (batch size 256)\tcd %s && python3 train.py\t-step\t1\t19178\t182095.000000\t8\n",
    ),
    (
        "gavel",
        "throughputs",
        "a.json",
        r#"{"k80": {"('A3C', 1)": {"null": 5.0, "('A3C', 1)": [1.0, 2.0]}}, "v100": {}}"#,
    ),
    (
        "shockwave",
        "jobs",
        "a.trace",
        "ResNet-50 (batch size 64)\tpython3 main.py -j 4 %s\timagenet\t--num\t1\t41840\t2\tgns\t1\t-1.000000\t13462\t64\n",
    ),
    (
        "pollux",
        "jobs",
        "a.csv",
        "name,time,application,num_replicas,batch_size\ncifar10-0,107,cifar10,6,2048\n",
    ),
    (
        "tiresias",
        "jobs",
        "a.csv",
        "job_id,num_gpu,submit_time,iterations,model_name,duration,interval\r\n1,8,30,133,vgg11,147,23\r\n",
    ),
    (
        "tiresias",
        "jobs",
        "a.csv",
        "job_id,num_gpu,submit_time,start_time,duration,model_size,aggr_interval,model_name,model_scale\n\
         10,12,11,14,20,400,0,vgg19,1\n",
    ),
    (
        "tiresias",
        "cluster",
        "a.csv",
        "num_switch,num_node_p_switch,num_gpu_p_node,num_cpu_p_node,mem_p_node\n2,3,4,128,256\n",
    ),
    ("tiresias", "gpu-times", "a.csv", "duration\r\n121\r\n2266920\r\n"),
    (
        "muri",
        "jobs",
        "a.csv",
        "job_id,num_gpu,submit_time,iterations,model_name,batch_size,duration,interval,iteration_time,resource_time_0,\
         resource_time_1,resource_time_2,priority\n1,8,1534000,1463,vgg16,16,281500,28000,214,82,75,0.5,1\n",
    ),
    ("swim", "jobs", "a.tsv", "job0\t49\t49\t740773\t2339561\t627471\njob4\t208\t11\t3623279\t0\t9838062\n"),
    ("swim", "jobs", "a", "job0\t1\t1\t2267942\t0\t1937944\tinputPath1\t\t\n"),
    (
        "decima",
        "queries",
        "a.json",
        r#"{"1":{"num_stages":2,"edges":[[0,1]],"stages":[{"num_tasks":12,"first_wave":{"10":[4000],"2":[3000]},
        "fresh_durations":{"2":[9000]},"rest_wave":{"5":[]}},{"num_tasks":1,"first_wave":{},"fresh_durations":{},"rest_wave":{}}]}}"#,
    ),
    (
        "wfcommons",
        "workflow",
        "a.json",
        r#"{"name": "w", "schemaVersion": "1.5", "workflow": {"specification": {"tasks": [
        {"name": "a", "id": "a_1", "parents": [], "children": ["b_2"], "inputFiles": ["f"], "outputFiles": []},
        {"name": "b", "id": "b_2", "parents": ["a_1"], "children": []}], "files": [{"id": "f", "sizeInBytes": 7}]},
        "execution": {"makespanInSeconds": 100.5, "tasks": [{"id": "a_1", "runtimeInSeconds": 1}],
        "machines": [{"nodeName": "m", "cpu": {"coreCount": 48}}]}}}"#,
    ),
    (
        "cook",
        "jobs",
        "a.json",
        r#"[{"run-time-ms": 1157730, "submit-time-ms": -855, "job/resource": [{"resource/type": "resource.type/cpus",
        "resource/amount": 2.0}], "job/uuid": "u0", "job/user": "a"}]"#,
    ),
    (
        "cook",
        "hosts",
        "a.json",
        r#"[{"hostname": "h", "attributes": {}, "resources": {"cpus": {"*": 8}, "ports": {"*": [{"begin": 1, "end": 9}]}},
        "slave-id": "s"}]"#,
    ),
    (
        "cook",
        "output",
        "a.csv",
        "job_id,instance_id,submit_time_ms,mesos_start_time_ms,start_time_ms,end_time_ms,hostname,slave_id,status,reason,\
         user,mem,cpus,job_name,requested_run_time,requested_status\n\
         b,i2,1495145104000,0,1495145109000,1495145119500,h2,s,:instance.status/success,,c,2696.0,3.0,d,1100897,finished\n",
    ),
    (
        "omega-sim",
        "cell-state",
        "a.log",
        "11 0.000000 049475829738997701 1 3 2 0.5 1048576\n12 6.5 049475829738997701 1 3 5.0\n",
    ),
    ("omega-sim", "samples", "a_interarrival_cmb.log", "c cmb-new 0 2.517473\nc cmb-new 1 340.3\n"),
    ("omega-sim", "samples", "a_csizes_cmb.log", "c cmb-new 0 1600\n"),
];

/// A file with this name and content, and what the formats see of it.
fn source(name: &str, content: &[u8]) -> (tempfile::TempDir, Source) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join(name);
    std::fs::write(&path, content).expect("room for a small file");
    let source = Source::of(&path).expect("a file that can be read");
    (dir, source)
}

fn named(name: &str) -> &'static Format {
    Format::named(name).expect("a format of this name")
}

/// Reads bytes as this table, whatever they are.
fn read(sample: &Sample, content: &[u8]) -> (Collected, Result<Quality, TraceError>) {
    let (format, table, name, _) = sample;
    let (_dir, source) = source(name, content);
    let trace = Trace { format: named(format), files: vec![(source, table)] };
    let mut rows = Collected::default();
    let quality = trace.read(&Options::default(), &mut rows, &mut |_| true);
    (rows, quality)
}

#[test]
fn each_sample_is_recognised_as_its_own_format_and_no_other() {
    for (format, table, name, content) in SAMPLES {
        let (_dir, source) = source(name, content.as_bytes());
        let recognised: Vec<_> = FORMATS
            .iter()
            .filter_map(|known| (known.detect)(&source).map(|table| (known.name, table)))
            .collect();
        assert_eq!(recognised, [(*format, *table)], "{content}");
    }
}

#[test]
fn each_sample_is_read_without_a_rejection() {
    for sample in SAMPLES {
        let (rows, quality) = read(sample, sample.3.as_bytes());
        let quality = quality.expect("a good file");
        assert_eq!(quality.rejected(), 0, "{sample:?}: {:?}", quality.files());
        let found = rows.jobs.len() + rows.tasks.len() + rows.machines.len() + rows.machine_events.len();
        assert_eq!(found == 0, sample.1 == "throughputs", "{sample:?}");
    }
}

#[test]
fn text_of_no_format_is_recognised_as_none() {
    let texts = [
        "",
        "\n\n",
        "# A heading\n\nSome words.\n",
        "a,b,c\n1,2,3\n",
        "{}",
        "[]",
        "[{\"a\": 1}]",
        "1 2 3\n",
        "\u{0}\u{1}\u{2}",
        "x\ty\tz\n",
        "{\"tasks\": [{\"id\": 1}]}",
    ];
    for text in texts {
        let (_dir, source) = source("a", text.as_bytes());
        for format in FORMATS {
            assert_eq!((format.detect)(&source), None, "{}: {text:?}", format.name);
        }
    }
}

#[test]
fn files_that_are_broken_in_the_usual_ways_are_rejected_or_errors() {
    let huge = [b"x".repeat(3 << 20), b"\n".to_vec()].concat();
    for sample in SAMPLES {
        let good = sample.3.as_bytes();
        let broken = [
            [good, b"\xff\xfe\x00,\xc3,\x28\n"].concat(),
            [good, &huge].concat(),
            [good, b",,,,,,,,,,,,,,,,,,,,,,,,,\n"].concat(),
            [good, b"\"\n\"\"\"\n"].concat(),
        ];
        for content in broken {
            let (_, quality) = read(sample, &content);
            let told = quality.map_or(true, |quality| quality.rejected() > 0);
            assert!(
                told,
                "{sample:?} took {:?}",
                String::from_utf8_lossy(&content[..content.len().min(400)])
            );
        }
    }
}

#[test]
fn half_a_file_of_json_is_an_error() {
    for sample in SAMPLES.iter().filter(|sample| sample.2.ends_with(".json")) {
        for half in ["", &sample.3[..sample.3.len() / 2]] {
            let (_, quality) = read(sample, half.as_bytes());
            assert!(quality.expect_err("half a file").to_string().contains("this is no JSON"), "{sample:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_a_reader_panic(
        which in 0..SAMPLES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), damage()), 1..6),
    ) {
        let sample = &SAMPLES[which];
        let mut content = sample.3.as_bytes().to_vec();
        for (place, (removed, added)) in changes {
            let at = place.index(content.len() + 1);
            let end = (at + removed).min(content.len());
            content.splice(at..end, added);
        }
        let (_dir, source) = source(sample.2, &content);
        for format in FORMATS {
            let _ = (format.detect)(&source);
        }
        if let (_, Ok(quality)) = read(sample, &content) {
            for file in quality.files() {
                prop_assert!(file.rejected <= file.rows.max(file.rejections.len() as u64));
            }
        }
    }
}

/// So many bytes are taken away, and these put in their place.
fn damage() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let telling = prop::sample::select(vec![
        "",
        "\n",
        ",",
        "\t",
        " ",
        "\"",
        "-",
        "-1",
        "0",
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "1e-308",
        "NaN",
        "inf",
        "4294967296",
        "99999999999999999999",
        "{",
        "}",
        "[",
        "]",
        "null",
        "true",
        ":",
        "[[",
        "\u{feff}",
        "\\",
        "é",
        "0.5",
        "|",
        "||",
    ]);
    let telling = telling.prop_map(|text| text.as_bytes().to_vec());
    (0..12usize, prop_oneof![4 => telling, 1 => prop::collection::vec(any::<u8>(), 0..4)])
}
