//! Which version of a module a request is to be led to.

use std::fmt;

use super::head::Head;
use super::stage;
use modgate_go::http::HeaderValue;
use modgate_policy::model::identity::Facts;
use modgate_policy::model::{
    BUCKETS, By, CANARY, CanaryMembership, ENFORCE, Gets, NO_VARIANT, Policy, SHADOW, Split,
    Tenant, Variant,
};

/// The variant of a split that a request was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned<'p> {
    /// The split.
    pub split: &'p Split,
    /// The variant; `None` where the backend has none of its versions that the rules serve.
    pub variant: Option<&'p Variant>,
    /// What gave it.
    pub by: AssignedBy,
    /// The value of the label `stage`; see [`Assigned::holds`].
    pub stage: &'static str,
}

impl Assigned<'_> {
    /// Whether the request is led there; a split in shadow says only where it would.
    pub fn holds(&self) -> bool {
        self.stage != SHADOW
    }
}

/// A split and one of its variants; `None` where the backend has none of its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfVariant<'p> {
    /// The split.
    pub split: &'p Split,
    /// The variant.
    pub variant: Option<&'p Variant>,
}

impl<'p> OfVariant<'p> {
    /// The variant of that version.
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

/// Why a request was given a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignedBy {
    /// The assignment at this place names it.
    Name {
        /// Its place in `assign`.
        assign: usize,
    },
    /// It was drawn.
    Draw {
        /// The assignment's place in `assign`.
        assign: usize,
        /// What the draw was for.
        by: By,
        /// The bucket, below [`modgate_policy::model::BUCKETS`].
        bucket: u32,
    },
    /// Of whom a draw should have been for nothing is known, so it is the control variant.
    Unknown {
        /// The assignment's place in `assign`.
        assign: usize,
    },
    /// The backend does not have the variant that was given, or the rules refuse it.
    Fallback,
}

impl fmt::Display for Assigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.variant {
            Some(Variant { name, version }) => {
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

/// Chooses the variant for a tenant's request for a module, and says its split's and its own place;
/// `None` where there is no split on the module.
pub(super) fn assigned<'p>(
    policy: &'p Policy,
    tenant: &Tenant,
    module: &str,
    head: &Head<'_>,
    facts: &dyn Facts,
) -> Option<(usize, usize, Assigned<'p>)> {
    let (place, split) = policy.splits.of(module)?;
    let key = |by| stage::key(policy, tenant, module, head, facts, by).0;
    // A tenant's canary is drawn for its name, which has no space.
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
        // What is said twice is not said.
        let HeaderValue::Once(value) = head.split_header(name) else {
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
    let assigned = Assigned {
        split,
        variant: split.variants.get(variant),
        by,
        stage,
    };
    Some((place, variant, assigned))
}
