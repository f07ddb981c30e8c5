//! What the checksum database says of a file that is being checked: the engine's queries, carried by
//! callouts that run beside the file.

use modgate_engine::backend_query;
use modgate_go::gomod::ModuleVersion;
use modgate_go::http::Header;
use modgate_go::sumdb::{Answer, Fetched, Lookup, Question, Step};
use modgate_policy::model::{Backend, Database};

use crate::active_policy::{Context, head_key};
use crate::callout::ReceivedResponse;
use crate::host::{CalloutRequest, CalloutResponse, Host};
use crate::shared;
use crate::timestamp::Timestamp;
use crate::wake::{Calls, PendingCall, Progress};

/// A lookup that is under way. The responses to its callouts go on with it, or their time limits, which
/// together are the policy's.
pub(super) struct SumdbLookup {
    lookup: Lookup,
    headers: Vec<Header>,
    queries: Calls<Question>,
    began: Timestamp,
}

/// What is known of a file by the database.
pub(super) enum SumdbState {
    /// It is not needed.
    NotNeeded,
    /// It is requested, and this callout, among others, is under way.
    Pending(Box<SumdbLookup>, PendingCall),
    /// This.
    Ready(Answer),
}

impl SumdbState {
    /// Requests the hashes of a module version, unless they are known. The client's request for the file goes
    /// to this backend.
    pub(super) fn request(
        context: Context<'_>,
        module: &ModuleVersion,
        (backend, request): (&Backend, &[Header]),
    ) -> Self {
        let known = context.active.sumdb.borrow_mut().recall(module);
        if let Some(sums) = known {
            context
                .meters()
                .count_sumdb_lookup(context.host, "remembered");
            return Self::Ready(Answer::Proven(sums));
        }
        let Some(database) = context.policy().database() else {
            return Self::Ready(ended(context, nothing("the policy has none")));
        };
        let head = shared::get(context.host, &head_key(database)).unwrap_or_default();
        let lookup = Lookup::new(module.clone(), head);
        let step = lookup.begin();
        let mut lookup = Box::new(SumdbLookup {
            lookup,
            // A backend that carries the database may know its users. Nobody else learns of them.
            headers: if database.backend == backend.id {
                backend_query::carried(context.policy(), request, backend)
            } else {
                vec![("user-agent".to_owned(), b"modgate".to_vec())]
            },
            queries: Calls::default(),
            began: Timestamp::now(context.host),
        });
        let progress = lookup.follow(context, database, step);
        Self::of(progress, lookup)
    }

    /// A callout was answered; perhaps one of the lookup's.
    pub(super) fn on_callout_response(
        self,
        context: Context<'_>,
        response: CalloutResponse,
    ) -> Self {
        let Self::Pending(mut lookup, call) = self else {
            return self;
        };
        match lookup.on_callout_response(context, response) {
            Some(progress) => Self::of(progress, lookup),
            None => Self::Pending(lookup, call),
        }
    }

    fn of(progress: Progress<Answer>, lookup: Box<SumdbLookup>) -> Self {
        match progress {
            Progress::Pending(call) => Self::Pending(lookup, call),
            Progress::Done(answer) => Self::Ready(answer),
        }
    }
}

impl SumdbLookup {
    /// Goes on with the response that the proxy has just announced; `None` where it is for something else.
    fn on_callout_response(
        &mut self,
        context: Context<'_>,
        response: CalloutResponse,
    ) -> Option<Progress<Answer>> {
        let database = context.policy().database()?;
        let question = self.queries.take(response.id)?;
        let received = ReceivedResponse::read(context.host, response, question.limit());
        let fetched = Fetched {
            status: received.status,
            body: received.body.as_deref().ok(),
        };
        let mut memory = context.active.sumdb.borrow_mut();
        let step = self
            .lookup
            .answered(&database.key, &mut memory, question, fetched);
        drop(memory);
        Some(self.follow(context, database, step))
    }

    /// Does what the engine says is next.
    fn follow(
        &mut self,
        context: Context<'_>,
        database: &Database,
        mut step: Step,
    ) -> Progress<Answer> {
        loop {
            let (before, now) = match step {
                Step::Done(answer) => return Progress::Done(ended(context, answer)),
                Step::Ask(questions) => {
                    return match self.send(context, database, &questions) {
                        Ok(call) => Progress::Pending(call),
                        Err(why) => Progress::Done(ended(context, nothing(why))),
                    };
                }
                Step::Keep { before, now } => (before, now),
            };
            let mut memory = context.active.sumdb.borrow_mut();
            step = match keep(context.host, &head_key(database), &before, &now) {
                Some(Ok(())) => self.lookup.kept(&mut memory),
                Some(Err(other)) => self.lookup.moved(&database.key, &mut memory, other),
                None => Step::Done(nothing("its tree head cannot be kept")),
            };
        }
    }

    /// Sends queries; one of those that are then under way.
    fn send(
        &mut self,
        context: Context<'_>,
        database: &Database,
        questions: &[Question],
    ) -> Result<PendingCall, &'static str> {
        let backend = context.policy().backend(database.backend);
        let backend = backend.ok_or("the policy has no such backend")?;
        for question in questions {
            let left = database
                .timeout
                .checked_sub(self.began.elapsed(context.host));
            let left = left.filter(|left| left.as_millis() > 0);
            let request = CalloutRequest {
                cluster: &backend.cluster,
                authority: &database.authority,
                path: &format!("{}{}", database.prefix, self.lookup.path(*question)),
                headers: &self.headers,
                timeout: left.ok_or("it did not answer in time")?,
            };
            let call = PendingCall::start(context.host, &request);
            let call = call.map_err(|_| "the proxy does not have its cluster")?;
            self.queries.add(call, *question);
        }
        self.queries.first().ok_or("no query is left to send")
    }
}

fn ended(context: Context<'_>, answer: Answer) -> Answer {
    context
        .meters()
        .count_sumdb_lookup(context.host, answer.as_str());
    answer
}

fn nothing(why: &str) -> Answer {
    Answer::Unavailable(why.to_owned())
}

/// Keeps a head in the place of another one; `Err` is the one that stands there instead. `None` where
/// it cannot be kept.
fn keep(host: &dyn Host, key: &str, before: &[u8], now: &[u8]) -> Option<Result<(), Vec<u8>>> {
    shared::change(host, key, |head| {
        if head == before {
            (Ok(()), Some(now.to_vec()))
        } else {
            (Err(head.to_vec()), None)
        }
    })
}
