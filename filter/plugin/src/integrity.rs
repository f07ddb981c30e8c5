//! The check of one answer's body: what the proxy has of it goes through the engine, and comes back
//! all but what stays back until the verdict.

use std::time::Duration;

use modgate_go::gomod::H1;
use modgate_go::integrity::{Check, Checked, Evidence, Record, Remembered, Seen, Share, Verdict};
use modgate_go::sumdb::Answer;
use modgate_policy::model::Backend;
use proxy_wasm::types::{BufferType, MapType};

use crate::callout::Token;
use crate::host::{self, Moment};
use crate::root::InForce;
use crate::secret;
use crate::sumdb::{self, Asking, Progress};
use modgate_go::http::{Header, value_of};

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

/// The check of an answer.
pub(crate) struct Guard {
    check: Check,
    spent: Duration,
    database: Testimony,
    /// Whether the answer's headers are held, and the client has seen nothing of it.
    unseen: bool,
    /// What may go on, but is more than the proxy could hold with what it held already.
    spare: Vec<u8>,
}

/// What the checksum database says of the file.
enum Testimony {
    /// It is not asked.
    Unasked,
    /// It is being asked.
    Awaited(Asking),
    /// This.
    Heard(Answer),
}

/// A file that was hashed, and whose end is held back: a callout of the lookup wakes it, or that
/// callout's time limit.
pub(crate) struct Held {
    asking: Asking,
    got: H1,
    /// Without its verdict yet: what holds where the bytes are not taken back.
    judged: Judged,
    /// What goes behind the bytes that the proxy holds.
    tail: Vec<u8>,
    unseen: bool,
}

/// What becomes of an answer.
pub(crate) enum Step {
    /// What there is of it goes on, and is checked further.
    Goes(Box<Guard>),
    /// It waits, headers and all, until more of its body or its trailers come: their callback goes on.
    Waits(Box<Guard>),
    /// It waits, to the last byte, for what the checksum database says.
    Held(Box<Held>),
    /// It is judged, and goes on.
    Judged(Judged),
    /// It is judged, and must not go on.
    Refused {
        judged: Judged,
        /// Whether the client has seen nothing of it yet.
        unseen: bool,
    },
}

/// A verdict, and what it cost.
pub(crate) struct Judged {
    pub(crate) checked: Checked,
    pub(crate) verdict: Verdict,
    pub(crate) bytes: u64,
    pub(crate) spent: Duration,
}

/// Takes from a request what would keep its answer from being checked. Whether the proxy did.
pub(crate) fn prepare(headers: &[Header]) -> bool {
    remove(MapType::HttpRequestHeaders, &REQUEST_HEADERS, headers)
}

/// Removes those of these headers that are there. Whether the proxy did.
fn remove(map: MapType, names: &[&str], headers: &[Header]) -> bool {
    let mut there = names
        .iter()
        .filter(|name| value_of(headers, name).is_some());
    there.all(|name| host::remove_header(map, name))
}

impl Guard {
    pub(crate) fn new(checked: Checked) -> Self {
        Self {
            check: Check::new(checked),
            spent: Duration::ZERO,
            database: Testimony::Unasked,
            unseen: true,
            spare: Vec::new(),
        }
    }

    /// Asks the checksum database, where it is the evidence, about a file that this request to a backend
    /// asks for.
    pub(crate) fn ask(&mut self, in_force: &InForce, backend: &Backend, request: &[Header]) {
        let checked = self.check.checked();
        if let Evidence::Sumdb { .. } = checked.evidence {
            self.database = sumdb::ask(in_force, &checked.module, (backend, request)).into();
        }
    }

    /// A callout was answered; perhaps one of the lookup's.
    pub(crate) fn heard(&mut self, in_force: &InForce, token: Token, headers: usize, size: usize) {
        let database = std::mem::replace(&mut self.database, Testimony::Unasked);
        self.database = match database {
            Testimony::Awaited(asking) if asking.awaits(token) => {
                asking.answered(in_force, token, headers, size).into()
            }
            database => database,
        };
    }

