//! Fifth step: the verdict of the tenant's rules on the module.

use super::{Context, ParsedRequest};
use crate::decision::request_decision::RequestDecision;
use crate::decision::rollout;
use crate::lookup::LookupKind;
use crate::reply::LocalReply;
use modgate_policy::model::{RuleOutcome, Subject};

/// A request that the rules have not refused.
#[derive(Default)]
pub(in crate::decision) struct Allowed {
    /// What must be looked up first, if the rules cannot decide yet.
    pub(in crate::decision) kind: Option<LookupKind>,
    /// Whether the rules allow it, as far as is known before a lookup. Splits apply only then.
    pub(in crate::decision) is_served: bool,
}

pub(in crate::decision) fn rules<'p>(
    context: &Context<'p, '_>,
    request: &ParsedRequest<'p, '_>,
    record: &mut RequestDecision<'p>,
) -> Result<Allowed, LocalReply> {
    let (policy, operation) = (context.policy, &request.operation);
    let Some(module) = operation.module() else {
        return Ok(Allowed::default());
    };
    let stage = rollout::assignment(policy, request.tenant, module, context.head, request.facts);
    record.stage = stage;
    let subject = Subject::of(operation, request.age);
    let is_probe = operation.is_probe();
    let rule_decisions = policy.decide_both(request.tenant, stage.side, module, &subject, is_probe);
    record.rule_decisions = Some(rule_decisions);
    let verdict = rule_decisions.effective;
    let kind = verdict
        .needs_lookup
        .then(|| LookupKind::of(operation))
        .flatten();
    let refusal = LocalReply::refusal(operation, &request.tenant.name, &verdict, context.footer);
    match refusal.filter(|_| kind.is_none()) {
        Some(reply) => Err(reply),
        None => Ok(Allowed {
            kind,
            is_served: verdict.decision == RuleOutcome::Allow || verdict.needs_lookup,
        }),
    }
}
