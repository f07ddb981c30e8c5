//! Rules that are tried beside those in force, on nobody, on some, and then on all.

use super::draw::number;
use super::percent::{ALL, hundredths};
use crate::document::ByDoc;

/// The values of the label `stage`: rules that decide, that decide on a share of the requests, and that
/// were asked and decided nothing.
pub const ENFORCE: &str = "enforce";
/// See [`ENFORCE`].
pub const CANARY: &str = "canary";
/// See [`ENFORCE`].
pub const SHADOW: &str = "shadow";

/// How far a tenant's candidate rules have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// The places of the candidate's rule sets, in order.
    pub(crate) candidate: Vec<usize>,
    /// How far it has come.
    pub stage: Stage,
}

/// The stages of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The candidate is asked, and decides nothing.
    Shadow,
    /// The candidate decides on a share of the requests.
    Canary {
        /// How large a part.
        share: Share,
        /// What the requests are told apart by.
        by: By,
    },
    /// The candidate decides.
    Enforce,
}

/// Whether a rollout takes effect for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanaryMembership {
    /// It does not: the request is outside of the canary, or the stage is shadow.
    Not,
    /// It does, because the request is in the canary's share.
    Member,
    /// It does for all requests.
    All,
}

impl Stage {
    /// The value of the label `stage`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => SHADOW,
            Self::Canary { .. } => CANARY,
            Self::Enforce => ENFORCE,
        }
    }

    /// Whether it holds for some, told apart by this.
    pub fn is_canary_by(self, other: By) -> bool {
        matches!(self, Self::Canary { by, .. } if by == other)
    }

    /// Whether a rollout takes effect for a request. `tried` names the rollout, such as a tenant's rules by
    /// the tenant's name, and `key` gives the key that the request is drawn by; without one, as for a client
    /// without a known identity, the request never joins a canary.
    pub fn membership(
        self,
        tried: &str,
        key: impl FnOnce(By) -> Option<String>,
    ) -> CanaryMembership {
        match self {
            Self::Shadow => CanaryMembership::Not,
            Self::Enforce => CanaryMembership::All,
            Self::Canary { share, by } => {
                let is_member = key(by).is_some_and(|key| share.holds(tried, by, &key));
                if is_member {
                    CanaryMembership::Member
                } else {
                    CanaryMembership::Not
                }
            }
        }
    }
}

/// A part of all keys, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u16);

/// What stays on one side of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Who asks.
    Client,
    /// The tenant as a whole.
    Tenant,
    /// What is requested, with all its versions.
    Module,
}

/// Which of a tenant's rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleSetSide {
    /// Those in force.
    #[default]
    Active,
    /// Those of the rollout.
    Candidate,
}

impl RuleSetSide {
    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Active => Self::Candidate,
            Self::Candidate => Self::Active,
        }
    }
}

impl By {
    pub(crate) const fn of(doc: ByDoc) -> Self {
        match doc {
            ByDoc::Client => Self::Client,
            ByDoc::Tenant => Self::Tenant,
            ByDoc::Module => Self::Module,
        }
    }

    /// Its name in the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Tenant => "tenant",
            Self::Module => "module",
        }
    }
}

impl Share {
    /// Of a number from 0 to 100 with at most two decimals.
    pub(crate) fn of_percent(percent: f64) -> Option<Self> {
        hundredths(percent).map(Self)
    }

    /// Whether a key is in it, for what is tried, such as a tenant's rules (by its name). The answer
    /// depends on nothing else, so it is the same for every worker, proxy and policy; and who is in a
    /// share is in every larger one.
    fn holds(self, tried: &str, by: By, key: &str) -> bool {
        let drawn = number(&["modgate canary", tried, by.as_str(), key]);
        drawn % u64::from(ALL) < u64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_configured_size_and_grows_by_addition() {
        let keys: Vec<String> = (0..20_000)
            .map(|i| format!("10.0.{}.{}", i / 256, i % 256))
            .collect();
        let mut before: Vec<&String> = Vec::new();
        for percent in [0.0, 0.5, 10.0, 33.33, 99.99, 100.0] {
            let share = Share::of_percent(percent).unwrap();
            let members: Vec<&String> = keys
                .iter()
                .filter(|key| share.holds("web", By::Client, key))
                .collect();
            let found = members.len() as f64 / 200.0;
            assert!((found - percent).abs() < 1.0, "{found} for {percent}");
            assert!(before.iter().all(|key| members.contains(key)), "{percent}");
            before = members;
        }
        assert_eq!(before.len(), keys.len());
    }

    #[test]
    fn the_shares_of_two_tenants_are_independent() {
        let share = Share::of_percent(50.0).unwrap();
        let differ = (0..1000).filter(|i| {
            let key = i.to_string();
            share.holds("web", By::Client, &key) != share.holds("payments", By::Client, &key)
        });
        assert!(differ.count() > 300);
    }

    #[test]
    fn membership_does_not_change_between_releases() {
        let share = Share::of_percent(50.0).unwrap();
        let members =
            (0..16).filter(|i| share.holds("web", By::Module, &format!("corp.example/{i}")));
        assert_eq!(members.collect::<Vec<_>>(), [1, 3, 5, 6, 10, 12, 13, 14]);
    }

    #[test]
    fn a_percent_is_a_number_up_to_100() {
        for bad in [-1.0, 100.01, 0.001, f64::NAN, f64::INFINITY] {
            assert_eq!(Share::of_percent(bad), None, "{bad}");
        }
    }
}
