//! What a backend answers to the filter's own questions. The first byte says what the client wants, and
//! the rest are answers: a byte for the status, and the body as far as the next byte 0xff.
//!
//! However the backend answers, the filter asks a bounded number of times, and the client gets nothing
//! of a version that its rules refuse.
#![no_main]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use modgate_engine::decision::{Answer, judge};
use modgate_engine::lookup::{Consultation, Fetched, Step, World};
use modgate_engine::reply::Reply;
use modgate_fuzz::budget::{OF_A_LONG_REQUEST, within};
use modgate_go::gomod::{escape_into, is_canonical_for, semver};
use modgate_go::http::Header;
use modgate_policy::model::{Age, Decision, Policy, RuleSetSide, Subject};
use serde_json::Value;

const MODULE: &str = "corp.example/lib";

/// The most questions that one request can lead to: a list, ages, a go.mod, the latest, its go.mod.
const MOST_QUESTIONS: usize = 512 + 6;

/// A list that is longer than this may have more ages than are noted.
const NOTED: usize = 32 << 10;

/// What clients ask for.
const WANTED: [&str; 7] = [
    "@v/list",
    "@latest",
    "@v/main.info",
    "@v/v1.2.0.info",
    "@v/v1.0.0.zip",
    "@v/v1.5.0.mod",
    "@v/v1.6.0-rc.1.info",
];

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let document = serde_json::json!({
        "version": "1", "default": "deny",
        "tenants": {"*": {"rules": ["r"]}},
        "rules": {"r": [
            {"id": "cve", "deny": ["corp.example"], "versions": ">=1.2.0 <1.4.0 || v0"},
            {"id": "old", "allow": ["corp.example"], "versions": "v1.5.0"},
            {"id": "week", "allow": ["*"], "min_age": "7d"},
        ]},
        "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
    });
    Policy::from_json(document.to_string().as_bytes()).expect("the target's own policy is good")
});

/// 2026-11-23T00:00:00Z.
struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl World for Memory {
    fn now(&self) -> Option<u64> {
        Some(1_795_392_000)
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(key).cloned()
    }

    fn note(&self, key: &str, value: &[u8]) {
        self.0.borrow_mut().insert(key.to_owned(), value.to_vec());
    }

    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    fn warn(&self, _: &str) {}
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, answers)) = input.split_first() else {
        return;
    };
    let wanted = WANTED[usize::from(first) % WANTED.len()];
    let judgement = judge(&POLICY, &get(wanted), &());
    match &judgement.answer {
        Answer::Consult { consultation, .. } => {
            let world = Memory(RefCell::default());
            let reply = within(OF_A_LONG_REQUEST, || run(&world, consultation, answers));
            check(wanted, reply.as_ref());
            if let Some(reply) = reply.filter(|reply| wanted == "@v/list" && reply.status == 200) {
                reply
                    .body
                    .lines()
                    .for_each(|line| serves(&world, &reply, line));
            }
        }
        Answer::Forward { .. } => assert_eq!(wanted, "@v/v1.5.0.mod"),
        Answer::Reply(reply) => assert_eq!((reply.status, wanted), (403, "@v/v1.2.0.info")),
    }
});

/// What a list offers may be had, and nothing more has to be looked up for it.
fn serves(world: &Memory, list: &Reply, line: &str) {
    let version = line.split(' ').next().unwrap_or_default();
    let mut escaped = String::new();
    escape_into(version, &mut escaped);
    let judgement = judge(&POLICY, &get(&format!("@v/{escaped}.zip")), &());
    let Answer::Consult { consultation, .. } = &judgement.answer else {
        return assert!(
            matches!(judgement.answer, Answer::Forward { .. }),
            "{version}"
        );
    };
    match consultation.clone().begin(&POLICY, world) {
        Step::Proceed(_) => {}
        Step::Ask(_) => assert!(list.body.len() > NOTED, "{version} was not looked at"),
        step => panic!("{version} is offered, and not served: {step:?}"),
    }
}

fn get(file: &str) -> [Header; 2] {
    // The Go command writes no other characters of a version so.
    [
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), format!("/{MODULE}/{file}").into_bytes()),
    ]
}

/// The client's answer; `None` where its request goes to the backend.
fn run(world: &Memory, consultation: &Consultation, answers: &[u8]) -> Option<Reply> {
    let mut consultation = consultation.clone();
    let mut answers = answers.split(|byte| *byte == 0xff);
    let mut step = consultation.begin(&POLICY, world);
    let mut questions = VecDeque::new();
    for _ in 0..MOST_QUESTIONS {
        match step {
            Step::Ask(asked) => questions.extend(asked),
            Step::Wait => {}
            Step::Proceed(rule_decisions) => {
                assert_eq!(rule_decisions.effective.decision, Decision::Allow);
                return None;
            }
            Step::Answer { reply, .. } => return Some(reply),
        }
        let question = questions.pop_front().expect("something is awaited");
        let answer = answers.next().and_then(<[u8]>::split_first);
        let status = answer.map(|(status, _)| match status {
            b'n' => 404,
            b'r' => 302,
            b'e' => 503,
            b'p' => 206,
            _ => 200,
        });
        let fetched = Fetched {
            status,
            body: answer.map(|(_, body)| body),
            last_modified: None,
            ..Fetched::default()
        };
        step = consultation.answered(&POLICY, world, question.number, fetched);
    }
    panic!("it asks for ever");
}

fn check(wanted: &str, reply: Option<&Reply>) {
    let Some(reply) = reply else {
        return assert_eq!(wanted, "@v/v1.0.0.zip", "it goes on");
    };
    if reply.status != 200 {
        return assert!((400..600).contains(&reply.status));
    }
    if wanted == "@v/list" {
        let mut versions = reply.body.lines().map(|line| line.split(' ').next());
        return assert!(versions.all(|version| version.is_some_and(may_be_had)));
    }
    // As Go's decoder reads it: members in any case, the last one counts.
    let Value::Object(members) = serde_json::from_str(&reply.body).expect("JSON") else {
        panic!("no object: {}", reply.body);
    };
    let mut named = members
        .iter()
        .filter(|(key, _)| key.to_lowercase() == "version");
    let version = named.next().and_then(|(_, value)| value.as_str());
    assert!(named.next().is_none(), "two versions: {}", reply.body);
    assert!(version.is_some_and(may_be_had), "{}", reply.body);
}

/// Whether the rules let it pass that say nothing of its age.
fn may_be_had(version: &str) -> bool {
    let Some(parts) = semver::parse(version) else {
        return false;
    };
    let tenant = POLICY.tenant(None).expect("everybody");
    let subject = Subject::Version(parts, Age::Known(std::time::Duration::MAX));
    let verdict = POLICY.decide(tenant, RuleSetSide::Active, MODULE, &subject, true);
    is_canonical_for(MODULE, version).is_ok() && verdict.decision == Decision::Allow
}
