//! A request that went to a backend, and how far its response has come.

use std::rc::Rc;

use modgate_engine::decision::{CacheScope, HeaderChange, keep_private};
use modgate_engine::reply::{Footer, LocalReply};
use modgate_engine::telemetry::{Ending, Outcome};
use modgate_go::gomod::Artifact;
use modgate_go::goproxy::Mutability;
use modgate_go::http::Header;
use modgate_policy::model::redirect::Redirected;
use modgate_policy::model::{Backend, BackendId, Tenant, TenantId};

use super::attributes::{ending_of_broken, has_sent, upstream_attempts, upstream_backend};
use crate::active_policy::{ActivePolicy, Context};
use crate::body::{AwaitingSumdb, BodyStep, BodyVerifier, FileVerdict};
use crate::host::{CalloutResponse, Host, LogLevel, Message, Refused};
use crate::metrics::Scope;
use crate::timestamp::Timestamp;
use crate::wake::{Over, PendingCall, Rest};

/// The backend that answered, where its host does not say whose it is.
const UNKNOWN: &str = "unknown";

/// The result of a file that was found good, and of which the client did not get every byte.
const UNDELIVERED: &str = "undelivered";

/// A request that went to a backend.
pub(super) struct UpstreamResponse {
    pub(super) active: Rc<ActivePolicy>,
    pub(super) scope: Rc<Scope>,
    pub(super) tenant: Option<TenantId>,
    pub(super) backend: BackendId,
    /// Whether others take the backend's place when it fails.
    pub(super) has_failover: bool,
    pub(super) mutability: Mutability,
    pub(super) cache_scope: CacheScope,
    /// What a redirect must begin with to lead back to the same tenant.
    pub(super) tenant_prefix: String,
    /// The path that was requested of the backend, where its redirects are followed. The proxy does not tell
    /// it any more once a response comes.
    pub(super) requested_path: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) began: Timestamp,
    pub(super) received: Received,
    pub(super) body: BodyCheck,
    /// A file that passed, and goes on: that it reached the client is known when all is over.
    pub(super) passed: Option<Passed>,
}

/// A file that was found good.
pub(super) struct Passed {
    artifact: Artifact,
    result: &'static str,
    evidence: &'static str,
    bytes: u64,
}

/// How far a backend's response has come.
#[derive(Clone, Copy)]
pub(super) enum Received {
    Nothing,
    Begun { status: u16, bytes: u64 },
    Ended { status: u16, bytes: u64 },
}

/// What is done with the body of a response.
pub(super) enum BodyCheck {
    /// Nothing, any more.
    None,
    /// It is counted as one of which nothing is known.
    Unknown(Artifact),
    /// It is checked.
    Running(Box<BodyVerifier>),
    /// It has ended, and waits for what the checksum database says.
    AwaitingSumdb(Box<AwaitingSumdb>),
    /// It was broken off.
    Aborted(Over),
}

