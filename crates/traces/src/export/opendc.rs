//! Writes OpenDC's Parquet files: `tasks.parquet` and `fragments.parquet`. Each process is a task of its own; what it used
//! makes its fragments, or, where that was not measured, one fragment of all that it asked for.

use std::{collections::BTreeMap, path::Path};

use super::Lost;
use crate::{
    JobRow, Micros, Sink, TaskRow, TraceError, UsageRow,
    columns::{Cell, Column, Kind},
    parquet::TableWriter,
    row::Whose,
};

/// Columns of `tasks.parquet`.
pub const TASKS: &[Column] = &[
    Column::required("id", Kind::Int32),
    Column::required("submission_time", Kind::Int),
    Column::required("duration", Kind::Int),
    Column::required("cpu_count", Kind::Int32),
    Column::required("cpu_capacity", Kind::Float),
    Column::required("mem_capacity", Kind::Int),
    Column::optional("gpu_count", Kind::Int32),
    Column::optional("gpu_capacity", Kind::Float),
    Column::optional("parents", Kind::Ints),
    Column::optional("children", Kind::Ints),
];

/// Columns of `fragments.parquet`.
pub const FRAGMENTS: &[Column] = &[
    Column::required("id", Kind::Int32),
    Column::required("duration", Kind::Int),
    Column::required("cpu_usage", Kind::Float),
    Column::optional("gpu_usage", Kind::Float),
];

/// What OpenDC needs and a trace may not say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Assumed {
    /// MHz of a core.
    pub core_mhz: f64,
    /// MHz of a GPU.
    pub gpu_mhz: f64,
    /// The trace's beginning, in milliseconds since 1970.
    pub start_ms: i64,
}

impl Default for Assumed {
    /// 2.6 GHz, 1.4 GHz, the beginning of 2024.
    fn default() -> Self {
        Self { core_mhz: 2600.0, gpu_mhz: 1400.0, start_ms: 1_704_067_200_000 }
    }
}

/// Takes a trace.
#[derive(Clone, Debug, Default)]
pub struct Exporter {
    tasks: BTreeMap<(u64, u32), Task>,
    /// Jobs that each job waits for.
    parents: BTreeMap<u64, Vec<u64>>,
    submissions: BTreeMap<u64, Micros>,
}

#[derive(Clone, Debug, Default)]
struct Task {
    /// 0: its row did not come.
    instances: u32,
    parents: Vec<u32>,
    cpus: Option<f64>,
    mem_mib: Option<f64>,
    gpus: Option<f64>,
    cpu_mhz: Option<f64>,
    gpu_mhz: Option<f64>,
    submit: Option<Micros>,
    duration: Option<Micros>,
    used: Vec<Used>,
    /// The numbers that its processes get.
    ids: std::ops::Range<i64>,
}

/// What was used over an interval.
#[derive(Clone, Copy, Debug)]
struct Used {
    start: Micros,
    duration: Micros,
    cpus: f64,
    gpus: Option<f64>,
}

impl Sink for Exporter {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        if !row.parents.is_empty() {
            self.parents.insert(row.number, row.parents.clone());
        }
        self.submissions.extend(row.submit.map(|submit| (row.number, submit)));
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        let task = self.tasks.entry((row.job, row.index)).or_default();
        (task.instances, task.cpus, task.mem_mib, task.gpus) =
            (row.instances, row.cpus, row.mem_mib, row.gpus);
        (task.submit, task.duration) = (row.submit, row.duration);
        task.parents.clone_from(&row.parents);
        (task.cpu_mhz, task.gpu_mhz) = (row.number_of("cpu_capacity_mhz"), row.number_of("gpu_capacity_mhz"));
        Ok(())
    }

    fn usage(&mut self, row: &UsageRow<'_>) -> Result<(), TraceError> {
        if let (Whose::Task(job, index), Some(cpus)) = (&row.whose, row.cpus) {
            let used = Used { start: row.start, duration: row.duration, cpus, gpus: row.gpus };
            self.tasks.entry((*job, *index)).or_default().used.push(used);
        }
        Ok(())
    }
}

