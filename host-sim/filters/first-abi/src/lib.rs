//! A filter of ABI 0.1.0 that greets: its like in other languages stand beside it, and all of them are played by the
//! same scenario. It counts requests, adds a header to each and to its response, refuses `/refuse`, and asks `side`
//! before it lets `/ask` go on.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType};

/// Where the proxy starts the module. This SDK has no macro for it.
mod entry {
    use proxy_wasm::traits::RootContext;

    use crate::Root;

    unsafe extern "C" {
        fn __wasm_call_ctors();
    }

    #[unsafe(no_mangle)]
    extern "C" fn _initialize() {
        // SAFETY: the linker makes it, and a reactor calls it once, here.
        unsafe { __wasm_call_ctors() };
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root::default()) });
    }
}

#[derive(Default)]
struct Root {
    greeting: String,
    requests: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let greeting = self.get_configuration().unwrap_or_default();
        self.greeting = String::from_utf8_lossy(&greeting).into_owned();
        let defined = hostcalls::define_metric(MetricType::Counter, "greeted");
        self.requests = defined.unwrap_or_default();
        !self.greeting.is_empty()
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            greeting: self.greeting.clone(),
            requests: self.requests,
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    greeting: String,
    requests: u32,
}

impl Context for Stream {
    fn on_http_call_response(
        &mut self,
        _token: u32,
        _headers: usize,
        size: usize,
        _trailers: usize,
    ) {
        let status = self.get_http_call_response_header(":status");
        let body = self
            .get_http_call_response_body(0, size)
            .unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        let heard = format!("{} {body}", status.unwrap_or_default());
        self.add_http_request_header("x-heard", &heard);
        self.resume_http_request();
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize) -> Action {
        let _ = hostcalls::increment_metric(self.requests, 1);
        self.add_http_request_header("x-greeting", &self.greeting);
        match self.get_http_request_header(":path").as_deref() {
            Some("/refuse") => {
                let body = format!("refused by {}", self.greeting);
                self.send_http_response(403, vec![("x-refused", "yes")], Some(body.as_bytes()));
                Action::Pause
            }
            Some("/ask") => {
                let headers = vec![
                    (":method", "GET"),
                    (":path", "/question"),
                    (":authority", "side.example"),
                ];
                let wait = Duration::from_secs(1);
                match self.dispatch_http_call("side", headers, None, vec![], wait) {
                    Ok(_) => Action::Pause,
                    Err(_) => Action::Continue,
                }
            }
            _ => Action::Continue,
        }
    }

    fn on_http_response_headers(&mut self, _count: usize) -> Action {
        self.add_http_response_header("x-greeting", &self.greeting);
        Action::Continue
    }

    fn on_log(&mut self) {
        let _ = hostcalls::log(LogLevel::Info, &format!("{} is done", self.greeting));
    }
}
