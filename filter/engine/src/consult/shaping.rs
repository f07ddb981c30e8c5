//! A version list as a tenant may see it.
//!
//! Each step goes through the list once at most, and the rules that can be about the module are found
//! once for all its versions.

use std::rc::Rc;

use super::World;
use super::about::About;
use super::list::{Kind, Latest, List};
use super::memory::ListOf;
use super::retract::{self, Interval};
use super::steer::Steer;
use crate::policy::{Age, Decision, Policy, Says, Verdict};

/// The most versions of a list whose age is looked up for one request.
const MAX_LOOKUPS: usize = 32;

/// A list while it is shaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shaping {
    judged: Rc<Judged>,
    /// What is known of each version by now, in the list's order.
    rulings: Vec<Ruling>,
    /// Those that are left out so that the Go command takes the variant's; empty where there is none.
    aside: Vec<bool>,
    /// How many ages were looked up.
    lookups: usize,
    /// The variant that the client is led to.
    pub(super) steer: Option<Steer>,
}

/// A list, and what a tenant's rules say of its versions before an age is known: it hangs on nothing but
/// what [`ListOf`] has.
#[derive(Debug, PartialEq, Eq)]
pub struct Judged {
    pub(super) list: List,
    rulings: Vec<Ruling>,
}

/// What is known of a listed version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ruling {
    Kept,
    Hidden,
    /// Its age must be looked up.
    Open,
}

impl From<Says> for Ruling {
    fn from(says: Says) -> Self {
        match says {
            Says::Allow => Self::Kept,
            Says::Deny => Self::Hidden,
            Says::Open => Self::Open,
        }
    }
}

impl Ruling {
    fn of(verdict: Option<&Verdict<'_>>) -> Self {
        match verdict {
            Some(verdict) if verdict.is_open => Self::Open,
            Some(verdict) if verdict.decision == Decision::Allow => Self::Kept,
            _ => Self::Hidden,
        }
    }
}

impl Judged {
    fn recalled_or_read(
        about: &About,
        policy: &Policy,
        world: &dyn World,
        body: &[u8],
    ) -> Result<Rc<Self>, String> {
        let of = ListOf {
            policy: policy.hash(),
            tenant: about.tenant,
            side: about.side,
            module: &about.module,
            body,
        };
        let lists = world.lists();
        if let Some(known) = lists.as_ref().and_then(|lists| lists.recall(&of)) {
            return Ok(known);
        }
        let read = Rc::new(Self::read(about, policy, body)?);
        if let Some(lists) = lists {
            lists.keep(&of, &read);
        }
        Ok(read)
    }

    /// Reads a list, and judges all its versions.
    fn read(about: &About, policy: &Policy, body: &[u8]) -> Result<Self, String> {
        let list = List::read(&about.module, body)?;
        let rules = about.module_rules(policy);
        let rule = |place| {
            let says = rules
                .as_ref()
                .map(|rules| rules.say(list.parts(place), Age::Unasked));
            says.map_or(Ruling::Hidden, Ruling::from)
        };
        let rulings = (0..list.len()).map(rule).collect();
        Ok(Self { list, rulings })
    }
}

impl Shaping {
    /// Judges all versions of a list, by what is known of them.
    ///
    /// # Errors
    /// A list that is too long, in words.
    pub(super) fn of(
        about: &About,
        policy: &Policy,
        world: &dyn World,
        body: &[u8],
    ) -> Result<Self, String> {
        let judged = Judged::recalled_or_read(about, policy, world, body)?;
        let mut rulings = judged.rulings.clone();
        if rulings.contains(&Ruling::Open) {
            recall_ages(about, policy, world, &judged.list, &mut rulings);
        }
        let mut shaping = Self {
            judged,
            rulings,
            aside: Vec::new(),
            lookups: 0,
            steer: about.steer,
        };
        shaping.set_aside(policy);
        Ok(shaping)
    }

    /// Leaves out what would keep the Go command from the variant, or from the next one where the rules
    /// serve none of this one's.
    fn set_aside(&mut self, policy: &Policy) {
        let list = &self.judged.list;
        let Some(steer) = &mut self.steer else {
            return;
        };
        while let Some(wanted) = steer.version(policy) {
            let ruling = list
                .place_of(wanted)
                .and_then(|place| self.rulings.get(place));
            if ruling.is_some_and(|ruling| *ruling != Ruling::Hidden) {
                break;
            }
            steer.fall_back();
        }
        let hides = steer.hides(policy);
        self.aside = (0..list.len())
            .map(|place| hides(&list.parts(place)))
            .collect();
    }

