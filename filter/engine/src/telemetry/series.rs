//! The name under which a series with labels goes through the ABI, and Envoy's way to cut it apart.

use super::Metric;

/// What a label's value becomes where it must not be itself.
pub const OTHER: &str = "other";

/// The longest value, in bytes.
const MAX_VALUE: usize = 128;

/// Whether a label can carry this value as it is: `[A-Za-z0-9_-]`, neither empty nor long.
///
/// `;.;` would inject labels, and a dot trips Istio's own tag patterns.
pub fn is_label_value(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= MAX_VALUE
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A value that a label can carry, made from one that perhaps it cannot: every other character
/// becomes `_`. For what the policy's author wrote, such as its version, never for a client's words.
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

/// The stat's name for a metric with these label values, in the order of [`Metric::labels`]:
/// `name` and then, with nothing between, `label=.=value;.;` for each.
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

/// Envoy's `stats_tags` regular expression for a label: the first group is cut from the name, the
/// second is the tag's value.
pub fn tag_regex(label: &str) -> String {
    format!(r"({label}=\.=(.*?);\.;)")
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{POLICY_INFO, REQUESTS_TOTAL};
    use super::*;

    #[test]
    fn labels_stand_behind_the_name() {
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
