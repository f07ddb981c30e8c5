//! What is looked up, for whom, and at which backend.

use super::LookupKind;
use modgate_go::goproxy::Operation;
use modgate_policy::model::{BackendId, RolloutSide, TenantId};

/// The module and the kind of a lookup, its tenant and its backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookupTarget {
    pub(crate) kind: LookupKind,
    pub(crate) module: String,
    pub(crate) tenant: TenantId,
    /// The backend that is queried.
    pub(crate) backend: BackendId,
    /// Which of the tenant's rules are in effect.
    pub(crate) side: RolloutSide,
    /// The part of the backend's paths before the module.
    pub(crate) upstream: String,
    pub(crate) request_id: Option<String>,
    /// Whether the Go command also requests this for prefixes of a path.
    pub(crate) is_probe: bool,
}

impl LookupTarget {
    /// The path of something at the backend.
    pub(super) fn path(&self, operation: &Operation<'_>) -> String {
        let mut path = self.upstream.clone();
        operation.write_canonical(&mut path);
        path
    }

    pub(super) fn list(&self) -> Operation<'_> {
        let module = self.module.as_str().into();
        Operation::List { module }
    }

    pub(super) fn latest(&self) -> Operation<'_> {
        let module = self.module.as_str().into();
        Operation::Latest { module }
    }

    pub(super) fn info<'a>(&'a self, query: &'a str) -> Operation<'a> {
        Operation::info(self.module.as_str().into(), query.into())
    }

    pub(super) fn go_mod<'a>(&'a self, version: &'a str) -> Operation<'a> {
        let (module, version) = (self.module.as_str().into(), version.into());
        Operation::Mod { module, version }
    }
}