    fn is_shown(&self, place: usize) -> bool {
        let is_hidden = self
            .rulings
            .get(place)
            .is_none_or(|ruling| *ruling == Ruling::Hidden);
        !is_hidden && !self.aside.get(place).is_some_and(|aside| *aside)
    }

    /// The next version whose age must be known. From the highest down, as far as one that is kept:
    /// what lies below it nobody gets without asking for it, and it is judged then. A list of which
    /// more than [`MAX_LOOKUPS`] are too young is left so, too.
    pub(super) fn wants_age_of(&mut self) -> Option<String> {
        if self.lookups == MAX_LOOKUPS {
            return None;
        }
        // The Go command prefers releases, and versions of before modules only where they are alone.
        let classes = [(false, true), (false, false), (true, true), (true, false)];
        let mut kept_of = None;
        for (is_legacy, is_release) in classes {
            if kept_of == Some(is_legacy) {
                continue;
            }
            let in_class =
                |kind: Kind| kind.is_legacy == is_legacy && kind.is_release == is_release;
            match self.highest_not_hidden(in_class) {
                Some((version, Ruling::Open)) => {
                    let version = version.to_owned();
                    self.lookups += 1;
                    return Some(version);
                }
                Some(_) => kept_of = Some(is_legacy),
                None => {}
            }
        }
        None
    }

    fn highest_not_hidden(&self, in_class: impl Fn(Kind) -> bool) -> Option<(&str, Ruling)> {
        let list = &self.judged.list;
        let mut shown = list.ascending().iter().rev().copied();
        let highest = shown
            .find(|place| list.kind(*place).is_some_and(&in_class) && self.is_shown(*place))?;
        Some((list.version(highest), *self.rulings.get(highest)?))
    }

    /// Notes what the rules say of a version, now that its age was looked up.
    pub(super) fn ruled(&mut self, policy: &Policy, version: &str, verdict: Option<&Verdict<'_>>) {
        let place = self.judged.list.place_of(version);
        let Some(ruling) = place.and_then(|place| self.rulings.get_mut(place)) else {
            return;
        };
        *ruling = Ruling::of(verdict);
        let is_lost = *ruling == Ruling::Hidden;
        let wanted = self.steer.as_ref().and_then(|steer| steer.version(policy));
        if is_lost && wanted == Some(version) {
            self.set_aside(policy);
        }
    }

    /// The version whose go.mod tells which others were taken back, where the client does not see it.
    /// The Go command reads retractions from the latest version alone, and a version of before modules
    /// has no go.mod of its own.
    pub(super) fn hidden_newest(&self) -> Option<String> {
        let newest = match self.judged.list.latest(|_| true) {
            Latest::Is(version)
            | Latest::Depends {
                compatible: version,
                ..
            } => version,
            Latest::Unlisted => return None,
        };
        let place = self.judged.list.place_of(&newest)?;
        (!newest.ends_with("+incompatible") && !self.is_shown(place)).then_some(newest)
    }

    /// The list without what is hidden and what was taken back.
    pub(super) fn finish(mut self, retracted: &[Interval]) -> Shaped {
        let list = &self.judged.list;
        let ascending = list.ascending().iter();
        let ascending = ascending.map(|place| (*place, list.parts(*place)));
        for place in retract::among(retracted, ascending) {
            if let Some(ruling) = self.rulings.get_mut(place) {
                *ruling = Ruling::Hidden;
            }
        }
        Shaped(self)
    }
}

/// Notes what the rules say of versions whose age is known already.
fn recall_ages(
    about: &About,
    policy: &Policy,
    world: &dyn World,
    list: &List,
    rulings: &mut [Ruling],
) {
    let Some(rules) = about.module_rules(policy) else {
        return;
    };
    let open = rulings
        .iter_mut()
        .enumerate()
        .filter(|(_, ruling)| **ruling == Ruling::Open);
    for (place, ruling) in open {
        let age = about.recalled_age(policy, world, list.version(place));
        if age != Age::Unasked {
            *ruling = rules.say(list.parts(place), age).into();
        }
    }
}

/// A list that is shaped.
pub(super) struct Shaped(Shaping);

impl Shaped {
    /// The text of it.
    pub(super) fn write(&self) -> String {
        let Self(shaping) = self;
        shaping.judged.list.write(|place| shaping.is_shown(place))
    }

    /// What the Go command takes of it.
    pub(super) fn latest(&self) -> Latest {
        let Self(shaping) = self;
        shaping.judged.list.latest(|place| shaping.is_shown(place))
    }
}
