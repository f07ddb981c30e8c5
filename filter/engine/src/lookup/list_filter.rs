//! A version list as a tenant may see it.
//!
//! Each step is one pass over the list at most, and the rules that match the module are found once for all
//! its versions.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::context::LookupContext;
use super::list::{Latest, List};
use super::lookups::{self, Lookups, Shown, Wanted};
use super::noted::age;
use super::ruled_list::{RuledList, Visibility};
use super::toolchain;
use super::variant_choice::VariantChoice;
use crate::reply::LocalReply;
use modgate_go::gomod::retract;
use modgate_go::gomod::retract::Interval;
use modgate_policy::model::{Age, Policy};

/// A list while it is filtered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListFilter {
    ruled: Rc<RuledList>,
    /// What is known of each version so far, in the list's order.
    visibility: Vec<Visibility>,
    /// The versions that are left out so that the Go command picks the variant's; empty if there is no
    /// variant.
    aside: Vec<bool>,
    /// When versions were published, in seconds since 1970, by their positions.
    published: BTreeMap<usize, u64>,
    lookups: Lookups,
    /// Whether an age was looked up.
    has_learned: bool,
    /// The reply to the first query for an age that the backend failed.
    refusal: Option<LocalReply>,
    /// The listed versions whose age the backend failed to give, by their positions, with the reply to that
    /// query.
    failed: BTreeMap<usize, LocalReply>,
    /// The variant that the client is led to.
    pub(super) choice: Option<VariantChoice>,
}

impl ListFilter {
    /// Reads a list, and applies the rules to its versions.
    ///
    /// # Errors
    /// A list that is too long, in words.
    pub(super) fn of(
        context: &LookupContext<'_, '_>,
        choice: Option<VariantChoice>,
        body: &[u8],
    ) -> Result<Self, String> {
        let ruled = RuledList::recalled_or_read(context, body)?;
        let mut visibility = ruled.visibility.clone();
        let (mut published, mut lookups) = (BTreeMap::new(), Lookups::default());
        if visibility.contains(&Visibility::NeedsAge) {
            published = recall_ages(context, &ruled.list, &mut visibility);
            lookups.is_slow = context.is_slow();
        }
        let mut filter = Self {
            ruled,
            visibility,
            aside: Vec::new(),
            published,
            lookups,
            has_learned: false,
            refusal: None,
            failed: BTreeMap::new(),
            choice,
        };
        filter.set_aside(context.policy);
        Ok(filter)
    }

    /// Leaves out versions that the Go command would prefer to the variant's. If the rules refuse every
    /// version of a variant, the next one is tried.
    fn set_aside(&mut self, policy: &Policy) {
        let list = &self.ruled.list;
        let Some(choice) = &mut self.choice else {
            return;
        };
        while let Some(wanted) = choice.version(policy) {
            let visibility = list
                .place_of(wanted)
                .and_then(|place| self.visibility.get(place));
            if visibility.is_some_and(|known| *known != Visibility::Hidden) {
                break;
            }
            choice.fall_back();
        }
        let hides = choice.hides(policy);
        self.aside = (0..list.len())
            .map(|place| hides(&list.parts(place)))
            .collect();
    }

    fn is_shown(&self, place: usize) -> bool {
        let is_hidden = self.visibility_of(place) == Visibility::Hidden;
        !is_hidden && !self.aside.get(place).is_some_and(|aside| *aside)
    }

    fn visibility_of(&self, place: usize) -> Visibility {
        self.visibility
            .get(place)
            .copied()
            .unwrap_or(Visibility::Hidden)
    }

