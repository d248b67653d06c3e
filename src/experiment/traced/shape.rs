//! What the inside of a traced job looks like to applications that decide themselves which tasks to run.

use mesos::{resource::Scalar, time::Span};
use mesosim_traces::JobRow;

use crate::workload::{
    JobDetail,
    detail::{MapReduce, Stage, Training},
};

/// What a job's row says of its inside.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) enum Shape {
    /// Nothing: tasks alone, which may wait for each other.
    #[default]
    Tasks,
    /// Bytes that go through a MapReduce job (SWIM).
    MapReduce { input: u64, shuffle: u64, output: u64 },
    /// Steps of a training on so many workers (Gavel, Shockwave); a deadline after submission.
    Training { steps: u64, workers: u32, weight: Scalar, deadline: Option<Span> },
}

impl Shape {
    pub(super) fn of(row: &JobRow<'_>) -> Self {
        let whole = |name: &str| row.number_of(name).map(|number| number.max(0.0).round() as u64);
        let bytes = (whole("input_bytes"), whole("shuffle_bytes"), whole("output_bytes"));
        let (steps, workers) = (whole("total_steps"), whole("scale_factor"));
        let workers = workers.and_then(|workers| u32::try_from(workers).ok());
        match (bytes, steps, workers) {
            ((Some(input), Some(shuffle), Some(output)), ..) => Self::MapReduce { input, shuffle, output },
            (_, Some(steps), Some(workers)) => {
                let weight = row.weight.and_then(Scalar::from_f64).unwrap_or(Scalar::whole(1));
                let deadline =
                    row.deadline.zip(row.submit).and_then(|(deadline, submit)| deadline.since(submit));
                let deadline = deadline.and_then(|after| Span::from_secs_f64(after.as_secs_f64()));
                Self::Training { steps, workers, weight, deadline }
            }
            (_, _, _) => Self::Tasks,
        }
    }

    /// The inside of the job `model`, whose tasks are these stages; `None` if its tasks say everything.
    pub(super) fn detail(self, model: &str, stages: Vec<Stage>) -> Option<JobDetail> {
        match (self, stages.as_slice()) {
            (Self::MapReduce { input, shuffle, output }, [map, rest @ ..]) => {
                let reduce = rest.first();
                Some(JobDetail::MapReduce(MapReduce {
                    maps: map.tasks,
                    reduces: reduce.map_or(0, |reduce| reduce.tasks),
                    input,
                    shuffle,
                    output,
                    map_runtime: None,
                    reduce_runtime: None,
                    demand: (!map.demand.quantities().is_empty()).then_some(map.demand),
                }))
            }
            (Self::Training { steps, workers, weight, deadline }, [worker, ..]) => {
                let (min_workers, max_workers) = (workers, workers);
                let (model, demand) = (model.into(), worker.demand);
                let training =
                    Training { model, steps, workers, min_workers, max_workers, demand, weight, deadline };
                Some(JobDetail::Training(training))
            }
            (Self::Tasks, _) | (Self::MapReduce { .. } | Self::Training { .. }, []) => {
                let is_graph = stages.iter().any(|stage| !stage.parents.is_empty());
                is_graph.then(|| JobDetail::Stages(stages.into()))
            }
        }
    }
}
