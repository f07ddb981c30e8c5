//! Local replies: the answers that the filter gives itself.

mod denial;
mod passed;
use crate::telemetry::{Ending, Outcome};
pub use denial::{Footer, MAX_BYTES as MAX_DENIAL_BYTES};
use modgate_go::gomod::shorten;
use modgate_go::goproxy::{Operation, RequestError};
use modgate_go::http::Header;
use modgate_go::http::headers::VARIANT_HEADER;
use modgate_policy::model::{RuleOutcome, Verdict};

/// A local reply. Its body is UTF-8 text in lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
    /// What the body is.
    pub media: Media,
    /// The outcome that it is counted as.
    pub outcome: Outcome,
    /// The label `rule` if the engine itself refused the request, and no rule did.
    pub decided_by: Option<&'static str>,
    /// The variant that the response header names.
    pub variant: Option<String>,
    /// Headers of a backend's refusal that are passed on.
    pub handed_on: Vec<(&'static str, String)>,
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    /// Text for people, or a list of versions.
    #[default]
    Text,
    /// What is known of a version.
    Json,
}

impl Default for LocalReply {
    /// The default refuses the request.
    fn default() -> Self {
        Self {
            status: 403,
            body: String::new(),
            media: Media::Text,
            outcome: Outcome::Denied,
            decided_by: None,
            variant: None,
            handed_on: Vec::new(),
        }
    }
}

