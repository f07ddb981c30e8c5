//! Bodies that are held, and changed from outside the callback that holds them. The request's path says which and how:
//! `/BODY/SINCE/BY/ROUNDS`, as `/response/end/tick/get+append,prepend+continue`.
//!
//! `BODY` is `request` or `response`. `SINCE` is when the filter begins to wait: at the `headers`, at the `first`
//! piece of the body, or at its `end`, which trailers are too; with `last`, the pieces before the end pass. `BY` is what
//! wakes it: an `answer` to a callout, a `tick`, a `queue`, the `other` requests, whose path is `/wake`, or its own
//! `trailers`. Each round is what one waking does.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MetricType};

use crate::raw;

/// Behind the end of any body.
const BEHIND: usize = u32::MAX as usize;

/// All of any body.
const ALL: usize = u32::MAX as usize;

/// What wakes a stream that waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waker {
    Answer,
    Tick,
    Queue,
    Other,
    Trailers,
}

impl Waker {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "answer" => Self::Answer,
            "tick" => Self::Tick,
            "queue" => Self::Queue,
            "other" => Self::Other,
            "trailers" => Self::Trailers,
            _ => return None,
        })
    }
}

/// What is done to a stream's body.
struct Edits {
    stream: u32,
    request: bool,
    by: Waker,
    rounds: VecDeque<String>,
    waits: bool,
    /// A tick has come since it waits. The first may be due at once, before what follows of the message.
    ticked: bool,
    goes_on: bool,
}

impl Edits {
    fn buffer(&self) -> BufferType {
        if self.request {
            BufferType::HttpRequestBody
        } else {
            BufferType::HttpResponseBody
        }
    }

    /// Does one round; the stream's context is in effect.
    fn run(&mut self) {
        let round = self.rounds.pop_front().unwrap_or_default();
        for edit in round.split('+') {
            self.edit(edit);
        }
        self.waits &= !self.rounds.is_empty();
    }

    /// Does something and counts what the host says to it.
    fn edit(&mut self, edit: &str) {
        let set = |start, size, bytes: &str| {
            let status = raw::set_buffer(self.buffer(), start, size, bytes.as_bytes());
            count(&format!("{edit}_{status}"));
        };
        match edit {
            "get" => {
                let body = hostcalls::get_buffer(self.buffer(), 0, ALL).ok().flatten();
                let body = body.unwrap_or_default();
                count(&format!("get_{}", String::from_utf8_lossy(&body)));
            }
            "append" => set(BEHIND, 0, "A"),
            "prepend" => set(0, 0, "P"),
            "replace" => set(0, ALL, "R"),
            "drain" => set(0, ALL, ""),
            "middle" => set(1, 1, "M"),
            "continue" => {
                self.goes_on = true;
                // The trailers' own callback says so by what it returns; both would let them go twice.
                if self.by == Waker::Trailers {
                    return;
                }
                let _ = if self.request {
                    hostcalls::resume_http_request()
                } else {
                    hostcalls::resume_http_response()
                };
            }
            _ => count("unknown"),
        }
    }
}

fn count(what: &str) {
    let counter = hostcalls::define_metric(MetricType::Counter, &format!("odd_held_{what}"));
    let _ = counter.map(|counter| hostcalls::increment_metric(counter, 1));
}

/// The streams of a VM that wait.
#[derive(Clone, Default)]
pub(crate) struct Waiters(Rc<RefCell<Vec<Rc<RefCell<Edits>>>>>);

impl Waiters {
    /// Runs a round of all that wait for this.
    pub(crate) fn wake(&self, by: Waker) {
        let waiting: Vec<_> = self.0.borrow().clone();
        for edits in waiting {
            let mut edits = edits.borrow_mut();
            if edits.by != by {
                continue;
            }
            if by == Waker::Tick && !std::mem::replace(&mut edits.ticked, true) {
                continue;
            }
            match hostcalls::set_effective_context(edits.stream) {
                Ok(()) => edits.run(),
                // It is over, and waits for nothing more.
                Err(_) => edits.waits = false,
            }
        }
        self.0.borrow_mut().retain(|edits| edits.borrow().waits);
    }
}

/// A request and its answer.
pub(crate) struct Holder {
    id: u32,
    waiters: Waiters,
    since: String,
    /// `None` of a request whose path says nothing.
    edits: Option<Rc<RefCell<Edits>>>,
}

