//! One request and its answer, in the hands of an odd filter.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel, MapType};

use crate::headers;
use crate::oddity::Oddity;
use crate::root::Waiting;
use crate::tag::Tag;

/// A stream.
pub(crate) struct Stream {
    pub(crate) id: u32,
    pub(crate) oddity: Oddity,
    pub(crate) waiting: Waiting,
    /// The metric that counts callbacks.
    pub(crate) calls: u32,
    pub(crate) tag: Tag,
    /// Chunks of the body so far.
    pub(crate) chunks: u32,
    /// The request's path, where it says what to do.
    pub(crate) path: String,
}

impl Stream {
    /// Every callback is counted and told, so that hosts can be compared by them.
    fn called(&self, what: &str, size: usize, end: bool) {
        let _ = hostcalls::increment_metric(self.calls, 1);
        let _ = hostcalls::log(LogLevel::Info, &format!("odd {what} {size} {end}"));
    }

    fn reply(&self, status: u32, body: &str) {
        self.send_http_response(status, vec![("x-odd", "reply")], Some(body.as_bytes()));
    }

    fn ask(&self, cluster: &str) -> bool {
        let headers = vec![
            (":method", "GET"),
            (":path", "/question"),
            (":authority", "side.example"),
        ];
        let wait = Duration::from_secs(1);
        let asked = self.dispatch_http_call(cluster, headers, None, vec![], wait);
        asked.is_ok()
    }
}

