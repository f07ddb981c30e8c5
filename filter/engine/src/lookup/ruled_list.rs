//! A version list, and what a tenant's rules say of its versions before any age is known.

use std::rc::Rc;

use super::context::LookupContext;
use super::list::List;
use super::memory::ListOf;
use modgate_policy::model::Age;
use modgate_policy::model::module_rules::Says;

/// A list, and what the rules say of its versions. It depends on nothing but [`ListOf`].
#[derive(Debug, PartialEq, Eq)]
pub struct RuledList {
    pub(super) list: List,
    pub(super) visibility: Vec<Visibility>,
}

/// What is known of a listed version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    Shown,
    Hidden,
    /// Its age must be looked up.
    NeedsAge,
}

impl From<Says> for Visibility {
    fn from(says: Says) -> Self {
        match says {
            Says::Allow => Self::Shown,
            Says::Deny => Self::Hidden,
            Says::Open => Self::NeedsAge,
        }
    }
}

impl RuledList {
    pub(super) fn recalled_or_read(
        context: &LookupContext<'_, '_>,
        body: &[u8],
    ) -> Result<Rc<Self>, String> {
        let target = context.target;
        let of = ListOf {
            policy: context.policy.hash(),
            tenant: target.tenant,
            side: target.side,
            module: &target.module,
            body,
        };
        let lists = context.env.lists();
        if let Some(known) = lists.as_ref().and_then(|lists| lists.recall(&of)) {
            return Ok(known);
        }
        let read = Rc::new(Self::read(context, body)?);
        if let Some(lists) = lists {
            lists.keep(&of, &read);
        }
        Ok(read)
    }

    /// Reads a list, and applies the rules to all its versions.
    fn read(context: &LookupContext<'_, '_>, body: &[u8]) -> Result<Self, String> {
        let list = List::read(&context.target.module, body)?;
        let rules = context.module_rules();
        let rule = |place| Visibility::from(rules.say(list.parts(place), Age::Unasked));
        let visibility = (0..list.len()).map(rule).collect();
        Ok(Self { list, visibility })
    }
}
