//! The access log's view of a request: JSON members that a proxy adds to its log line.
//!
//! Envoy's log format cannot take an object from a filter, so the members are one string
//! (`http::headers::ACCESS_PROPERTY`) inside the quotes of a member of the format: it begins with that member's
//! value and leaves the last value open. If the filter never saw the request, the format prints `-` there,
//! and the line is still valid JSON.

use std::fmt::Write;

use crate::decision::RequestDecision;
use crate::telemetry::{CacheVerdict, Outcome};
use modgate_go::http::{Header, value_of};
use modgate_policy::model::Policy;

/// The longest value that is logged, in bytes; a longer one is cut and ends in `...`.
const MAX_VALUE: usize = 1024;

/// An absent value, as in Envoy's own fields.
const NOTHING: &str = "-";

/// A request's members of the access log, so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessMembers(String);

impl AccessMembers {
    /// The members known after evaluation; `None` if the policy disables the access log.
    pub fn of(policy: &Policy, headers: &[Header], decision: &RequestDecision<'_>) -> Option<Self> {
        if !policy.access_log {
            return None;
        }
        let header =
            |name: &str| value_of(headers, name).map_or(NOTHING.into(), String::from_utf8_lossy);
        let path = header(":path");
        // A valid request has no query, and a query may contain a secret.
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let (outcome, rule) = decision.decision_labels().unwrap_or((NOTHING, NOTHING));
        let backend = decision.backend().map(|backend| backend.name.as_str());

        let mut members = Self(String::with_capacity(512));
        members.0.push_str(policy.hash());
        members.add("request_id", &header("x-request-id"));
        members.add("tenant", decision.tenant.map_or(NOTHING, |t| &t.name));
        members.add("identity", decision.identity.unwrap_or(NOTHING));
        members.add("operation", decision.operation.as_str());
        members.add("module", decision.module.as_deref().unwrap_or(NOTHING));
        members.add("version", decision.version.as_deref().unwrap_or(NOTHING));
        members.add("decision", outcome);
        members.add("rule", rule);
        members.add("stage", decision.stage.name);
        members.add("client", decision.stage.client.unwrap_or(NOTHING));
        let other = decision.rule_decisions.and_then(|rules| rules.shadow);
        let (outcome, rule) = other.as_ref().map_or((NOTHING, NOTHING), |other| {
            (other.decision.as_str(), other.rule_label())
        });
        members.add("other_decision", outcome);
        members.add("other_rule", rule);
        let of_variant = decision.of_variant();
        let variant = of_variant.and_then(|of| of.variant);
        members.add("split", of_variant.map_or(NOTHING, |of| &of.split.name));
        members.add("variant", variant.map_or(NOTHING, |variant| &variant.name));
        members.add("backend", backend.unwrap_or(NOTHING));
        members.add("method", &header(":method"));
        members.add("path", path);
        Some(members)
    }

    /// The whole string, after the request has ended. `fallback` is the backend that answered instead of the
    /// first one.
    pub fn ended(
        mut self,
        fallback: Option<&str>,
        cache: Option<CacheVerdict>,
        outcome: Outcome,
    ) -> String {
        self.add("fallback", fallback.unwrap_or(NOTHING));
        self.add("cache_status", cache.map_or(NOTHING, |v| v.status.as_str()));
        self.add("outcome", outcome.as_str());
        self.0
    }

    /// Closes the previous member and begins this one, leaving its quotes open.
    fn add(&mut self, name: &str, value: &str) {
        for part in ["\",\"", name, "\":\""] {
            self.0.push_str(part);
        }
        let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
        if value.len() <= MAX_VALUE && value.bytes().all(plain) {
            self.0.push_str(value);
            return;
        }
        let end = self.0.len().saturating_add(MAX_VALUE);
        for c in value.chars() {
            if self.0.len() >= end {
                self.0.push_str("...");
                return;
            }
            self.push_escaped(c);
        }
    }

    /// Escapes as JSON does (RFC 8259, section 7), and everything that could control a terminal or end a
    /// line.
    fn push_escaped(&mut self, c: char) {
        match c {
            '"' => self.0.push_str("\\\""),
            '\\' => self.0.push_str("\\\\"),
            ' '..='~' => self.0.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String does not fail.
                    let _ = write!(self.0, "\\u{unit:04x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::evaluate;
    use serde_json::{Value, json};

    fn line(path: &str, more: &[(&str, &[u8])]) -> Value {
        let document = json!({
            "version": "1", "default": "deny", "identity": [{"path_prefix": "/t/{tenant}"}],
            "tenants": {"acme": {"rules": ["r"]}},
            "rules": {"r": [{"id": "public", "allow": ["golang.org"]}]},
            "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
        });
        let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
        let mut headers = vec![
            (":method".to_owned(), b"GET".to_vec()),
            (":path".to_owned(), path.as_bytes().to_vec()),
        ];
        headers.extend(more.iter().map(|(n, v)| ((*n).to_owned(), v.to_vec())));
        let decision = evaluate(&policy, &headers, &());
        let members = AccessMembers::of(&policy, &headers, &decision).unwrap();
        let text = members.ended(None, None, Outcome::Ok);
        serde_json::from_str(&format!("{{\"modgate\":\"{text}\"}}")).unwrap()
    }

    #[test]
    fn a_line_names_client_request_and_outcome() {
        let id: &[u8] = b"8d3f-1";
        let path = "/t/acme/golang.org/x/text/@v/v0.1.0.zip";
        let mut line = line(path, &[("x-request-id", id)]);
        let hash = line["modgate"].take();
        assert_eq!(hash.as_str().map(str::len), Some(12));
        assert_eq!(
            line,
            json!({
                "modgate": null, "request_id": "8d3f-1", "tenant": "acme",
                "identity": "path_prefix", "operation": "zip", "module": "golang.org/x/text",
                "version": "v0.1.0", "decision": "allow", "rule": "public", "split": "-", "variant": "-", "stage": "enforce",
                "client": "-", "other_decision": "-", "other_rule": "-", "backend": "b", "method": "GET", "path": path, "fallback": "-", "cache_status": "-",
                "outcome": "ok",
            })
        );
    }

    #[test]
    fn client_input_cannot_forge_log_lines() {
        let forged: &[u8] = b"x\",\"tenant\":\"web\\\r\n\x1b[2J\xff\xf0\x9f\x98\x80";
        let said = line("/a\"b\\c?token=secret", &[("x-request-id", forged)]);
        assert_eq!(said["tenant"], "-");
        assert_eq!(
            said["request_id"],
            "x\",\"tenant\":\"web\\\r\n\u{1b}[2J\u{fffd}😀"
        );
        assert_eq!(said["path"], "/a\"b\\c");
        let text = said.to_string();
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn a_long_value_is_cut() {
        let said = line(&format!("/{}", "é".repeat(3000)), &[]);
        let path = said["path"].as_str().unwrap();
        assert!(path.len() < 1100 && path.ends_with("..."), "{path}");
    }
}
