//! The values of labels that the policy gives, within their budgets.

use modgate_engine::telemetry::{LABEL_OVERFLOW_TOTAL, LabelBudget, MAX_TENANT_VARIANTS, series};
use modgate_policy::model::Tenant;

use super::{NONE, count, define};
use crate::host::Host;

/// What each label has left.
pub(super) struct Labels {
    tenants: LabelBudget,
    rules: LabelBudget,
    /// Of tenant, split and variant.
    variants: LabelBudget,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            tenants: LabelBudget::default(),
            rules: LabelBudget::default(),
            variants: LabelBudget::new(MAX_TENANT_VARIANTS),
        }
    }
}

impl Labels {
    pub(super) fn tenant(&mut self, host: &dyn Host, tenant: Option<&Tenant>) -> String {
        match tenant {
            Some(tenant) if tenant.is_anyone() => series::OTHER.to_owned(),
            Some(tenant) if self.tenants.admits(&tenant.name) => tenant.name.clone(),
            Some(_) => overflow(host, "tenant").to_owned(),
            None => series::OTHER.to_owned(),
        }
    }

    /// The labels `split` and `variant` of a tenant's requests.
    pub(super) fn variant<'p>(
        &mut self,
        host: &dyn Host,
        tenant: &str,
        of: Option<(&'p str, &'p str)>,
    ) -> (&'p str, &'p str) {
        let Some((split, variant)) = of else {
            return (NONE, NONE);
        };
        // No name of the policy has a space.
        if self.variants.admits(&format!("{tenant} {split} {variant}")) {
            (split, variant)
        } else {
            (overflow(host, "variant"), series::OTHER)
        }
    }

    pub(super) fn rule<'a>(&mut self, host: &dyn Host, rule: &'a str) -> &'a str {
        if self.rules.admits(rule) {
            rule
        } else {
            overflow(host, "rule")
        }
    }
}

fn overflow(host: &dyn Host, label: &str) -> &'static str {
    count(host, define(host, &LABEL_OVERFLOW_TOTAL, &[label]), 1);
    series::OTHER
}
