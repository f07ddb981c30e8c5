//! One stream: each callback of proxy-wasm is one of the exchange's.

use std::rc::Rc;

use modgate_flow::host::{CalloutId, CalloutResponse};
use modgate_flow::{Action, ActivePolicy, Exchange};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types;

use crate::host::ProxyWasm;

/// The HTTP context.
pub(crate) struct Stream(Exchange);

impl Stream {
    pub(crate) fn new(active: Option<Rc<ActivePolicy>>) -> Self {
        Self(Exchange::new(active))
    }
}

impl Context for Stream {
    fn on_http_call_response(
        &mut self,
        token: u32,
        headers: usize,
        body_size: usize,
        _trailers: usize,
    ) {
        let response = CalloutResponse {
            id: CalloutId(token),
            headers,
            body_size,
        };
        self.0.on_callout_response(&ProxyWasm, response);
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> types::Action {
        action(self.0.on_request_headers(&ProxyWasm))
    }

    fn on_http_request_body(&mut self, size: usize, _end_of_stream: bool) -> types::Action {
        action(self.0.on_request_body(&ProxyWasm, size))
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> types::Action {
        action(self.0.on_request_trailers(&ProxyWasm))
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> types::Action {
        action(self.0.on_response_headers(&ProxyWasm, end_of_stream))
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> types::Action {
        action(self.0.on_response_body(&ProxyWasm, size, end_of_stream))
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> types::Action {
        action(self.0.on_response_trailers(&ProxyWasm))
    }

    fn on_log(&mut self) {
        self.0.on_done(&ProxyWasm);
    }
}

/// What wakes a pause the exchange knows; proxy-wasm knows only that there is one.
const fn action(action: Action) -> types::Action {
    match action {
        Action::Continue => types::Action::Continue,
        Action::Pause(_) => types::Action::Pause,
    }
}
