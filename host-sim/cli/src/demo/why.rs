//! Why a request came out as it did: evaluated once more.

use modgate_engine::decision::{Decision, RequestDecision, evaluate};
use modgate_policy::model::{MatchedRule, Policy, RuleOutcome};

/// The engine's decision on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Why {
    /// The tenant's name.
    pub(super) tenant: String,
    /// The requested endpoint.
    pub(super) operation: &'static str,
    /// The decision of the rules.
    pub(super) decision: RuleOutcome,
    /// `set/rule`, or `default`.
    pub(super) rule: String,
    /// The rule's reason.
    pub(super) reason: String,
    /// Where the request goes; `None` where no request is sent.
    pub(super) to: Option<Forwarding>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forwarding {
    /// The route's id.
    pub(super) route: String,
    /// The backend's name.
    pub(super) backend: String,
    /// The path that goes upstream.
    pub(super) path: String,
}

impl Why {
    /// Evaluates a GET of this path; `None` where no rule decided.
    pub(super) fn of(policy: &Policy, path: &str) -> Option<Self> {
        let headers = [(":method", "GET"), (":path", path)]
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let decision = evaluate(policy, &headers, &());
        let verdict = decision.rule_decisions?.effective;
        let rule = match verdict.rule {
            Some(MatchedRule { set, rule, .. }) => format!("{}/{}", set.name, rule.id),
            None => "default".to_owned(),
        };
        let reason = verdict.rule.and_then(|matched| matched.rule.reason.clone());
        Some(Self {
            tenant: decision.tenant?.name.clone(),
            operation: decision.operation.as_str(),
            decision: verdict.decision,
            rule,
            reason: reason.unwrap_or_else(|| "no rule matches it".to_owned()),
            to: forwarding(&decision, path),
        })
    }
}

fn forwarding(decision: &RequestDecision<'_>, path: &str) -> Option<Forwarding> {
    let Decision::Forward {
        backend,
        path: upstream,
        ..
    } = &decision.action
    else {
        return None;
    };
    Some(Forwarding {
        route: decision.route.map(|r| r.id.clone()).unwrap_or_default(),
        backend: backend.name.clone(),
        path: upstream.clone().unwrap_or_else(|| path.to_owned()),
    })
}
