//! The check of one body: what the proxy has of it goes through the engine, and comes back
//! all but what stays back until the verdict.

use std::time::Duration;

use modgate_go::http::{Header, value_of};
use modgate_go::integrity::{Check, Checked, Evidence, Verdict};
use modgate_go::sumdb::Answer;
use modgate_policy::model::Backend;

use super::first_seen::remember;
use super::sumdb_lookup::SumdbState;
use super::{AwaitingSumdb, BodyStep, FileVerdict};
use crate::active_policy::Context;
use crate::host::{CalloutResponse, Host, Message, Refused};
use crate::timestamp::Timestamp;
use crate::wake::{MoreToCome, Rest};

/// What a request may have that makes the answer a part, another encoding, or no answer of a file.
const REQUEST_HEADERS: [&str; 7] = [
    "accept-encoding",
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
];

/// What lets a client go on with a file that was broken off, past the check of the whole.
const RESPONSE_HEADERS: [&str; 3] = ["etag", "last-modified", "accept-ranges"];

/// The most bytes of an answer that the proxy is given to hold. Envoy's buffers have a limit
/// (`per_connection_buffer_limit_bytes`; its documentation advises 32 KiB at the edge), and what goes
/// beyond it within a call of the filter ends the process.
const MOST_HELD: usize = 24 << 10;

/// The check of a body.
pub(crate) struct BodyVerifier {
    check: Check,
    spent: Duration,
    sumdb: SumdbState,
    /// Whether the response's headers are held, and the client has seen nothing of it.
    unseen: bool,
    /// What may go on, but is more than the proxy could hold with what it held already.
    spare: Vec<u8>,
}

/// Takes from a request what would keep its response from being checked.
pub(crate) fn prepare_request(host: &dyn Host, headers: &[Header]) -> Result<(), Refused> {
    remove(host, Message::Request, &REQUEST_HEADERS, headers)
}

/// Removes those of these headers that are there.
fn remove(
    host: &dyn Host,
    message: Message,
    names: &[&str],
    headers: &[Header],
) -> Result<(), Refused> {
    let present = names
        .iter()
        .filter(|name| value_of(headers, name).is_some());
    for name in present {
        host.remove_header(message, name)?;
    }
    Ok(())
}

impl BodyVerifier {
    pub(crate) fn new(checked: Checked) -> Self {
        Self {
            check: Check::new(checked),
            spent: Duration::ZERO,
            sumdb: SumdbState::NotNeeded,
            unseen: true,
            spare: Vec::new(),
        }
    }

    /// Sends the request to the checksum database, where that is the evidence on a file that this request to a
    /// backend asks for.
    pub(crate) fn request_evidence(
        &mut self,
        context: Context<'_>,
        backend: &Backend,
        request: &[Header],
    ) {
        let checked = self.check.checked();
        if let Evidence::Sumdb { .. } = checked.evidence {
            self.sumdb = SumdbState::request(context, &checked.module, (backend, request));
        }
    }

    /// A callout was answered; perhaps one of the lookup's.
    pub(crate) fn on_callout_response(&mut self, context: Context<'_>, response: CalloutResponse) {
        let sumdb = std::mem::replace(&mut self.sumdb, SumdbState::NotNeeded);
        self.sumdb = sumdb.on_callout_response(context, response);
    }

    /// The response's headers have come, with a status that has content.
    pub(crate) fn on_headers(
        mut self: Box<Self>,
        context: Context<'_>,
        status: u16,
        headers: &[Header],
        rest: Rest,
    ) -> BodyStep {
        let encoded = headers.iter().any(|(name, value)| {
            name == "content-encoding" && !value.eq_ignore_ascii_case(b"identity")
        });
        if encoded {
            return self.unreadable("the backend sends it in a content encoding");
        }
        if status != 200 {
            return self.unreadable("the backend sends it with another status than 200");
        }
        let untag = || remove(context.host, Message::Response, &RESPONSE_HEADERS, headers);
        if self.check.checked().enforce && untag().is_err() {
            return self.unreadable("the proxy does not take its tags off");
        }
        if let Some(verdict) = self.foregone() {
            return self.ended_by(verdict);
        }
        let more = match rest {
            Rest::End => return self.finish(context, 0, Vec::new()),
            Rest::More(more) => more,
        };
        if length_of(headers).is_some_and(|length| length > MOST_HELD as u64) {
            self.check.stream();
        }
        self.await_or_continue(more)
    }

