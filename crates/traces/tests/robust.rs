//! Files that are truncated, damaged, empty, or have lines too many or too long: every reader says what is wrong, counts what
//! it rejects, and never panics.

use mesosim_traces::{Options, Quality, Trace, TraceError, sink::Collected};

/// A small file of each format that is text.
const FILES: &[(&str, &str)] = &[
    (
        "swf",
        "; MaxProcs: 8\n1 0 5 60 4 -1 -1 4 100 -1 1 7 1 -1 0 -1 -1 -1\n2 3 -1 -1 -1 552.21 -1 4 100 2048 5 7 1 -1 0 -1 1 -1\n",
    ),
    ("swf", "0 1356996147 0 56 4 1 1024 4 864 4294967296 1 62 1 1 -1 1 1 1 {12,12} q_2w 1:ppn=4\n"),
    (
        "sacct",
        "JobID|JobName|Submit|Start|End|Elapsed|Timelimit|State|ReqMem|AllocTRES\n12_3|a|2024-05-01T00:00:00|2024-05-01T00:00:10|Unknown|1-00:00:10|UNLIMITED|CANCELLED by 7|4Gc|cpu=4,mem=1G,gres/gpu:a100=2\n13+1|b|None|||00:10||FAILED||\n",
    ),
    (
        "batsim",
        "{\"nb_res\": 4, \"jobs\": [{\"id\": \"a\", \"subtime\": 1.5, \"res\": 2, \"profile\": \"s\", \"walltime\": 7}],\n \"profiles\": {\"d\": {\"type\": \"delay\", \"delay\": 3}, \"s\": {\"type\": \"composed\", \"repeat\": 2, \"seq\": [\"d\", \"d\"]}}}\n",
    ),
    (
        "gwf",
        "WorkflowID, JobID , SubmitTime, RunTime, NProcs, ReqNProcs, Dependencies\n0 , 1 , 16 , 11 , 1 , 1 ,  \n0 , 2 , 40 , 11 , -1 , 1 , 1 7\n",
    ),
    (
        "philly",
        "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,11cb48\n2017-10-09 06:13:03,2951.0,4,1,6214e9\n",
    ),
    (
        "philly",
        "[{\"status\": \"Pass\", \"vc\": \"v\", \"jobid\": \"a\", \"user\": \"u\", \"submitted_time\": \"2017-11-05 00:30:00\", \"attempts\": [{\"start_time\": \"2017-11-05 00:31:00\", \"end_time\": null, \"detail\": [{\"ip\": \"m1\", \"gpus\": [\"gpu0\"]}]}]}]\n",
    ),
    ("philly", "machineId, number of GPUs, single GPU mem\nm1, 2, 24GB\n"),
    ("philly", "time,machineId,gpu0_util,gpu1_util\n2017-11-05 00:30:00 PDT,m1,50.0,NA,\n"),
    (
        "helios",
        "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n1,u1,vcA,16,64,2,COMPLETED,2020-04-01 00:00:10,2020-04-01 00:00:20,2020-04-01 01:00:20,3600,10\n",
    ),
    ("helios", "date,vcA,vcB,total\n2020-04-01,16,0,16\n2020-04-02,12,8,20\n"),
    (
        "atlas",
        "user_ID,group_ID,submit_time,start_time,end_time,wallclock_limit,job_status,node_count,tasks_requested\n5,1,2011-10-24 17:02:25-06:00,2011-10-24 17:02:30-06:00,2011-10-24 18:02:30-06:00,16:00:00,COMPLETED,4,96\n",
    ),
    (
        "bitbrains",
        "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tMemory capacity provisioned [KB]\n1376314846;\t4;\t8000.0;\t2000.0;\t1048576.0\n1376315146;\t4;\t8000.0;\t0.0;\t2097152.0\n",
    ),
    ("native", "{\"mesosim_trace\": 1, \"assumptions\": [\"a\"]}\n"),
];

/// Reads a file, whatever it is; what it holds must add up.
fn read(bytes: &[u8]) -> Option<(&'static str, Quality)> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("file");
    std::fs::write(&path, bytes).expect("room for a small file");
    let trace = match Trace::one(&path, None) {
        Ok(trace) => trace,
        Err(TraceError::Unknown { .. } | TraceError::Truncated { .. } | TraceError::Damaged { .. }) => {
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let mut rows = Collected::default();
    let quality = trace.read(&Options::default(), &mut rows, &mut |_| true).ok()?;
    let taken = quality.rows() - quality.rejected();
    assert!(taken > 0 || rows.tasks.is_empty(), "{} tasks of {taken} rows", rows.tasks.len());
    assert!(rows.tasks.iter().all(|task| task.cpus.is_none_or(|cpus| cpus >= 0.0 && cpus.is_finite())));
    assert!(rows.tasks.iter().all(|task| task.duration.is_none_or(|ran| ran.0 >= 0)));
    Some((trace.format.name, quality))
}

#[test]
fn whole_files_are_read_without_a_rejection_in_every_guise() {
    for (format, text) in FILES {
        let crlf = text.replace('\n', "\r\n");
        let blank = text.replace('\n', "\n\n");
        let marked = format!("\u{feff}{text}");
        let rows = read(text.as_bytes()).expect("a good file").1.rows();
        for guise in [text.trim_end(), &crlf, &blank, &marked] {
            let (found, quality) = read(guise.as_bytes()).unwrap_or_else(|| panic!("{format}: {guise}"));
            assert_eq!((found, quality.rejected(), quality.rows()), (*format, 0, rows), "{guise}");
        }
    }
}

#[test]
fn compressed_files_are_read_and_cut_ones_are_errors() {
    for (format, text) in FILES {
        let packed = zstd::encode_all(text.as_bytes(), 1).expect("room in memory");
        assert_eq!(read(&packed).map(|(format, _)| format), Some(*format));
        for cut in 1..packed.len() {
            assert!(read(&packed[..cut]).is_none(), "{format} cut to {cut} bytes");
        }
    }
}

#[test]
fn truncated_files_do_not_panic() {
    for (_, text) in FILES {
        for cut in 0..text.len() {
            read(&text.as_bytes()[..cut]);
        }
    }
}

#[test]
fn damaged_bytes_do_not_panic() {
    let damage = [0, b'\n', b'"', b'-', b'9', b',', b'e', b'{', 0xff];
    for (_, text) in FILES {
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = damage[(at * 7) % damage.len()];
            read(&bytes);
        }
    }
}

#[test]
fn numbers_without_measure_do_not_panic() {
    let huge = [
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "-1",
        "0",
        "nan",
        "inf",
        "4294967296",
        "99999999999999999999",
    ];
    for (_, text) in FILES {
        let starts = text
            .char_indices()
            .filter(|(at, c)| c.is_ascii_digit() && !text[..*at].ends_with(|c: char| c.is_ascii_digit()));
        for (at, _) in starts {
            let end = text[at..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |length| at + length);
            for number in huge {
                read(format!("{}{number}{}", &text[..at], &text[end..]).as_bytes());
            }
        }
    }
}

#[test]
fn a_line_without_end_is_rejected_unread() {
    let (_, text) = FILES[0];
    let bytes = format!("{text}{}\n3 4 5 60 4 -1 -1 4 100 -1 1 7 1 -1 0 -1 -1 -1\n", "1 ".repeat(1 << 20));
    let (_, quality) = read(bytes.as_bytes()).expect("a log");
    assert_eq!((quality.rows(), quality.rejected()), (4, 1));
}
