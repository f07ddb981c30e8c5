//! One half of a stream, in the terms of Envoy's filter manager with a single filter.

use crate::effect::Part;
use crate::http::{Body, Headers};

/// How far a half may go (`ActiveStreamFilterBase::IterationState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Iteration {
    #[default]
    Continue,
    /// Held; what follows is still shown to the filter.
    StopSingle,
    /// Held; what follows waits unseen, up to the limit.
    StopAllBuffer,
    /// Held; what follows waits unseen, and reading stops at the limit.
    StopAllWatermark,
}

/// One half of a stream.
#[derive(Debug, Default)]
pub(crate) struct Half {
    pub headers: Option<Headers>,
    pub trailers: Option<Headers>,
    /// What the filter is being shown.
    pub current: Body,
    /// What is held; once something was held it stays, and is empty when it has gone on.
    pub buffered: Option<Body>,
    pub iteration: Iteration,
    /// Headers have passed the filter.
    pub headers_continued: bool,
    /// Its end has come in.
    pub complete: bool,
    /// The filter was shown its end.
    pub filter_ended: bool,
    /// Its end has passed the filter: nothing more goes on, however often it is continued.
    pub sent_end: bool,
    /// The filter's last body callback requested buffering: from then on, and in whatever callback, it
    /// reaches what is held, and the next body callback sees the sum.
    pub buffering: bool,
    /// At the limit reading stops, rather than the stream being refused.
    pub streaming: bool,
    pub reading_stopped: bool,
    /// The reply that ends the stream was made while this half's callback ran.
    pub aborted: bool,
    pub headers_visible: bool,
    pub trailers_visible: bool,
    /// The filter reaches `current`, unless it requested buffering.
    pub current_visible: bool,
    /// Where the filter is being called, to tell a reply from within from one from without.
    pub in_callback: Option<Part>,
}

impl Half {
    pub(crate) const fn stopped_all(&self) -> bool {
        matches!(
            self.iteration,
            Iteration::StopAllBuffer | Iteration::StopAllWatermark
        )
    }

    pub(crate) fn can_iterate(&self) -> bool {
        self.iteration == Iteration::Continue
    }

    /// Adds to what is held.
    pub(crate) fn buffer(&mut self, mut data: Body) {
        self.buffered.get_or_insert_default().append(&mut data);
    }

    /// Moves what the filter was shown to what is held.
    pub(crate) fn hold_current(&mut self) {
        let current = self.current.take();
        self.buffer(current);
    }

    /// Whether the filter is being shown the last of a body, to which trailers can be added.
    pub(crate) fn shows_the_end(&self) -> bool {
        self.in_callback == Some(Part::Body) && self.filter_ended
    }

    /// The bytes that the filter reaches now (`Context::getBuffer`).
    pub(crate) fn visible_body(&mut self) -> Option<&mut Body> {
        if self.buffering {
            return self.buffered.as_mut();
        }
        self.current_visible.then_some(&mut self.current)
    }

    /// Takes out what is held. Envoy's buffer stays where it was.
    pub(crate) fn take_buffered(&mut self) -> Option<Body> {
        self.buffered.as_mut().map(Body::take)
    }

    /// The filter no longer reaches anything of this half but what it holds.
    pub(crate) fn hide(&mut self) {
        self.headers_visible = false;
        self.trailers_visible = false;
        self.current_visible = false;
    }
}
