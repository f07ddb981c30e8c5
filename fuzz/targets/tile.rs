//! A checksum database whose answers were tampered with. The first bytes say which record is asked for,
//! how large the log is, and which of its heads was seen before; then each four bytes change an answer.
//!
//! What is proved is what the honest database says, the head that is kept is one of its own, and a bounded
//! number of questions is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_fuzz::database::{self, KEY, RECORDS};
use modgate_go::sumdb::{Answer, Fetched, Lookup, Memory, Question, Step};

/// The most questions of one lookup: a record, and each tile as it is and as a full one.
const MOST_QUESTIONS: usize = 1 + 2 * 24;

/// The most bytes of lookups that are remembered.
const REMEMBERED: u64 = 16;

/// A change of one answer.
#[derive(Clone, Copy)]
struct Change {
    answer: u8,
    how: u8,
    place: u8,
    value: u8,
}

fuzz_target!(|input: &[u8]| {
    let [id, size, kept, second, rest @ ..] = input else {
        return;
    };
    let number = |byte: u8| u64::from(byte) * RECORDS / 256;
    let size = number(*size) + 1;
    let kept = match number(*kept) {
        0 => Vec::new(),
        kept => database::note(kept).into(),
    };
    let changes: Vec<Change> = rest
        .chunks_exact(4)
        .take(REMEMBERED as usize)
        .map(|change| Change {
            answer: change[0],
            how: change[1],
            place: change[2],
            value: change[3],
        })
        .collect();
    let asked = [number(*id) % size, number(*second) % size];
    within(OF_A_REQUEST, || {
        let (mut memory, mut kept) = (Memory::default(), kept.clone());
        // The second lookup finds in memory what the first has put there.
        for id in asked {
            run(id, size, &mut kept, &mut memory, &changes);
        }
    });
});

/// One lookup.
fn run(id: u64, size: u64, kept: &mut Vec<u8>, memory: &mut Memory, changes: &[Change]) {
    let mut lookup = Lookup::new(database::module(id), kept.clone());
    let mut open = Vec::new();
    let mut step = lookup.begin();
    for asked in 0.. {
        step = match step {
            Step::Done(answer) => return check(id, &answer, changes),
            Step::Keep { before, now } => {
                assert_eq!(before, *kept);
                *kept = now;
                lookup.kept(memory)
            }
            Step::Ask(questions) => {
                assert!(asked <= MOST_QUESTIONS, "it asks for ever");
                open.extend(questions);
                let question = open.pop().expect("nothing is awaited");
                let (status, body) = answer(question, id, size, asked, changes);
                let body = body
                    .as_deref()
                    .filter(|body| body.len() <= question.limit());
                let status = Some(status);
                lookup.answered(&KEY, memory, question, Fetched { status, body })
            }
        };
    }
}

fn answer(
    question: Question,
    id: u64,
    size: u64,
    asked: usize,
    changes: &[Change],
) -> (u16, Option<Vec<u8>>) {
    let honest = match question {
        Question::Record => {
            let (text, note) = (database::text(id), database::note(size));
            Some(format!("{id}\n{text}\n{note}").into_bytes())
        }
        Question::Tile { place, width } => database::tile(place, width),
    };
    let Some(mut body) = honest else {
        return (404, None);
    };
    let mut status = 200;
    for change in changes
        .iter()
        .filter(|change| usize::from(change.answer) == asked)
    {
        tamper(*change, &mut body, &mut status);
    }
    (status, Some(body))
}

fn tamper(change: Change, body: &mut Vec<u8>, status: &mut u16) {
    let at = usize::from(change.place) * body.len() / 256;
    match change.how % 9 {
        0 => {
            if let Some(byte) = body.get_mut(at) {
                *byte ^= change.value;
            }
        }
        1 => body.truncate(at),
        2 => body.insert(at, change.value),
        3 => *status = [204, 302, 404, 410, 429, 500, 206, 503][usize::from(change.value % 8)],
        4 => body.extend(std::iter::repeat_n(change.value, 32)),
        5 => drop(body.splice(..at, [])),
        // What is true of another record, or of another log.
        6 => *body = record(u64::from(change.place), 1 + u64::from(change.value)),
        7 => {
            let other = u64::from(change.place) * 2;
            let forged = database::text(u64::from(change.value));
            let note = database::note(1 + other);
            *body = format!("{other}\n{forged}\n{note}").into_bytes();
        }
        _ => {
            let claims = database::text(u64::from(change.value));
            body.extend_from_slice(claims.as_bytes());
        }
    }
}

fn record(id: u64, size: u64) -> Vec<u8> {
    let (text, note) = (database::text(id), database::note(size));
    format!("{id}\n{text}\n{note}").into_bytes()
}

fn check(id: u64, answer: &Answer, changes: &[Change]) {
    match answer {
        Answer::Proven(sums) => {
            let said = [sums.zip.to_string(), sums.go_mod.to_string()];
            assert_eq!(said, database::sums(id));
        }
        Answer::NotFound | Answer::Unavailable(_) | Answer::Refused(_) => {
            assert!(!changes.is_empty(), "an honest database: {answer:?}");
        }
    }
}
