//! `[framework.answer]`: how a framework answers offers.

use mesos::resource::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    experiment::{
        config::{Check, Duration, Size, known},
        prepare::mebibytes,
    },
    framework::Answer,
    policy::RESPONSES,
};

/// How a framework answers offers. What is not given is as the policy says, or as is usual for its kind.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerTable {
    /// What happens to offers that are not used; `mesosim list` names the responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// The filter that is asked for with each decline: the agent is not offered again for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse_seconds: Option<Duration>,
    /// Whether to ask for no offers (SUPPRESS) while nothing waits. Default: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress: Option<bool>,
    /// Whether to ask for all offers again (REVIVE) when new tasks wait. Default: yes. A suppressed framework always does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revive: Option<bool>,
    /// At least so long lies between two times that it asks. Default: no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revive_interval: Option<Duration>,
    /// Offers with fewer CPUs are declined unseen. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub least_cpus: Option<f64>,
    /// Offers with less memory are declined unseen. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_mem: Option<Size>,
    /// So many tasks are launched on the offers of one agent at a time, at most. Default: as many as fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub tasks_per_offer: Option<u32>,
}

impl AnswerTable {
    pub(in crate::experiment) fn check(&self, path: &str, kind: &str, check: &mut Check<'_>) {
        if let Some(response) = &self.response {
            check.response(&format!("{path}.response"), response);
        }
        if let Some(cpus) = self.least_cpus.filter(|&cpus| cpus != 0.0) {
            check.amount(&format!("{path}.least_cpus"), cpus);
        }
        if let Some(most) = self.tasks_per_offer {
            check.at_least_one(&format!("{path}.tasks_per_offer"), most.into());
        }
        let beyond_batch = [
            ("suppress", self.suppress.is_some()),
            ("revive", self.revive.is_some()),
            ("revive_interval", self.revive_interval.is_some()),
            ("least_cpus", self.least_cpus.is_some()),
            ("least_mem", self.least_mem.is_some()),
            ("tasks_per_offer", self.tasks_per_offer.is_some()),
        ];
        for (key, _) in beyond_batch.iter().filter(|(_, is_given)| *is_given && kind == "batch") {
            let message = format!("`{key}` says nothing to a framework of the kind `batch`");
            let help = "it has `response` and `refuse_seconds`, suppresses when idle and revives on new work";
            check.wrong(&format!("{path}.{key}"), message, "of other kinds", help);
        }
    }

    /// What it says, and `usual` for what it does not.
    pub(in crate::experiment) fn over(&self, usual: Answer) -> Answer {
        Answer {
            response: self.response.as_ref().map_or(usual.response, |name| (known(RESPONSES, name).build)()),
            refuse_seconds: self.refuse_seconds.map_or(usual.refuse_seconds, |time| time.0.as_secs_f64()),
            suppress: self.suppress.unwrap_or(usual.suppress),
            revive: self.revive.unwrap_or(usual.revive),
            revive_interval: self.revive_interval.map_or(usual.revive_interval, |time| time.0),
            least_cpus: self.least_cpus.and_then(Scalar::from_f64).unwrap_or(usual.least_cpus),
            least_mem: self.least_mem.map_or(usual.least_mem, mebibytes),
            tasks_per_offer: self.tasks_per_offer.or(usual.tasks_per_offer),
        }
    }
}
