//! One stream through a proxy in memory, played part by part.
//!
//! As in Envoy, and proved against it by the tests end to end: a part that is paused is held with all that came
//! before it, the next callback has the sum of both; a body that goes on takes held headers along; what a callout's
//! callback resumes goes on then (`allow_on_headers_stop_iteration`).

use std::rc::Rc;

use modgate_go::http::Header;

use super::{Callout, LocalReply, Parts, Resumes, ScriptedHost};
use crate::active_policy::ActivePolicy;
use crate::exchange::Exchange;
use crate::host::{CalloutId, CalloutResponse, Message};
use crate::wake::{Action, Wake};

/// One stream, and what of it has reached either side.
pub struct Stream<'h> {
    host: &'h ScriptedHost,
    exchange: Exchange,
    /// What the backend has got.
    pub upstream: Upstream,
    /// What the client has got.
    pub client: Client,
    request: Half,
    response: Half,
}

/// What the backend has got.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    /// The request's headers, once they have gone on.
    pub headers: Option<Vec<Header>>,
    /// The request's body.
    pub body: Vec<u8>,
}

/// What the client has got.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The response's headers, once they have gone on.
    pub headers: Option<Vec<Header>>,
    /// The response's body.
    pub body: Vec<u8>,
    /// Whether it has the response to the end.
    pub is_whole: bool,
    /// Whether it was broken off.
    pub is_reset: bool,
    /// The answer in the backend's place.
    pub local_reply: Option<LocalReply>,
}

/// One direction of a stream.
#[derive(Default)]
struct Half {
    /// What ends its pause, where it is held.
    wake: Option<Wake>,
    /// Whether its headers have come.
    has_begun: bool,
    /// Whether the last part has come.
    is_over: bool,
}

impl<'h> Stream<'h> {
    /// A stream that begins under this policy.
    pub fn new(host: &'h ScriptedHost, active: Option<Rc<ActivePolicy>>) -> Self {
        {
            let mut state = host.0.borrow_mut();
            state.messages = <[Parts; 3]>::default();
            state.local_reply = None;
            state.resumes = Resumes::default();
            for callout in &mut state.callouts {
                callout.is_pending = false;
            }
        }
        Self {
            host,
            exchange: Exchange::new(active),
            upstream: Upstream::default(),
            client: Client::default(),
            request: Half::default(),
            response: Half::default(),
        }
    }

    /// Checks that what is paused will be woken: by a callout that is under way, or by a part of the message that is
    /// still to come.
    ///
    /// # Errors
    /// What is paused for ever, as a sentence.
    pub fn pauses_end(&self) -> Result<(), String> {
        if self.is_over() {
            return Ok(());
        }
        let pending = self.host.pending_callouts();
        for wake in [self.request.wake, self.response.wake]
            .into_iter()
            .flatten()
        {
            match wake {
                Wake::Call(call) if pending.iter().any(|known| known.id == call.id()) => {}
                Wake::Call(call) => return Err(format!("{call:?} is not under way: {pending:?}")),
                Wake::Rest(_) if self.response_comes() => {}
                Wake::Rest(_) => return Err("nothing follows".to_owned()),
                Wake::Never(_) => return Err("it is neither answered nor reset".to_owned()),
            }
        }
        Ok(())
    }

    /// Whether the stream has come to its end for the client.
    pub const fn is_over(&self) -> bool {
        self.client.is_whole || self.client.is_reset || self.client.local_reply.is_some()
    }

    /// Whether a response has begun.
    pub const fn has_response(&self) -> bool {
        self.response.has_begun
    }

    /// Whether more of the response is to come.
    pub const fn response_comes(&self) -> bool {
        !self.response.is_over
    }

    /// The request's headers come.
    pub fn request_headers(&mut self, headers: &[Header]) {
        self.host
            .with(Message::Request, |parts| parts.headers = headers.to_vec());
        let action = self.exchange.on_request_headers(self.host);
        self.settle_request(action);
    }

    /// A part of the request's body comes.
    pub fn request_body(&mut self, bytes: &[u8]) {
        let size = self.host.with(Message::Request, |parts| {
            parts.body.extend_from_slice(bytes);
            parts.body.len()
        });
        let action = self.exchange.on_request_body(self.host, size);
        self.settle_request(action);
    }

