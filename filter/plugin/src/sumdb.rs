//! What the checksum database says of a file that is being checked: the engine's questions, carried by
//! callouts that go beside the file.

use std::cell::RefCell;

use modgate_engine::backend_query;
use modgate_go::gomod::ModuleVersion;
use modgate_go::sumdb::{Answer, Fetched, Lookup, Memory, Question, Step};
use modgate_policy::model::{Backend, Database};

use crate::callout::{self, Answered, Token};
use crate::host::{self, Moment};
use crate::root::InForce;
use modgate_go::http::Header;

/// What one VM knows of the policy's database.
#[derive(Default)]
pub(crate) struct Known(RefCell<Memory>);

/// A lookup that is under way. The answers to its callouts go on with it, or their time limits, which
/// together are the policy's.
pub(crate) struct Asking {
    lookup: Lookup,
    headers: Vec<Header>,
    /// Never empty.
    awaited: Vec<(Token, Question)>,
    began: Moment,
}

/// How far a lookup has come.
pub(crate) enum Progress {
    Waits(Asking),
    Says(Answer),
}

/// Makes the place for a database's last signed head, where there is none yet.
pub(crate) fn make_memory(database: &Database) {
    host::share_new(&head_key(database), &[]);
}

/// Asks for the hashes of a module version, unless they are known. The request that wants them goes to this
/// backend.
pub(crate) fn ask(
    in_force: &InForce,
    module: &ModuleVersion,
    (backend, request): (&Backend, &[Header]),
) -> Progress {
    if let Some(sums) = in_force.known.0.borrow_mut().recall(module) {
        in_force.meters.asked("remembered");
        return Progress::Says(Answer::Proven(sums));
    }
    let Some(database) = in_force.policy.database() else {
        return ended(in_force, nothing("the policy has none"));
    };
    let head = host::shared(&head_key(database)).unwrap_or_default();
    let lookup = Lookup::new(module.clone(), head);
    let step = lookup.begin();
    let asking = Asking {
        lookup,
        // A backend that carries the database may know its users. Nobody else learns of them.
        headers: if database.backend == backend.id {
            backend_query::carried(&in_force.policy, request, backend)
        } else {
            vec![("user-agent".to_owned(), b"modgate".to_vec())]
        },
        awaited: Vec::new(),
        began: Moment::now(),
    };
    asking.go_on(in_force, database, step)
}

impl Asking {
    pub(crate) fn awaits(&self, token: Token) -> bool {
        self.awaited.iter().any(|(awaited, _)| *awaited == token)
    }

    /// Goes on with the answer that the proxy has just announced.
    pub(crate) fn answered(
        mut self,
        in_force: &InForce,
        token: Token,
        headers: usize,
        size: usize,
    ) -> Progress {
        let place = self.awaited.iter().position(|(known, _)| *known == token);
        let (Some(place), Some(database)) = (place, in_force.policy.database()) else {
            return Progress::Waits(self);
        };
        let (_, question) = self.awaited.swap_remove(place);
        let answered = Answered::read(headers, size, question.limit());
        let fetched = Fetched {
            status: answered.status,
            body: answered.body.as_deref().ok(),
        };
        let mut memory = in_force.known.0.borrow_mut();
        let step = self
            .lookup
            .answered(&database.key, &mut memory, question, fetched);
        drop(memory);
        self.go_on(in_force, database, step)
    }

    fn go_on(mut self, in_force: &InForce, database: &Database, mut step: Step) -> Progress {
        loop {
            let (before, now) = match step {
                Step::Done(answer) => return ended(in_force, answer),
                Step::Ask(questions) => {
                    return match self.put(in_force, database, &questions) {
                        Ok(()) => Progress::Waits(self),
                        Err(why) => ended(in_force, nothing(why)),
                    };
                }
                Step::Keep { before, now } => (before, now),
            };
            let mut memory = in_force.known.0.borrow_mut();
            step = match keep(&head_key(database), &before, &now) {
                Some(Ok(())) => self.lookup.kept(&mut memory),
                Some(Err(other)) => self.lookup.moved(&database.key, &mut memory, other),
                None => Step::Done(nothing("its tree head cannot be kept")),
            };
        }
    }

    /// Sends questions. There is then at least one answer to come.
    fn put(
        &mut self,
        in_force: &InForce,
        database: &Database,
        questions: &[Question],
    ) -> Result<(), &'static str> {
        let backend = in_force.policy.backend(database.backend);
        let backend = backend.ok_or("the policy has no such backend")?;
        for question in questions {
            let left = database.timeout.checked_sub(self.began.elapsed());
            let left = left.filter(|left| left.as_millis() > 0);
            let left = left.ok_or("it did not answer in time")?;
            let path = format!("{}{}", database.prefix, self.lookup.path(*question));
            let token = callout::get(
                &backend.cluster,
                &database.authority,
                &path,
                &self.headers,
                left,
            );
            let token = token.ok_or("the proxy has no such cluster to ask")?;
            self.awaited.push((token, *question));
        }
        if self.awaited.is_empty() {
            return Err("nothing is left to be asked");
        }
        Ok(())
    }
}

fn ended(in_force: &InForce, answer: Answer) -> Progress {
    in_force.meters.asked(answer.as_str());
    Progress::Says(answer)
}

fn nothing(why: &str) -> Answer {
    Answer::Unavailable(why.to_owned())
}

/// A head is kept as long as the proxy runs, and through changes of the policy: by the database's key,
/// name included.
fn head_key(database: &Database) -> String {
    format!("modgate.sumdb.{}", database.key)
}

/// Keeps a head in the place of another one; `Err` is the one that stands there instead. `None` where
/// it cannot be kept.
fn keep(key: &str, before: &[u8], now: &[u8]) -> Option<Result<(), Vec<u8>>> {
    host::change_shared(key, |head| {
        if head == before {
            (Ok(()), Some(now.to_vec()))
        } else {
            (Err(head.to_vec()), None)
        }
    })
}
