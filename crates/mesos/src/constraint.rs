//! Offer constraints: which agents a framework wants to be offered, said once instead of declined again and again.

use regex_lite::{Regex, RegexBuilder};

use crate::{
    attribute::{AttributeValue, Attributes},
    domain::FaultDomain,
};

/// The constraints of one role (`OfferConstraints.RoleConstraints`): an agent is offered if it meets every constraint of
/// at least one group.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleConstraints(Vec<Vec<AttributeConstraint>>);

/// One constraint: what is looked at, and what must hold of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeConstraint {
    /// What is looked at.
    pub selector: Selector,
    /// What must hold.
    pub predicate: Predicate,
}

/// What a constraint looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The first attribute with this name.
    Attribute(String),
    /// The host name.
    Hostname,
    /// The region of the agent's fault domain, absent without one.
    Region,
    /// The zone of the agent's fault domain, absent without one.
    Zone,
}

/// What must hold. Comparisons of texts hold for any attribute that is not a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// It is there.
    Exists,
    /// It is not there.
    NotExists,
    /// It is there, with this text.
    TextEquals(String),
    /// It is not there, or has another text.
    TextNotEquals(String),
    /// It is there, and the whole text matches.
    TextMatches(Pattern),
    /// It is not there, or its text does not match.
    TextNotMatches(Pattern),
}

/// A regular expression that must match the whole text.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// Why constraints are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// A role without groups would never be offered anything.
    #[error("no group of constraints")]
    NoGroup,
    /// A group without constraints would hold for every agent.
    #[error("group {0} has no constraint")]
    EmptyGroup(usize),
    /// Not a regular expression, or one that needs too much memory.
    #[error("`{pattern}` is not a usable regular expression: {reason}")]
    Pattern {
        /// As it was given.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
}

impl Pattern {
    /// Compiles a pattern. `most_bytes` bounds the compiled form (`--offer_constraints_re2_max_mem`; the measure is this
    /// library's, not RE2's, so patterns near the bound may fare differently. RE2's count of instructions,
    /// `--offer_constraints_re2_max_program_size`, has no counterpart).
    ///
    /// # Errors
    /// A pattern that is none or is too large.
    pub fn new(pattern: &str, most_bytes: usize) -> Result<Self, ConstraintError> {
        let wrong = |reason: String| ConstraintError::Pattern { pattern: pattern.to_owned(), reason };
        Regex::new(pattern).map_err(|error| wrong(error.to_string()))?; // so that `)(` does not pass in the group below
        let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(most_bytes).build();
        whole.map(Self).map_err(|error| wrong(error.to_string()))
    }

    /// Whether it matches all of the text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl RoleConstraints {
    /// From groups: OR between them, AND inside.
    ///
    /// # Errors
    /// No group, or one without constraints.
    pub fn new(groups: Vec<Vec<AttributeConstraint>>) -> Result<Self, ConstraintError> {
        if groups.is_empty() {
            return Err(ConstraintError::NoGroup);
        }
        match groups.iter().position(Vec::is_empty) {
            Some(place) => Err(ConstraintError::EmptyGroup(place)),
            None => Ok(Self(groups)),
        }
    }

    /// Whether an agent that says this of itself must not be offered (`OfferConstraintsFilter::isAgentExcluded`).
    #[must_use]
    pub fn exclude(&self, hostname: &str, attributes: &Attributes, domain: Option<&FaultDomain>) -> bool {
        let holds = |constraint: &AttributeConstraint| {
            let found = match &constraint.selector {
                Selector::Attribute(name) => attributes.get(name).map(Found::of),
                Selector::Hostname => Some(Found::Text(hostname)),
                Selector::Region => domain.map(|domain| Found::Text(&domain.region)),
                Selector::Zone => domain.map(|domain| Found::Text(&domain.zone)),
            };
            constraint.predicate.holds_for(found)
        };
        !self.0.iter().any(|group| group.iter().all(holds))
    }
}

/// What a selector finds.
#[derive(Clone, Copy)]
enum Found<'a> {
    Text(&'a str),
    Other,
}

