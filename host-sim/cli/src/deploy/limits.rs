//! What no control plane can do of a policy, and what several of them ask of it.

use modgate_go::http::split_authority;
use modgate_policy::document::{IdentityDoc, OnFailureDoc, PolicyError, member_path};

use super::plan::Plan;

impl Plan {
    /// The headers with secrets that backends want, which nobody there adds.
    pub(super) fn headers(&self, target: &str) -> Vec<PolicyError> {
        let backends = self.document().backends.iter();
        let with_headers = backends.filter(|(_, backend)| !backend.headers.is_empty());
        with_headers
            .map(|(name, _)| PolicyError {
                path: format!("{}.headers", member_path("$.backends", name)),
                message: format!(
                    "{target} cannot add a secret to everything that goes to a cluster; let the Go proxy itself hold the token, or put an Envoy of your own in front of it"
                ),
            })
            .collect()
    }

    /// The routes whose failed requests go on to the next backend, for which there are no clusters there.
    pub(super) fn failovers(&self, target: &str) -> Vec<PolicyError> {
        let document = self.document();
        let candidates = document.routes_rollout.as_ref();
        let candidates = candidates.map_or(&[][..], |trial| &trial.candidate);
        let lists = [
            ("$.routes", &document.routes[..]),
            ("$.routes_rollout.candidate", candidates),
        ];
        let mut refused = Vec::new();
        for (path, routes) in lists {
            for (at, route) in routes.iter().enumerate() {
                if route.on_failure == Some(OnFailureDoc::Next) {
                    refused.push(PolicyError {
                        path: format!("{path}[{at}].on_failure"),
                        message: format!(
                            "{target} makes no cluster of several clusters (Envoy's aggregate clusters), so a failed request cannot go on to the next"
                        ),
                    });
                }
            }
        }
        refused
    }

    /// The hosts that the filter sends to backends, without ports.
    pub(super) fn authorities(&self) -> impl Iterator<Item = &str> {
        let backends = self.document().backends.values();
        let authorities =
            backends.filter_map(|backend| split_authority(backend.authority.as_deref()?));
        authorities.map(|(host, _)| host)
    }

    /// The member of a source that reads the client's certificate.
    pub(super) fn certificate(source: &IdentityDoc) -> Option<&'static str> {
        let members = [
            ("mtls_uri_san", &source.mtls_uri_san),
            ("mtls_dns_san", &source.mtls_dns_san),
            ("mtls_subject", &source.mtls_subject),
        ];
        let mut members = members.into_iter();
        members
            .find(|(_, pattern)| pattern.is_some())
            .map(|(member, _)| member)
    }
}
