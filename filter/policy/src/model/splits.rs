//! Splits: which version of a module who is to get.

use std::cmp::Ordering;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::rollout::{By, Stage};
use modgate_go::gomod::semver::Semver;

/// What metrics say where a request got no variant.
pub const NO_VARIANT: &str = "none";

/// A module of which different people get different versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Its name in the document.
    pub name: String,
    /// The module path.
    pub module: String,
    /// What there is to get, sorted by name.
    pub variants: Vec<Variant>,
    /// The place of the variant that others fall back to.
    pub control: usize,
    /// Whether the files of other versions are refused.
    pub strict: bool,
    /// Whether the client receives its variant.
    pub tells: bool,
    /// How far it has come; `None` where it is off.
    pub stage: Option<Stage>,
    /// Who gets what; the first that holds decides.
    pub assign: Vec<Assign>,
}

/// A version that a part of those who ask get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name in the document.
    pub name: String,
    /// The version, canonical and tagged.
    pub version: String,
}

/// Who gets which variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assign {
    pub(crate) tenants: Option<Vec<String>>,
    pub(crate) tiers: Option<Vec<String>>,
    /// A header's name, and the value that it must have.
    pub header: Option<(String, Option<String>)>,
    /// What it gives.
    pub gets: Gets,
}

/// What an assignment gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gets {
    /// The variant at this place.
    Variant(usize),
    /// One of them all, by weight, in hundredths of a percent.
    Drawn {
        /// The variants' weights, in their order.
        weights: Vec<u16>,
        /// What stays with its variant.
        by: By,
    },
}

/// The splits of a policy.
#[derive(Clone, Debug, Default)]
pub struct Splits {
    pub(crate) all: Vec<Split>,
    /// Their places by module.
    pub(crate) by_module: HashMap<String, usize, FxBuildHasher>,
    /// The headers that assignments ask for, in lower case, each once.
    pub headers: Vec<String>,
}

impl Splits {
    pub(crate) fn all(&self) -> &[Split] {
        &self.all
    }

    /// The split of a module, and its place.
    pub fn of(&self, module: &str) -> Option<(usize, &Split)> {
        let place = *self.by_module.get(module)?;
        Some((place, self.all.get(place)?))
    }
}

impl Assign {
    /// Whether it holds for a tenant, as far as that counts.
    pub fn is_for(&self, tenant: &str, tier: Option<&str>) -> bool {
        let among = |names: &[String], name: &str| names.iter().any(|known| known == name);
        let tiers = self.tiers.as_ref();
        self.tenants
            .as_ref()
            .is_none_or(|names| among(names, tenant))
            && tiers.is_none_or(|names| tier.is_some_and(|tier| among(names, tier)))
    }

    pub(crate) const fn is_for_all(&self) -> bool {
        self.tenants.is_none() && self.tiers.is_none() && self.header.is_none()
    }
}

impl Split {
    /// Whether two clients of one tenant may get two variants.
    pub fn hangs_on_client(&self) -> bool {
        let in_part = self
            .stage
            .is_some_and(|stage| stage.is_canary_by(By::Client));
        in_part
            || self.assign.iter().any(|assign| {
                let drawn = matches!(assign.gets, Gets::Drawn { by: By::Client, .. });
                drawn || assign.header.is_some()
            })
    }

    /// A variant's version.
    pub fn version(&self, place: usize) -> Option<&str> {
        self.variants
            .get(place)
            .map(|variant| variant.version.as_str())
    }
}

/// Whether the Go command must not see a version if it is to take a variant's: what is higher; beside a
/// prerelease every release, which it prefers; beside an `+incompatible` one all others.
pub fn hides(variant: &Semver<'_>, version: &Semver<'_>) -> bool {
    version.compare(variant) == Ordering::Greater
        || (version.is_release() && !variant.is_release())
        || (version.build.is_empty() && !variant.build.is_empty())
}
