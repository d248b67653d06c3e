//! The JSON schema of experiment files, for editors: `schemas/experiment.schema.json`.

use serde_json::Value;

use super::{outline::table_name, path::KeyPath, spec::Experiment};

/// The schema, made from the types. What only [`super::load`] can check is not in it.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Experiment).to_value()
}

/// The tables that have the key, as they are written in a file, each once.
pub(super) fn tables_with(key: &str) -> Vec<String> {
    let tables = tables().into_iter().filter(|table| table.keys.iter().any(|known| known == key));
    let mut names: Vec<String> = Vec::new();
    for name in tables.map(|table| table_name(&table.path)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A table of an experiment.
pub(super) struct Table {
    /// Where it is; of the tables in a list, the first.
    pub(super) path: KeyPath,
    /// Whether a list may stand in its place.
    pub(super) or_list: bool,
    keys: Vec<String>,
}

/// All tables with keys of their own, the file itself first.
pub(super) fn tables() -> Vec<Table> {
    let schema = schema();
    let mut tables = Vec::new();
    add_tables(&schema, &schema["$defs"], &KeyPath::ROOT, &mut tables);
    tables
}

/// Adds the table that `schema` describes and the tables in it. A table may have one of several forms.
fn add_tables(schema: &Value, types: &Value, path: &KeyPath, tables: &mut Vec<Table>) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next()) {
        add_tables(&types[name], types, path, tables);
    }
    let forms = ["oneOf", "anyOf"].iter().filter_map(|of| schema.get(of)?.as_array()).flatten();
    let before = tables.len();
    for form in forms.clone() {
        add_tables(form, types, path, tables);
    }
    if forms.clone().any(|form| form.get("type").is_some_and(|kind| kind == "array")) {
        tables[before..]
            .iter_mut()
            .filter(|table| table.path == *path)
            .for_each(|table| table.or_list = true);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    tables.push(Table { path: path.clone(), or_list: false, keys: properties.keys().cloned().collect() });
    for (name, property) in properties {
        let path = path.key(name);
        match property.get("items") {
            Some(items) => add_tables(items, types, &path.index(0), tables),
            None => add_tables(property, types, &path, tables),
        }
    }
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
    fn a_key_knows_its_tables() {
        assert_eq!(tables_with("tau"), ["`[measure]`"]);
        assert_eq!(tables_with("seeds"), ["the file"]);
        let with_jobs = tables_with("jobs");
        assert!(
            with_jobs.starts_with(&["`[workload.poisson]`".to_owned(), "`[workload.generator]`".to_owned()]),
            "{with_jobs:?}"
        );
        let with_gpus = tables_with("gpus");
        assert!(with_gpus.iter().any(|table| table == "`[[cluster.agents]]`"), "{with_gpus:?}");
        assert!(with_gpus.iter().any(|table| table == "`[workload.poisson]`"), "{with_gpus:?}");
        assert_eq!(tables_with("ranks"), ["`[[framework.gang.jobs]]`"]);
        assert!(tables_with("nothing").is_empty());
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
