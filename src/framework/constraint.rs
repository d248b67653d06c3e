//! Where the tasks of a job may go, as users write it: terms over the attributes of agents.
//!
//! The operators are Marathon's (`UNIQUE`, `CLUSTER`, `GROUP_BY`, `LIKE`, `UNLIKE`, `MAX_PER`) and those of traces (comparisons,
//! presence). Anti-affinity is `hostname UNIQUE`, spreading over zones `zone GROUP_BY 3`, a list of GPU models
//! `gpu_model LIKE V100|P100`. Attributes of every agent are `hostname`, `rack`, `zone` and, with GPUs, `gpu_model`.

use mesos::id::AgentId;
use regex_lite::Regex;
use rustc_hash::FxHashMap;

use super::{AgentFacts, WordId};

/// What is asked of an attribute's value.
#[derive(Clone, Debug)]
pub enum Operator {
    /// It is this text.
    Equal(Box<str>),
    /// It is not this text. An agent without the attribute will do.
    Unequal(Box<str>),
    /// As a whole number (0 if the attribute is missing) it is less.
    Less(i64),
    /// Likewise greater.
    Greater(i64),
    /// Likewise not greater.
    AtMost(i64),
    /// Likewise not less.
    AtLeast(i64),
    /// The agent has the attribute, whatever its value.
    Present,
    /// The agent does not have the attribute.
    Absent,
    /// The whole of it matches this pattern.
    Like(Regex),
    /// The agent has the attribute, and its value does not match this pattern.
    Unlike(Regex),
    /// All tasks of the job are on agents with one value, that of the first to be placed.
    Cluster,
    /// At most so many tasks of the job are on agents with the same value: 1 is Marathon's `UNIQUE`.
    MaxPer(u32),
    /// The tasks are spread evenly over the values, of which there are at least so many.
    GroupBy(u32),
}

/// One term.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// The name of the attribute.
    pub attribute: Box<str>,
    /// What is asked of its value.
    pub operator: Operator,
}

/// Why a text is no constraint.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConstraintError(String);

/// Operators with their names, as users may write them.
const OPERATORS: &[&str] = &[
    "UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS", "==", "!=", "<", ">", "<=", ">=",
    "PRESENT", "ABSENT",
];

impl Constraint {
    /// A term of blank-separated words: `rack GROUP_BY 3`, `os != linux`, `hostname UNIQUE`. Operators may be in lower case.
    ///
    /// # Errors
    /// There is no such operator, its value is missing or is none.
    pub fn parse(term: &str) -> Result<Self, ConstraintError> {
        let wrong = |problem: String| ConstraintError(format!("`{term}` is no constraint: {problem}"));
        let (attribute, rest) = term.trim().split_once(char::is_whitespace).ok_or_else(|| {
            wrong(
                "expected an attribute, an operator and, mostly, a value, as in `rack GROUP_BY 3`".to_owned(),
            )
        })?;
        let rest = rest.trim();
        let (word, value) =
            rest.split_once(char::is_whitespace).map_or((rest, ""), |(word, value)| (word, value.trim()));
        let operator = operator(word, value).map_err(wrong)?;
        Ok(Self { attribute: attribute.into(), operator })
    }

    /// Terms joined by ` & `, as traces have them.
    ///
    /// # Errors
    /// See [`Constraint::parse`].
    pub fn parse_all(terms: &str) -> Result<Vec<Self>, ConstraintError> {
        terms.split(" & ").filter(|term| !term.trim().is_empty()).map(Self::parse).collect()
    }
}

fn operator(word: &str, value: &str) -> Result<Operator, String> {
    let text = || if value.is_empty() { Err(format!("{word} needs a value")) } else { Ok(Box::from(value)) };
    let number = || value.parse::<i64>().map_err(|_| format!("{word} needs a whole number, not `{value}`"));
    let count = |least: u32| {
        let count = value.parse::<u32>().ok().filter(|count| *count >= least);
        count.ok_or_else(|| format!("{word} needs a whole number, {least} or more, not `{value}`"))
    };
    let pattern = || {
        let whole = Regex::new(&format!("^(?:{value})$"));
        text().and_then(|_| whole.map_err(|error| format!("{word} needs a regular expression: {error}")))
    };
    let nothing = |operator: Operator| {
        if value.is_empty() {
            Ok(operator)
        } else {
            Err(format!("{word} takes no value, and `{value}` is one"))
        }
    };
    match word.to_ascii_uppercase().as_str() {
        "==" | "IS" => text().map(Operator::Equal),
        "!=" => text().map(Operator::Unequal),
        "<" => number().map(Operator::Less),
        ">" => number().map(Operator::Greater),
        "<=" => number().map(Operator::AtMost),
        ">=" => number().map(Operator::AtLeast),
        "PRESENT" => nothing(Operator::Present),
        "ABSENT" => nothing(Operator::Absent),
        "LIKE" => pattern().map(Operator::Like),
        "UNLIKE" => pattern().map(Operator::Unlike),
        "CLUSTER" if value.is_empty() => Ok(Operator::Cluster),
        "CLUSTER" => text().map(Operator::Equal),
        "UNIQUE" | "DISTINCT" => nothing(Operator::MaxPer(1)),
        "MAX_PER" | "MAX-PER" => count(1).map(Operator::MaxPer),
        "GROUP_BY" if value.is_empty() => Ok(Operator::GroupBy(1)),
        "GROUP_BY" => count(1).map(Operator::GroupBy),
        unknown => Err(unknown_operator(unknown)),
    }
}

