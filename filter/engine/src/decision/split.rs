//! Which variant of a split a client is assigned.

use std::fmt;

use super::request_head::RequestHead;
use super::rollout;
use modgate_go::http::HeaderValue;
use modgate_policy::model::identity::Facts;
use modgate_policy::model::{
    BUCKETS, By, CANARY, CanaryMembership, ENFORCE, Gets, NO_VARIANT, Policy, SHADOW, Split,
    Tenant, Variant,
};

/// The variant of a split that a request was assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned<'p> {
    /// The split.
    pub split: &'p Split,
    /// The variant; `None` if the backend has none of the versions that the rules allow.
    pub variant: Option<&'p Variant>,
    /// How it was chosen.
    pub by: AssignedBy,
    /// The value of the label `stage`; see [`Assigned::holds`].
    pub stage: &'static str,
}

impl Assigned<'_> {
    /// Whether the assignment is in effect. That of a split in shadow is only recorded.
    pub fn holds(&self) -> bool {
        self.stage != SHADOW
    }
}

/// A split and one of its variants; `None` if the backend has none of its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfVariant<'p> {
    /// The split.
    pub split: &'p Split,
    /// The variant.
    pub variant: Option<&'p Variant>,
}

impl<'p> OfVariant<'p> {
    /// The variant with that version.
    pub(super) fn with_version(split: &'p Split, version: &str) -> Option<Self> {
        let variant = split.variants.iter().find(|v| v.version == version)?;
        Some(Self {
            split,
            variant: Some(variant),
        })
    }

    /// The values of the labels `split` and `variant`.
    pub fn labels(&self) -> (&'p str, &'p str) {
        let variant = self.variant.map_or(NO_VARIANT, |variant| &variant.name);
        (&self.split.name, variant)
    }
}

/// How a variant was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignedBy {
    /// The assignment at this position names it.
    Name {
        /// The position in `assign`.
        assign: usize,
    },
    /// It was drawn.
    Draw {
        /// The assignment's position in `assign`.
        assign: usize,
        /// The kind of key.
        by: By,
        /// The bucket, below [`modgate_policy::model::BUCKETS`].
        bucket: u32,
    },
    /// The client has no known identity to draw by, so it gets the control variant.
    Unknown {
        /// The assignment's position in `assign`.
        assign: usize,
    },
    /// The backend does not have the assigned variant, or the rules refuse it.
    Fallback,
}

impl fmt::Display for Assigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.variant {
            Some(Variant { name, version, .. }) => {
                write!(
                    f,
                    "{}, variant {name}, {version}: {}",
                    self.split.name, self.by
                )?;
            }
            None => write!(f, "{}, variant {NO_VARIANT}: {}", self.split.name, self.by)?,
        }
        match self.stage {
            SHADOW => f.write_str("; in shadow, it leads nobody"),
            CANARY => f.write_str("; in the canary"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for AssignedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { assign } => write!(f, "assign[{assign}] names it"),
            Self::Draw { assign, by, bucket } => {
                let by = by.as_str();
                write!(
                    f,
                    "assign[{assign}] draws it by {by}, bucket {bucket} of {BUCKETS}"
                )
            }
            Self::Unknown { assign } => {
                write!(
                    f,
                    "assign[{assign}] draws by client, and nothing is known of this one"
                )
            }
            Self::Fallback => {
                f.write_str("the backend lacks the right one, or the rules refuse it")
            }
        }
    }
}

/// Assigns a variant to a tenant's request for a module; `None` if the module has no split.
pub(super) fn assigned<'p>(
    policy: &'p Policy,
    tenant: &Tenant,
    module: &str,
    head: &RequestHead<'_>,
    facts: &dyn Facts,
) -> Option<Assigned<'p>> {
    let split = policy.splits.of(module)?;
    let key = |by| rollout::key(policy, tenant, module, head, facts, by).0;
    // A tenant's canary is drawn by the tenant's name, which has no space.
    let stage = match split
        .stage?
        .membership(&format!("split {}", split.name), key)
    {
        CanaryMembership::Not => SHADOW,
        CanaryMembership::Member => CANARY,
        CanaryMembership::All => ENFORCE,
    };
    let holds = |header: &Option<(String, Option<String>)>| {
        let Some((name, wanted)) = header else {
            return true;
        };
        // A duplicate header counts as absent.
        let HeaderValue::Single(value) = head.split_header(name) else {
            return false;
        };
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.as_bytes() == value)
    };
    let (assign, gets) = split.assign.iter().enumerate().find_map(|(i, assign)| {
        let is_for = assign.is_for(&tenant.name, tenant.tier.as_deref());
        (is_for && holds(&assign.header)).then_some((i, &assign.gets))
    })?;
    let (variant, by) = match gets {
        Gets::Variant(variant) => (*variant, AssignedBy::Name { assign }),
        Gets::Drawn { weights, by } => match key(*by) {
            None => (split.control, AssignedBy::Unknown { assign }),
            Some(key) => {
                let (variant, bucket) = policy.draw_variant(split, weights, *by, &key);
                (
                    variant,
                    AssignedBy::Draw {
                        assign,
                        by: *by,
                        bucket,
                    },
                )
            }
        },
    };
    Some(Assigned {
        split,
        variant: split.variant(variant),
        by,
        stage,
    })
}
