//! One request and its answer.

use std::rc::Rc;

use modgate_engine::judge::{Answer, Header, Reply};
use modgate_engine::policy::{Backend, Policy};
use modgate_engine::redirect::Redirected;
use modgate_engine::request::Mutability;
use modgate_engine::telemetry::{AccessMembers, CacheVerdict, Ending, Outcome, cache_verdict};
use modgate_engine::wire::{ACCESS_PROPERTY, CLUSTER_HEADER};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel, MapType};

use crate::host::{self, Moment, Proxy};
use crate::meters::Scope;
use crate::repeats;
use crate::root::InForce;

/// The bit of Envoy's `response.flags` for "the client closed the connection"
/// (`DownstreamConnectionTermination`).
const CLIENT_GONE: u64 = 0x4000;

/// The HTTP context.
pub(crate) struct Stream {
    in_force: Option<Rc<InForce>>,
    exchange: Exchange,
    /// What the access log will say; `None` where it wants nothing, or was told.
    access: Option<AccessMembers>,
    cache: Option<CacheVerdict>,
}

/// How far a request has come.
enum Exchange {
    /// Its headers have not come, or there is no policy to judge them by.
    Unjudged,
    /// The filter has answered it, or the proxy will: what comes back is no backend's answer.
    Replied {
        scope: Rc<Scope>,
        outcome: Outcome,
        began: Moment,
    },
    /// It went to a backend.
    Forwarded {
        scope: Rc<Scope>,
        backend: usize,
        mutability: Mutability,
        /// What a redirect must begin with to lead back to the same tenant.
        tenant_prefix: String,
        began: Moment,
        answer: Progress,
    },
}

/// How far a backend's answer has come.
#[derive(Clone, Copy)]
enum Progress {
    Awaited,
    Began { status: u16, bytes: u64 },
    Ended { status: u16, bytes: u64 },
}

impl Stream {
    pub(crate) fn new(in_force: Option<Rc<InForce>>) -> Self {
        Self {
            in_force,
            exchange: Exchange::Unjudged,
            access: None,
            cache: None,
        }
    }

