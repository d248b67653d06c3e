//! Batsim's workloads: JSON with jobs, and profiles that say what jobs do.
//!
//! Dutot et al., "Batsim", JSSPP 2016; Batsim's documentation of workload formats. Amounts of work in flops and bytes become
//! durations on machines of an assumed speed.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Micros, Source, TaskRow, TraceError,
    format::{Part, Table},
    json::{Element, elements, number, wrong},
    row::{Extra, Value},
    table::RowError,
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "batsim",
    about: "Batsim's JSON workloads, with all types of profiles",
    source: "Batsim's documentation; its bundled workloads are under LGPL-3.0",
    grouping: Grouping::File,
    detect,
    read,
};

/// Speed of a host, as in the smallest of Batsim's example platforms.
const FLOPS_PER_SECOND: f64 = 1e9;
/// Speed of a link and of a storage.
const BYTES_PER_SECOND: f64 = 1.25e8;
/// Compositions within compositions, at most.
const DEEPEST: usize = 32;

fn detect(source: &Source) -> Option<Table> {
    let has = |key: &[u8]| memchr::memmem::find(&source.head, key).is_some();
    let text = source.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&source.head).trim_ascii_start();
    let is_workload = text.starts_with(b"{")
        && has(b"\"jobs\"")
        && has(b"\"subtime\"")
        && has(b"\"profile\"")
        && has(b"\"res\"");
    is_workload.then_some("workload")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut next = 0;
    for part in parts {
        let (mut profiles, mut hosts) = (BTreeMap::new(), None);
        context.first_pass(|context| {
            elements(part, &["profiles", "nb_res"], context, |element, _| {
                match &element.key {
                    Some(name) => {
                        profiles.insert(name.clone(), element.value.clone());
                    }
                    None => hosts = element.value.as_u64(),
                }
                Ok(())
            })
        })?;
        machines(hosts, context)?;
        let mut seen = FxHashSet::default();
        elements(part, &["jobs"], context, |element, context| {
            job(element, &profiles, &mut seen, next, context)?;
            next += 1;
            Ok(())
        })?;
        context.quality.note("profiles", profiles.len() as u64);
    }
    Ok(())
}

fn machines(hosts: Option<u64>, context: &mut Context<'_>) -> Result<(), TraceError> {
    let hosts = hosts.filter(|hosts| *hosts <= 1 << 24).unwrap_or(0);
    context.quality.assume("a resource is a host of one core");
    for host in 0..hosts {
        let name = format!("host-{host}").into();
        context.machine(&MachineRow { name, cpus: Some(1.0), ..MachineRow::default() })?;
    }
    Ok(())
}

fn job(
    element: &Element,
    profiles: &BTreeMap<String, Json>,
    seen: &mut FxHashSet<String>,
    number: u64,
    context: &mut Context<'_>,
) -> Result<(), RowError> {
    let name = element.text("id")?.ok_or_else(|| element.wrong("id", "a text or a whole number"))?;
    let seconds = |key: &str| element.number(key).map(|seconds| seconds.filter(|seconds| *seconds >= 0.0));
    let submit = seconds("subtime")?.and_then(Micros::from_secs_f64);
    let submit = submit.ok_or_else(|| element.wrong("subtime", "seconds, 0 or more, below 290,000 years"))?;
    let instances =
        element.number("res")?.filter(|res| *res >= 1.0 && *res <= f64::from(u32::MAX) && res.fract() == 0.0);
    let instances = instances.ok_or_else(|| element.wrong("res", "a number of resources, 1 or more"))?;
    let profile =
        element.text("profile")?.ok_or_else(|| element.wrong("profile", "the name of a profile"))?;
    let what =
        profiles.get(&profile).ok_or_else(|| element.wrong("profile", "one of the file's profiles"))?;
    if seen.contains(&name) {
        return Err(element.wrong("id", "an id that no job before has"));
    }
    let duration = duration(what, profiles, instances, 0, context)?;
    let duration = duration
        .map(|seconds| {
            Micros::from_secs_f64(seconds).ok_or_else(|| element.wrong("profile", "a shorter profile"))
        })
        .transpose()?;
    if duration.is_none() {
        context.quality.miss("duration");
    }
    context.job(&JobRow {
        number,
        name: name.as_str().into(),
        application: Some(profile.as_str().into()),
        submit: Some(submit),
        requested_time: seconds("walltime")?.and_then(Micros::from_secs_f64),
        gang: true,
        extra: extra(element),
        ..JobRow::default()
    })?;
    context.task(&TaskRow {
        job: number,
        instances: instances as u32,
        cpus: Some(1.0),
        submit: Some(submit),
        duration,
        ..TaskRow::default()
    })?;
    seen.insert(name);
    Ok(())
}

fn extra(element: &Element) -> Extra<'static> {
    let data = element.value.get("extra_data").filter(|data| !data.is_null());
    let text = data.map(|data| data.as_str().map_or_else(|| data.to_string(), str::to_owned));
    text.map(|text| ("extra_data", Value::Text(text.into()))).into_iter().collect()
}

