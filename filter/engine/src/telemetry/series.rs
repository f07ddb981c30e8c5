//! The stat name of a series with labels, and how Envoy parses it.

use super::Metric;

/// Replaces a value that a label must not carry.
pub const OTHER: &str = "other";

/// The longest value, in bytes.
const MAX_VALUE: usize = 128;

/// Whether a label can carry this value unchanged: `[A-Za-z0-9_-]`, not empty and not too long.
///
/// `;.;` would inject labels, and a dot breaks Istio's own tag patterns.
pub fn is_label_value(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= MAX_VALUE
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A label value made from any text: every other character becomes `_`. For texts of the policy's author,
/// such as its version, never for those of a client.
pub fn label_value_from(text: &str) -> String {
    text.chars()
        .take(MAX_VALUE)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// The stat name of a metric with these label values, in the order of [`Metric::labels`]: `name`, and then
/// `label=.=value;.;` for each.
///
/// A value that no label may carry becomes [`OTHER`]. Missing values are left out.
pub fn stat_name(metric: &Metric, values: &[&str]) -> String {
    let mut name = String::with_capacity(metric.name.len() + 32 * values.len());
    name.push_str(metric.name);
    for (label, value) in metric.labels.iter().zip(values) {
        name.push_str(label);
        name.push_str("=.=");
        name.push_str(if is_label_value(value) { value } else { OTHER });
        name.push_str(";.;");
    }
    name
}

/// Envoy's `stats_tags` regular expression for a label: the first group is removed from the name, the second
/// is the tag's value.
pub fn tag_regex(label: &str) -> String {
    format!(r"({label}=\.=(.*?);\.;)")
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{POLICY_INFO, REQUESTS_TOTAL};
    use super::*;

    #[test]
    fn labels_follow_the_name() {
        assert_eq!(
            stat_name(&REQUESTS_TOTAL, &["acme", "zip", "public", "ok"]),
            "modgate_requests_totaltenant=.=acme;.;operation=.=zip;.;backend=.=public;.;outcome=.=ok;.;"
        );
    }

    #[test]
    fn a_value_cannot_inject_a_label() {
        let name = stat_name(&POLICY_INFO, &["1;.;tenant=.=x", "2026.1"]);
        assert_eq!(
            name,
            "modgate_policy_infopolicy_version=.=other;.;policy_hash=.=other;.;"
        );
    }
}
