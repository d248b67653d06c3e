//! Alibaba openb 2023: the nodes and pods of a cluster whose GPUs are shared.
//!
//! Published with Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient
//! Descent", USENIX ATC 2023. Columns and quirks: `traces/openb-2023/README.md`.

use super::open::TraceError;
use super::table::{Columns, Row, Table};
use rustc_hash::FxHashMap;
use std::path::Path;

/// A machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeRow {
    /// Its name, unique in its list.
    pub name: String,
    /// Thousandths of a CPU.
    pub cpu_milli: u64,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// GPUs.
    pub gpus: u32,
    /// Their model, if there are any.
    pub model: Option<String>,
}

/// What somebody asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodRow {
    /// Its name, unique in its list.
    pub name: String,
    /// Thousandths of a CPU.
    pub cpu_milli: u64,
    /// Memory in MiB; may be 0.
    pub memory_mib: u64,
    /// GPUs.
    pub num_gpu: u32,
    /// Thousandths of each of them: 0 if there are none, below 1000 (a share) only if there is one.
    pub gpu_milli: u32,
    /// The models that will do, each once; empty if any will.
    pub gpu_spec: Vec<String>,
    /// Class of service.
    pub qos: Option<String>,
    /// State when the trace was taken.
    pub phase: Option<String>,
    /// When it was asked for, in seconds from the start of the trace.
    pub creation_s: Option<u64>,
    /// When it ended, not before it was asked for.
    pub deletion_s: Option<u64>,
    /// When it was placed, not before it was asked for; `None` if it never was.
    pub scheduled_s: Option<u64>,
}

/// Columns of a node list.
pub const NODE_COLUMNS: Columns =
    Columns { required: &["sn", "cpu_milli", "memory_mib", "gpu", "model"], optional: &[] };

/// Columns of a pod list.
pub const POD_COLUMNS: Columns = Columns {
    required: &["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"],
    optional: &["gpu_spec", "qos", "pod_phase", "creation_time", "deletion_time", "scheduled_time"],
};

/// Classes of service: latency-sensitive, best effort, and the two of Kubernetes that the trace kept.
pub const QOS: &[&str] = &["LS", "BE", "Burstable", "Guaranteed"];

/// States of a pod.
pub const PHASES: &[&str] = &["Running", "Failed", "Pending", "Succeeded"];

/// Whether a file that begins with this line is a node list or a pod list.
#[must_use]
pub fn recognises(first_line: &str) -> bool {
    NODE_COLUMNS.are_in(first_line) || POD_COLUMNS.are_in(first_line)
}

/// All nodes of a list, in its order.
pub fn read_nodes(path: &Path) -> Result<Vec<NodeRow>, TraceError> {
    let mut names = Names::default();
    Table::open(path, NODE_COLUMNS)?.read(|row| {
        names.note(row, "sn")?;
        node(row)
    })
}

/// All pods of a list, in its order. Columns that the list lacks are `None` or empty.
pub fn read_pods(path: &Path) -> Result<Vec<PodRow>, TraceError> {
    let mut names = Names::default();
    Table::open(path, POD_COLUMNS)?.read(|row| {
        names.note(row, "name")?;
        pod(row)
    })
}

fn node(row: Row<'_>) -> Result<NodeRow, TraceError> {
    let gpus = small(row, "gpu")?;
    match (gpus, row.some_text("model")) {
        (0, Some(_)) => Err(row.wrong("model", "nothing, for the node has no GPU")),
        (1.., None) => Err(row.wrong("model", &format!("the model of the node's {gpus} GPUs"))),
        (_, model) => Ok(NodeRow {
            name: row.name("sn")?.to_owned(),
            cpu_milli: row.number("cpu_milli")?,
            memory_mib: row.number("memory_mib")?,
            gpus,
            model: model.map(str::to_owned),
        }),
    }
}

