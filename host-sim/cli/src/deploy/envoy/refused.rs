//! What cannot hold in an Envoy of which nothing else is known, at its place in the policy.

use modgate_policy::document::{IdentityDoc, PolicyError, member_path};

use super::Envoy;
use crate::deploy::plan::Plan;

impl Envoy {
    /// Everything of the policy that the files could not keep.
    pub(super) fn refused(&self, plan: &Plan) -> Vec<PolicyError> {
        let mut refused = plan.undefined(|_| false);
        for (name, backend) in &plan.document().backends {
            for (header, value) in &backend.headers {
                if !self.secrets.contains_key(&*value.secret) {
                    let path = member_path("$.backends", name);
                    refused.push(PolicyError {
                        path: member_path(&format!("{path}.headers"), header),
                        message: format!(
                            "nothing says where the secret {0:?} is; add `--secret {0}=FILE`",
                            &*value.secret
                        ),
                    });
                }
            }
        }
        if plan.document().route_key.is_some() {
            refused.push(PolicyError {
                path: "$.route_key".to_owned(),
                message: "Envoy's own routes look for a cluster of the name that the header has, and a client's own header is removed first; take the key out".to_owned(),
            });
        }
        for (path, source) in plan.identities() {
            if let Some((member, needs)) = needs_of(source) {
                refused.push(PolicyError {
                    path: format!("{path}.{member}"),
                    message: format!("the listener that is written has no {needs}; write one as in docs/guides/identity.md, and check it with `modgate check --envoy`"),
                });
            }
        }
        refused
    }
}

/// What a source needs of the listener, by the source's member.
fn needs_of(source: &IdentityDoc) -> Option<(&'static str, &'static str)> {
    const TOKENS: &str = "filter that verifies tokens (jwt_authn)";
    if let Some(member) = Plan::certificate(source) {
        return Some((member, "TLS that asks for certificates"));
    }
    #[rustfmt::skip]
    let members = [
        ("jwt_claim", source.jwt_claim.is_some(), TOKENS),
        ("jwt_claim_list", source.jwt_claim_list.is_some(), TOKENS),
        ("basic_user", source.basic_user.is_some(), "filter that verifies passwords (basic_auth)"),
        ("sni", source.sni.is_some(), "TLS"),
        ("listener", source.listener.is_some(), "filter chains with names"),
    ];
    let used = members.into_iter().find(|(_, is_used, _)| *is_used);
    used.map(|(member, _, needs)| (member, needs))
}
