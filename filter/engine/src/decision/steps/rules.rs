//! Fifth step: what the tenant's rules say of the module.

use super::{Asked, Context};
use crate::decision::request_decision::Judgement;
use crate::decision::stage;
use crate::lookup::Goal;
use crate::reply::Reply;
use modgate_policy::model::{Decision, Subject};

/// A request that the rules have not refused.
#[derive(Default)]
pub(in crate::decision) struct Allowed {
    /// What must be looked up first, where the rules cannot say yet.
    pub(in crate::decision) goal: Option<Goal>,
    /// Whether the module is served as a whole.
    pub(in crate::decision) is_served: bool,
}

pub(in crate::decision) fn rules<'p>(
    context: &Context<'p, '_>,
    asked: &Asked<'p, '_>,
    record: &mut Judgement<'p>,
) -> Result<Allowed, Reply> {
    let (policy, operation) = (context.policy, &asked.operation);
    let Some(module) = operation.module() else {
        return Ok(Allowed::default());
    };
    let stage = stage::taken(policy, asked.tenant, module, context.head, asked.facts);
    record.stage = stage;
    let subject = Subject::of(operation, asked.age);
    let is_probe = operation.is_probe();
    let rule_decisions = policy.decide_both(asked.tenant, stage.side, module, &subject, is_probe);
    record.rule_decisions = Some(rule_decisions);
    let verdict = rule_decisions.effective;
    let goal = verdict.needs_lookup.then(|| Goal::of(operation)).flatten();
    let refusal = Reply::refusal(operation, &asked.tenant.name, &verdict, context.footer);
    match refusal.filter(|_| goal.is_none()) {
        Some(reply) => Err(reply),
        None => Ok(Allowed {
            goal,
            is_served: verdict.decision == Decision::Allow,
        }),
    }
}
