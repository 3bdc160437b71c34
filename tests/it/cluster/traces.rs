//! Traces, as the trace store has them.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tests::told;

/// One trace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    /// The names of its spans, by the service that made them.
    pub(crate) spans: BTreeMap<String, BTreeSet<String>>,
    /// How many spans have neither a parent in the trace nor are its root.
    pub(crate) orphans: usize,
}

impl Trace {
    /// Asks the store for a trace.
    pub(crate) async fn fetch(id: &str) -> Result<Self, String> {
        let url = format!("{}/api/traces/{id}", told("OPSMESH_TRACES_URL"));
        let answer: Value =
            async { reqwest::get(url).await?.json().await }.await.map_err(|error: reqwest::Error| error.to_string())?;
        let trace = &answer["data"][0];
        let processes = trace["processes"].as_object().ok_or_else(|| format!("no such trace: {answer}"))?;
        let list = trace["spans"].as_array().ok_or("no spans")?;
        let ids: BTreeSet<&str> = list.iter().filter_map(|span| span["spanID"].as_str()).collect();
        let mut found = Self::default();
        for span in list {
            let service = processes[span["processID"].as_str().unwrap_or_default()]["serviceName"].as_str().unwrap_or_default();
            let name = span["operationName"].as_str().unwrap_or_default();
            found.spans.entry(service.to_owned()).or_default().insert(name.to_owned());
            let parents: Vec<&str> = span["references"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|reference| reference["refType"] == "CHILD_OF")
                .filter_map(|reference| reference["spanID"].as_str())
                .collect();
            if !parents.is_empty() && !parents.iter().any(|parent| ids.contains(parent)) {
                found.orphans += 1;
            }
        }
        Ok(found)
    }

    /// Whether a span of that service has a name with these words in it.
    pub(crate) fn has(&self, service: &str, words: &str) -> bool {
        self.spans.get(service).is_some_and(|names| names.iter().any(|name| name.contains(words)))
    }
}
