//! Requests that wait while their backend is asked: the engine's questions, carried by callouts.

use std::rc::Rc;
use std::time::Duration;

use modgate_engine::consult::{Consultation, Fetched, Step};
use modgate_engine::judge::{Header, Judgement, Reply, value_of};
use modgate_engine::policy::{Backend, Policy, Ruling};
use modgate_engine::request::Mutability;
use modgate_engine::telemetry::{CacheVerdict, cache_verdict};

use crate::callout::{self, Answered, Token};
use crate::host::Moment;
use crate::meters::Scope;
use crate::notes::Notes;

/// How long a backend may take for one answer. A proxy that has not got a module yet fetches it from
/// its repository meanwhile.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A request that waits. The answer to a callout wakes it, or that callout's time limit.
pub(crate) struct Consulting {
    pub(crate) case: Box<Case>,
    awaited: Token,
    /// The most bytes of the answer that are read.
    limit: usize,
}

/// What is known of such a request between two questions.
pub(crate) struct Case {
    consultation: Consultation,
    /// The backend's, or the one in which others stand in for it when it fails.
    cluster: String,
    has_stand_ins: bool,
    authority: String,
    mutability: Mutability,
    pub(crate) scope: Rc<Scope>,
    pub(crate) began: Moment,
    /// The bytes that the backend sent.
    pub(crate) bytes: u64,
    /// What the backend's cache did with the first question.
    pub(crate) cache: Option<CacheVerdict>,
}

/// What a question led to.
pub(crate) enum Progress<'p> {
    Waits(Consulting),
    Ends(Box<Case>, End<'p>),
}

/// What a consultation came to.
pub(crate) enum End<'p> {
    /// The request goes to its backend.
    Proceed(Ruling<'p>),
    /// The client is answered.
    Answer(Option<Ruling<'p>>, Reply),
}

impl Case {
    pub(crate) fn new(
        consultation: &Consultation,
        (backend, cluster): (&Backend, &str),
        headers: &[Header],
        judgement: &Judgement<'_>,
        scope: Rc<Scope>,
        began: Moment,
    ) -> Box<Self> {
        let asked = || value_of(headers, ":authority").unwrap_or_default();
        let authority = match &backend.authority {
            Some(authority) => authority.clone(),
            None => String::from_utf8_lossy(asked()).into_owned(),
        };
        Box::new(Self {
            consultation: consultation.clone(),
            has_stand_ins: cluster != backend.cluster,
            cluster: cluster.to_owned(),
            authority,
            mutability: judgement.mutability,
            scope,
            began,
            bytes: 0,
            cache: None,
        })
    }

    /// What goes from question to question.
    pub(crate) fn consultation(&self) -> &Consultation {
        &self.consultation
    }

    /// Asks the first question, where there is one.
    pub(crate) fn begin(mut self: Box<Self>, policy: &Policy) -> Progress<'_> {
        let notes = Notes {
            authority: &self.authority,
        };
        let step = self.consultation.begin(policy, &notes);
        self.go_on(step)
    }

    fn go_on(self: Box<Self>, step: Step<'_>) -> Progress<'_> {
        let (path, limit) = match step {
            Step::Ask { path, limit } => (path, limit),
            Step::Proceed(ruling) => return Progress::Ends(self, End::Proceed(ruling)),
            Step::Answer { ruling, reply } => {
                return Progress::Ends(self, End::Answer(ruling, reply));
            }
        };
        match callout::get(&self.cluster, &self.authority, &path, TIMEOUT) {
            Some(awaited) => Progress::Waits(Consulting {
                case: self,
                awaited,
                limit,
            }),
            None => {
                let reply = Reply::unavailable("the proxy has no such cluster to ask");
                Progress::Ends(self, End::Answer(None, reply))
            }
        }
    }
}

impl Consulting {
    pub(crate) fn awaits(&self, token: Token) -> bool {
        self.awaited == token
    }

    /// Goes on with the answer that the proxy has just announced.
    pub(crate) fn answered(self, policy: &Policy, headers: usize, size: usize) -> Progress<'_> {
        let mut case = self.case;
        let answered = Answered::read(headers, size, self.limit);
        case.bytes = case.bytes.saturating_add(size as u64);
        case.looked_up(policy, &answered);
        let last_modified = value_of(&answered.headers, "last-modified");
        let fetched = Fetched {
            status: answered.status,
            body: answered.body.as_deref(),
            last_modified: last_modified.and_then(|value| std::str::from_utf8(value).ok()),
        };
        let notes = Notes {
            authority: &case.authority,
        };
        let step = case.consultation.answered(policy, &notes, fetched);
        case.go_on(step)
    }
}

impl Case {
    /// Notes what the first answer tells of the backend's cache.
    fn looked_up(&mut self, policy: &Policy, answered: &Answered) {
        let asked = policy.backends().get(self.consultation.backend());
        // A callout does not tell which host answered it.
        let backend = asked.filter(|_| !self.has_stand_ins);
        let (None, Some(status)) = (self.cache, answered.status) else {
            return;
        };
        let began = self.began;
        let took = || began.elapsed();
        self.cache = cache_verdict(backend, self.mutability, status, &answered.headers, took);
    }
}
