//! A file that has ended before the checksum database has answered.

use modgate_go::gomod::H1;

use super::first_seen::remember;
use super::sumdb_lookup::{SumdbLookup, SumdbState};
use super::{BodyStep, FileVerdict};
use crate::active_policy::Context;
use crate::host::{CalloutResponse, Message};
use crate::wake::PendingCall;

/// A file that was hashed, and whose end is held back: a callout of the lookup wakes it, or that
/// callout's time limit.
pub(crate) struct AwaitingSumdb {
    pub(super) lookup: Box<SumdbLookup>,
    pub(super) got: H1,
    /// Without its verdict yet: what holds where the bytes are not taken back.
    pub(super) verdict: FileVerdict,
    /// What goes behind the bytes that the proxy holds.
    pub(super) tail: Vec<u8>,
    pub(super) unseen: bool,
    /// A callout that is under way.
    pub(super) call: PendingCall,
}

impl AwaitingSumdb {
    pub(crate) const fn call(&self) -> PendingCall {
        self.call
    }

    /// A callout was answered; perhaps one of the lookup's.
    pub(crate) fn on_callout_response(
        self: Box<Self>,
        context: Context<'_>,
        response: CalloutResponse,
    ) -> BodyStep {
        let waiting = *self;
        let state = SumdbState::Pending(waiting.lookup, waiting.call);
        let answer = match state.on_callout_response(context, response) {
            SumdbState::Pending(lookup, call) => {
                let waiting = Self {
                    lookup,
                    call,
                    ..waiting
                };
                return BodyStep::AwaitSumdb(Box::new(waiting), call);
            }
            SumdbState::Ready(answer) => Some(answer),
            SumdbState::NotNeeded => None,
        };
        let mut file = waiting.verdict;
        let remember = |checked: &_, h1| remember(context, checked, h1);
        let verdict = file.checked.weigh(waiting.got, answer.as_ref(), remember);
        let goes_on = file.checked.enforce && verdict.is_good(&file.checked);
        let append = || {
            let tail = &waiting.tail;
            tail.is_empty() || context.host.append_body(Message::Response, tail).is_ok()
        };
        if !goes_on || append() {
            file.verdict = verdict;
        }
        file.step(waiting.unseen)
    }
}