impl Context for Stream {
    fn on_http_call_response(
        &mut self,
        _token: u32,
        headers: usize,
        size: usize,
        _trailers: usize,
    ) {
        self.called("answer", size, headers == 0);
        assert!(self.path != "/asks-and-traps", "a trap");
        // Of an answer that broke off there is nothing to read, and the SDK panics where it is tried.
        let status = (headers > 0).then(|| self.get_http_call_response_header(":status"));
        let status = status.flatten().unwrap_or_else(|| "none".to_owned());
        if self.oddity == Oddity::Relays {
            let body = (headers > 0).then(|| self.get_http_call_response_body(0, size));
            let body = body.flatten().unwrap_or_default();
            return self.reply(
                200,
                &format!("{status}: {}", String::from_utf8_lossy(&body)),
            );
        }
        self.add_http_request_header("x-heard", &status);
        self.resume_http_request();
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        self.called("request headers", 0, end);
        match self.oddity {
            Oddity::HoldsRequests => return Action::Pause,
            Oddity::WritesHeaders => {
                self.path = self.get_http_request_header(":path").unwrap_or_default();
                headers::write(MapType::HttpRequestHeaders, &self.path);
            }
            Oddity::ContinuesAndHolds => {
                self.resume_http_request();
                return Action::Pause;
            }
            Oddity::WaitsForATick | Oddity::ContinuesTwice => {
                self.waiting.borrow_mut().push(self.id);
                return Action::Pause;
            }
            Oddity::RepliesTwice => {
                self.reply(403, "the first");
                self.reply(500, "the second");
                return Action::Pause;
            }
            Oddity::LosesThePath => self.set_http_request_header(":path", None),
            Oddity::TrapsInHeaders => {
                let path = self.get_http_request_header(":path");
                assert!(path.as_deref() != Some("/trap"), "a trap");
            }
            Oddity::TrapsWhileOthersWait => {
                self.path = self.get_http_request_header(":path").unwrap_or_default();
                assert!(self.path != "/trap", "a trap");
                let asks = self.path.starts_with("/asks") && self.ask("side");
                if asks || self.path == "/request" {
                    return Action::Pause;
                }
            }
            Oddity::Asks | Oddity::Relays if self.ask("side") => return Action::Pause,
            Oddity::Tags => {
                for (name, value) in self.tag.headers() {
                    self.set_http_request_header(name, Some(&value));
                }
            }
            Oddity::AsksNobody => {
                let asked = self.ask("nobody").to_string();
                self.add_http_request_header("x-asked", &asked);
            }
            // Or a length would promise what does not come.
            Oddity::GrowsBodies
            | Oddity::EmptiesBodies
            | Oddity::HoldsBodies
            | Oddity::WrapsBodies => {
                self.set_http_request_header("content-length", None);
            }
            _ => {}
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.called("request body", size, end);
        match self.oddity {
            Oddity::RepliesInABody => {
                self.reply(403, "in a body");
                return Action::Pause;
            }
            Oddity::ClosesInARequest => {
                self.reset_http_request();
                return Action::Pause;
            }
            Oddity::TrapsWhileOthersWait if self.path == "/request-body" => return Action::Pause,
            Oddity::HoldsBodies if !end => return Action::Pause,
            Oddity::HoldsBodies => {
                let text = format!("{size} bytes");
                self.set_http_request_body(0, size, text.as_bytes());
            }
            Oddity::GrowsBodies => {
                let body = self.get_http_request_body(0, size).unwrap_or_default();
                self.set_http_request_body(size, 0, &body);
            }
            Oddity::EmptiesBodies => self.set_http_request_body(0, size, b""),
            _ => {}
        }
        Action::Continue
    }

    fn on_http_request_trailers(&mut self, count: usize) -> Action {
        self.called("request trailers", count, true);
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> Action {
        self.called("response headers", 0, end);
        match self.oddity {
            Oddity::HoldsResponses => return Action::Pause,
            Oddity::HoldsWholeResponses if !end => return Action::Pause,
            Oddity::TrapsWhileOthersWait
                if matches!(self.path.as_str(), "/response" | "/whole-response") =>
            {
                return Action::Pause;
            }
            Oddity::WritesHeaders => headers::write(MapType::HttpResponseHeaders, &self.path),
            Oddity::ContinuesTwice => self.resume_http_request(),
            Oddity::RepliesToAResponse => {
                self.reply(403, "to a response");
                return Action::Pause;
            }
            Oddity::Tags => self.set_http_response_header("x-tag", Some(self.tag.name())),
            Oddity::LosesTheStatus => self.set_http_response_header(":status", None),
            Oddity::GrowsBodies
            | Oddity::EmptiesBodies
            | Oddity::HoldsBodies
            | Oddity::WrapsBodies => {
                self.set_http_response_header("content-length", None);
            }
            _ => {}
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.called("response body", size, end);
        match self.oddity {
            Oddity::RepliesTooLate => {
                self.reply(403, "too late");
                return Action::Pause;
            }
            Oddity::ClosesInAResponse => {
                self.reset_http_response();
                return Action::Pause;
            }
            Oddity::WritesHeadersLate => self.set_http_response_header("x-late", Some("1")),
            Oddity::TrapsInABody => panic!("a trap"),
            Oddity::TrapsWhileOthersWait
                if matches!(self.path.as_str(), "/response-body" | "/whole-response") =>
            {
                return Action::Pause;
            }
            Oddity::HoldsBodies | Oddity::HoldsWholeResponses if !end => return Action::Pause,
            Oddity::WrapsBodies => {
                self.chunks += 1;
                if self.chunks == 1 {
                    self.set_http_response_body(0, 0, b"<");
                }
                if end {
                    self.set_http_response_body(size + 1, 0, b">");
                } else if self.chunks % 2 == 0 {
                    return Action::Pause;
                }
            }
            Oddity::HoldsBodies => {
                let text = format!("{size} bytes");
                self.set_http_response_body(0, size, text.as_bytes());
            }
            Oddity::GrowsBodies => {
                let body = self.get_http_response_body(0, size).unwrap_or_default();
                self.set_http_response_body(size, 0, &body);
            }
            Oddity::EmptiesBodies => self.set_http_response_body(0, size, b""),
            Oddity::AddsTrailers if end => self.add_http_response_trailer("x-odd", "trailer"),
            _ => {}
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, count: usize) -> Action {
        self.called("response trailers", count, true);
        Action::Continue
    }

    fn on_log(&mut self) {
        self.called("log", 0, true);
    }
}
