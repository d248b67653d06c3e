//! Decima's TPC-H queries: stages with their dependencies, and how long their tasks took on so many executors of Spark.
//!
//! Mao et al., "Learning Scheduling Algorithms for Data Processing Clusters", SIGCOMM 2019. The measurements are published as
//! Python pickles; this reads them as JSON, one object for each query: `{"1": {"num_stages": 4, "edges": [[0, 1], …],
//! "stages": [{"num_tasks": 12, "first_wave": {"2": [4371, …], …}, "fresh_durations": {…}, "rest_wave": {…}}, …]}, …}`, with
//! milliseconds by number of executors. A task of an executor that has just been started is `fresh`, one of the first on an
//! executor that was there before is of the `first_wave`, later ones are of the `rest_wave`.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, TaskRow, TraceError,
    dag::in_a_cycle,
    document::{Element, ElementError, Object, elements, keys},
    format::{Part, Table},
    row::{Extra, Value},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "decima",
    about: "Decima's TPC-H queries on Spark: DAGs of stages with measured task durations (JSON)",
    source: "hongzimao/decima-sim, published without a licence",
    grouping: Grouping::File,
    detect,
    read,
};

/// The kinds of measurement, the one first that durations are taken from, and what their means are called in `extra`.
const WAVES: [(&str, &str); 3] = [
    ("first_wave", "first_wave_ms_by_executors"),
    ("rest_wave", "rest_wave_ms_by_executors"),
    ("fresh_durations", "fresh_ms_by_executors"),
];

fn detect(source: &Source) -> Option<Table> {
    let keys = keys(source);
    let has = |depth: usize, name: &str| keys.iter().any(|(at, key)| *at == depth && key == name);
    (has(2, "stages") && has(4, "num_tasks") && has(4, "first_wave")).then_some("queries")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context
        .quality
        .assume("a task takes as long as the mean of its stage's first wave over all numbers of executors");
    let mut number = 0;
    for part in parts {
        context.quality.begin(&part.source.path, part.table);
        elements(part, context, |element, context| query(element, context, &mut number))?;
    }
    Ok(())
}

fn query(element: Element<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), ElementError> {
    let query = element.object()?;
    let stages = query.list("stages")?;
    let told = query.int("num_stages")?;
    if stages.is_empty() || told.is_some_and(|told| told != stages.len() as i64) {
        return Err(query.wrong("num_stages", format!("{} (the `stages`), at least 1", stages.len())));
    }
    let parents = parents(query, stages.len())?;
    let rows = stages.iter().zip(parents).enumerate().map(|(index, (value, parents))| {
        let stage = Object::new(value, element.number)?;
        stage_row(stage, *number, index as u32, parents)
    });
    let rows: Vec<TaskRow<'_>> = rows.collect::<Result<_, _>>()?;
    let name = format!("query-{}", element.key);
    context.job(&JobRow {
        number: *number,
        name: name.as_str().into(),
        application: Some(name.as_str().into()),
        ..JobRow::default()
    })?;
    rows.iter().try_for_each(|row| context.task(row))?;
    *number += 1;
    Ok(())
}

/// Of each stage those that it waits for.
fn parents(query: Object<'_>, stages: usize) -> Result<Vec<Vec<u32>>, ElementError> {
    let wrong = || query.wrong("edges", format!("pairs of stages below {stages}, without a cycle"));
    let mut parents: Vec<Vec<u32>> = vec![Vec::new(); stages];
    for edge in query.list("edges")? {
        let end = |place: usize| edge.get(place).and_then(Json::as_u64).filter(|end| *end < stages as u64);
        let (parent, child) = end(0).zip(end(1)).ok_or_else(wrong)?;
        let known = &mut parents[child as usize];
        if !known.contains(&(parent as u32)) {
            known.push(parent as u32);
        }
    }
    if in_a_cycle(&parents).is_some() { Err(wrong()) } else { Ok(parents) }
}

fn stage_row(
    stage: Object<'_>,
    job: u64,
    index: u32,
    parents: Vec<u32>,
) -> Result<TaskRow<'static>, ElementError> {
    let instances = stage.int("num_tasks")?.and_then(|tasks| u32::try_from(tasks).ok());
    let instances = instances.filter(|tasks| *tasks > 0);
    let mut duration = None;
    let mut extra: Extra<'static> = Vec::new();
    for (wave, name) in WAVES {
        let (mean, by_executors) = measured(stage, wave)?;
        duration = duration.or(mean);
        extra.push((name, Value::Text(by_executors.into())));
    }
    Ok(TaskRow {
        job,
        index,
        name: Some(format!("stage-{index}").into()),
        instances: instances.ok_or_else(|| stage.wrong("num_tasks", "a number of tasks, 1 or more"))?,
        parents,
        duration,
        extra,
        ..TaskRow::default()
    })
}

