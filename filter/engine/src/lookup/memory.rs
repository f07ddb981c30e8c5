//! Lists that were read before: a backend sends the same list again and again.
//!
//! The backend is still queried for its list each time. Only what follows from the list's bytes and the rules
//! is kept; ages are looked up anew. So nothing is ever stale, and no client's answer reaches another.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::ruled_list::RuledList;
use modgate_policy::model::{RolloutSide, TenantId};

/// How many lists are kept.
const MOST: usize = 32;

/// How many bytes of lists are kept.
const MOST_BYTES: usize = 4 << 20;

/// The shortest list that is kept, in bytes; reading a shorter one is cheap.
const SHORTEST: usize = 4 << 10;

/// Everything that the rules' result on a list depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListOf<'a> {
    /// The policy's hash.
    pub policy: &'a str,
    /// The tenant.
    pub tenant: TenantId,
    /// Which of its rules are in effect.
    pub side: RolloutSide,
    /// The module.
    pub module: &'a str,
    /// The list as the backend sent it.
    pub body: &'a [u8],
}

/// The lists that a worker keeps: the most recently used ones.
#[derive(Debug, Default)]
pub struct Lists(RefCell<VecDeque<Kept>>);

#[derive(Debug)]
struct Kept {
    policy: String,
    tenant: TenantId,
    side: RolloutSide,
    module: String,
    ruled: Rc<RuledList>,
}

impl Kept {
    fn is_of(&self, of: &ListOf<'_>) -> bool {
        let known = ListOf {
            policy: &self.policy,
            tenant: self.tenant,
            side: self.side,
            module: &self.module,
            body: self.ruled.list.text().as_bytes(),
        };
        known == *of
    }

    fn bytes(&self) -> usize {
        self.ruled.list.text().len()
    }
}

impl Lists {
    /// The kept result for a list.
    pub fn recall(&self, of: &ListOf<'_>) -> Option<Rc<RuledList>> {
        let mut kept = self.0.try_borrow_mut().ok()?;
        let place = kept.iter().position(|kept| kept.is_of(of))?;
        let found = kept.remove(place)?;
        let ruled = Rc::clone(&found.ruled);
        kept.push_front(found);
        Some(ruled)
    }

    /// Keeps a list, and drops the least recently used ones.
    pub fn keep(&self, of: &ListOf<'_>, ruled: &Rc<RuledList>) {
        if of.body.len() < SHORTEST {
            return;
        }
        let Ok(mut kept) = self.0.try_borrow_mut() else {
            return;
        };
        kept.push_front(Kept {
            policy: of.policy.to_owned(),
            tenant: of.tenant,
            side: of.side,
            module: of.module.to_owned(),
            ruled: Rc::clone(ruled),
        });
        kept.truncate(MOST);
        while kept.iter().map(Kept::bytes).sum::<usize>() > MOST_BYTES {
            kept.pop_back();
        }
    }
}