    /// Notes body bytes of the answer, and its end.
    fn answer_goes_on(&mut self, more: usize, ends: bool) {
        let Exchange::Forwarded { answer, .. } = &mut self.exchange else {
            return;
        };
        if let Progress::Began { status, bytes } = *answer {
            let bytes = bytes.saturating_add(more as u64);
            *answer = if ends {
                Progress::Ended { status, bytes }
            } else {
                Progress::Began { status, bytes }
            };
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let began = Moment::now();
        let Some(in_force) = self.in_force.clone() else {
            send(&Reply::unavailable("no valid policy is in force"));
            return Action::Pause;
        };
        let headers = host::headers(MapType::HttpRequestHeaders);
        let judgement = in_force.policy.judge(&headers, &Proxy);
        self.access = AccessMembers::of(&in_force.policy, &headers, &judgement);
        if !repeats::is_repetition(&headers, &judgement, began) {
            in_force.meters.decided(&judgement);
        }
        let scope = |backend| {
            in_force
                .meters
                .scope(judgement.tenant, judgement.operation, backend)
        };
        match &judgement.answer {
            Answer::Reply(reply) => {
                let (scope, outcome) = (scope(None), reply.outcome);
                self.exchange = Exchange::Replied {
                    scope,
                    outcome,
                    began,
                };
                send(reply);
                Action::Pause
            }
            Answer::Forward { backend, path } => {
                let mut written = judgement
                    .remove_headers
                    .iter()
                    .all(|name| host::remove_request_header(name));
                if let Some(path) = path {
                    written &= host::set_request_header(":path", path);
                }
                // The last write: in this ABI each one makes the proxy choose the route again.
                written &= host::set_request_header(CLUSTER_HEADER, &backend.cluster);
                if !written {
                    // What would go upstream is not what was judged.
                    let (scope, outcome) = (scope(Some(backend)), Outcome::UpstreamError);
                    self.exchange = Exchange::Replied {
                        scope,
                        outcome,
                        began,
                    };
                    send(&Reply::unavailable(
                        "the proxy did not take what was judged",
                    ));
                    return Action::Pause;
                }
                self.exchange = Exchange::Forwarded {
                    scope: scope(Some(backend)),
                    backend: backend.id,
                    mutability: judgement.mutability,
                    tenant_prefix: judgement.tenant_prefix,
                    began,
                    answer: Progress::Awaited,
                };
                Action::Continue
            }
        }
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let Exchange::Forwarded {
            scope,
            backend,
            mutability,
            tenant_prefix,
            began,
            answer,
        } = &mut self.exchange
        else {
            return Action::Continue;
        };
        let headers = host::headers(MapType::HttpResponseHeaders);
        let status = status_of(&headers);
        *answer = Progress::Began { status, bytes: 0 };
        let policy = self.in_force.as_ref().map(|f| &f.policy);
        let Some(backend) = policy.and_then(|policy| policy.backends().get(*backend)) else {
            return Action::Continue;
        };
        self.cache = cache_verdict(backend, *mutability, status, &headers, || began.elapsed());
        if let Some(verdict) = self.cache {
            scope.looked_up(verdict);
        }
        if let Err(reply) = redirect(backend, status, &headers, tenant_prefix, policy) {
            self.exchange = Exchange::Replied {
                scope: Rc::clone(scope),
                outcome: reply.outcome,
                began: *began,
            };
            send(&reply);
            return Action::Pause;
        }
        if end_of_stream {
            self.answer_goes_on(0, true);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.answer_goes_on(size, end_of_stream);
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.answer_goes_on(0, true);
        Action::Continue
    }

    fn on_log(&mut self) {
        let (scope, began, outcome, bytes) = match &self.exchange {
            Exchange::Unjudged => return,
            Exchange::Replied {
                scope,
                outcome,
                began,
            } => (scope, began, *outcome, 0),
            Exchange::Forwarded {
                scope,
                began,
                answer,
                ..
            } => {
                let (status, bytes, ending) = match *answer {
                    Progress::Awaited => (None, 0, broken_off()),
                    Progress::Began { status, bytes } => (Some(status), bytes, broken_off()),
                    Progress::Ended { status, bytes } => (Some(status), bytes, Ending::Complete),
                };
                (scope, began, Outcome::of_answer(status, ending), bytes)
            }
        };
        scope.ended(outcome, began.elapsed(), bytes);
        if let Some(access) = self.access.take() {
            host::leave(ACCESS_PROPERTY, &access.ended(self.cache, outcome));
        }
    }
}

/// Keeps a backend's redirect behind the filter; `Err` is what is answered where that cannot be.
fn redirect(
    backend: &Backend,
    status: u16,
    headers: &[Header],
    tenant_prefix: &str,
    policy: Option<&Policy>,
) -> Result<(), Reply> {
    let locations = headers.iter().filter(|(name, _)| name == "location");
    let locations: Vec<&[u8]> = locations.map(|(_, value)| value.as_slice()).collect();
    let refused = || Reply::redirect_refused(policy.and_then(Policy::contact));
    match backend.redirected(status, &locations, tenant_prefix) {
        None | Some(Redirected::Passed) => Ok(()),
        Some(Redirected::To(place)) if host::set_response_header("location", &place) => Ok(()),
        Some(Redirected::To(_)) => Err(refused()),
        Some(Redirected::Refused { reason }) => {
            let name = &backend.name;
            let line = format!("modgate: a redirect of the backend {name} was refused: {reason}");
            host::log(LogLevel::Warn, &line);
            Err(refused())
        }
    }
}

fn send(reply: &Reply) {
    host::reply(reply.status, reply.headers(), &reply.body);
}

/// The value of `:status`; 0 where there is none.
fn status_of(headers: &[(String, Vec<u8>)]) -> u16 {
    let status = headers.iter().find(|(name, _)| name == ":status");
    let text = status.and_then(|(_, value)| std::str::from_utf8(value).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Who broke off an answer whose end was not seen. Asked only then, since it costs a call.
fn broken_off() -> Ending {
    let flags = host::property(&["response", "flags"]);
    let flags = flags.and_then(|bytes| bytes.try_into().ok().map(u64::from_le_bytes));
    match flags {
        Some(flags) if flags & CLIENT_GONE != 0 => Ending::ClientGone,
        _ => Ending::Broken,
    }
}
