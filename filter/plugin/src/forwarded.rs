//! A request that went to a backend, and how far its answer has come.

use std::rc::Rc;

use modgate_engine::decision::{CacheScope, HeaderChange, keep_private};
use modgate_engine::reply::{Footer, LocalReply};
use modgate_engine::telemetry::{Ending, Outcome};
use modgate_go::gomod::Artifact;
use modgate_go::goproxy::Mutability;
use modgate_policy::model::redirect::Redirected;
use modgate_policy::model::{Backend, BackendId, Tenant, TenantId};
use proxy_wasm::types::{LogLevel, MapType};

use crate::callout::Token;
use crate::host::{self, Moment};
use crate::integrity::{Guard, Held, Judged, Step};
use crate::meters::Scope;
use crate::root::InForce;
use modgate_go::http::Header;

/// The bits of Envoy's `response.flags` for "the client closed the connection" and "the client reset the
/// stream", as one of HTTP/2 does (`DownstreamConnectionTermination`, `DownstreamRemoteReset`).
const CLIENT_GONE: u64 = 1 << 14 | 1 << 28;

/// The backend that answered, where its host does not say whose it is.
const UNKNOWN: &str = "unknown";

/// A request that went to a backend.
pub(crate) struct Forwarded {
    pub(crate) scope: Rc<Scope>,
    pub(crate) tenant: Option<TenantId>,
    /// The backend.
    pub(crate) backend: BackendId,
    /// Whether others stand in for the backend when it fails.
    pub(crate) has_stand_ins: bool,
    pub(crate) mutability: Mutability,
    pub(crate) cache_scope: CacheScope,
    /// What a redirect must begin with to lead back to the same tenant.
    pub(crate) tenant_prefix: String,
    /// The path that the backend was asked for, where its redirects are followed. The proxy does not tell
    /// it any more once an answer comes.
    pub(crate) asked: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) began: Moment,
    pub(crate) answer: Answer,
    pub(crate) file: File,
    /// What a file came to that goes on: that it reached the client is known when all is over.
    pub(crate) passed: Option<Passed>,
}

/// A file that was found good, and goes on.
pub(crate) struct Passed {
    artifact: Artifact,
    result: &'static str,
    evidence: &'static str,
    bytes: u64,
}

/// The result of a file that was found good, and of which the client did not get every byte.
const UNDELIVERED: &str = "undelivered";

/// How far a backend's answer has come.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Awaited,
    Began { status: u16, bytes: u64 },
    Ended { status: u16, bytes: u64 },
}

/// What is to be done with the body of an answer.
pub(crate) enum File {
    /// Nothing, any more.
    Free,
    /// It is counted as one of which nothing is known.
    Unknown(Artifact),
    /// It is checked.
    Guarded(Box<Guard>),
    /// It has ended, and waits for what the checksum database says: the lookup's callouts wake it.
    Held(Box<Held>),
    /// It was broken off.
    Shut,
}

