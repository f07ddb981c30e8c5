//! Who is asking, from every source. The path is always good; its prefix, the headers and what the
//! host verified are the input. What the sources say together is held against what each says alone.
//!
//! A new identity source wants an entry in `policies/every-source.json` and, by what it reads, a line
//! in `asked::PROPERTIES` and a name in [`MTLS`], [`JWT`] or [`OTHER_FACTS`], or one in [`BELIEVED`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_engine::decision::{Decision, RequestDecision, evaluate};
use modgate_fuzz::asked::Asked;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_fuzz::fixed::{OPEN, POLICY};
use modgate_policy::document::is_name;
use modgate_policy::model::Policy;

/// The headers that name a tenant.
const BELIEVED: [&str; 2] = ["x-corp-tenant", "x-user"];

/// What a certificate says.
const MTLS: [&str; 3] = ["uri", "dns", "subject"];

/// What a token says.
const JWT: [&str; 3] = ["claim", "nested", "groups"];

/// What else the host knows.
const OTHER_FACTS: [&str; 2] = ["sni", "listener"];

/// What the document's maps make of a value.
const MAPPED: [(&str, &str); 4] = [
    ("alice@corp.example", "payments"),
    ("bob", "web"),
    ("red", "payments"),
    ("blue", "web"),
];

const GOOD_PATH: &str = "/golang.org/x/text/@v/list";

fuzz_target!(|input: &[u8]| {
    let asked = Asked::read(input);
    let prefix = path_prefix(&asked);
    let asked = asked
        .with(":method", "GET")
        .with(":path", &format!("{prefix}{GOOD_PATH}"));
    let decision = within(OF_A_REQUEST, || evaluate(&POLICY, &asked.headers, &asked));
    check_removed(&asked, &decision);
    if asked
        .headers
        .iter()
        .skip(2)
        .any(|(name, _)| name.starts_with(':'))
    {
        return;
    }
    let mut headers = asked.headers.iter();
    if headers.any(|(name, value)| is_malformed(name, value)) {
        return assert_eq!(status(&decision), Some(400));
    }
    check_against_alone(&asked, &prefix);
    check_require(&asked, &decision);
    check_without_lies(&asked, &decision);
});

/// `/t/NAME` where the input's path begins so, else nothing.
fn path_prefix(asked: &Asked) -> String {
    let path = asked.value(":path").unwrap_or_default();
    let name = std::str::from_utf8(path).ok().and_then(|path| {
        let (name, _) = path.strip_prefix("/t/")?.split_once('/')?;
        is_name(name).then_some(name)
    });
    name.map(|name| format!("/t/{name}")).unwrap_or_default()
}

/// What a Go proxy needs of a request's headers, and traces.
const NEEDED: [&str; 36] = [
    "accept",
    "accept-encoding",
    "b3",
    "content-length",
    "disable-module-fetch",
    "grpc-trace-bin",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "sw8",
    "sw8-correlation",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-amzn-trace-id",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-client-trace-id",
    "x-cloud-trace-context",
    "x-datadog-origin",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "x-datadog-trace-id",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-ot-span-context",
    "x-request-id",
];

/// Of what goes to a backend, every header is taken off that it does not need or that claims an identity.
fn check_removed(asked: &Asked, decision: &RequestDecision<'_>) {
    if decision.backend().is_none() {
        return;
    }
    for (name, _) in &asked.headers {
        let is_removed = decision.remove_headers.contains(name);
        let is_needed = NEEDED.contains(&name.as_str()) || name.starts_with(':');
        assert_eq!(is_removed, !is_needed || claims_identity(name), "{name:?}");
    }
}

/// Whether a header claims who the client is, to the filter or to whatever stands behind it. To
/// servers that follow CGI an underscore is a dash.
fn claims_identity(name: &str) -> bool {
    const BY_GATEWAYS: [&str; 15] = [
        "forwarded-user",
        "remote-user",
        "x-auth-request-email",
        "x-auth-request-groups",
        "x-auth-request-user",
        "x-authenticated-user",
        "x-client-cert",
        "x-forwarded-client-cert",
        "x-forwarded-email",
        "x-forwarded-groups",
        "x-forwarded-preferred-username",
        "x-forwarded-user",
        "x-remote-user",
        "x-ssl-client-cert",
        "x-webauth-user",
    ];
    let name = name.replace('_', "-").to_ascii_lowercase();
    let rest = name.strip_prefix("x-modgate-");
    // The policy has tokens and passwords verified in front, so they are not for the backend.
    name == "authorization"
        || name == "x-old-tenant"
        || rest.is_some_and(|rest| !rest.is_empty())
        || BELIEVED.contains(&name.as_str())
        || BY_GATEWAYS.contains(&name.as_str())
}

/// What no request may have in a header, whatever it says: the end of a line, a body.
fn is_malformed(name: &str, value: &[u8]) -> bool {
    value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
        || (name == "content-length" && value != b"0")
}

/// What one source says when it is the only one: a tenant that the policy names, or `*`.
#[derive(Debug, PartialEq, Eq)]
enum Alone {
    Nothing,
    Says(String),
    /// Several tenants, one of which another source may choose.
    Several,
    /// What no request may say.
    Refused,
}