/// Seconds that a profile takes on so many resources; `None`: the file does not say. An `expected_execution_time` counts more
/// than an assumed speed.
fn duration(
    profile: &Json,
    profiles: &BTreeMap<String, Json>,
    resources: f64,
    depth: usize,
    context: &mut Context<'_>,
) -> Result<Option<f64>, RowError> {
    let get = |key: &str| {
        let number = number(profile.get(key)).map_err(|other| wrong(key, other, "a number"))?;
        match number {
            Some(negative) if negative < 0.0 => Err(wrong(key, &negative.into(), "a number, 0 or more")),
            other => Ok(other),
        }
    };
    if let Some(expected) = get("expected_execution_time")? {
        return Ok(Some(expected));
    }
    let spread =
        profile.get("generation_strategy").and_then(Json::as_str) == Some("DefinedAmountsSpreadUniformly");
    let kind = profile.get("type").and_then(Json::as_str).unwrap_or_default();
    Ok(match kind {
        "DelayProfile" | "delay" => {
            Some(get("delay")?.ok_or_else(|| wrong("delay", &Json::Null, "a number of seconds"))?)
        }
        "ParallelTaskProfile" | "parallel" | "ptask" => {
            let cpu = largest(profile.get("cpu"))?;
            let com = largest(profile.get("com"))?;
            Some(work(cpu, com, context))
        }
        "ParallelTaskHomogeneousProfile" | "parallel_homogeneous" | "ptask_homogeneous" => {
            let share = if spread { resources } else { 1.0 };
            Some(work(get("cpu")?.unwrap_or(0.0) / share, get("com")?.unwrap_or(0.0) / share, context))
        }
        "parallel_homogeneous_total" | "ptask_homogeneous_total" => Some(work(
            get("cpu")?.unwrap_or(0.0) / resources,
            get("com")?.unwrap_or(0.0) / resources,
            context,
        )),
        "ParallelTaskOnStorageHomogeneousProfile"
        | "ParallelTaskDataStagingBetweenStoragesProfile"
        | "parallel_homogeneous_pfs"
        | "data_staging"
        | "parallel_homogeneous_pfs_multiple_tiers" => {
            let mut bytes = 0.0;
            for key in ["bytes_to_read", "bytes_to_write", "nb_bytes"] {
                bytes += get(key)?.unwrap_or(0.0);
            }
            Some(work(0.0, bytes, context))
        }
        "SequentialCompositionProfile" | "composed" => {
            let repeat = get("repeat")?.unwrap_or(1.0);
            composition(profile, profiles, resources, depth, context)?.map(|once| once * repeat)
        }
        "TraceReplayProfile" | "smpi" | "usage_trace" => {
            context
                .quality
                .note("profiles that replay a file beside the workload: their duration is not known", 1);
            None
        }
        other => return Err(wrong("type", &other.into(), "a type of profile such as DelayProfile")),
    })
}

/// Computing and communicating overlap: the longer of the two counts.
fn work(flops: f64, bytes: f64, context: &mut Context<'_>) -> f64 {
    context.quality.assume(format!(
        "work becomes time at {FLOPS_PER_SECOND:e} flops and {BYTES_PER_SECOND:e} bytes a second, computing and communicating at once"
    ));
    (flops / FLOPS_PER_SECOND).max(bytes / BYTES_PER_SECOND)
}

/// The largest of a list of amounts; 0 if there is none.
fn largest(amounts: Option<&Json>) -> Result<f64, RowError> {
    let mut largest = 0.0_f64;
    for amount in amounts.and_then(Json::as_array).into_iter().flatten() {
        let amount = number(Some(amount)).ok().flatten().filter(|amount| *amount >= 0.0);
        largest = largest
            .max(amount.ok_or_else(|| wrong("cpu", amounts.unwrap_or(&Json::Null), "amounts, 0 or more"))?);
    }
    Ok(largest)
}