fn unknown_operator(word: &str) -> String {
    let close = OPERATORS.iter().map(|known| (strsim::damerau_levenshtein(word, known), known)).min();
    match close {
        Some((distance, known)) if distance <= 2 => format!("unknown operator `{word}`: expected `{known}`"),
        Some(_) | None => format!("unknown operator `{word}`: expected {}", OPERATORS.join(", ")),
    }
}

/// The constraints of one job, and where its tasks are.
#[derive(Clone, Debug, Default)]
pub struct Constrained {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    /// `None`: no agent has it.
    attribute: Option<WordId>,
    operator: Operator,
    /// What was found of values that the operator alone decides about.
    verdicts: FxHashMap<Option<WordId>, bool>,
    /// How many tasks of the job are on agents with this value.
    placed: FxHashMap<Option<WordId>, u32>,
}

impl Constrained {
    /// A job with these constraints and no task yet. An attribute that no agent has is an attribute that all agents lack.
    #[must_use]
    pub fn new(constraints: &[Constraint], facts: &AgentFacts) -> Self {
        let term = |constraint: &Constraint| Term {
            attribute: facts.word(&constraint.attribute),
            operator: constraint.operator.clone(),
            verdicts: FxHashMap::default(),
            placed: FxHashMap::default(),
        };
        Self { terms: constraints.iter().map(term).collect() }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether the job's next task may go to this agent.
    pub fn admits(&mut self, agent: AgentId, facts: &AgentFacts) -> bool {
        self.terms.iter_mut().all(|term| term.admits(term.value(agent, facts), facts))
    }

    /// A task of the job was placed there.
    pub fn placed(&mut self, agent: AgentId, facts: &AgentFacts) {
        for term in &mut self.terms {
            *term.placed.entry(term.value(agent, facts)).or_default() += 1;
        }
    }

    /// A task of the job is no more there.
    pub fn gone(&mut self, agent: AgentId, facts: &AgentFacts) {
        for term in &mut self.terms {
            let value = term.value(agent, facts);
            let left = term.placed.get_mut(&value).expect("a task that was placed");
            *left -= 1;
            if *left == 0 {
                term.placed.remove(&value);
            }
        }
    }
}

impl Term {
    fn value(&self, agent: AgentId, facts: &AgentFacts) -> Option<WordId> {
        facts.attribute(agent, self.attribute?)
    }

    fn admits(&mut self, value: Option<WordId>, facts: &AgentFacts) -> bool {
        let here = self.placed.get(&value).copied().unwrap_or(0);
        match &self.operator {
            Operator::Cluster => value.is_some() && (self.placed.is_empty() || here > 0),
            Operator::MaxPer(most) => value.is_some() && here < *most,
            Operator::GroupBy(least) => value.is_some() && (here == 0 || self.is_smallest(here, *least)),
            Operator::Equal(_)
            | Operator::Unequal(_)
            | Operator::Less(_)
            | Operator::Greater(_)
            | Operator::AtMost(_)
            | Operator::AtLeast(_)
            | Operator::Present
            | Operator::Absent
            | Operator::Like(_)
            | Operator::Unlike(_) => {
                let operator = &self.operator;
                *self
                    .verdicts
                    .entry(value)
                    .or_insert_with(|| operator.holds(value.map(|word| facts.text(word))))
            }
        }
    }

    /// Whether a group with so many tasks is one of the smallest, when there are as many groups as there shall be
    /// (Marathon's `GROUP_BY`).
    #[expect(clippy::disallowed_methods, reason = "a minimum does not depend on the order")]
    fn is_smallest(&self, here: u32, least: u32) -> bool {
        let smallest = self.placed.values().copied().min().unwrap_or(0);
        self.placed.len() >= least as usize && here == smallest
    }
}

impl Operator {
    /// Whether a value will do, of operators that look at nothing else.
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        match self {
            Self::Equal(text) => value.unwrap_or("") == &**text,
            Self::Unequal(text) => value.unwrap_or("") != &**text,
            Self::Less(bound) => number() < *bound,
            Self::Greater(bound) => number() > *bound,
            Self::AtMost(bound) => number() <= *bound,
            Self::AtLeast(bound) => number() >= *bound,
            Self::Present => value.is_some(),
            Self::Absent => value.is_none(),
            Self::Like(pattern) => value.is_some_and(|text| pattern.is_match(text)),
            Self::Unlike(pattern) => value.is_some_and(|text| !pattern.is_match(text)),
            Self::Cluster | Self::MaxPer(_) | Self::GroupBy(_) => true,
        }
    }
}