impl Alone {
    fn of(decision: &RequestDecision<'_>) -> Self {
        match (decision.tenant, decision.identity) {
            (Some(_), None) => Self::Nothing,
            (Some(tenant), Some(_)) => Self::Says(tenant.name.clone()),
            (None, Some(_)) => Self::Several,
            (None, None) => Self::Refused,
        }
    }
}

/// All that say anything say the same, or the request is refused.
fn check_against_alone(asked: &Asked, prefix: &str) {
    let together = evaluate(&OPEN, &asked.headers, asked);
    let said: Vec<Alone> = each_alone(asked, prefix)
        .map(|alone| {
            let decision = evaluate(&OPEN, &alone.headers, &alone);
            let said = Alone::of(&decision);
            check_evidence(&alone, prefix, &said);
            said
        })
        .collect();
    let got = together.tenant.map(|tenant| tenant.name.as_str());
    if said.contains(&Alone::Refused) {
        return assert_eq!(status(&together), Some(400), "{said:?}");
    }
    let mut names: Vec<&str> = said.iter().filter_map(name_said).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] if !said.contains(&Alone::Several) => assert_eq!(got, Some("*")),
        [] => assert_eq!(got, None),
        [name] => assert!(got.is_none_or(|got| got == *name), "{got:?} of {said:?}"),
        _ => assert_eq!(got, None, "of {said:?}"),
    }
    if let [Alone::Says(name)] = said.as_slice() {
        assert_eq!(got, Some(name.as_str()));
    }
}

const fn name_said(said: &Alone) -> Option<&str> {
    match said {
        Alone::Says(name) => Some(name.as_str()),
        Alone::Nothing | Alone::Several | Alone::Refused => None,
    }
}

fn status(decision: &RequestDecision<'_>) -> Option<u16> {
    match &decision.action {
        Decision::LocalReply(reply) => Some(reply.status),
        Decision::Forward { .. } | Decision::Pending { .. } => None,
    }
}

/// The request with one thing that could name a tenant, for each that there is.
fn each_alone(asked: &Asked, prefix: &str) -> impl Iterator<Item = Asked> {
    let head = |path: &str| Asked {
        headers: vec![
            (":method".to_owned(), b"GET".to_vec()),
            (":path".to_owned(), path.as_bytes().to_vec()),
        ],
        facts: Vec::new(),
    };
    let by_path = (!prefix.is_empty()).then(|| head(&format!("{prefix}{GOOD_PATH}")));
    let by_header = BELIEVED.into_iter().filter_map(move |name| {
        let mut alone = head(GOOD_PATH);
        let values = asked.values(name);
        alone
            .headers
            .extend(values.map(|value| (name.to_owned(), value.to_vec())));
        (alone.headers.len() > 2).then_some(alone)
    });
    let facts = MTLS.into_iter().chain(JWT).chain(OTHER_FACTS);
    let by_fact = facts.filter_map(move |name| {
        let mut alone = head(GOOD_PATH);
        alone.facts.push((name, asked.fact(name)?.to_vec()));
        Some(alone)
    });
    by_path.into_iter().chain(by_header).chain(by_fact)
}

/// A tenant's name stands in what named it, or in the map.
fn check_evidence(alone: &Asked, prefix: &str, said: &Alone) {
    let Alone::Says(name) = said else {
        return;
    };
    if name == "*" {
        return;
    }
    let header = BELIEVED.into_iter().find_map(|name| alone.value(name));
    let fact = alone.facts.first().map(|(_, value)| value.as_slice());
    let value = header.or(fact).unwrap_or(prefix.as_bytes());
    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
    let stands_there = value.contains(name.as_str())
        // The escapes of a certificate's subject.
        || value.contains('\\')
        || MAPPED
            .iter()
            .any(|(from, to)| to == name && value.contains(from));
    assert!(stands_there, "{name} of {value:?}");
}

/// The tenant that wants two proofs has both.
fn check_require(asked: &Asked, decision: &RequestDecision<'_>) {
    let tenant = decision.tenant.map(|tenant| tenant.name.as_str());
    if tenant != Some("vault") {
        return;
    }
    for kind in [MTLS, JWT] {
        let proves = |name: &&str| {
            let value = asked.fact(name);
            value.is_some_and(|value| !value.is_empty())
        };
        assert!(kind.iter().any(proves), "none of {kind:?}");
    }
    assert_eq!(judged(&OPEN, asked), judged(&POLICY, asked));
}

/// Headers that are taken off and not believed say nothing.
fn check_without_lies(asked: &Asked, decision: &RequestDecision<'_>) {
    let mut honest = asked.clone();
    honest.headers.retain(|(name, _)| {
        name.starts_with(':') || name == "x-request-id" || BELIEVED.contains(&name.as_str())
    });
    assert_eq!(judged(&POLICY, &honest), described(decision));
}

fn judged(policy: &Policy, asked: &Asked) -> String {
    described(&evaluate(policy, &asked.headers, asked))
}

fn described(decision: &RequestDecision<'_>) -> String {
    format!(
        "{:?} {:?} {:?}",
        decision.tenant.map(|tenant| &tenant.name),
        decision.identity,
        decision.action
    )
}
