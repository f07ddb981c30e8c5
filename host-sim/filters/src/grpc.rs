//! Requests whose filter asks by gRPC. The request's path says whom: `/CLUSTER/METHOD`; with `/message` behind it
//! the cluster stands in a message, as Envoy has it.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType, Status};

use crate::oddity::Oddity;

const SERVICE: &str = "odd.Service";
const TIMEOUT: Duration = Duration::from_secs(1);

/// A request.
pub(crate) struct Asker {
    oddity: Oddity,
    /// Who is asked, as the host wants it.
    service: String,
    method: String,
    /// Of the last call or stream.
    token: u32,
    /// Everything that came, in a line each.
    heard: Vec<String>,
    messages: u32,
    answered: bool,
}

impl Asker {
    pub(crate) fn new(oddity: Oddity) -> Self {
        Self {
            oddity,
            service: String::new(),
            method: String::new(),
            token: 0,
            heard: Vec::new(),
            messages: 0,
            answered: false,
        }
    }

    fn call(&mut self, message: &str) -> bool {
        let metadata = vec![
            ("x-odd", b"metadata".as_slice()),
            ("x-odd-bin", b"\x00\xff"),
        ];
        let called = hostcalls::dispatch_grpc_call(
            &self.service,
            SERVICE,
            &self.method,
            metadata,
            Some(message.as_bytes()),
            TIMEOUT,
        );
        self.begun("call", called)
    }

    fn open(&mut self) -> bool {
        let metadata = vec![("x-odd", b"metadata".as_slice())];
        let opened = hostcalls::open_grpc_stream(&self.service, SERVICE, &self.method, metadata);
        self.begun("stream", opened)
    }

    fn begun(&mut self, what: &str, begun: Result<u32, Status>) -> bool {
        match begun {
            Ok(token) => {
                self.token = token;
                // Tokens go on from request to request; what kind they are of stays.
                self.heard.push(format!("{what} {}", token % 4));
                true
            }
            Err(status) => {
                self.heard.push(format!("{what} {status:?}"));
                false
            }
        }
    }

    fn send(&mut self, message: &str, end: bool) {
        let sent = hostcalls::send_grpc_stream_message(self.token, Some(message.as_bytes()), end);
        self.did("send", sent);
    }

    fn did(&mut self, what: &str, done: Result<(), Status>) {
        if let Err(status) = done {
            self.heard.push(format!("{what} {status:?}"));
        }
    }

    fn message(&mut self, size: usize) {
        let message = hostcalls::get_buffer(BufferType::GrpcReceiveBuffer, 0, size);
        let message = message.ok().flatten().unwrap_or_default();
        let text = String::from_utf8_lossy(&message).into_owned();
        self.heard.push(format!("message {size} {text}"));
    }

    fn metadata(&mut self, what: &str, map: MapType, count: u32) {
        let pairs = hostcalls::get_map(map).unwrap_or_default();
        let own = |name: &str| name.starts_with("x-envoy-") || name == "date";
        let mut pairs: Vec<_> = pairs
            .into_iter()
            .filter(|(name, _)| !own(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.sort();
        self.heard
            .push(format!("{what} {} {}", count > 0, pairs.join(" ")));
    }

    fn status(&mut self, what: &str, given: u32) {
        let (code, message) = hostcalls::get_grpc_status().unwrap_or_default();
        let message = message.unwrap_or_default();
        self.heard.push(
            format!("{what} {given} {code} {message}")
                .trim_end()
                .to_owned(),
        );
    }

    fn reply(&mut self) {
        if !std::mem::replace(&mut self.answered, true) {
            let told = self.heard.join("\n");
            self.send_http_response(200, vec![], Some(told.as_bytes()));
        }
    }
}

/// `GrpcService { envoy_grpc { cluster_name, authority: "a.b" }, initial_metadata { x-service: 1 } }`
fn message(cluster: &str) -> String {
    // Lengths below 128 are characters.
    let field = |tag: char, text: &str| {
        let length = u8::try_from(text.len()).map_or('?', char::from);
        format!("{tag}{length}{text}")
    };
    let envoy = field('\n', cluster) + &field('\x12', "a.b");
    let metadata = field('\n', "X-Service") + &field('\x12', "1");
    field('\n', &envoy) + &field('*', &metadata)
}

impl Context for Asker {
    fn on_grpc_call_response(&mut self, _token: u32, status: u32, size: usize) {
        if size > 0 || status == 0 {
            self.message(size);
        }
        if status != 0 {
            self.status("close", status);
        }
        if self.oddity == Oddity::CallsGrpcTwice && self.messages == 0 {
            self.messages += 1;
            // Of a call that is just being answered.
            let cancelled = hostcalls::cancel_grpc_call(self.token);
            self.did("cancel", cancelled);
            if self.call("again") {
                return;
            }
        }
        self.reply();
    }

    fn on_grpc_stream_initial_metadata(&mut self, _token: u32, count: u32) {
        self.metadata("initial", MapType::GrpcReceiveInitialMetadata, count);
    }

    fn on_grpc_stream_message(&mut self, _token: u32, size: usize) {
        self.message(size);
        self.messages += 1;
        match self.oddity {
            Oddity::TalksGrpc if self.messages < 3 => {
                self.send(&format!("more {}", self.messages), self.messages == 2);
            }
            Oddity::CancelsGrpcStreams => {
                let cancelled = hostcalls::cancel_grpc_stream(self.token);
                self.did("cancel", cancelled);
                let again = hostcalls::cancel_grpc_stream(self.token);
                self.did("cancel", again);
                self.send("late", false);
                self.reply();
            }
            _ => {}
        }
    }

    fn on_grpc_stream_trailing_metadata(&mut self, _token: u32, count: u32) {
        self.metadata("trailing", MapType::GrpcReceiveTrailingMetadata, count);
    }

    fn on_grpc_stream_close(&mut self, _token: u32, status: u32) {
        self.status("close", status);
        self.reply();
    }
}

impl HttpContext for Asker {
    fn on_http_request_headers(&mut self, _count: usize, _end: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        let mut parts = path
            .trim_start_matches('/')
            .split('/')
            .map(ToOwned::to_owned);
        let cluster = parts.next().unwrap_or_default();
        self.method = parts.next().unwrap_or_default();
        self.service = match parts.next() {
            Some(_) => message(&cluster),
            None => cluster,
        };
        let begun = match self.oddity {
            Oddity::StreamsGrpc => {
                let opened = self.open();
                if opened {
                    self.send("one", false);
                    self.send("two", false);
                    let closed = hostcalls::close_grpc_stream(self.token);
                    self.did("close", closed);
                }
                opened
            }
            Oddity::TalksGrpc | Oddity::CancelsGrpcStreams => {
                let opened = self.open();
                if opened {
                    self.send("one", false);
                }
                opened
            }
            _ => self.call("question"),
        };
        if !begun {
            self.reply();
        }
        Action::Pause
    }

    fn on_http_request_body(&mut self, _size: usize, _end: bool) -> Action {
        if self.oddity == Oddity::CancelsGrpc && !self.answered {
            let cancelled = hostcalls::cancel_grpc_call(self.token);
            self.did("cancel", cancelled);
            let again = hostcalls::cancel_grpc_call(self.token);
            self.did("cancel", again);
            let other = hostcalls::cancel_grpc_call(4001);
            self.did("cancel", other);
            self.reply();
        }
        Action::Pause
    }
}