impl Exporter {
    /// Writes the two files into a directory, which must exist. Says what the format could not.
    ///
    /// # Errors
    /// They cannot be written, there are 2^31 processes or more, or this build cannot write Parquet.
    pub fn write(mut self, directory: &Path, assumed: Assumed) -> Result<Lost, TraceError> {
        let mut lost = Lost::default();
        self.number(&mut lost)?;
        let (parents, children) = self.graph();
        let mut tasks = TableWriter::create(&directory.join("tasks.parquet"), TASKS)?;
        let mut fragments = TableWriter::create(&directory.join("fragments.parquet"), FRAGMENTS)?;
        for (key, task) in &self.tasks {
            let pieces = task.pieces(assumed);
            for id in task.ids.clone() {
                let of = |graph: &Graph| graph.get(key).cloned().unwrap_or_default();
                tasks.push(task.row(id, &pieces, of(&parents), of(&children), assumed))?;
                for piece in &pieces {
                    fragments.push([
                        Cell::Int(id),
                        Cell::Int(piece.ms),
                        Cell::Float(piece.cpu_mhz),
                        piece.gpu_mhz.into(),
                    ])?;
                }
            }
        }
        tasks.finish()?;
        fragments.finish()?;
        Ok(lost)
    }

    /// Gives numbers to processes whose submission and duration are known.
    fn number(&mut self, lost: &mut Lost) -> Result<(), TraceError> {
        let mut next = 0_i64;
        for ((job, _), task) in &mut self.tasks {
            task.submit = task.submit.or_else(|| self.submissions.get(job).copied());
            task.used.sort_by_key(|used| used.start);
            let is_usable = task.submit.is_some() && (task.duration.is_some() || !task.used.is_empty());
            let count = if is_usable { task.instances } else { 0 };
            lost.add("tasks whose submission or duration is not known", (!is_usable).into());
            task.ids = next..next + i64::from(count);
            next = task.ids.end;
        }
        if next > i64::from(i32::MAX) {
            return Err(TraceError::Unusable(format!(
                "OpenDC numbers tasks with 32 bits: the trace has {next} processes"
            )));
        }
        Ok(())
    }

    /// Which processes each task waits for, and which wait for it.
    fn graph(&self) -> (Graph, Graph) {
        let (mut parents, mut children) = (Graph::new(), Graph::new());
        let mut link = |parent: (u64, u32), child: (u64, u32)| {
            let (Some(before), Some(after)) = (self.tasks.get(&parent), self.tasks.get(&child)) else {
                return;
            };
            parents.entry(child).or_default().extend(before.ids.clone());
            children.entry(parent).or_default().extend(after.ids.clone());
        };
        for ((job, index), task) in &self.tasks {
            task.parents.iter().for_each(|parent| link((*job, *parent), (*job, *index)));
            for before in self.parents.get(job).into_iter().flatten() {
                let all = self.tasks.range((*before, 0)..=(*before, u32::MAX));
                all.for_each(|(parent, _)| link(*parent, (*job, *index)));
            }
        }
        (parents, children)
    }
}

type Graph = BTreeMap<(u64, u32), Vec<i64>>;

/// A fragment.
struct Piece {
    ms: i64,
    cpu_mhz: f64,
    gpu_mhz: Option<f64>,
}

impl Task {
    fn cores(&self) -> f64 {
        self.cpus.unwrap_or(1.0).ceil().max(1.0)
    }

    /// MHz of one core and of one GPU.
    fn speeds(&self, assumed: Assumed) -> (f64, f64) {
        let gpus = self.gpus.unwrap_or(0.0).ceil().max(1.0);
        (
            self.cpu_mhz.map_or(assumed.core_mhz, |all| all / self.cores()),
            self.gpu_mhz.map_or(assumed.gpu_mhz, |all| all / gpus),
        )
    }

    /// Its fragments; where nothing was measured in between, nothing was used.
    fn pieces(&self, assumed: Assumed) -> Vec<Piece> {
        let (core, gpu) = self.speeds(assumed);
        let millis = |micros: i64| micros.saturating_add(500) / 1000;
        if self.used.is_empty() {
            let ms = millis(self.duration.unwrap_or_default().0);
            let cpu_mhz = self.cpus.unwrap_or(1.0) * core;
            return vec![Piece { ms, cpu_mhz, gpu_mhz: self.gpus.map(|gpus| gpus * gpu) }];
        }
        let (mut pieces, mut until) = (Vec::new(), self.used.first().map_or(0, |used| used.start.0));
        for used in &self.used {
            let gap = millis(used.start.0.saturating_sub(until));
            if gap > 0 {
                pieces.push(Piece { ms: gap, cpu_mhz: 0.0, gpu_mhz: used.gpus.map(|_| 0.0) });
            }
            let gpu_mhz = used.gpus.map(|gpus| gpus * gpu);
            pieces.push(Piece { ms: millis(used.duration.0), cpu_mhz: used.cpus * core, gpu_mhz });
            until = used.start.0.saturating_add(used.duration.0);
        }
        pieces
    }