fn pod(row: Row<'_>) -> Result<PodRow, TraceError> {
    let num_gpu = small(row, "num_gpu")?;
    let creation_s = row.some_number("creation_time")?;
    Ok(PodRow {
        name: row.name("name")?.to_owned(),
        cpu_milli: row.number("cpu_milli")?,
        memory_mib: row.number("memory_mib")?,
        num_gpu,
        gpu_milli: gpu_milli(row, num_gpu)?,
        gpu_spec: gpu_spec(row)?,
        qos: row.some_word("qos", QOS)?.map(str::to_owned),
        phase: row.some_word("pod_phase", PHASES)?.map(str::to_owned),
        creation_s,
        deletion_s: not_before(row, creation_s, "deletion_time")?,
        scheduled_s: not_before(row, creation_s, "scheduled_time")?,
    })
}

fn gpu_milli(row: Row<'_>, num_gpu: u32) -> Result<u32, TraceError> {
    let milli = small(row, "gpu_milli")?;
    let expected = match (num_gpu, milli) {
        (0, 0) | (1, 1..=1000) | (2.., 1000) => return Ok(milli),
        (0, _) => "0, for the pod asks for no GPU",
        (1, _) => "1 to 1000 thousandths of one GPU",
        (2.., _) => "1000, for only a pod with one GPU may take a share of it",
    };
    Err(row.wrong("gpu_milli", expected))
}

fn gpu_spec(row: Row<'_>) -> Result<Vec<String>, TraceError> {
    let mut models = Vec::new();
    for model in row.some_text("gpu_spec").into_iter().flat_map(|text| text.split('|')) {
        if model.is_empty() {
            return Err(row.wrong("gpu_spec", "models joined by `|`"));
        }
        if models.iter().all(|known| known != model) {
            models.push(model.to_owned());
        }
    }
    Ok(models)
}

fn not_before(
    row: Row<'_>,
    creation_s: Option<u64>,
    column: &'static str,
) -> Result<Option<u64>, TraceError> {
    let time = row.some_number(column)?;
    match (creation_s, time) {
        (Some(creation), Some(time)) if time < creation => {
            Err(row.wrong(column, &format!("{creation} (the `creation_time`) or later")))
        }
        (None, Some(_)) => Err(row.wrong("creation_time", &format!("a time, for there is a `{column}`"))),
        (_, time) => Ok(time),
    }
}

/// A count that fits 32 bits with room to spare.
fn small(row: Row<'_>, column: &'static str) -> Result<u32, TraceError> {
    let number = row.number(column)?;
    u32::try_from(number).ok().filter(|n| *n <= 1_000_000).ok_or_else(|| row.wrong(column, "at most 1000000"))
}

/// The names seen so far, and where.
#[derive(Default)]
struct Names(FxHashMap<String, u64>);

