//! `manifest.json` of one run: what was run, by which code, and how it went.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::report::error::ReportError;

/// A run's manifest. Keys that a report has no use for are passed over.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::report) struct Manifest {
    pub(in crate::report) experiment: String,
    #[serde(default)]
    pub(in crate::report) about: String,
    pub(in crate::report) policy: String,
    pub(in crate::report) seed: u64,
    #[serde(default)]
    pub(in crate::report) config: Value,
    pub(in crate::report) mesosim_version: String,
    #[serde(default)]
    pub(in crate::report) git_commit: Option<String>,
    #[serde(default)]
    pub(in crate::report) features: Vec<String>,
    pub(in crate::report) record_hash: String,
    #[serde(default)]
    pub(in crate::report) records: Option<u64>,
    pub(in crate::report) events: u64,
    pub(in crate::report) simulated_seconds: f64,
    pub(in crate::report) bin_seconds: f64,
    pub(in crate::report) tau_seconds: f64,
    #[serde(default)]
    pub(in crate::report) warnings: Vec<String>,
    #[serde(default)]
    pub(in crate::report) wall_seconds: Option<f64>,
    #[serde(default)]
    pub(in crate::report) events_per_second: Option<f64>,
    #[serde(default)]
    pub(in crate::report) peak_memory_bytes: Option<u64>,
    #[serde(default)]
    pub(in crate::report) started: Option<String>,
    #[serde(default)]
    pub(in crate::report) trace: Map<String, Value>,
}

/// Reads `manifest.json`.
pub(in crate::report) fn read(path: &Path) -> Result<Manifest, ReportError> {
    let text = fs::read_to_string(path).map_err(ReportError::read(path, "a run's manifest"))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| ReportError::Manifest {
        path: path.to_path_buf(),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })?;
    check(&manifest, path).map(|()| manifest)
}

fn check(manifest: &Manifest, path: &Path) -> Result<(), ReportError> {
    let bad = |message: &str| {
        Err(ReportError::Manifest {
            path: path.to_path_buf(),
            line: 1,
            column: 1,
            message: message.to_owned(),
        })
    };
    if !(manifest.bin_seconds.is_finite() && manifest.bin_seconds > 0.0) {
        return bad("`bin_seconds` must be more than 0");
    }
    if !(manifest.simulated_seconds.is_finite() && manifest.simulated_seconds >= 0.0) {
        return bad("`simulated_seconds` must be 0 or more");
    }
    Ok(())
}