fn composition(
    profile: &Json,
    profiles: &BTreeMap<String, Json>,
    resources: f64,
    depth: usize,
    context: &mut Context<'_>,
) -> Result<Option<f64>, RowError> {
    let parts = profile.get("seq").and_then(Json::as_array);
    let parts =
        parts.ok_or_else(|| wrong("seq", profile.get("seq").unwrap_or(&Json::Null), "names of profiles"))?;
    if depth == DEEPEST {
        return Err(wrong(
            "seq",
            &Json::Array(parts.clone()),
            "compositions at most 32 deep, none within itself",
        ));
    }
    let mut sum = Some(0.0);
    for name in parts {
        let part = name.as_str().and_then(|name| profiles.get(name));
        let part = part.ok_or_else(|| wrong("seq", name, "one of the file's profiles"))?;
        sum = sum.zip(duration(part, profiles, resources, depth + 1, context)?).map(|(sum, part)| sum + part);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Options, Trace, TraceError,
        read::testing::{read, rejections},
        sink::Collected,
    };

    fn workload(jobs: &str, profiles: &str) -> String {
        format!(
            r#"{{"nb_res": 4, "other": [[{{"jobs": 1}}]], "jobs": [{jobs}], "profiles": {{{profiles}}}}}"#
        )
    }

    fn job(id: &str, profile: &str) -> String {
        format!(r#"{{"id": {id}, "subtime": 1.5, "res": 2, "profile": "{profile}"}}"#)
    }

    #[test]
    fn all_types_of_profiles_become_durations() {
        let profiles = [
            (r#"{"type": "DelayProfile", "delay": 10}"#, Some(10.0)),
            (r#"{"type": "delay", "delay": 0.5}"#, Some(0.5)),
            (r#"{"type": "ParallelTaskProfile", "cpu": [5e9, 1e9], "com": [0, 0, 0, 0]}"#, Some(5.0)),
            (r#"{"type": "ParallelTaskHomogeneousProfile", "cpu": 1e9, "com": 2.5e8}"#, Some(2.0)),
            (
                r#"{"type": "ptask_homogeneous", "cpu": 4e9, "com": 0, "generation_strategy": "DefinedAmountsSpreadUniformly"}"#,
                Some(2.0),
            ),
            (
                r#"{"type": "ParallelTaskOnStorageHomogeneousProfile", "bytes_to_read": 2.5e8, "bytes_to_write": 0, "storage": "pfs"}"#,
                Some(2.0),
            ),
            (r#"{"type": "SequentialCompositionProfile", "repeat": 3, "seq": ["p0", "p1"]}"#, Some(31.5)),
            (r#"{"type": "TraceReplayProfile", "trace_type": "SMPI", "filename": "x"}"#, None),
            (r#"{"type": "TraceReplayProfile", "filename": "x", "expected_execution_time": 7}"#, Some(7.0)),
        ];
        let names: Vec<_> =
            profiles.iter().enumerate().map(|(n, (what, _))| format!(r#""p{n}": {what}"#)).collect();
        let jobs: Vec<_> = (0..profiles.len()).map(|n| job(&n.to_string(), &format!("p{n}"))).collect();
        let (format, rows, quality) =
            read(&[("w.json", workload(&jobs.join(","), &names.join(",")).as_bytes())]);
        assert_eq!((format, rows.machines.len(), rejections(&quality)), ("batsim", 4, vec![]));
        let durations: Vec<_> =
            rows.tasks.iter().map(|task| task.duration.map(Micros::as_secs_f64)).collect();
        assert_eq!(durations, profiles.map(|(_, seconds)| seconds));
        assert_eq!((rows.jobs[0].submit, rows.jobs[0].requested_time), (Some(Micros(1_500_000)), None));
    }

    #[test]
    fn jobs_that_make_no_sense_are_rejected_by_number() {
        let jobs = [
            job(r#""a""#, "p"),
            job(r#""a""#, "p"),
            job("3", "q"),
            job("[]", "p"),
            r#"{"id": 5, "subtime": 1e18, "res": 1, "profile": "p"}"#.to_owned(),
            r#"{"id": 6, "subtime": 1, "res": 1.5, "profile": "p"}"#.to_owned(),
            job("7", "loop"),
            job("8", "odd"),
            job("9", "back"),
        ];
        let profiles = r#""p": {"type": "DelayProfile", "delay": 1}, "loop": {"type": "composed", "seq": ["loop"]}, "odd": {"type": "new"}, "back": {"type": "delay", "delay": -1}"#;
        let (_, rows, quality) = read(&[("w.json", workload(&jobs.join(","), profiles).as_bytes())]);
        assert_eq!(rows.jobs.len(), 1);
        let expected = [
            "line 2: `id` is `\"a\"`: expected an id that no job before has",
            "line 3: `profile` is `\"q\"`: expected one of the file's profiles",
            "line 4: `id` is `[]`: expected a text",
            "line 5: `subtime` is `1e+18`: expected seconds, 0 or more, below 290,000 years",
            "line 6: `res` is `1.5`: expected a number of resources, 1 or more",
            "line 7: `seq` is `[\"loop\"]`: expected compositions at most 32 deep, none within itself",
            "line 8: `type` is `\"new\"`: expected a type of profile such as DelayProfile",
            "line 9: `delay` is `-1.0`: expected a number, 0 or more",
        ];
        assert_eq!(rejections(&quality), expected);
    }

    #[test]
    fn broken_json_is_an_error_with_its_line() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("w.json");
        let whole = workload(&job("1", "p"), r#""p": {"type": "delay", "delay": 1}"#).replace(", ", ",\n");
        for cut in [whole.len() - 1, whole.len() - 9] {
            std::fs::write(&path, &whole[..cut]).expect("room for a small file");
            let trace = Trace::one(&path, None).expect("a trace of a known format");
            let read = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
            assert!(
                matches!(read, Err(TraceError::Malformed { line: Some(line), .. }) if line > 3),
                "{read:?}"
            );
        }
    }
}
