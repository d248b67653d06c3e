//! `speculation = "late"`: when slow tasks get a second copy, for kinds that do so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::framework::speculation::Rule;

/// When slow tasks get a second copy. The first to finish counts, the other is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Speculation {
    /// Never.
    #[default]
    Never,
    /// Hadoop's first rule: after a minute, if progress is 0.2 below the mean.
    Naive,
    /// LATE: of the quarter that progresses most slowly, the one with the most time left; at most a tenth of the slots.
    Late,
    /// Hadoop 1 and 2: if progress is more than one standard deviation slower than the mean.
    Deviation,
    /// Spark: when 75 % of the tasks are done, those that run for more than 1.5 times the median.
    Spark,
}

impl Speculation {
    /// The rule of this name, with the product's own numbers.
    pub(super) const fn rule(self) -> Rule {
        match self {
            Self::Never => Rule::Never,
            Self::Naive => Rule::Naive,
            Self::Late => Rule::Late,
            Self::Deviation => Rule::Deviation,
            Self::Spark => Rule::Spark { quantile: 0.75, multiplier: 1.5 },
        }
    }
}