impl UpstreamResponse {
    /// The backend whose response has begun; `None` where that cannot be told. Where it is not the one
    /// that was requested first, it is the request's from now on; the second value is its name then.
    pub(super) fn answered_by<'p>(
        &mut self,
        host: &dyn Host,
        active: &'p ActivePolicy,
    ) -> (Option<&'p Backend>, Option<&'p str>) {
        let backends = active.policy.backends();
        let first = active.policy.backend(self.backend);
        if !self.has_failover {
            return (first, None);
        }
        let found = match upstream_backend(host) {
            Some(name) => backends.iter().find(|known| known.name.as_bytes() == name),
            None => None,
        };
        let fallback = match found {
            Some(found) if found.id == self.backend => return (first, None),
            Some(found) => {
                self.backend = found.id;
                self.scope = active.meters.scope_at(host, &self.scope, found);
                found.name.as_str()
            }
            None if upstream_attempts(host) > 1 => UNKNOWN,
            None => return (None, None),
        };
        if let Some(first) = first {
            active.meters.count_failover(host, first, fallback);
        }
        (found, Some(fallback))
    }

    /// Counts bytes of the response's body, and notes its end.
    pub(super) fn receive(&mut self, more: usize, rest: Rest) {
        if let Received::Begun { status, bytes } = self.received {
            let bytes = bytes.saturating_add(more as u64);
            self.received = if rest.is_end() {
                Received::Ended { status, bytes }
            } else {
                Received::Begun { status, bytes }
            };
        }
    }

    /// What is to be done with the body; nothing more, unless it is put back.
    pub(super) fn take_body(&mut self) -> BodyCheck {
        std::mem::replace(&mut self.body, BodyCheck::None)
    }

    /// A callout was answered, perhaps one of the file's; what becomes of a response that waits for it.
    pub(super) fn on_callout_response(
        &mut self,
        context: Context<'_>,
        response: CalloutResponse,
    ) -> Option<BodyStep> {
        match self.take_body() {
            BodyCheck::AwaitingSumdb(waiting) => {
                return Some(waiting.on_callout_response(context, response));
            }
            BodyCheck::Running(mut verifier) => {
                verifier.on_callout_response(context, response);
                self.body = BodyCheck::Running(verifier);
            }
            body => self.body = body,
        }
        None
    }

    /// The callout that the response is held for.
    pub(super) fn awaited_call(&self) -> Option<PendingCall> {
        match &self.body {
            BodyCheck::AwaitingSumdb(waiting) => Some(waiting.call()),
            _ => None,
        }
    }

    pub(super) fn tenant(&self) -> Option<&Tenant> {
        self.active.policy.tenant_by_id(self.tenant?)
    }

    /// What a text to the client ends with.
    pub(super) fn footer(&self) -> Footer<'_> {
        Footer {
            contact: self.active.policy.contact(),
            request_id: self.request_id.as_deref(),
        }
    }

    /// Records the verdict on a file in metrics and log; of a good one, for now, what it cost.
    pub(super) fn record_verdict(&mut self, context: Context<'_>, file: &FileVerdict) {
        let Context { host, active } = context;
        let checked = &file.checked;
        let (result, evidence) = (file.verdict.as_str(), checked.evidence.as_str());
        let (artifact, bytes) = (checked.artifact, file.bytes);
        let tenant = self.tenant.and_then(|id| active.policy.tenant_by_id(id));
        let meters = context.meters();
        meters.count_hashing(host, tenant, artifact, bytes, file.spent);
        if file.verdict.is_good(checked) {
            self.passed = Some(Passed {
                artifact,
                result,
                evidence,
                bytes,
            });
            return;
        }
        meters.count_check(host, tenant, artifact, result, evidence);
        let tenant = tenant.map(|tenant| tenant.name.as_str());
        let backend = active.policy.backend(self.backend);
        let backend = backend.map(|backend| backend.name.as_str());
        let line = checked.log_line(&file.verdict, tenant, backend);
        host.log(LogLevel::Error, &format!("modgate: integrity: {line}"));
    }

    /// What came of it now that it is over, and how many bytes the backend sent. A file that passed is
    /// counted: as that where the client got all of it.
    pub(super) fn end(&self, host: &dyn Host) -> (Outcome, u64) {
        let (mut outcome, bytes) = self.outcome(host);
        let Some(passed) = &self.passed else {
            return (outcome, bytes);
        };
        if outcome == Outcome::Ok && !has_sent(host, passed.bytes) {
            let ending = ending_of_broken(host);
            outcome = Outcome::of_answer(Some(200), ending);
            // Where the client has gone, a filter nearer to it may hold what went on from here.
            if ending != Ending::ClientGone {
                let line = "modgate: integrity: the proxy did not send a file as it was checked";
                host.log(LogLevel::Error, line);
            }
        }
        let result = match outcome {
            Outcome::Ok => passed.result,
            _ => UNDELIVERED,
        };
        let (meters, tenant) = (&self.active.meters, self.tenant());
        meters.count_check(host, tenant, passed.artifact, result, passed.evidence);
        (outcome, bytes)
    }

    /// What came of it by the parts of the response that have come.
    fn outcome(&self, host: &dyn Host) -> (Outcome, u64) {
        let (status, bytes, ending) = match self.received {
            Received::Nothing => (None, 0, ending_of_broken(host)),
            Received::Begun { bytes, .. } | Received::Ended { bytes, .. }
                if matches!(self.body, BodyCheck::Aborted(_)) =>
            {
                return (Outcome::Integrity, bytes);
            }
            Received::Begun { status, bytes } => (Some(status), bytes, ending_of_broken(host)),
            // A client that waits for the checksum database does not have it yet.
            Received::Ended { status, bytes }
                if matches!(self.body, BodyCheck::AwaitingSumdb(_)) =>
            {
                (Some(status), bytes, ending_of_broken(host))
            }
            Received::Ended { status, bytes } => (Some(status), bytes, Ending::Complete),
        };
        (Outcome::of_answer(status, ending), bytes)
    }

    /// Makes the response's head what the client may get.
    ///
    /// # Errors
    /// What is answered where that cannot be.
    pub(super) fn prepare_headers(
        &self,
        host: &dyn Host,
        status: u16,
        headers: &[Header],
    ) -> Result<(), LocalReply> {
        let backend = self.active.policy.backend(self.backend);
        let backend =
            backend.ok_or_else(|| LocalReply::unavailable("the policy has no such backend"))?;
        self.follow_redirect(host, backend, status, headers)?;
        let why = "the proxy does not keep the answer out of caches";
        self.keep_private(host, headers)
            .map_err(|Refused| LocalReply::unavailable(why))
    }

    /// Keeps a response that hangs on who sent the request out of shared caches.
    fn keep_private(&self, host: &dyn Host, headers: &[Header]) -> Result<(), Refused> {
        if self.cache_scope == CacheScope::Shared {
            return Ok(());
        }
        for change in keep_private(headers, self.active.policy.vary()) {
            match change {
                HeaderChange::Set(name, value) => {
                    host.set_header(Message::Response, name, &value)?;
                }
                HeaderChange::Remove(name) => {
                    host.remove_header(Message::Response, &name)?;
                }
            }
        }
        Ok(())
    }

    /// Keeps a backend's redirect behind the filter.
    ///
    /// # Errors
    /// What is answered where that cannot be.
    fn follow_redirect(
        &self,
        host: &dyn Host,
        backend: &Backend,
        status: u16,
        headers: &[Header],
    ) -> Result<(), LocalReply> {
        let footer = self.footer();
        let locations = headers.iter().filter(|(name, _)| name == "location");
        let locations: Vec<&[u8]> = locations.map(|(_, value)| value.as_slice()).collect();
        let requested = || self.requested_path.clone();
        match backend.redirected_from(status, &locations, &self.tenant_prefix, requested) {
            None | Some(Redirected::Passed) => Ok(()),
            Some(Redirected::To(place)) => host
                .set_header(Message::Response, "location", &place)
                .map_err(|_| LocalReply::redirect_refused(footer)),
            Some(Redirected::Refused { reason }) => {
                let name = &backend.name;
                let line =
                    format!("modgate: a redirect of the backend {name} was refused: {reason}");
                host.log(LogLevel::Warn, &line);
                Err(LocalReply::redirect_refused(footer))
            }
        }
    }
}