impl Names {
    fn note(&mut self, row: Row<'_>, column: &'static str) -> Result<(), TraceError> {
        match self.0.insert(row.name(column)?.to_owned(), row.line()) {
            None => Ok(()),
            Some(line) => Err(row.wrong(column, &format!("another name than that of line {line}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FORMATS, sniff};
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use tempfile::{NamedTempFile, TempDir};

    fn trace(file: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/openb-2023").join(file)
    }

    fn file(bytes: &[u8]) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("room for a few lines");
        file
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes it")
    }

    const HEADER: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n";
    const GOOD: &str = "p0,1000,2048,1,500,T4|P100|T4,LS,Running,5,9,6\n";

    /// What is wrong with a file of these bytes, after its path.
    fn complaint(bytes: &[u8]) -> String {
        let file = file(bytes);
        let error = read_pods(file.path()).expect_err("the file is malformed").to_string();
        error.strip_prefix(&file.path().display().to_string()).expect("errors begin with the path").to_owned()
    }

    /// What is wrong with this row, as line 3 of a pod list.
    fn row_complaint(row: &str) -> String {
        complaint(format!("{HEADER}{GOOD}{row}\n").as_bytes())
    }

    #[test]
    fn the_node_lists_have_the_published_counts() {
        let all = read_nodes(&trace("openb_node_list_all_node.csv.gz")).expect("the list is good");
        assert_eq!(all.len(), 1523);
        let gpu = read_nodes(&trace("openb_node_list_gpu_node.csv.gz")).expect("the list is good");
        assert_eq!((gpu.len(), gpu.iter().map(|n| n.gpus).sum::<u32>()), (1213, 6212));
        assert_eq!(gpu.iter().map(|n| n.cpu_milli).sum::<u64>(), 107_018_000);
        assert_eq!(gpu.iter().map(|n| n.memory_mib).sum::<u64>(), 503_828_480);
        let of = |model: &str| {
            let those: Vec<_> =
                gpu.iter().filter(|n| n.model.as_deref() == Some(model)).map(|n| n.gpus).collect();
            (those.iter().sum::<u32>(), those.len())
        };
        assert_eq!(["G2", "T4", "G3", "P100"].map(of), [(4392, 549), (842, 404), (312, 39), (265, 134)]);
        assert_eq!(["V100M32", "V100M16", "A10"].map(of), [(204, 30), (195, 55), (2, 2)]);
        assert!(all.iter().all(|n| (n.gpus == 0) == n.model.is_none()));
    }

    #[test]
    fn the_default_pod_list_has_the_published_counts() {
        let pods = read_pods(&trace("openb_pod_list_default.csv.gz")).expect("the list is good");
        let count = |wanted: fn(&PodRow) -> bool| pods.iter().filter(|pod| wanted(pod)).count();
        assert_eq!(pods.len(), 8152);
        assert_eq!(count(|p| p.num_gpu == 0), 1088);
        assert_eq!(count(|p| p.num_gpu == 1 && p.gpu_milli < 1000), 3078);
        assert_eq!(count(|p| p.num_gpu == 1 && p.gpu_milli == 1000), 3911);
        assert_eq!(count(|p| p.num_gpu > 1), 75);
        assert_eq!(pods.iter().map(|p| p.num_gpu * p.gpu_milli).sum::<u32>(), 6_086_800);
        assert_eq!(pods.iter().filter_map(|p| p.creation_s).max(), Some(12_901_761));
    }

    #[test]
    fn the_quirks_of_the_default_pod_list_are_read_as_they_are() {
        let pods = read_pods(&trace("openb_pod_list_default.csv.gz")).expect("the list is good");
        let count = |wanted: fn(&PodRow) -> bool| pods.iter().filter(|pod| wanted(pod)).count();
        assert_eq!(count(|p| p.scheduled_s.is_none()), 897);
        assert_eq!(count(|p| p.scheduled_s.is_none() != (p.phase.as_deref() == Some("Pending"))), 0);
        assert_eq!(count(|p| p.memory_mib == 0), 1);
        assert_eq!(count(|p| p.num_gpu == 0 && p.gpu_milli > 0), 0);
        assert_eq!(count(|p| p.creation_s == p.deletion_s), 1);
    }

    #[test]
    fn a_pod_list_may_lack_its_last_six_columns() {
        let pods = read_pods(&trace("openb_pod_list_multigpu20.csv.gz")).expect("the list is good");
        assert_eq!(pods.len(), 8324);
        assert_eq!(pods.iter().filter(|p| p.num_gpu > 1).count(), 141 + 54 + 52);
        assert!(pods.iter().all(|p| p.qos.is_none() && p.creation_s.is_none() && p.gpu_spec.is_empty()));
    }

    #[test]
    fn a_row_is_read_field_by_field() {
        let file = file(format!("{HEADER}{GOOD}").as_bytes());
        let expected = PodRow {
            name: "p0".into(),
            cpu_milli: 1000,
            memory_mib: 2048,
            num_gpu: 1,
            gpu_milli: 500,
            gpu_spec: vec!["T4".into(), "P100".into()],
            qos: Some("LS".into()),
            phase: Some("Running".into()),
            creation_s: Some(5),
            deletion_s: Some(9),
            scheduled_s: Some(6),
        };
        assert_eq!(read_pods(file.path()).expect("the row is good"), [expected]);
    }

    #[test]
    fn columns_may_come_in_any_order_and_lines_may_end_as_on_windows() {
        let file = file(b"\xef\xbb\xbfgpu_milli,name,num_gpu,memory_mib,cpu_milli\r\n0,a,0,3,4\r\n");
        let pods = read_pods(file.path()).expect("the row is good");
        assert_eq!((&*pods[0].name, pods[0].memory_mib, pods[0].cpu_milli), ("a", 3, 4));
    }

    #[test]
    fn gzip_is_recognised_by_content_and_not_by_name() {
        let packed = file(&gzip(&format!("{HEADER}{GOOD}")));
        assert_eq!(read_pods(packed.path()).expect("the row is good").len(), 1);
        assert_eq!(sniff(packed.path()).expect("readable").map(|format| format.name), Some("openb"));
    }

    #[test]
    fn each_file_of_the_trace_is_recognised() {
        for name in ["node_list_all_node", "node_list_gpu_node", "pod_list_default", "pod_list_multigpu20"] {
            let found = sniff(&trace(&format!("openb_{name}.csv.gz"))).expect("readable");
            assert_eq!(found.map(|format| format.name), Some("openb"), "{name}");
        }
        assert!(FORMATS.iter().all(|format| !(format.recognises)("job_id,submit_time")));
    }

    #[test]
    fn a_missing_file_and_a_directory_are_named() {
        let dir = TempDir::new().expect("a temporary directory");
        let missing = read_pods(&dir.path().join("none.csv")).expect_err("it is not there").to_string();
        assert!(missing.contains("none.csv: cannot be opened: No such file"), "{missing}");
        let error = read_pods(dir.path()).expect_err("it is a directory");
        assert!(matches!(error, TraceError::Directory { .. }), "{error}");
    }

    #[test]
    fn a_truncated_gzip_file_tells_how_far_it_was_read() {
        let bytes = std::fs::read(trace("openb_pod_list_default.csv.gz")).expect("the trace is there");
        let error = complaint(&bytes[..bytes.len() / 2]);
        let line =
            error.strip_prefix(": the gzip file is truncated: it ends within or after line ").map(str::parse);
        assert!(matches!(line, Some(Ok(2000..6000u64))), "{error}");
        assert!(complaint(&bytes[..bytes.len() - 4]).contains("truncated"));
        assert!(complaint(&bytes[..5]).contains("truncated"));
    }

    #[test]
    fn a_damaged_gzip_file_is_an_error() {
        let mut bytes = std::fs::read(trace("openb_pod_list_default.csv.gz")).expect("the trace is there");
        let middle = bytes.len() / 2;
        bytes[middle..middle + 50].fill(0xA5);
        assert!(
            complaint(&bytes).contains(": the gzip file is damaged near or after line "),
            "{}",
            complaint(&bytes)
        );
    }

    #[test]
    fn an_empty_trace_is_an_error() {
        assert!(complaint(b"").starts_with(": the trace is empty: expected a header with `name`"));
        assert_eq!(complaint(HEADER.as_bytes()), ": the trace is empty: expected a row after the header");
    }

    #[test]
    fn a_wrong_header_names_the_nearest_column() {
        let header = HEADER.replace("cpu_milli", "cpu_mili");
        assert_eq!(
            complaint((header + GOOD).as_bytes()),
            ":1: unknown column `cpu_mili`: expected `cpu_milli`"
        );
        assert!(
            complaint(b"x1,y2\n1,2\n").starts_with(":1: unknown column `x1`: expected `name`, `cpu_milli`")
        );
        assert!(complaint(b"name,name\na,b\n").starts_with(":1: column `name` is named twice"));
        assert!(complaint(b"name,cpu_milli\na,1\n").starts_with(":1: column `memory_mib` is missing"));
    }

    #[test]
    fn text_that_is_not_utf8_is_an_error() {
        let mut bytes = format!("{HEADER}{GOOD}p1,1,1,0,0,").into_bytes();
        bytes.extend(b"\xff\xfe,LS,Running,1,2,3\n");
        assert_eq!(complaint(&bytes), ":3: column `gpu_spec` is not UTF-8 text");
        assert_eq!(complaint(b"na\xffme,cpu_milli\n"), ":1: column `header` is not UTF-8 text");
    }

    #[test]
    fn a_row_with_too_few_or_too_many_fields_is_an_error() {
        assert_eq!(row_complaint("p1,1,1"), ":3: the row has 3 fields: expected 11, as in the header");
    }

    #[test]
    fn a_number_is_whole_and_not_negative() {
        for (text, row) in
            [("-1", "p1,-1,1,0,0,,,,,,"), ("1.5", "p1,1.5,1,0,0,,,,,,"), ("", "p1,,1,0,0,,,,,,")]
        {
            let expected = format!(":3: column `cpu_milli` is `{text}`: expected a whole number, 0 or more");
            assert_eq!(row_complaint(row), expected);
        }
        assert!(row_complaint("p1,99999999999999999999,1,0,0,,,,,,").contains("`cpu_milli`"));
        assert!(row_complaint("p1,+5,1,0,0,,,,,,").contains("`+5`"));
        assert!(row_complaint("p1,1,1,4294967297,0,,,,,,").contains("expected at most 1000000"));
    }

    #[test]
    fn only_one_gpu_can_be_shared() {
        let error = row_complaint("p1,1,1,2,500,,,,,,");
        assert!(error.starts_with(":3: column `gpu_milli` is `500`: expected 1000, for only"), "{error}");
        assert!(row_complaint("p1,1,1,1,0,,,,,,").ends_with("expected 1 to 1000 thousandths of one GPU"));
        assert!(row_complaint("p1,1,1,1,1001,,,,,,").ends_with("expected 1 to 1000 thousandths of one GPU"));
        assert!(row_complaint("p1,1,1,0,500,,,,,,").ends_with("expected 0, for the pod asks for no GPU"));
    }

    #[test]
    fn nothing_happens_to_a_pod_before_it_is_created() {
        let error = row_complaint("p1,1,1,0,0,,LS,Running,9,5,");
        assert_eq!(error, ":3: column `deletion_time` is `5`: expected 9 (the `creation_time`) or later");
        assert!(
            row_complaint("p1,1,1,0,0,,LS,Running,9,,5").starts_with(":3: column `scheduled_time` is `5`")
        );
        assert!(row_complaint("p1,1,1,0,0,,LS,Running,,9,").starts_with(":3: column `creation_time` is ``"));
    }

    #[test]
    fn an_unknown_word_names_the_nearest() {
        let error = row_complaint("p1,1,1,0,0,,Burstible,Running,1,2,3");
        assert_eq!(error, ":3: column `qos` is `Burstible`: expected `Burstable`");
        assert!(row_complaint("p1,1,1,0,0,,LS,Runing,1,2,3").ends_with("expected `Running`"));
        assert!(row_complaint("p1,1,1,0,0,T4||G2,LS,Running,1,2,3").contains("`gpu_spec`"));
    }

    #[test]
    fn a_name_is_there_and_is_unique() {
        assert_eq!(
            row_complaint(GOOD.trim()),
            ":3: column `name` is `p0`: expected another name than that of line 2"
        );
        assert_eq!(row_complaint(",1,1,0,0,,,,,,"), ":3: column `name` is ``: expected a name");
    }

    #[test]
    fn a_node_has_a_model_if_and_only_if_it_has_gpus() {
        for (row, expected) in
            [("n,1,1,2,", "model of the node's 2 GPUs"), ("n,1,1,0,T4", "the node has no GPU")]
        {
            let file = file(format!("sn,cpu_milli,memory_mib,gpu,model\n{row}\n").as_bytes());
            let error = read_nodes(file.path()).expect_err("the row is wrong").to_string();
            assert!(error.contains(":2: column `model`") && error.contains(expected), "{error}");
        }
    }
}
