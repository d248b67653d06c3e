//! A case that failed, as a scenario that can be replayed.

use mesos::{allocator::Allocations, time::Time};
use serde_json::{Value, json};

use super::{cluster::Common, json, op::Op};

/// What was said so far, and what the naive allocator answered.
pub(crate) struct Report {
    options: Value,
    steps: Vec<Op>,
    /// Step by step.
    made: Vec<Vec<Allocations>>,
    last_tick: Option<Time>,
}

impl Report {
    pub(crate) fn new(common: &Common) -> Self {
        let options = json::options(&common.options);
        Self { options, steps: Vec::new(), made: Vec::new(), last_tick: None }
    }

    pub(crate) fn step(&mut self, op: &Op) {
        self.steps.push(op.clone());
        self.made.push(Vec::new());
        self.last_tick = None;
    }

    pub(crate) fn tick(&mut self, tick: Time) {
        self.last_tick = Some(tick);
    }

    pub(crate) fn made(&mut self, made: &Allocations) {
        if let Some(last) = self.made.last_mut().filter(|_| *made != Allocations::default()) {
            last.push(made.clone());
        }
    }

    /// The difference, and all steps in the form of a scenario that expects what the naive allocator answered. It is
    /// written to a file, too, whose name is given.
    pub(crate) fn failure(&self, difference: &str) -> String {
        let text = self.scenario();
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("naive_equals_fast.json");
        let written = match std::fs::write(&path, &text) {
            Ok(()) => format!("written to {}", path.display()),
            Err(error) => format!("not written to {}: {error}", path.display()),
        };
        let tick = self.last_tick.map(|tick| format!(" at {tick:?}")).unwrap_or_default();
        let last = self.steps.len() - 1;
        format!("step {last}{tick}: {difference}\n{text}\n({written})")
    }

    fn scenario(&self) -> String {
        let lines = |values: Vec<Value>| {
            let lines: Vec<String> = values.iter().map(|value| format!("    {value}")).collect();
            format!("[\n{}\n  ]", lines.join(",\n"))
        };
        let steps = lines(self.steps.iter().map(Op::json).collect());
        let rows = self.made.iter().enumerate().filter(|(_, made)| !made.is_empty());
        let expect = lines(rows.map(|(step, made)| json::expected(step, made)).collect());
        let head = json!({ "name": "naive_equals_fast", "about": "found by the property test" });
        let head = head.to_string();
        let head = head.trim_matches(['{', '}']);
        format!(
            "{{\n  {head},\n  \"options\": {},\n  \"steps\": {steps},\n  \"expect\": {expect}\n}}",
            self.options
        )
    }
}
