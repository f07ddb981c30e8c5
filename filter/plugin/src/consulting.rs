//! Requests that wait while their backend is asked: the engine's questions, carried by callouts.

use std::rc::Rc;

use modgate_engine::decision::Suspended;
use modgate_engine::lookup::{QueryId, Step, VersionLookup};
use modgate_engine::reply::LocalReply;
use modgate_engine::telemetry::{CacheVerdict, cache_verdict};
use modgate_go::goproxy::Mutability;
use modgate_policy::model::{Policy, Ruling};

use crate::callout::{Answered, Token};
use crate::host::Moment;
use crate::meters::Scope;
use crate::notes::Notes;
use crate::question::{Asker, Heard, Question};

/// A request that waits. The answer to one of its questions wakes it.
pub(crate) struct Consulting {
    pub(crate) case: Box<Case>,
    /// With the ids by which the engine knows them. Never empty.
    questions: Vec<(QueryId, Question)>,
}

/// What is known of such a request between two questions.
pub(crate) struct Case {
    /// The request's decision, which goes on when its lookup ends.
    pub(crate) suspended: Suspended,
    pub(crate) lookup: Box<VersionLookup>,
    pub(crate) asker: Rc<Asker>,
    pub(crate) mutability: Mutability,
    pub(crate) scope: Rc<Scope>,
    pub(crate) began: Moment,
    /// The bytes that the backend sent.
    pub(crate) bytes: u64,
    /// Whether another place has answered a question than the one that was asked first.
    pub(crate) was_sent_on: bool,
    /// What the backend's cache did with the first question.
    pub(crate) cache: Option<CacheVerdict>,
}

/// What a question led to.
pub(crate) enum Progress<'p> {
    Waits(Consulting),
    Ends(Box<Case>, End<'p>),
}

/// What a lookup came to.
pub(crate) enum End<'p> {
    /// The request goes to its backend.
    Proceed(Ruling<'p>),
    /// The client is answered.
    Answer(Option<Ruling<'p>>, LocalReply),
}

impl Case {
    /// Asks the first question, where there is one.
    pub(crate) fn begin(mut self: Box<Self>, policy: &Policy) -> Progress<'_> {
        let asker = Rc::clone(&self.asker);
        let step = self.lookup.begin(policy, &notes(&asker, self.began, true));
        self.go_on(step, Vec::new())
    }

    /// What a step leads to, while answers to these questions are still to come.
    fn go_on(
        self: Box<Self>,
        step: Step<'_>,
        mut questions: Vec<(QueryId, Question)>,
    ) -> Progress<'_> {
        let asked = match step {
            Step::Wait => Vec::new(),
            Step::Ask(asked) => asked,
            Step::Proceed(ruling) => return Progress::Ends(self, End::Proceed(ruling)),
            Step::Answer { ruling, reply } => {
                return Progress::Ends(self, End::Answer(ruling, reply));
            }
        };
        for asked in asked {
            match Question::ask(&self.asker, asked.path, asked.limit) {
                Ok(question) => questions.push((asked.id, question)),
                Err(reply) => return Progress::Ends(self, End::Answer(None, reply)),
            }
        }
        if questions.is_empty() {
            let reply = LocalReply::unavailable("nothing is left to be asked");
            return Progress::Ends(self, End::Answer(None, reply));
        }
        Progress::Waits(Consulting {
            case: self,
            questions,
        })
    }
}

fn notes(asker: &Asker, began: Moment, may_note: bool) -> Notes<'_> {
    Notes {
        authority: &asker.authority,
        user: &asker.user,
        began,
        may_note,
    }
}

impl Consulting {
    pub(crate) fn awaits(&self, token: Token) -> bool {
        self.questions
            .iter()
            .any(|(_, question)| question.awaits(token))
    }

    /// Goes on with the answer to a callout that the proxy has just announced.
    pub(crate) fn answered(
        self,
        policy: &Policy,
        token: Token,
        headers: usize,
        size: usize,
    ) -> Progress<'_> {
        let Self {
            mut case,
            mut questions,
        } = self;
        let place = questions
            .iter()
            .position(|(_, question)| question.awaits(token));
        let Some(place) = place else {
            return Progress::Waits(Self { case, questions });
        };
        let (id, question) = questions.swap_remove(place);
        case.bytes = case.bytes.saturating_add(size as u64);
        let answered = match question.answered(policy, headers, size) {
            Heard::Waits(question) => {
                questions.push((id, question));
                return Progress::Waits(Self { case, questions });
            }
            Heard::Done(answered) => answered,
        };
        case.looked_up(policy, &answered);
        let asker = Rc::clone(&case.asker);
        case.was_sent_on |= answered.was_sent_on;
        let notes = notes(&asker, case.began, !case.was_sent_on);
        let fetched = answered.fetched();
        let step = case.lookup.answered(policy, &notes, id, fetched);
        case.go_on(step, questions)
    }
}

impl Case {
    /// Notes what the first answer tells of the backend's cache.
    fn looked_up(&mut self, policy: &Policy, answered: &Answered) {
        let asked = policy.backend(self.lookup.backend());
        // A callout does not tell which host answered it, and who was sent on has its own cache.
        let is_who_was_asked = !self.asker.has_stand_ins && !answered.was_sent_on;
        let backend = asked.filter(|_| is_who_was_asked);
        let (None, Some(status)) = (self.cache, answered.status) else {
            return;
        };
        let began = self.began;
        let took = || began.elapsed();
        self.cache = cache_verdict(backend, self.mutability, status, &answered.headers, took);
    }
}
