//! Who gets what.

use std::collections::BTreeMap;

use modgate_policy::model::{NO_VARIANT, Policy, Split};
use serde::Serialize;

use super::clients::{Clients, Known};
use crate::policy_file::request::{get, path};
use modgate_engine::decision::judge_client;
use modgate_go::http::Header;

/// What the clients get of one split.
#[derive(Debug, Serialize)]
pub(super) struct Shares {
    pub(super) split: String,
    pub(super) module: String,
    /// By variant and stage.
    pub(super) groups: Vec<Group>,
    /// Those whose tenant is not served the module, or is none.
    pub(super) refused: u64,
    /// Those that a split which is off, or has no assignment for them, leaves alone.
    pub(super) left_alone: u64,
}

/// Clients that get the same.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) variant: String,
    pub(super) version: String,
    /// `enforce`, `canary`, or `shadow` for those who would get it and do not yet.
    pub(super) stage: &'static str,
    pub(super) clients: u64,
}

impl Shares {
    pub(super) fn of(
        policy: &Policy,
        split: &Split,
        clients: &Clients,
        headers: &[Header],
    ) -> Self {
        let mut groups: BTreeMap<(&str, &'static str), u64> = BTreeMap::new();
        let (mut refused, mut left_alone) = (0, 0);
        let path = path(&split.module, "@v/list");
        let request: Vec<Header> = get(&path).into_iter().chain(headers.to_vec()).collect();
        for client in &clients.all {
            let Some(tenant) = policy.tenant(Some(&client.tenant)) else {
                refused += 1;
                continue;
            };
            let judgement = judge_client(policy, &request, tenant, &Known(client));
            match (judgement.split, judgement.outcome()) {
                (Some(assigned), _) => {
                    let variant = assigned.variant.map_or(NO_VARIANT, |variant| &variant.name);
                    *groups.entry((variant, assigned.stage)).or_default() += 1;
                }
                (None, Some(_)) => refused += 1,
                (None, None) => left_alone += 1,
            }
        }
        let group = |((name, stage), clients): ((&str, &'static str), u64)| {
            let variant = split.variants.iter().find(|variant| variant.name == name);
            Group {
                variant: name.to_owned(),
                version: variant.map_or("-", |variant| &variant.version).to_owned(),
                stage,
                clients,
            }
        };
        Self {
            split: split.name.clone(),
            module: split.module.clone(),
            groups: groups.into_iter().map(group).collect(),
            refused,
            left_alone,
        }
    }
}