impl Forwarded {
    /// The backend whose answer has begun; `None` where that cannot be told. Where it is not the one
    /// that was asked first, it is the request's from now on; the second value is its name then.
    pub(crate) fn answered_by<'p>(
        &mut self,
        in_force: &'p InForce,
    ) -> (Option<&'p Backend>, Option<&'p str>) {
        let backends = in_force.policy.backends();
        let asked = in_force.policy.backend(self.backend);
        if !self.has_stand_ins {
            return (asked, None);
        }
        let found = match host::upstream_backend() {
            Some(name) => backends.iter().find(|known| known.name.as_bytes() == name),
            None => None,
        };
        let stand_in = match found {
            Some(found) if found.id == self.backend => return (asked, None),
            Some(found) => {
                self.backend = found.id;
                self.scope = in_force.meters.scope_at(&self.scope, found);
                found.name.as_str()
            }
            None if host::upstream_attempts() > 1 => UNKNOWN,
            None => return (None, None),
        };
        if let Some(asked) = asked {
            in_force.meters.stood_in(asked, stand_in);
        }
        (found, Some(stand_in))
    }

    /// Notes body bytes of the answer, and its end.
    pub(crate) fn goes_on(&mut self, more: usize, ends: bool) {
        if let Answer::Began { status, bytes } = self.answer {
            let bytes = bytes.saturating_add(more as u64);
            self.answer = if ends {
                Answer::Ended { status, bytes }
            } else {
                Answer::Began { status, bytes }
            };
        }
    }

    /// What is to be done with the body; nothing more, unless somebody says so.
    pub(crate) fn take_file(&mut self) -> File {
        std::mem::replace(&mut self.file, File::Free)
    }

    /// A callout was answered, perhaps one of the file's; what becomes of an answer that waits for it.
    pub(crate) fn heard(
        &mut self,
        in_force: &InForce,
        token: Token,
        headers: usize,
        size: usize,
    ) -> Option<Step> {
        match self.take_file() {
            File::Held(held) => return Some(held.heard(in_force, token, headers, size)),
            File::Guarded(mut guard) => {
                guard.heard(in_force, token, headers, size);
                self.file = File::Guarded(guard);
            }
            file => self.file = file,
        }
        None
    }

    pub(crate) fn tenant<'p>(&self, in_force: &'p InForce) -> Option<&'p Tenant> {
        in_force.policy.tenant_by_id(self.tenant?)
    }

    /// What a text to the client ends with.
    pub(crate) fn footer<'p>(&'p self, in_force: &'p InForce) -> Footer<'p> {
        Footer {
            contact: in_force.policy.contact(),
            request_id: self.request_id.as_deref(),
        }
    }

    /// Tells metrics and log of a file that was judged; of one that is good, what it cost.
    pub(crate) fn told(&mut self, in_force: &InForce, judged: &Judged) {
        let checked = &judged.checked;
        let (result, evidence) = (judged.verdict.as_str(), checked.evidence.as_str());
        let (artifact, bytes) = (checked.artifact, judged.bytes);
        let tenant = self.tenant(in_force);
        let meters = &in_force.meters;
        meters.hashed(tenant, artifact, bytes, judged.spent);
        if judged.verdict.is_good(checked) {
            self.passed = Some(Passed {
                artifact,
                result,
                evidence,
                bytes,
            });
            return;
        }
        meters.checked(tenant, artifact, result, evidence);
        let tenant = tenant.map_or("-", |tenant| &tenant.name);
        let backend = in_force.policy.backend(self.backend);
        let backend = backend.map_or("-", |backend| &backend.name);
        let line = checked.log_line(&judged.verdict, tenant, backend);
        host::log(LogLevel::Error, &format!("modgate: integrity: {line}"));
    }

    /// What came of it now that it is over, and how many bytes the backend sent. A file that was found good is
    /// counted: as that where the client got all of it.
    pub(crate) fn ended(&self, in_force: &InForce) -> (Outcome, u64) {
        let (mut outcome, bytes) = self.outcome();
        let Some(passed) = &self.passed else {
            return (outcome, bytes);
        };
        if outcome == Outcome::Ok && !host::has_sent(passed.bytes) {
            let ending = broken_off();
            outcome = Outcome::of_answer(Some(200), ending);
            // Where the client has gone, a filter nearer to it may hold what went on from here.
            if ending != Ending::ClientGone {
                let line = "modgate: integrity: the proxy did not send a file as it was checked";
                host::log(LogLevel::Error, line);
            }
        }
        let result = match outcome {
            Outcome::Ok => passed.result,
            _ => UNDELIVERED,
        };
        let (meters, tenant) = (&in_force.meters, self.tenant(in_force));
        meters.checked(tenant, passed.artifact, result, passed.evidence);
        (outcome, bytes)
    }

    /// What came of it by the parts of the answer that have come.
    fn outcome(&self) -> (Outcome, u64) {
        let (status, bytes, ending) = match self.answer {
            Answer::Awaited => (None, 0, broken_off()),
            Answer::Began { bytes, .. } | Answer::Ended { bytes, .. }
                if matches!(self.file, File::Shut) =>
            {
                return (Outcome::Integrity, bytes);
            }
            Answer::Began { status, bytes } => (Some(status), bytes, broken_off()),
            // Whoever waits does not have it yet.
            Answer::Ended { status, bytes } if matches!(self.file, File::Held(_)) => {
                (Some(status), bytes, broken_off())
            }
            Answer::Ended { status, bytes } => (Some(status), bytes, Ending::Complete),
        };
        (Outcome::of_answer(status, ending), bytes)
    }

    /// Keeps an answer that hangs on who asks out of shared caches. Whether the proxy let it.
    pub(crate) fn keep_private(&self, in_force: &InForce, headers: &[Header]) -> bool {
        if self.cache_scope == CacheScope::Shared {
            return true;
        }
        const RESPONSE: MapType = MapType::HttpResponseHeaders;
        let changes = keep_private(headers, in_force.policy.vary());
        changes.iter().all(|change| match change {
            HeaderChange::Set(name, value) => host::set_header(RESPONSE, name, value),
            HeaderChange::Remove(name) => host::remove_header(RESPONSE, name),
        })
    }

    /// Keeps a backend's redirect behind the filter; `Err` is what is answered where that cannot be.
    pub(crate) fn redirect(
        &self,
        backend: &Backend,
        status: u16,
        headers: &[Header],
        footer: Footer<'_>,
    ) -> Result<(), LocalReply> {
        let locations = headers.iter().filter(|(name, _)| name == "location");
        let locations: Vec<&[u8]> = locations.map(|(_, value)| value.as_slice()).collect();
        let asked = || self.asked.clone();
        match backend.redirected_from(status, &locations, &self.tenant_prefix, asked) {
            None | Some(Redirected::Passed) => Ok(()),
            Some(Redirected::To(place))
                if host::set_header(MapType::HttpResponseHeaders, "location", &place) =>
            {
                Ok(())
            }
            Some(Redirected::To(_)) => Err(LocalReply::redirect_refused(footer)),
            Some(Redirected::Refused { reason }) => {
                let name = &backend.name;
                let line =
                    format!("modgate: a redirect of the backend {name} was refused: {reason}");
                host::log(LogLevel::Warn, &line);
                Err(LocalReply::redirect_refused(footer))
            }
        }
    }
}

/// Who broke off an answer whose end was not seen. Asked only then, since it costs a call.
pub(crate) fn broken_off() -> Ending {
    let flags = host::property(&["response", "flags"]);
    let flags = flags.and_then(|bytes| bytes.try_into().ok().map(u64::from_le_bytes));
    match flags {
        Some(flags) if flags & CLIENT_GONE != 0 => Ending::ClientGone,
        _ => Ending::Broken,
    }
}
