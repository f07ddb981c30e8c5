//! The variant that a lookup leads to.

use modgate_go::gomod::semver;
use modgate_go::gomod::semver::Semver;
use modgate_policy::model::{Policy, Split, SplitId, Variant, VariantId, hides};

/// The variants that a request may be led to. The assigned one is tried first, and the control variant next,
/// if the backend does not have the first or the rules refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VariantChoice {
    /// The split.
    split: SplitId,
    /// The variant that is tried; `None` if none is left, and no variant applies.
    variant: Option<VariantId>,
    control: VariantId,
}

impl VariantChoice {
    pub(crate) const fn to(split: &Split, variant: &Variant) -> Self {
        Self {
            split: split.id,
            variant: Some(variant.id),
            control: split.control,
        }
    }

    /// The variant that is tried.
    pub(crate) const fn variant(&self) -> Option<VariantId> {
        self.variant
    }

    /// The version that the request is led to.
    pub(super) fn version<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        let variant = policy.split(self.split)?.variant(self.variant?)?;
        Some(&variant.version)
    }

    /// Goes on to the next variant.
    pub(super) fn fall_back(&mut self) {
        self.variant = (self.variant != Some(self.control)).then_some(self.control);
    }

    /// Tells whether a version is left out of a list so that the Go command picks the variant's. A strict
    /// split leaves out all others, whose files it refuses.
    pub(super) fn hides<'p>(&self, policy: &'p Policy) -> impl Fn(&Semver<'_>) -> bool + use<'p> {
        let variant = self.version(policy).and_then(semver::parse);
        let split = policy.split(self.split);
        let is_strict = split.is_some_and(|split| split.strict);
        move |version| {
            variant.is_some_and(|variant| {
                hides(&variant, version) || (is_strict && variant != *version)
            })
        }
    }
}
