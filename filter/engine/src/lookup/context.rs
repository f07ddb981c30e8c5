//! What every step of a lookup can use, and what the rules say of a version.

use super::target::LookupTarget;
use super::{LookupEnv, LookupKind};
use crate::reply::{Footer, LocalReply};
use modgate_go::gomod::semver;
use modgate_policy::model::{
    Age, Backend, ModuleRules, Policy, RuleDecisions, Subject, Tenant, Verdict,
};

/// A lookup with the parts of the policy that it needs.
#[derive(Clone, Copy)]
pub(super) struct LookupContext<'a, 'p> {
    pub(super) target: &'a LookupTarget,
    pub(super) policy: &'p Policy,
    pub(super) tenant: &'p Tenant,
    pub(super) backend: &'p Backend,
    pub(super) env: &'a dyn LookupEnv,
}

impl<'a, 'p> LookupContext<'a, 'p> {
    /// Finds the parts by their ids; `None` if another policy began the lookup.
    pub(super) fn find(
        target: &'a LookupTarget,
        policy: &'p Policy,
        env: &'a dyn LookupEnv,
    ) -> Option<Self> {
        Some(Self {
            target,
            policy,
            tenant: policy.tenant_by_id(target.tenant)?,
            backend: policy.backend(target.backend)?,
            env,
        })
    }

    /// The verdict on a version of that age; `None` if it is not a valid version.
    pub(super) fn verdict(&self, version: &str, age: Age) -> Option<Verdict<'p>> {
        let LookupTarget {
            side,
            module,
            is_probe,
            ..
        } = self.target;
        let subject = Subject::Version(semver::parse(version)?, age);
        let verdict = self
            .policy
            .decide(self.tenant, *side, module, &subject, *is_probe);
        Some(verdict)
    }

    /// The rules that match the module, for many versions of it.
    pub(super) fn module_rules(&self) -> ModuleRules<'p> {
        let LookupTarget { side, module, .. } = self.target;
        self.policy.module_rules(self.tenant, *side, module)
    }

    /// The verdict on the requested file of a version, with that of the tenant's other rules.
    pub(super) fn rule_decisions(&self, version: &str, age: Age) -> Option<RuleDecisions<'p>> {
        let LookupTarget {
            kind,
            side,
            module,
            is_probe,
            ..
        } = self.target;
        let version = semver::parse(version)?;
        let subject = match kind {
            LookupKind::GoMod(_) => Subject::GoMod(version, age),
            _ => Subject::Version(version, age),
        };
        let rule_decisions =
            self.policy
                .decide_both(self.tenant, *side, module, &subject, *is_probe);
        Some(rule_decisions)
    }

    /// The reply for a version that is refused; `None` if it is allowed.
    pub(super) fn refusal(&self, version: &str, verdict: &Verdict<'_>) -> Option<LocalReply> {
        let operation = self.target.info(version);
        LocalReply::refusal(&operation, &self.tenant.name, verdict, self.footer())
    }

    /// The reply if the backend's answer is of no use.
    pub(super) fn failed(&self, reason: &str) -> LocalReply {
        let reason = format!("the backend {}: {reason}", self.backend.name);
        LocalReply::lookup_failed(&reason, self.footer())
    }

    fn footer(&self) -> Footer<'a>
    where
        'p: 'a,
    {
        Footer {
            contact: self.policy.contact(),
            request_id: self.target.request_id.as_deref(),
        }
    }
}
