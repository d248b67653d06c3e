//! The JSON schema of experiment files, for editors: `schemas/experiment.schema.json`.

use super::spec::Experiment;

/// The schema, made from the types. What only [`super::load`] can check is not in it.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Experiment).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/experiment.schema.json");

    #[test]
    fn the_committed_schema_is_fresh() {
        let fresh = serde_json::to_string_pretty(&schema()).expect("a schema is JSON") + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            fs::write(FILE, &fresh).expect(FILE);
        }
        let committed = fs::read_to_string(FILE).unwrap_or_default();
        assert!(committed == fresh, "{FILE} is stale; refresh it with: UPDATE_SCHEMA=1 cargo test schema");
    }

    #[test]
    fn every_key_is_described() {
        fn undescribed(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
            let properties = value.get("properties").and_then(|properties| properties.as_object());
            for (key, schema) in properties.into_iter().flatten() {
                if schema.get("description").is_none() {
                    found.push(format!("{path}.{key}"));
                }
            }
            for (name, schema) in value.get("$defs").and_then(|defs| defs.as_object()).into_iter().flatten() {
                undescribed(schema, name, found);
            }
        }
        let mut found = Vec::new();
        undescribed(&schema(), "Experiment", &mut found);
        assert!(found.is_empty(), "without a description: {found:?}");
    }
}