    /// The answer's headers have come, with a status that has content.
    pub(crate) fn headers(
        mut self: Box<Self>,
        status: u16,
        headers: &[Header],
        ends: bool,
    ) -> Step {
        let encoded = headers.iter().any(|(name, value)| {
            name == "content-encoding" && !value.eq_ignore_ascii_case(b"identity")
        });
        if encoded {
            return self.unreadable("the backend sends it in a content encoding");
        }
        if status != 200 {
            return self.unreadable("the backend sends it with another status than 200");
        }
        if self.check.checked().enforce
            && !remove(MapType::HttpResponseHeaders, &RESPONSE_HEADERS, headers)
        {
            return self.unreadable("the proxy does not take its tags off");
        }
        if let Some(verdict) = self.foregone() {
            return self.judged(verdict);
        }
        if ends {
            return self.finish(0, Vec::new());
        }
        if length_of(headers).is_some_and(|length| length > MOST_HELD as u64) {
            self.check.stream();
        }
        self.waits_or_goes()
    }

    /// So many bytes of the answer's body have come.
    pub(crate) fn body(mut self: Box<Self>, size: usize, ends: bool) -> Step {
        let Some(chunk) = host::body(BufferType::HttpResponseBody, size) else {
            return self.unreadable("the proxy does not hand it over");
        };
        if self.check.bytes().saturating_add(size as u64) > MOST_HELD as u64 {
            self.check.stream();
        }
        let began = Moment::now();
        let fed = if self.check.checked().enforce {
            self.check.feed(&chunk)
        } else {
            self.check.hash(&chunk).map(|()| Vec::new())
        };
        self.spent += began.elapsed();
        let free = match (fed, self.foregone()) {
            (Ok(free), None) => free,
            (Err(verdict), _) | (_, Some(verdict)) => return self.judged(verdict),
        };
        let mut free = [std::mem::take(&mut self.spare), free].concat();
        if ends {
            return self.finish(size, free);
        }
        if self.unseen && free.len() > MOST_HELD {
            self.spare = free.split_off(MOST_HELD);
        }
        if self.check.checked().enforce
            && !host::replace_body(BufferType::HttpResponseBody, size, &free)
        {
            return self.unreadable("the proxy does not let it be held back");
        }
        self.waits_or_goes()
    }

    /// The verdict that the database's answer leaves, whatever the file may be: it must not go on.
    fn foregone(&self) -> Option<Verdict> {
        let Testimony::Heard(answer) = &self.database else {
            return None;
        };
        let checked = self.check.checked();
        let verdict = checked.told(Some(answer)).err()?;
        (checked.enforce && !verdict.is_good(checked)).then_some(verdict)
    }

    fn waits_or_goes(mut self: Box<Self>) -> Step {
        self.unseen = self.check.holds_whole();
        if self.unseen {
            Step::Waits(self)
        } else {
            Step::Goes(self)
        }
    }

    /// The body has ended, and trailers come. What was held back cannot follow the body any more.
    pub(crate) fn trailers(self: Box<Self>) -> Step {
        if self.check.checked().enforce {
            return self.unreadable("the backend ends it with trailers");
        }
        self.finish(0, Vec::new())
    }

    /// The last bytes have come: `free` is what may go on by now, in the place of so many.
    fn finish(self: Box<Self>, size: usize, mut free: Vec<u8>) -> Step {
        let unseen = self.unseen;
        let checked = self.check.checked().clone();
        let enforce = checked.enforce;
        let bytes = self.check.bytes();
        let began = Moment::now();
        let (got, tail) = self.check.finish();
        let mut judged = Judged {
            checked,
            verdict: Verdict::Unreadable("the proxy does not take back what was held back"),
            bytes,
            spent: self.spent + began.elapsed(),
        };
        let replace = |with: &[u8]| {
            let nothing = size == 0 && with.is_empty();
            nothing || host::replace_body(BufferType::HttpResponseBody, size, with)
        };
        let left = if enforce {
            free.len().saturating_add(tail.len())
        } else {
            size
        };
        let fits = left <= MOST_HELD;
        let answer = match (&got, self.database) {
            (Ok(got), Testimony::Awaited(asking)) if fits => {
                // The end stays here meanwhile: what the proxy holds, it might send.
                if enforce && !replace(&free) {
                    return judged.step(unseen);
                }
                return Step::Held(Box::new(Held {
                    asking,
                    got: *got,
                    judged,
                    tail,
                    unseen,
                }));
            }
            (_, Testimony::Heard(answer)) => Some(answer),
            (_, Testimony::Awaited(_)) => {
                let why = "what is left of the file is more than can be held until it answers";
                Some(Answer::Unavailable(why.to_owned()))
            }
            (_, Testimony::Unasked) => None,
        };
        let verdict = got.map(|got| judged.checked.weigh(got, answer.as_ref(), remember));
        let verdict = verdict.unwrap_or_else(|verdict| verdict);
        let goes_on = enforce && verdict.is_good(&judged.checked);
        if goes_on && unseen && !fits {
            judged.verdict =
                Verdict::Unreadable("it comes without its length, and is more than can be held");
            return judged.step(unseen);
        }
        free.extend_from_slice(&tail);
        if !goes_on || replace(&free) {
            judged.verdict = verdict;
        }
        judged.step(unseen)
    }

