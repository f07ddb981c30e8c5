//! What becomes of the metrics' labels.

use modgate_engine::telemetry::{LABELS, series};

use super::at::At;
use super::notes::Notes;
use crate::export;

/// Looks at the `stats_config` of a bootstrap.
pub(super) fn check(bootstrap: &At<'_>, notes: &mut Notes) {
    const HINT: &str = "use the output of `modgate metrics --format envoy`";
    let config = bootstrap.get("stats_config");
    let tags = config
        .as_ref()
        .map_or_else(Vec::new, |config| config.list("stats_tags"));
    let missing: Vec<&str> = LABELS
        .iter()
        .filter(|label| {
            let mut regexes = tags.iter().filter_map(|tag| {
                let is_it = tag.text("tag_name") == Some(label.name);
                is_it.then(|| tag.text("regex")).flatten()
            });
            !regexes.any(|regex| regex == series::tag_regex(label.name))
        })
        .map(|label| label.name)
        .collect();
    let stats_tags = config.as_ref().and_then(|config| config.get("stats_tags"));
    let at = stats_tags.as_ref().or(config.as_ref()).unwrap_or(bootstrap);
    if !missing.is_empty() {
        notes.warning(
            at,
            format!("the labels {} stay part of the metric names, where dashboards and alerts do not find them; {HINT}", missing.join(", ")),
        );
    }
    let at = config.as_ref().unwrap_or(bootstrap);
    let settings = at.list("histogram_bucket_settings");
    for prefix in export::histogram_prefixes() {
        let has = |setting: &At<'_>| {
            setting.get("match").and_then(|m| m.text("prefix")) == Some(&*prefix)
        };
        if !settings.iter().any(has) {
            notes.warning(at, format!("the histogram {prefix} has Envoy's default buckets, which the dashboards do not expect; {HINT}"));
        }
    }
    if let Some(matcher) = at
        .get("stats_matcher")
        .filter(|matcher| matcher.is_true("reject_all"))
    {
        notes.warning(&matcher, "no metrics are kept, including the filter's");
    }
}