impl LocalReply {
    /// The headers of the answer besides its status.
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        let media = match self.media {
            Media::Text => "text/plain; charset=utf-8",
            Media::Json => "application/json",
        };
        // Another client, or the same client later, may get another answer for this URL.
        let mut headers = vec![("content-type", media), ("cache-control", "no-store")];
        if let Some(variant) = &self.variant {
            headers.push((VARIANT_HEADER, variant));
        }
        let handed_on = self.handed_on.iter();
        headers.extend(handed_on.map(|(name, value)| (*name, value.as_str())));
        if self.status == 405 {
            headers.push(("allow", "GET, HEAD"));
        }
        headers
    }

    pub(crate) fn bad_request(refusal: RequestError, footer: Footer<'_>) -> Self {
        Self {
            status: 400,
            body: denial::refused("not a valid GOPROXY request", refusal.reason(), footer),
            outcome: Outcome::ClientError,
            ..Self::default()
        }
    }

    pub(crate) fn method_not_allowed(footer: Footer<'_>) -> Self {
        Self {
            status: 405,
            body: denial::refused(
                "method not allowed",
                "only GET and HEAD are allowed",
                footer,
            ),
            outcome: Outcome::ClientError,
            ..Self::default()
        }
    }

    /// The reply to a request that the rules refuse; `None` if they allow it.
    pub(crate) fn refusal(
        operation: &Operation<'_>,
        tenant: &str,
        verdict: &Verdict<'_>,
        footer: Footer<'_>,
    ) -> Option<Self> {
        match verdict.decision {
            RuleOutcome::Allow => None,
            RuleOutcome::Deny => Some(Self::denied(operation, tenant, verdict, footer)),
            RuleOutcome::Probe | RuleOutcome::Hide => Some(Self::not_a_module(operation, tenant)),
        }
    }

    /// A version list.
    pub(crate) fn list(body: String) -> Self {
        Self::ok(body, Media::Text)
    }

    /// What is known of a version.
    pub(crate) fn info(body: String) -> Self {
        Self::ok(body, Media::Json)
    }

    fn ok(body: String, media: Media) -> Self {
        Self {
            status: 200,
            body,
            media,
            outcome: Outcome::Ok,
            ..Self::default()
        }
    }

    /// A backend's refusal, passed on: its status, which is 400 to 599, the headers that say when and with
    /// which credentials to try again, and what the Go command would print of its body.
    pub(crate) fn passed(status: u16, headers: &[Header], body: &[u8]) -> Self {
        Self {
            status,
            body: passed::text(headers, body),
            handed_on: passed::headers(headers),
            outcome: Outcome::of_answer(Some(status), Ending::Complete),
            ..Self::default()
        }
    }

    /// A lookup failed: the backend's answer is missing or of no use.
    pub(crate) fn lookup_failed(reason: &str, footer: Footer<'_>) -> Self {
        Self {
            status: 502,
            body: denial::refused("bad gateway", &shorten(reason), footer),
            outcome: Outcome::UpstreamError,
            ..Self::default()
        }
    }

    fn denied(
        operation: &Operation<'_>,
        tenant: &str,
        verdict: &Verdict<'_>,
        footer: Footer<'_>,
    ) -> Self {
        Self {
            body: denial::denied(operation, tenant, verdict, footer),
            ..Self::default()
        }
    }

    fn not_a_module(operation: &Operation<'_>, tenant: &str) -> Self {
        Self {
            status: 404,
            body: denial::not_a_module(operation, tenant),
            ..Self::default()
        }
    }

    pub(crate) fn unknown_tenant(name: Option<&str>, footer: Footer<'_>) -> Self {
        let reason = match name {
            Some(name) => format!("the policy has no tenant {name}"),
            None => "the request names no tenant".to_owned(),
        };
        Self::refused_by("identity", "unknown tenant", &reason, footer)
    }

    pub(crate) fn identity_conflict(footer: Footer<'_>) -> Self {
        Self::refused_by(
            "identity",
            "unknown tenant",
            "the request names two tenants",
            footer,
        )
    }

    pub(crate) fn identity_ambiguous(footer: Footer<'_>) -> Self {
        let reason = "the client belongs to several tenants and the request does not select one";
        Self::refused_by("identity", "unknown tenant", reason, footer)
    }

    /// The tenant was not identified in the way that the policy requires.
    pub(crate) fn identity_required(kind: &str, footer: Footer<'_>) -> Self {
        let reason =
            format!("the policy requires an identity from {kind}, and the request has none");
        Self::refused_by("identity", "not identified", &reason, footer)
    }

    pub(crate) fn no_route(footer: Footer<'_>) -> Self {
        Self::refused_by(
            "route",
            "no route",
            "no route of the policy matches this path",
            footer,
        )
    }

    pub(crate) fn unknown_database(footer: Footer<'_>) -> Self {
        let reason = "the policy does not serve this checksum database";
        Self::refused_by("sumdb", "unknown checksum database", reason, footer)
    }

    /// A checksum database lookup for a module whose name must not reach that database. Go prints the text;
    /// with another status it might query the database directly.
    pub(crate) fn private_name(
        operation: &Operation<'_>,
        pattern: &str,
        footer: Footer<'_>,
    ) -> Self {
        let pattern = shorten(pattern);
        let reason = format!(
            "this module is private and must not be looked up in this database; set GONOSUMDB={pattern}"
        );
        let module = shorten(operation.module().unwrap_or_default());
        Self {
            body: denial::refused(&module, &reason, footer),
            decided_by: Some("sumdb"),
            ..Self::default()
        }
    }

    /// A file of another version than the one that a strict split assigns, which has this name and version.
    pub(crate) fn other_variant(
        operation: &Operation<'_>,
        split: &str,
        [name, wanted]: [&str; 2],
        footer: Footer<'_>,
    ) -> Self {
        let reason =
            format!("the split {split} assigns you {wanted} ({name}); other versions are refused");
        Self {
            body: denial::refused(&denial::requested(operation), &reason, footer),
            decided_by: Some("split"),
            ..Self::default()
        }
    }

    /// Replaces a redirect that must not reach the client.
    pub fn redirect_refused(footer: Footer<'_>) -> Self {
        let reason = "the backend redirects to a URL that the policy does not list";
        Self {
            status: 502,
            body: denial::refused("redirect refused", reason, footer),
            outcome: Outcome::UpstreamError,
            ..Self::default()
        }
    }

    /// A file whose hash is not known.
    pub(crate) fn unknown_hash(operation: &Operation<'_>, footer: Footer<'_>) -> Self {
        let reason = "the policy requires a known hash for every file and has none for this one";
        Self {
            body: denial::unverified(&denial::requested(operation), reason, footer),
            decided_by: Some("integrity"),
            ..Self::default()
        }
    }

    /// Replaces a file with a wrong hash.
    pub fn wrong_hash(file: &str, reason: &str, footer: Footer<'_>) -> Self {
        Self {
            status: 502,
            body: denial::unverified(file, reason, footer),
            outcome: Outcome::Integrity,
            ..Self::default()
        }
    }

    /// The filter carries the checksum database. After any other answer `go` would query the database
    /// directly, with private names.
    pub(crate) fn supported() -> Self {
        Self::ok(String::new(), Media::Text)
    }

    /// The request cannot be evaluated, or not be sent as evaluated. It fails closed.
    pub fn unavailable(reason: &str) -> Self {
        Self {
            status: 503,
            body: denial::refused("not ready", reason, Footer::default()),
            outcome: Outcome::UpstreamError,
            ..Self::default()
        }
    }

    fn refused_by(by: &'static str, what: &str, reason: &str, footer: Footer<'_>) -> Self {
        Self {
            body: denial::refused(what, reason, footer),
            decided_by: Some(by),
            ..Self::default()
        }
    }
}