    fn unreadable(self: Box<Self>, reason: &'static str) -> Step {
        self.judged(Verdict::Unreadable(reason))
    }

    fn judged(self: Box<Self>, verdict: Verdict) -> Step {
        let judged = Judged {
            checked: self.check.checked().clone(),
            bytes: self.check.bytes(),
            spent: self.spent,
            verdict,
        };
        judged.step(self.unseen)
    }
}

/// The length that an answer says it has.
fn length_of(headers: &[Header]) -> Option<u64> {
    let value = value_of(headers, "content-length")?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

impl From<Progress> for Testimony {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Waits(asking) => Self::Awaited(asking),
            Progress::Says(answer) => Self::Heard(answer),
        }
    }
}

impl Held {
    /// A callout was answered; perhaps one of the lookup's.
    pub(crate) fn heard(
        self: Box<Self>,
        in_force: &InForce,
        token: Token,
        headers: usize,
        size: usize,
    ) -> Step {
        let held = *self;
        let answer = match held.asking.answered(in_force, token, headers, size) {
            Progress::Waits(asking) => return Step::Held(Box::new(Self { asking, ..held })),
            Progress::Says(answer) => answer,
        };
        let mut judged = held.judged;
        let verdict = judged.checked.weigh(held.got, Some(&answer), remember);
        let goes_on = judged.checked.enforce && verdict.is_good(&judged.checked);
        let tail = &held.tail;
        if !goes_on || host::append_body(BufferType::HttpResponseBody, tail) {
            judged.verdict = verdict;
        }
        judged.step(held.unseen)
    }
}

impl Judged {
    fn step(self, unseen: bool) -> Step {
        if self.checked.enforce && !self.verdict.is_good(&self.checked) {
            Step::Refused {
                judged: self,
                unseen,
            }
        } else {
            Step::Judged(self)
        }
    }
}

/// Looks up the hash under which a file was seen first, and remembers this one where there is none and
/// there is room.
fn remember(checked: &Checked, h1: H1) -> Remembered {
    let Some(secret) = secret::bytes() else {
        return Remembered::NoRoom;
    };
    let record = Record::of(checked, &secret);
    let key = record.key();
    let place = host::shared(&key).unwrap_or_default();
    match record.look_up(&place, h1) {
        Seen::Before(known) => return Remembered::Before(known),
        Seen::NoRoom => return Remembered::NoRoom,
        Seen::New(_) => {}
    }
    if !has_room(&record) {
        return Remembered::NoRoom;
    }
    let remembered = host::change_shared(&key, |place| match record.look_up(place, h1) {
        Seen::Before(known) => (Remembered::Before(known), None),
        Seen::New(new) => (Remembered::Now, Some(new)),
        Seen::NoRoom => (Remembered::NoRoom, None),
    });
    if let Some(Remembered::Now) = remembered {
        for key in record.count_keys() {
            host::count_shared(&key);
        }
    }
    remembered.unwrap_or(Remembered::NoRoom)
}

/// Whether there is room for one more record. Two workers may take the last one both: a place has room
/// for more than its share.
fn has_room(record: &Record) -> bool {
    let count = |key: &str| host::shared(key).map_or(0, |value| host::shared_number(&value));
    let [all, tenant, module] = record.count_keys();
    let share = Share {
        all: count(&all),
        tenant: count(&tenant),
        module: count(&module),
    };
    share.has_room()
}
