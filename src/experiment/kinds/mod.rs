//! What experiment files say of each kind of framework: `kind = "hoarder"`, and a table of that name with its parameters.
//!
//! A new kind is a file here with a `Table`, one line in `tables!`, and one key of [`Framework`].

mod answer;
mod arrivals;
mod demand;
pub mod gang;
pub mod hoarder;
pub mod mapreduce;
mod speculation;

use std::sync::Arc;

use mesos::task::TaskDetail;

pub use answer::AnswerTable;
pub use arrivals::Arrivals;
pub use demand::DemandTable;

use super::config::{Check, Framework};
use crate::{
    cluster::Cluster,
    engine::random::{Seed, Stream},
    framework::{self, Answer, Application, Driver},
    workload::{Job, JobId},
};
use mesos::id::Id;

/// The parameters of one kind.
pub(super) trait Table {
    /// What is wrong with it that no type can say; `path` is where it stands.
    fn check(&self, path: &str, check: &mut Check<'_>);

    /// Changes the answer of a [[policy]] to what is usual for this kind; `[framework.answer]` has the last word.
    fn usual_answer(&self, answer: Answer) -> Answer {
        answer
    }

    /// Whether its frameworks take jobs of `[workload]`; otherwise they bring [their own](Self::jobs).
    fn takes_workload(&self) -> bool {
        false
    }

    /// Whether it may never come to an end by itself, so that the experiment must say `until` when it is over.
    fn is_endless(&self) -> bool {
        false
    }

    /// Its own jobs, in any order and with any ids.
    fn jobs(&self, scene: &Scene<'_>) -> Vec<Job>;

    /// Its scheduler; mostly [`Scene::drive`] of an application.
    fn scheduler(&self, scene: &Scene<'_>) -> Box<dyn framework::Framework>;
}

/// What there is when a framework is made.
pub(super) struct Scene<'a> {
    /// Its place in the experiment file.
    pub(super) place: usize,
    /// The seed of the run.
    pub(super) seed: Seed,
    /// All machines.
    pub(super) cluster: &'a Cluster,
    /// How it answers offers.
    pub(super) answer: Answer,
    /// How often a task that failed by itself is tried again.
    pub(super) retries: u32,
    /// What tasks of each profile say of themselves.
    pub(super) details: &'a [Arc<TaskDetail>],
}

impl Scene<'_> {
    /// A seed of this framework's own, for what `of` numbers (a group of its jobs, for example).
    pub(super) fn seed_of(&self, of: usize) -> Seed {
        self.seed.child(Stream::Application, (self.place as u64) << 32 | of as u64)
    }

    /// The application as a framework.
    pub(super) fn drive(&self, application: impl Application + 'static) -> Box<dyn framework::Framework> {
        Box::new(Driver::new(application, self.answer).with_details(self.details.to_vec()))
    }
}

/// Puts jobs in the order in which they arrive and numbers them. Jobs that arrive together stay in order.
pub(super) fn in_order(mut jobs: Vec<Job>) -> Vec<Job> {
    jobs.sort_by_key(|job| job.submission);
    jobs.into_iter().enumerate().map(|(place, job)| Job { id: JobId::new(place), ..job }).collect()
}

macro_rules! tables {
    ($($name:literal => $field:ident,)+) => {
        /// The table of a framework's kind, as it stands in the file or with its defaults; `None` for the batch framework.
        pub(super) fn table(framework: &Framework) -> Option<Box<dyn Table>> {
            match framework.kind.as_str() {
                $($name => Some(Box::new(framework.$field.clone().unwrap_or_default())),)+
                _ => None,
            }
        }

        /// The kinds of which a framework has a table.
        pub(super) fn given(framework: &Framework) -> Vec<&'static str> {
            let given = [$(($name, framework.$field.is_some())),+];
            given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect()
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$($name),+];
    };
}

tables! {
    "gang" => gang,
    "hoarder" => hoarder,
    "mapreduce" => mapreduce,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_but_batch_has_a_table() {
        let kinds: Vec<_> =
            framework::KINDS.iter().map(|kind| kind.name).filter(|name| *name != "batch").collect();
        assert_eq!(kinds, NAMES);
    }
}