    /// The request's trailers come.
    pub fn request_trailers(&mut self) {
        let action = self.exchange.on_request_trailers(self.host);
        self.settle_request(action);
    }

    /// The response's headers come.
    pub fn response_headers(&mut self, headers: &[Header], is_last: bool) {
        self.response.has_begun = true;
        self.response.is_over = is_last;
        self.host
            .with(Message::Response, |parts| parts.headers = headers.to_vec());
        let action = self.exchange.on_response_headers(self.host, is_last);
        self.settle_response(action);
    }

    /// A part of the response's body comes.
    pub fn response_body(&mut self, bytes: &[u8], is_last: bool) {
        if self.is_over() {
            return;
        }
        self.response.is_over = is_last;
        let size = self.host.with(Message::Response, |parts| {
            parts.body.extend_from_slice(bytes);
            parts.body.len()
        });
        let action = self.exchange.on_response_body(self.host, size, is_last);
        self.settle_response(action);
    }

    /// The response's trailers come.
    pub fn response_trailers(&mut self) {
        if self.is_over() {
            return;
        }
        self.response.is_over = true;
        let action = self.exchange.on_response_trailers(self.host);
        self.settle_response(action);
    }

    /// A callout is answered; without headers its time is over.
    pub fn answer(&mut self, callout: CalloutId, headers: &[Header], body: &[u8]) {
        let pending = |known: &&mut Callout| known.id == callout && known.is_pending;
        let was_pending = {
            let mut state = self.host.0.borrow_mut();
            let found = state.callouts.iter_mut().find(pending);
            found.map(|known| known.is_pending = false).is_some()
        };
        if !was_pending {
            return;
        }
        self.host.with(Message::CalloutResponse, |parts| {
            parts.headers = headers.to_vec();
            parts.body = body.to_vec();
        });
        let response = CalloutResponse {
            id: callout,
            headers: headers.len(),
            body_size: body.len(),
        };
        self.exchange.on_callout_response(self.host, response);
        let awaited = self.exchange.awaited_call().map(Wake::Call);
        for half in [&mut self.request, &mut self.response] {
            if matches!(half.wake, Some(Wake::Call(_))) {
                half.wake = awaited.or(half.wake);
            }
        }
        let resumes = std::mem::take(&mut self.host.0.borrow_mut().resumes);
        self.take_local_reply();
        if resumes.reset {
            self.client.is_reset = true;
        }
        if resumes.request {
            self.release_request();
        }
        if resumes.response {
            self.release_response();
        }
    }

    /// The stream is over.
    pub fn done(&mut self) {
        self.exchange.on_done(self.host);
    }

    fn settle_request(&mut self, action: Action) {
        self.take_local_reply();
        match action {
            Action::Continue => self.release_request(),
            Action::Pause(wake) => self.request.wake = Some(wake),
        }
    }

    fn settle_response(&mut self, action: Action) {
        self.take_local_reply();
        let resumes = std::mem::take(&mut self.host.0.borrow_mut().resumes);
        self.client.is_reset |= resumes.reset;
        match action {
            Action::Continue => self.release_response(),
            Action::Pause(wake) => self.response.wake = Some(wake),
        }
    }

    fn take_local_reply(&mut self) {
        let reply = self.host.0.borrow_mut().local_reply.take();
        if self.client.local_reply.is_none() {
            self.client.local_reply = reply;
        }
    }

    fn release_request(&mut self) {
        self.request.wake = None;
        let parts = self.host.with(Message::Request, |parts| {
            let body = std::mem::take(&mut parts.body);
            (parts.headers.clone(), body)
        });
        let (headers, body) = parts;
        self.upstream.headers.get_or_insert(headers);
        self.upstream.body.extend(body);
    }

    fn release_response(&mut self) {
        self.response.wake = None;
        if self.is_over() {
            return;
        }
        let (headers, body) = self.host.with(Message::Response, |parts| {
            let body = std::mem::take(&mut parts.body);
            (parts.headers.clone(), body)
        });
        self.client.headers.get_or_insert(headers);
        self.client.body.extend(body);
        self.client.is_whole = self.response.is_over;
    }
}