    fn row(
        &self,
        id: i64,
        pieces: &[Piece],
        parents: Vec<i64>,
        children: Vec<i64>,
        assumed: Assumed,
    ) -> [Cell; 10] {
        let (core, gpu) = self.speeds(assumed);
        let submit = self.submit.unwrap_or_default().0.div_euclid(1000).saturating_add(assumed.start_ms);
        let measured = pieces.iter().fold(0_i64, |sum, piece| sum.saturating_add(piece.ms));
        let duration = self.duration.map_or(measured, |duration| duration.0.saturating_add(500) / 1000);
        let gpus = self.gpus.filter(|gpus| *gpus > 0.0).map(f64::ceil);
        [
            Cell::Int(id),
            Cell::Int(submit),
            Cell::Int(duration),
            Cell::Int(self.cores() as i64),
            Cell::Float(self.cores() * core),
            Cell::Int(self.mem_mib.unwrap_or(0.0).ceil() as i64),
            gpus.map(|gpus| gpus as i64).into(),
            gpus.map(|gpus| gpus * gpu).into(),
            Cell::Ints(parents),
            Cell::Ints(children),
        ]
    }
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use super::{Assumed, Exporter};
    use crate::{
        JobRow, Micros, Options, Sink, TaskRow, Trace, TraceError, UsageRow, row::Whose, sink::Collected,
    };

    fn read(rows: Exporter) -> (Collected, super::Lost) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let lost = rows.write(dir.path(), Assumed::default()).expect("room for a small trace");
        let mut again = Collected::default();
        let trace = Trace::one(dir.path(), None).expect("one trace");
        assert_eq!(trace.format.name, "opendc");
        trace.read(&Options::default(), &mut again, &mut |_| true).expect("a good trace");
        (again, lost)
    }

    fn used(job: u64, start: i64, cpus: f64) -> UsageRow<'static> {
        UsageRow {
            whose: Whose::Task(job, 0),
            start: Micros(start),
            duration: Micros(1_000_000),
            cpus: Some(cpus),
            cpus_max: None,
            mem_mib: None,
            gpus: None,
        }
    }

    fn trace() -> Result<Exporter, TraceError> {
        let mut rows = Exporter::default();
        rows.usage(&used(0, 2_000_000, 1.5))?;
        rows.usage(&used(0, 0, 2.0))?;
        for (number, parents) in [(0, vec![]), (1, vec![0]), (2, vec![])] {
            let submit = Some(Micros(number as i64 * 1000));
            rows.job(&JobRow { number, submit, parents, ..JobRow::default() })?;
        }
        let task = TaskRow {
            instances: 1,
            cpus: Some(2.0),
            mem_mib: Some(64.0),
            duration: Some(Micros(3_000_000)),
            ..TaskRow::default()
        };
        rows.task(&task)?;
        rows.task(&TaskRow { job: 1, instances: 2, gpus: Some(1.0), cpus: Some(0.5), ..task.clone() })?;
        rows.task(&TaskRow { job: 2, duration: None, ..task })?;
        Ok(rows)
    }

    #[test]
    fn tasks_and_their_use_come_back() {
        let (rows, lost) = read(trace().expect("rows"));
        assert_eq!(lost.all()["tasks whose submission or duration is not known"], 1);
        let tasks: Vec<_> = rows
            .tasks
            .iter()
            .map(|task| (task.submit, task.duration, task.cpus, task.gpus, task.mem_mib))
            .collect();
        let ran = Some(Micros(3_000_000));
        let two = (Some(Micros(1000)), ran, Some(1.0), Some(1.0), Some(64.0));
        assert_eq!(tasks, [(Some(Micros(0)), ran, Some(2.0), None, Some(64.0)), two, two]);
        let usage: Vec<_> =
            rows.usage.iter().map(|row| (row.start.0 / 1000, row.duration.0 / 1000, row.cpus)).collect();
        let first = [(0, 1000, Some(2.0)), (1000, 1000, Some(0.0)), (2000, 1000, Some(1.5))];
        assert_eq!((&usage[..3], &usage[3..]), (first.as_slice(), [(1, 3000, Some(0.5)); 2].as_slice()));
        assert_eq!(
            (rows.jobs[1].parents.as_slice(), rows.jobs[2].parents.as_slice()),
            ([0].as_slice(), [0].as_slice())
        );
    }
}
