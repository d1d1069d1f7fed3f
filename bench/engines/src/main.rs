//! The values edits by two Rust crates that edit YAML in place, each used as its documentation
//! suggests. What every engine gets and does is told in ../bench.py.
//!
//!     bench-engines yamlpatch|yaml-edit JOBS WANTED

use std::error::Error;
use std::fs;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, jobs, wanted] = arguments.as_slice() else {
        return Err("bench-engines yamlpatch|yaml-edit JOBS WANTED".into());
    };
    let edit = match engine.as_str() {
        "yamlpatch" => yamlpatch,
        "yaml-edit" => yaml_edit,
        other => return Err(format!("no such engine: {other}").into()),
    };
    let wanted = fs::read_to_string(wanted)?;
    let mut failed = 0;
    for job in fs::read_to_string(jobs)?.lines() {
        let (chart, path) = job.split_once('\t').ok_or("JOBS: a chart's name, a tab, a path")?;
        let old = fs::read_to_string(path)?;
        match edit(&old, &wanted.replace("CHART", chart)) {
            Ok(new) if new != old => fs::write(path, new)?,
            Ok(_) => {}
            Err(error) => {
                failed += 1;
                eprintln!("{path}: {error}");
            }
        }
    }
    if failed > 0 { Err(format!("{failed} files failed").into()) } else { Ok(()) }
}

/// By `MergeInto`, its operation for a mapping that may or may not be there.
fn yamlpatch(old: &str, wanted: &str) -> Result<String> {
    use yamlpatch::{Op, Patch, apply_yaml_patches};
    use yamlpath::{Document, route};

    let document = Document::new(old)?;
    let wanted: indexmap::IndexMap<String, indexmap::IndexMap<String, yaml_serde::Value>> =
        yaml_serde::from_str(wanted)?;
    let patches: Vec<Patch> = wanted
        .into_iter()
        .map(|(key, mut updates)| {
            // It replaces what is there: nobody asked for that.
            updates.retain(|inner, _| {
                inner != "cluster_domain_suffix"
                    || !document.query_exists(&route!(key.as_str(), inner.as_str()))
            });
            Patch { route: route!(), operation: Op::MergeInto { key, updates } }
        })
        .collect();
    Ok(apply_yaml_patches(&document, &patches)?.source().to_owned())
}

/// By `set` for what is missing, mapping by mapping: it has no merge of its own.
fn yaml_edit(old: &str, wanted: &str) -> Result<String> {
    use yaml_edit::{Document, Mapping, YamlFile};

    fn complete(mapping: &Mapping, wanted: &Mapping) {
        for (key, value) in wanted.iter() {
            match (mapping.get_mapping(&key), value.as_mapping()) {
                (Some(inner), Some(wanted)) => complete(&inner, wanted),
                _ if mapping.contains_key(&key) => {}
                _ => mapping.set(&key, &value),
            }
        }
    }

    let file: YamlFile = old.parse()?;
    let mapping = file.document().and_then(|document| document.as_mapping()).ok_or("no mapping")?;
    let wanted: Document = wanted.parse()?;
    complete(&mapping, &wanted.as_mapping().ok_or("no mapping wanted")?);
    Ok(file.to_string())
}
