//! What a callback tells the proxy, and what ends a pause.
//!
//! A stream that is paused and that nothing wakes hangs until its client gives up. So a pause names what
//! wakes it, and that can only be made by what does: a [`PendingCall`] by a callout that the host has taken,
//! [`MoreToCome`] by a message that has not ended, [`Over`] by a local reply or a reset. Nothing else compiles:
//!
//! ```compile_fail,E0423
//! use modgate_flow::Action;
//! use modgate_flow::wake::{MoreToCome, Wake};
//! let action = Action::Pause(Wake::Rest(MoreToCome(())));
//! ```
//! ```compile_fail,E0423
//! use modgate_flow::Action;
//! use modgate_flow::host::CalloutId;
//! use modgate_flow::wake::{PendingCall, Wake};
//! let action = Action::Pause(Wake::Call(PendingCall(CalloutId(1))));
//! ```
//! ```compile_fail,E0061
//! use modgate_flow::Action;
//! let action = Action::Pause();
//! ```

use modgate_engine::reply::Reply;

use crate::host::{CalloutId, CalloutRequest, Host, Refused};

/// What becomes of the message that a callback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Continue,
    /// It is held.
    Pause(Wake),
}

/// What ends a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The response to a callout, or its time-out.
    Call(PendingCall),
    /// The next part of the message, or its end.
    Rest(MoreToCome),
    /// Nothing, and nothing need: the stream is answered or reset.
    Never(Over),
}

/// A callout that is under way: its response comes, or its time-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingCall(CalloutId);

impl PendingCall {
    /// What its response comes back under.
    pub const fn id(self) -> CalloutId {
        self.0
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Where the proxy does not take it: it has no such cluster.
    pub(crate) fn start(host: &dyn Host, request: &CalloutRequest<'_>) -> Result<Self, Refused> {
        host.call_out(request).map(Self)
    }
}

/// A message that has not ended: another callback about it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoreToCome(());

/// What follows the part of a message that a callback is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rest {
    More(MoreToCome),
    End,
}

impl Rest {
    /// By the proxy's word whether this part is the last.
    pub(crate) const fn of(end_of_stream: bool) -> Self {
        if end_of_stream {
            Self::End
        } else {
            Self::More(MoreToCome(()))
        }
    }

    pub(crate) const fn is_end(self) -> bool {
        matches!(self, Self::End)
    }
}

/// A stream that is answered or reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over(());

impl Over {
    /// Answers the request in the backend's place.
    pub(crate) fn by_local_reply(host: &dyn Host, reply: &Reply) -> Self {
        host.send_local_reply(reply.status, &reply.headers(), &reply.body);
        Self(())
    }

    /// Breaks the response off.
    pub(crate) fn by_reset(host: &dyn Host) -> Self {
        host.reset_response();
        Self(())
    }
}

/// How far something has come that may have to wait.
#[derive(Debug)]
pub(crate) enum Progress<T> {
    /// It waits. This callout wakes it; others may be under way beside it.
    Pending(PendingCall),
    /// It has come to this.
    Done(T),
}

/// The callouts that are under way for one purpose, each with what its response is needed for.
#[derive(Debug)]
pub(crate) struct Calls<Q>(Vec<(PendingCall, Q)>);

impl<Q> Default for Calls<Q> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Q> Calls<Q> {
    pub(crate) fn add(&mut self, call: PendingCall, purpose: Q) {
        self.0.push((call, purpose));
    }

    /// What the response with this id is needed for; `None` where it is for something else.
    pub(crate) fn take(&mut self, id: CalloutId) -> Option<Q> {
        let place = self.0.iter().position(|(call, _)| call.0 == id)?;
        Some(self.0.swap_remove(place).1)
    }

    /// One of them; `None` where none is under way.
    pub(crate) fn first(&self) -> Option<PendingCall> {
        self.0.first().map(|(call, _)| *call)
    }
}