impl<'a> Found<'a> {
    fn of(value: &'a AttributeValue) -> Self {
        match value {
            AttributeValue::Text(text) => Found::Text(text),
            AttributeValue::Scalar(_) | AttributeValue::Ranges(_) => Found::Other,
        }
    }
}

impl Predicate {
    fn holds_for(&self, found: Option<Found<'_>>) -> bool {
        let is_text = |test: &dyn Fn(&str) -> bool| match found {
            None => false,
            Some(Found::Other) => true,
            Some(Found::Text(text)) => test(text),
        };
        let is_not_text = |test: &dyn Fn(&str) -> bool| match found {
            None | Some(Found::Other) => true,
            Some(Found::Text(text)) => !test(text),
        };
        match self {
            Self::Exists => found.is_some(),
            Self::NotExists => found.is_none(),
            Self::TextEquals(wanted) => is_text(&|text| text == wanted),
            Self::TextNotEquals(unwanted) => is_not_text(&|text| text == unwanted),
            Self::TextMatches(pattern) => is_text(&|text| pattern.matches(text)),
            Self::TextNotMatches(pattern) => is_not_text(&|text| pattern.matches(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(selector: Selector, predicate: Predicate) -> RoleConstraints {
        RoleConstraints::new(vec![vec![AttributeConstraint { selector, predicate }]]).unwrap()
    }

    fn rack() -> Selector {
        Selector::Attribute("rack".into())
    }

    fn agent(rack: Option<AttributeValue>) -> Attributes {
        Attributes(rack.into_iter().map(|value| ("rack".to_owned(), value)).collect())
    }

    #[test]
    fn predicates_hold_as_the_table_of_mesos_says() {
        let text = |text: &str| Some(AttributeValue::Text(text.into()));
        let number = Some(AttributeValue::Scalar(crate::resource::Scalar::whole(1)));
        let pattern = || Pattern::new("r[0-9]+", 4096).unwrap();
        // absent, other text, same text, a number
        let table = [
            (Predicate::Exists, [false, true, true, true]),
            (Predicate::NotExists, [true, false, false, false]),
            (Predicate::TextEquals("r1".into()), [false, false, true, true]),
            (Predicate::TextNotEquals("r1".into()), [true, true, false, true]),
            (Predicate::TextMatches(pattern()), [false, false, true, true]),
            (Predicate::TextNotMatches(pattern()), [true, true, false, true]),
        ];
        for (predicate, expected) in table {
            let values = [None, text("xr1"), text("r1"), number.clone()];
            let role = one(rack(), predicate.clone());
            let offered = values.map(|value| !role.exclude("host", &agent(value), None));
            assert_eq!(offered, expected, "{predicate:?}");
        }
    }

    #[test]
    fn a_group_must_hold_as_a_whole_and_one_group_is_enough() {
        let is = |selector, text: &str| AttributeConstraint {
            selector,
            predicate: Predicate::TextEquals(text.into()),
        };
        let role = RoleConstraints::new(vec![
            vec![is(Selector::Hostname, "h1"), is(Selector::Zone, "z1")],
            vec![is(Selector::Region, "r2")],
        ])
        .unwrap();
        let none = Attributes::default();
        let domain = |region: &str, zone: &str| FaultDomain { region: region.into(), zone: zone.into() };
        assert!(!role.exclude("h1", &none, Some(&domain("r1", "z1"))));
        assert!(role.exclude("h1", &none, Some(&domain("r1", "z2"))));
        assert!(!role.exclude("h9", &none, Some(&domain("r2", "z2"))));
        assert!(role.exclude("h1", &none, None));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(RoleConstraints::new(vec![]).unwrap_err(), ConstraintError::NoGroup);
        assert_eq!(RoleConstraints::new(vec![vec![]]).unwrap_err(), ConstraintError::EmptyGroup(0));
        for pattern in ["(", ")(", "a{1000}{1000}"] {
            assert!(Pattern::new(pattern, 4096).is_err(), "{pattern}");
        }
    }
}