    /// The versions whose ages are looked up next; none if enough is known.
    pub(super) fn wants_ages(&mut self, context: &LookupContext<'_, '_>) -> Vec<String> {
        if !self.visibility.contains(&Visibility::NeedsAge) {
            return Vec::new();
        }
        let list = &self.ruled.list;
        let descending = list.ascending().iter().rev().copied();
        let shown = descending.filter(|place| self.is_shown(*place));
        let shown = shown.map(|place| Shown {
            place,
            version: list.version(place),
            parts: list.parts(place),
            needs_lookup: self.visibility_of(place) == Visibility::NeedsAge,
        });
        let mut wanted = Wanted::of(&context.target.module, shown);
        let choice = self.choice.as_ref();
        let variant = choice.and_then(|choice| choice.version(context.policy));
        let variant = variant.and_then(|version| list.place_of(version));
        if let Some(place) =
            variant.filter(|place| self.visibility_of(*place) == Visibility::NeedsAge)
        {
            wanted.first(place);
        }
        let next = self.lookups.next(&wanted, context.env.waited());
        next.into_iter()
            .map(|place| self.ruled.list.version(place).to_owned())
            .collect()
    }

    /// Notes when a version was published, or that it is unknown.
    pub(super) fn learned(
        &mut self,
        context: &LookupContext<'_, '_>,
        version: &str,
        published: Option<u64>,
    ) {
        let Some(place) = self.ruled.list.place_of(version) else {
            return;
        };
        if let Some(then) = published {
            self.published.insert(place, then);
            self.has_learned = true;
        }
        let old = published.map_or(Age::Unknown, |then| age(context.env, then));
        let rules = context.module_rules();
        let says = rules.say(self.ruled.list.parts(place), old);
        self.set_visibility(context.policy, place, says.into());
    }

    /// Notes that the backend refuses more queries.
    pub(super) fn is_refused(&mut self) {
        self.lookups.is_over = true;
    }

    /// Notes that the backend failed to give the age of a version.
    pub(super) fn failed(&mut self, version: &str, reply: LocalReply) {
        self.refusal.get_or_insert_with(|| reply.clone());
        if let Some(place) = self.ruled.list.place_of(version) {
            self.failed.insert(place, reply);
        }
    }

    /// The reply if the backend failed to give the age of the newest version: without that version the Go
    /// command would silently pick an older one.
    pub(super) fn newest_failed(&mut self, context: &LookupContext<'_, '_>) -> Option<LocalReply> {
        if self.failed.is_empty() || context.target.module == toolchain::MODULE {
            return None;
        }
        let list = &self.ruled.list;
        let is_aside = |place: usize| self.aside.get(place).is_some_and(|aside| *aside);
        let newest = list.latest(|place| {
            self.is_shown(place) || (self.failed.contains_key(&place) && !is_aside(place))
        });
        let newest = match newest {
            Latest::Is(version)
            | Latest::Depends {
                compatible: version,
                ..
            } => list.place_of(&version)?,
            Latest::Unlisted => return None,
        };
        self.failed.remove(&newest)
    }

    /// The reply if the backend gave no age at all.
    pub(super) fn refusal(&mut self) -> Option<LocalReply> {
        self.refusal.take().filter(|_| !self.has_learned)
    }

    fn set_visibility(&mut self, policy: &Policy, place: usize, visibility: Visibility) {
        if let Some(known) = self.visibility.get_mut(place) {
            *known = visibility;
        }
        let wanted = self
            .choice
            .as_ref()
            .and_then(|choice| choice.version(policy));
        let is_lost = visibility == Visibility::Hidden;
        if is_lost && wanted == Some(self.ruled.list.version(place)) {
            self.set_aside(policy);
        }
    }

    /// Leaves out versions whose age is not known, so that every listed version can be fetched, and notes the
    /// ages that were looked up.
    pub(super) fn close(&mut self, context: &LookupContext<'_, '_>) {
        let mut left_out = 0;
        for place in 0..self.visibility.len() {
            if self.visibility_of(place) == Visibility::NeedsAge {
                left_out += usize::from(self.is_shown(place));
                self.set_visibility(context.policy, place, Visibility::Hidden);
            }
        }
        let (module, backend) = (&context.target.module, &context.backend.name);
        if module == toolchain::MODULE {
            self.hide_toolchains(context.policy);
        } else if left_out > 0 {
            context.env.warn(&format!(
                "modgate: {left_out} versions are left out of the list of {module}, because their ages \
                 were not looked up yet; backend {backend}"
            ));
        }
        if !self.failed.is_empty() {
            context.env.warn(&format!(
                "modgate: {} versions are left out of the list of {module}, because the backend failed to \
                 tell their ages; backend {backend}",
                self.failed.len()
            ));
        }
        if self.has_learned {
            let list = &self.ruled.list;
            let descending = list.ascending().iter().rev();
            let known = descending
                .filter_map(|place| Some((list.version(*place), *self.published.get(place)?)));
            context.note_ages(known);
        }
        if self.lookups.is_slow {
            context.note_slow();
        }
    }