    /// So many bytes of the response's body have come.
    pub(crate) fn on_body(
        mut self: Box<Self>,
        context: Context<'_>,
        size: usize,
        rest: Rest,
    ) -> BodyStep {
        let host = context.host;
        let Ok(chunk) = body_part(host, size) else {
            return self.unreadable("the proxy does not hand it over");
        };
        if self.check.bytes().saturating_add(size as u64) > MOST_HELD as u64 {
            self.check.stream();
        }
        let began = Timestamp::now(host);
        let fed = if self.check.checked().enforce {
            self.check.feed(&chunk)
        } else {
            self.check.hash(&chunk).map(|()| Vec::new())
        };
        self.spent += began.elapsed(host);
        let free = match (fed, self.foregone()) {
            (Ok(free), None) => free,
            (Err(verdict), _) | (_, Some(verdict)) => return self.ended_by(verdict),
        };
        let mut free = [std::mem::take(&mut self.spare), free].concat();
        let more = match rest {
            Rest::End => return self.finish(context, size, free),
            Rest::More(more) => more,
        };
        if self.unseen && free.len() > MOST_HELD {
            self.spare = free.split_off(MOST_HELD);
        }
        let replace = || host.replace_body(Message::Response, size, &free);
        if self.check.checked().enforce && replace().is_err() {
            return self.unreadable("the proxy does not let it be held back");
        }
        self.await_or_continue(more)
    }

    /// The verdict that the database's answer leaves, whatever the file may be: it must not go on.
    fn foregone(&self) -> Option<Verdict> {
        let SumdbState::Ready(answer) = &self.sumdb else {
            return None;
        };
        let checked = self.check.checked();
        let verdict = checked.sumdb_hash(Some(answer)).err()?;
        (checked.enforce && !verdict.is_good(checked)).then_some(verdict)
    }

    fn await_or_continue(mut self: Box<Self>, more: MoreToCome) -> BodyStep {
        self.unseen = self.check.holds_whole();
        if self.unseen {
            BodyStep::AwaitRest(self, more)
        } else {
            BodyStep::Continue(self)
        }
    }

    /// The body has ended, and trailers come. What was held back cannot follow the body any more.
    pub(crate) fn on_trailers(self: Box<Self>, context: Context<'_>) -> BodyStep {
        if self.check.checked().enforce {
            return self.unreadable("the backend ends it with trailers");
        }
        self.finish(context, 0, Vec::new())
    }

    /// The last bytes have come: `free` is what may go on by now, in the place of so many.
    fn finish(self: Box<Self>, context: Context<'_>, size: usize, mut free: Vec<u8>) -> BodyStep {
        let host = context.host;
        let unseen = self.unseen;
        let checked = self.check.checked().clone();
        let enforce = checked.enforce;
        let bytes = self.check.bytes();
        let began = Timestamp::now(host);
        let (got, tail) = self.check.finish();
        let mut file = FileVerdict {
            checked,
            verdict: Verdict::Unreadable("the proxy does not take back what was held back"),
            bytes,
            spent: self.spent + began.elapsed(host),
        };
        let replace = |with: &[u8]| {
            let nothing = size == 0 && with.is_empty();
            nothing || host.replace_body(Message::Response, size, with).is_ok()
        };
        let left = if enforce {
            free.len().saturating_add(tail.len())
        } else {
            size
        };
        let fits = left <= MOST_HELD;
        let answer = match (&got, self.sumdb) {
            (Ok(got), SumdbState::Pending(lookup, call)) if fits => {
                // The end stays here meanwhile: what the proxy holds, it might send.
                if enforce && !replace(&free) {
                    return file.step(unseen);
                }
                let waiting = AwaitingSumdb {
                    lookup,
                    got: *got,
                    verdict: file,
                    tail,
                    unseen,
                    call,
                };
                return BodyStep::AwaitSumdb(Box::new(waiting), call);
            }
            (_, SumdbState::Ready(answer)) => Some(answer),
            (_, SumdbState::Pending(..)) => {
                let why = "what is left of the file is more than can be held until it answers";
                Some(Answer::Unavailable(why.to_owned()))
            }
            (_, SumdbState::NotNeeded) => None,
        };
        let remember = |checked: &_, h1| remember(context, checked, h1);
        let verdict = got.map(|got| file.checked.weigh(got, answer.as_ref(), remember));
        let verdict = verdict.unwrap_or_else(|verdict| verdict);
        let goes_on = enforce && verdict.is_good(&file.checked);
        if goes_on && unseen && !fits {
            file.verdict =
                Verdict::Unreadable("it comes without its length, and is more than can be held");
            return file.step(unseen);
        }
        free.extend_from_slice(&tail);
        if !goes_on || replace(&free) {
            file.verdict = verdict;
        }
        file.step(unseen)
    }

    fn unreadable(self: Box<Self>, reason: &'static str) -> BodyStep {
        self.ended_by(Verdict::Unreadable(reason))
    }

    fn ended_by(self: Box<Self>, verdict: Verdict) -> BodyStep {
        let file = FileVerdict {
            checked: self.check.checked().clone(),
            bytes: self.check.bytes(),
            spent: self.spent,
            verdict,
        };
        file.step(self.unseen)
    }
}

/// So many bytes of the body, which may be none.
fn body_part(host: &dyn Host, size: usize) -> Result<Vec<u8>, Refused> {
    if size == 0 {
        return Ok(Vec::new());
    }
    host.body(Message::Response, size)
}

/// The length that a response says it has.
fn length_of(headers: &[Header]) -> Option<u64> {
    let value = value_of(headers, "content-length")?;
    std::str::from_utf8(value).ok()?.parse().ok()
}
