//! The reference page.

use std::fmt::Write as _;

use modgate_engine::telemetry::{CATALOGUE, Kind, LABELS};

/// The reference of all metrics, as Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "<!-- Made by `modgate metrics --format markdown > docs/reference/metrics.md` from \
         filter/engine/src/telemetry/catalogue.rs: change that. -->\n\
         # Metrics\n\n\
         What the filter counts, in Envoy (`/stats/prometheus`) and in `modgate serve` (`/metrics`) \
         alike. Envoy needs the labels' patterns and the histograms' buckets in its bootstrap: \
         `modgate metrics --format envoy`, and `--format istio` for a mesh. `--format json` is this page \
         as data.\n\n\
         ## Series\n\n\
         | metric | type | labels | what it counts |\n|---|---|---|---|\n",
    );
    for metric in CATALOGUE {
        let labels: Vec<String> = metric.labels.iter().map(|l| format!("`{l}`")).collect();
        // Writing into a String cannot fail, here and below.
        _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.name(),
            labels.join(", "),
            cell(metric.help)
        );
    }
    page.push_str("\n## Buckets\n\n| histogram | upper bounds |\n|---|---|\n");
    for metric in CATALOGUE {
        if let Kind::Histogram { buckets } = metric.kind {
            let bounds: Vec<String> = buckets.iter().map(ToString::to_string).collect();
            _ = writeln!(page, "| `{}` | {}, +Inf |", metric.name, bounds.join(", "));
        }
    }
    page.push_str(
        "\n## Labels\n\nA value is made of `[A-Za-z0-9_-]`; whatever else would be one becomes `other`.\n\n\
         | label | values | what it tells |\n|---|---|---|\n",
    );
    for label in LABELS {
        let values: Vec<String> = label.values.iter().map(|v| format!("`{v}`")).collect();
        let values = if values.is_empty() {
            "from the policy".to_owned()
        } else {
            values.join(", ")
        };
        _ = writeln!(
            page,
            "| `{}` | {values} | {} |",
            label.name,
            cell(label.help)
        );
    }
    page
}

/// Text that does not end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_page_is_current() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/reference/metrics.md"
        );
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == super::markdown(),
            "docs/reference/metrics.md is not current: run `modgate metrics --format markdown > docs/reference/metrics.md`"
        );
    }
}