/// Parts of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Headers,
    Body,
    Trailers,
}

impl Holder {
    pub(crate) fn new(id: u32, waiters: Waiters) -> Self {
        Self {
            id,
            waiters,
            since: String::new(),
            edits: None,
        }
    }

    fn read(&mut self, path: &str) {
        let mut parts = path.trim_start_matches('/').split('/');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (body, since, by, rounds) = (next(), next(), next(), next());
        let Some(by) = Waker::named(&by) else {
            return;
        };
        self.since = since;
        self.edits = Some(Rc::new(RefCell::new(Edits {
            stream: self.id,
            request: body == "request",
            by,
            rounds: rounds.split(',').map(ToOwned::to_owned).collect(),
            waits: false,
            ticked: false,
            goes_on: false,
        })));
    }

    /// A part of one of the two messages has come.
    fn came(&self, request: bool, part: Part, end: bool) -> Action {
        let Some(edits) = self
            .edits
            .as_ref()
            .filter(|e| e.borrow().request == request)
        else {
            return Action::Continue;
        };
        if edits.borrow().goes_on {
            return Action::Continue;
        }
        if part == Part::Trailers && edits.borrow().by == Waker::Trailers {
            edits.borrow_mut().run();
            return self.held(edits);
        }
        let ends = end || part == Part::Trailers;
        let begins = match self.since.as_str() {
            "headers" => true,
            "first" => part != Part::Headers,
            _ => part != Part::Headers && ends,
        };
        if begins && !edits.borrow().waits {
            self.wait(edits);
        }
        let passes = match self.since.as_str() {
            "last" => !ends,
            _ => part == Part::Headers && self.since != "headers",
        };
        if passes {
            return Action::Continue;
        }
        self.held(edits)
    }

    fn held(&self, edits: &RefCell<Edits>) -> Action {
        if edits.borrow().goes_on {
            Action::Continue
        } else {
            Action::Pause
        }
    }

    fn wait(&self, edits: &Rc<RefCell<Edits>>) {
        edits.borrow_mut().waits = true;
        let by = edits.borrow().by;
        if by == Waker::Answer {
            return self.ask();
        }
        self.waiters.0.borrow_mut().push(Rc::clone(edits));
        if by == Waker::Queue {
            enqueue();
        }
    }

    fn ask(&self) {
        let headers = vec![
            (":method", "GET"),
            (":path", "/question"),
            (":authority", "side.example"),
        ];
        let _ = self.dispatch_http_call("side", headers, None, vec![], Duration::from_secs(5));
    }
}

/// Registered where requests come, so that their VM is told of what is in it.
fn enqueue() {
    let queue = hostcalls::register_shared_queue("held");
    let _ = queue.map(|queue| hostcalls::enqueue_shared_queue(queue, Some(b"wake")));
}

/// An item is in the queue. The next one follows where somebody still waits for it.
pub(crate) fn queue_ready(waiters: &Waiters, queue: u32) {
    let _ = hostcalls::dequeue_shared_queue(queue);
    waiters.wake(Waker::Queue);
    let waiting = waiters.0.borrow();
    if waiting
        .iter()
        .any(|edits| edits.borrow().by == Waker::Queue)
    {
        let _ = hostcalls::enqueue_shared_queue(queue, Some(b"again"));
    }
}

impl Context for Holder {
    fn on_http_call_response(&mut self, _: u32, _: usize, _: usize, _: usize) {
        let Some(edits) = &self.edits else {
            return;
        };
        edits.borrow_mut().run();
        if edits.borrow().waits {
            self.ask();
        }
    }
}

impl HttpContext for Holder {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        if path == "/wake" {
            self.waiters.wake(Waker::Other);
            let _ = hostcalls::set_effective_context(self.id);
            return Action::Continue;
        }
        self.read(&path);
        self.came(true, Part::Headers, end)
    }

    fn on_http_request_body(&mut self, _size: usize, end: bool) -> Action {
        self.came(true, Part::Body, end)
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.came(true, Part::Trailers, true)
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> Action {
        self.came(false, Part::Headers, end)
    }

    fn on_http_response_body(&mut self, _size: usize, end: bool) -> Action {
        self.came(false, Part::Body, end)
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.came(false, Part::Trailers, true)
    }
}