    /// Leaves out toolchains whose file for another platform, which the Go command requests first, is
    /// refused.
    fn hide_toolchains(&mut self, policy: &Policy) {
        for place in 0..self.visibility.len() {
            let list = &self.ruled.list;
            let requested = toolchain::requested_version(list.version(place));
            let requested = requested.and_then(|version| list.place_of(&version));
            if requested
                .is_some_and(|requested| self.visibility_of(requested) == Visibility::Hidden)
            {
                self.set_visibility(policy, place, Visibility::Hidden);
            }
        }
    }

    /// The version whose go.mod lists the retractions, if the client does not see that version. The Go
    /// command reads retractions from the latest version alone, and a version from before modules has no
    /// go.mod of its own.
    pub(super) fn hidden_newest(&self, context: &LookupContext<'_, '_>) -> Option<String> {
        // The Go command reads toolchains from the list alone.
        if context.target.module == toolchain::MODULE {
            return None;
        }
        let newest = match self.ruled.list.latest(|_| true) {
            Latest::Is(version)
            | Latest::Depends {
                compatible: version,
                ..
            } => version,
            Latest::Unlisted => return None,
        };
        let place = self.ruled.list.place_of(&newest)?;
        (!newest.ends_with("+incompatible") && !self.is_shown(place)).then_some(newest)
    }

    /// The list without hidden and retracted versions.
    pub(super) fn finish(mut self, retracted: &[Interval]) -> FilteredList {
        let list = &self.ruled.list;
        let ascending = list.ascending().iter();
        let ascending = ascending.map(|place| (*place, list.parts(*place)));
        for place in retract::among(retracted, ascending) {
            if let Some(known) = self.visibility.get_mut(place) {
                *known = Visibility::Hidden;
            }
        }
        FilteredList(self)
    }
}

/// Applies the rules to versions whose age was noted before, and returns when these were published.
fn recall_ages(
    context: &LookupContext<'_, '_>,
    list: &List,
    visibility: &mut [Visibility],
) -> BTreeMap<usize, u64> {
    let mut published = BTreeMap::new();
    let rules = context.module_rules();
    for (version, then) in context.noted_ages() {
        if let Some(place) = list.place_of(&version) {
            published.insert(place, then);
        }
    }
    // Noted when they were requested by name.
    let unknown = list.ascending().iter().rev().copied().filter(|place| {
        visibility.get(*place) == Some(&Visibility::NeedsAge) && !published.contains_key(place)
    });
    let unknown: Vec<usize> = unknown.take(lookups::MOST).collect();
    for place in unknown {
        if let Some(then) = context.noted_age(list.version(place)) {
            published.insert(place, then);
        }
    }
    for (place, then) in &published {
        if let Some(known) = visibility.get_mut(*place) {
            if *known == Visibility::NeedsAge {
                *known = rules
                    .say(list.parts(*place), age(context.env, *then))
                    .into();
            }
        }
    }
    published
}

/// A filtered list.
pub(super) struct FilteredList(ListFilter);

impl FilteredList {
    /// Its text.
    pub(super) fn write(&self) -> String {
        let Self(filter) = self;
        filter.ruled.list.write(|place| filter.is_shown(place))
    }

    /// The version that the Go command picks from it.
    pub(super) fn latest(&self) -> Latest {
        let Self(filter) = self;
        filter.ruled.list.latest(|place| filter.is_shown(place))
    }
}
