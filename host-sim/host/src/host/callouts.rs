//! The HTTP callouts of a VM.

use std::collections::HashMap;
use std::time::Duration;

use crate::effect::CalloutToken;
use crate::http::{Body, Headers};

/// A callout that was not answered yet.
#[derive(Debug)]
pub(crate) struct PendingCallout {
    pub root: u32,
    pub deadline: Option<Duration>,
    /// The answer's headers have come.
    pub begun: bool,
}

/// The answer that `on_http_call_response` is about.
#[derive(Debug)]
pub(crate) struct CurrentAnswer {
    pub root: u32,
    pub headers: Headers,
    pub body: Body,
    pub trailers: Option<Headers>,
}

/// The HTTP callouts of a VM: those that were not answered yet, and the answer that the filter can read.
#[derive(Debug, Default)]
pub(crate) struct Callouts {
    pending: HashMap<u32, PendingCallout>,
    last: u32,
    answer: Option<CurrentAnswer>,
}

impl Callouts {
    /// A callout begins. Tokens are 4, 8, 12, as Envoy counts.
    pub(crate) fn start(&mut self, root: u32, deadline: Option<Duration>) -> CalloutToken {
        self.last = self.last.wrapping_add(4);
        let pending = PendingCallout {
            root,
            deadline,
            begun: false,
        };
        self.pending.insert(self.last, pending);
        CalloutToken(self.last)
    }

    pub(crate) fn get_mut(&mut self, token: u32) -> Option<&mut PendingCallout> {
        self.pending.get_mut(&token)
    }

    /// The callout is answered, or given up.
    pub(crate) fn remove(&mut self, token: u32) -> Option<PendingCallout> {
        self.pending.remove(&token)
    }

    /// The tokens of a root context's callouts, in no order.
    pub(crate) fn of_root(&self, root: u32) -> impl Iterator<Item = u32> {
        let pending = self.pending.iter();
        let of_root = pending.filter(move |(_, pending)| pending.root == root);
        of_root.map(|(token, _)| *token)
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.pending.values().filter_map(|one| one.deadline).min()
    }

    /// Those that should have been answered by now, in the order in which they should.
    pub(crate) fn late(&self, now: Duration) -> Vec<CalloutToken> {
        let pending = self.pending.iter();
        let deadlines = pending.filter_map(|(token, one)| Some((one.deadline?, *token)));
        let mut late: Vec<_> = deadlines.filter(|(at, _)| *at <= now).collect();
        late.sort_unstable();
        late.into_iter()
            .map(|(_, token)| CalloutToken(token))
            .collect()
    }

    /// What the filter can read from now on.
    pub(crate) fn show(&mut self, answer: Option<CurrentAnswer>) {
        self.answer = answer;
    }

    /// What this root context can read.
    pub(crate) fn shown_to(&self, root: u32) -> Option<&CurrentAnswer> {
        self.answer.as_ref().filter(|answer| answer.root == root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_ones_come_by_their_deadlines() {
        let ms = Duration::from_millis;
        let mut callouts = Callouts::default();
        for after in [Some(ms(9)), None, Some(ms(5)), Some(ms(5)), Some(ms(20))] {
            callouts.start(1, after);
        }
        let late: Vec<u32> = callouts.late(ms(9)).iter().map(|token| token.0).collect();
        assert_eq!(late, [12, 16, 4]);
        assert_eq!(callouts.next_deadline(), Some(ms(5)));
    }
}
