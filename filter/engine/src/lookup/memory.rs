//! Lists that were read and judged before: a backend sends the same list again and again.
//!
//! The backend is asked for its list each time all the same. What is kept is what follows from the
//! list's bytes and the rules alone; the ages of versions are looked up anew. So nothing of it is ever
//! stale, and who asked first gives nothing to who asks next.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::shaping::Judged;
use modgate_policy::model::{RuleSetSide, TenantId};

/// How many lists are kept.
const MOST: usize = 32;

/// How many bytes of lists are kept.
const MOST_BYTES: usize = 4 << 20;

/// The shortest list that is kept, in bytes; a shorter one is read in no time.
const SHORTEST: usize = 4 << 10;

/// All that what is said of a list hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListOf<'a> {
    /// The policy's hash.
    pub policy: &'a str,
    /// The tenant.
    pub tenant: TenantId,
    /// Which of its rules hold.
    pub side: RuleSetSide,
    /// The module.
    pub module: &'a str,
    /// The list as the backend sent it.
    pub body: &'a [u8],
}

/// The lists that a worker keeps: the ones that were wanted last.
#[derive(Debug, Default)]
pub struct Lists(RefCell<VecDeque<Kept>>);

#[derive(Debug)]
struct Kept {
    policy: String,
    tenant: TenantId,
    side: RuleSetSide,
    module: String,
    judged: Rc<Judged>,
}

impl Kept {
    fn is_of(&self, of: &ListOf<'_>) -> bool {
        let known = ListOf {
            policy: &self.policy,
            tenant: self.tenant,
            side: self.side,
            module: &self.module,
            body: self.judged.list.text().as_bytes(),
        };
        known == *of
    }

    fn bytes(&self) -> usize {
        self.judged.list.text().len()
    }
}

impl Lists {
    /// What was kept of a list.
    pub fn recall(&self, of: &ListOf<'_>) -> Option<Rc<Judged>> {
        let mut kept = self.0.try_borrow_mut().ok()?;
        let place = kept.iter().position(|kept| kept.is_of(of))?;
        let found = kept.remove(place)?;
        let judged = Rc::clone(&found.judged);
        kept.push_front(found);
        Some(judged)
    }

    /// Keeps a list, and forgets those that were wanted the longest time ago.
    pub fn keep(&self, of: &ListOf<'_>, judged: &Rc<Judged>) {
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
            judged: Rc::clone(judged),
        });
        kept.truncate(MOST);
        while kept.iter().map(Kept::bytes).sum::<usize>() > MOST_BYTES {
            kept.pop_back();
        }
    }
}