/// The mean of all measurements of a wave, and the means by number of executors: `2:4369.5 5:4583.6`. Numbers of executors
/// without a measurement are left out: the nearest stands for them.
fn measured(stage: Object<'_>, wave: &'static str) -> Result<(Option<Micros>, String), ElementError> {
    let wrong = || stage.wrong(wave, "lists of milliseconds by number of executors");
    let mut by_executors: Vec<(u32, f64)> = Vec::new();
    let (mut sum, mut count) = (0.0, 0.0);
    let lists = stage.get(wave).map(|lists| lists.as_object().ok_or_else(wrong)).transpose()?;
    for (executors, list) in lists.into_iter().flatten() {
        let millis = |value: &Json| value.as_f64().filter(|millis| *millis >= 0.0 && millis.is_finite());
        let list: Option<Vec<f64>> = list.as_array().and_then(|list| list.iter().map(millis).collect());
        let list = list.ok_or_else(wrong)?;
        let executors = executors.parse().map_err(|_| wrong())?;
        if !list.is_empty() {
            let total: f64 = list.iter().sum();
            by_executors.push((executors, total / list.len() as f64));
            (sum, count) = (sum + total, count + list.len() as f64);
        }
    }
    by_executors.sort_by_key(|(executors, _)| *executors);
    let mut text = String::new();
    for (executors, mean) in by_executors {
        let gap = if text.is_empty() { "" } else { " " };
        write!(text, "{gap}{executors}:{mean:.1}").expect("a string takes all text");
    }
    Ok(((count > 0.0).then(|| Micros::from_secs_f64(sum / count / 1e3)).flatten(), text))
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
        row::Value,
    };

    const STAGE: &str = r#"{"num_tasks":12,"first_wave":{"10":[4000,5000],"2":[3000]},"fresh_durations":{"2":[9000]},"rest_wave":{"2":[2001,2000],"5":[]}}"#;

    fn query(edges: &str, stages: usize) -> String {
        format!(
            r#"{{"num_stages":{stages},"edges":{edges},"stages":[{}]}}"#,
            [STAGE].repeat(stages).join(",")
        )
    }

    #[test]
    fn stages_are_tasks_that_wait_for_their_parents() {
        let text = format!(r#"{{"7":{},"8":{}}}"#, query("[[0,2],[1,2],[0,2]]", 3), query("[]", 1));
        let (format, rows, quality) = read(&[("tpch.json", text.as_bytes())]);
        assert_eq!((format, rows.jobs.len(), rows.tasks.len(), quality.rejected()), ("decima", 2, 4, 0));
        let parents: Vec<_> =
            rows.tasks.iter().map(|task| (task.job, task.index, task.parents.clone())).collect();
        assert_eq!(parents, [(0, 0, vec![]), (0, 1, vec![]), (0, 2, vec![0, 1]), (1, 0, vec![])]);
        assert_eq!((&*rows.jobs[0].name, rows.tasks[0].instances), ("query-7", 12));
    }

    #[test]
    fn durations_are_kept_by_executors_in_milliseconds() {
        let text = format!(r#"{{"1":{}}}"#, query("[]", 1));
        let (_, rows, _) = read(&[("tpch.json", text.as_bytes())]);
        let task = &rows.tasks[0];
        assert_eq!(task.duration, Micros::from_millis(4000));
        let extra =
            |name: &str| task.extra.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let text = |text: &'static str| Some(Value::Text(text.into()));
        assert_eq!(extra("first_wave_ms_by_executors"), text("2:3000.0 10:4500.0"));
        assert_eq!(extra("fresh_ms_by_executors"), text("2:9000.0"));
        assert_eq!(extra("rest_wave_ms_by_executors"), text("2:2000.5"));
    }

    #[test]
    fn a_stage_without_first_wave_takes_its_duration_from_another() {
        let stage = STAGE.replace("[4000,5000]", "[]").replace("[3000]", "[]");
        let text = format!(r#"{{"1":{{"num_stages":1,"edges":[],"stages":[{stage}]}}}}"#);
        let (_, rows, _) = read(&[("tpch.json", text.as_bytes())]);
        assert_eq!(rows.tasks[0].duration, Some(Micros(2_000_500)));
    }

    #[test]
    fn bad_queries_are_rejected_by_number() {
        let good = query("[]", 1);
        let all = [
            good.clone(),
            query("[[0,1],[1,0]]", 2),
            query("[[0,5]]", 2),
            good.replace("\"num_stages\":1", "\"num_stages\":2"),
            good.replace("12", "0"),
            good.replace("[3000]", "[\"x\"]"),
            good.replace("{\"2\":[9000]}", "{\"two\":[9000]}"),
            "7".to_owned(),
        ];
        let members: Vec<_> =
            all.iter().enumerate().map(|(place, query)| format!("\"{place}\":{query}")).collect();
        let (_, rows, quality) = read(&[("tpch.json", format!("{{{}}}", members.join(",")).as_bytes())]);
        assert_eq!((rows.jobs.len(), rows.tasks.len(), quality.rejected()), (1, 1, 7));
        let told = rejections(&quality);
        assert!(
            told[0].starts_with("line 2: `edges` is `[[0,1],[1,0]]`: expected pairs of stages"),
            "{told:?}"
        );
        assert!(told[1].starts_with("line 3: `edges`"), "{told:?}");
        assert_eq!(told[2], "line 4: `num_stages` is `2`: expected 1 (the `stages`), at least 1");
        assert_eq!(told[3], "line 5: `num_tasks` is `0`: expected a number of tasks, 1 or more");
        assert!(
            told[4].starts_with("line 6: `first_wave`") && told[5].starts_with("line 7: `fresh_durations`")
        );
        assert_eq!(told[6], "line 8: 7: expected an object");
    }
}
