//! The text of a refusal, as the Go command prints it.
//!
//! It prints a `text/plain` body up to its first blank line, at most 8 lines and 648 bytes, and nothing at
//! all if one character is not graphic (module reference, "Communicating with proxies").

use modgate_go::gomod::shorten;
use modgate_go::goproxy::Operation;
use modgate_policy::document::duration_in_words;
use modgate_policy::model::{Age, MatchedRule, TooYoung, Verdict};

/// The most bytes that go prints of a body.
pub const MAX_BYTES: usize = 648;

/// The last lines of a text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Footer<'a> {
    /// Whom to contact.
    pub contact: Option<&'a str>,
    /// The request id.
    pub request_id: Option<&'a str>,
}

/// A denial by the rules.
pub(crate) fn denied(
    operation: &Operation<'_>,
    tenant: &str,
    verdict: &Verdict<'_>,
    footer: Footer<'_>,
) -> String {
    let mut text = Text::default();
    text.line("tenant", tenant);
    match verdict.rule {
        Some(MatchedRule { set, rule, .. }) => {
            text.line("rule", &format!("{}/{}", set.name, rule.id));
            let reason = rule.reason.as_deref().unwrap_or(match verdict.too_young {
                Some(_) => "the version is too new",
                None => "the rule denies it",
            });
            text.line("reason", reason);
        }
        None => {
            text.line("rule", "default");
            text.line("reason", "no rule allows it");
        }
    }
    if let Some(too_young) = verdict.too_young {
        text.line("age", &age_in_words(too_young));
    }
    let lines = text.end(footer);
    // If the text is longer than what go prints, the name is cut, and not the reason or the contact.
    let room = MAX_BYTES.saturating_sub("modgate: denied ...\n".len() + lines.len());
    let requested = requested(operation);
    let requested = match requested.get(..room) {
        Some(start) if requested.len() > room + "...".len() => format!("{start}..."),
        _ => requested,
    };
    format!("modgate: denied {requested}\n{lines}")
}

fn age_in_words(too_young: TooYoung) -> String {
    let wanted = duration_in_words(too_young.wanted);
    match too_young.age {
        Age::Known(age) => format!("{}; allowed from {wanted} on", duration_in_words(age)),
        Age::Unasked | Age::Unknown => format!("unknown; allowed from {wanted} on"),
    }
}

/// A 404 for a path that the Go command only probes. It does not reveal whether a module is there.
pub(crate) fn not_a_module(operation: &Operation<'_>, tenant: &str) -> String {
    let mut text = Text::begin("not found: ", &requested(operation));
    text.line("tenant", tenant);
    text.end(Footer::default())
}

/// Any other refusal.
pub(crate) fn refused(what: &str, reason: &str, footer: Footer<'_>) -> String {
    let mut text = Text::begin("modgate: ", what);
    text.line("reason", reason);
    text.end(footer)
}

/// A refusal of a file by its hash, or for lack of one.
pub(crate) fn unverified(file: &str, reason: &str, footer: Footer<'_>) -> String {
    let mut text = Text::begin("modgate: not verified: ", &shorten(file));
    // A reason may repeat a name of the zip's, which is escaped but long.
    text.line("reason", &shorten(reason));
    text.end(footer)
}

/// `module@version`, as far as the request names them.
pub(crate) fn requested(operation: &Operation<'_>) -> String {
    let module = operation.module().unwrap_or("the checksum database");
    match operation.version() {
        Some(version) => format!("{}@{}", shorten(module), shorten(version)),
        None => shorten(module),
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn begin(what: &str, about: &str) -> Self {
        Self(format!("{what}{about}\n"))
    }

    fn line(&mut self, key: &str, value: &str) {
        for part in [key, ": ", value, "\n"] {
            self.0.push_str(part);
        }
    }

    fn end(mut self, footer: Footer<'_>) -> String {
        if let Some(contact) = footer.contact {
            self.line("contact", contact);
        }
        // The client may have chosen it, so it is repeated only if it is harmless.
        let harmless = |id: &&str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            (1..=64).contains(&id.len()) && id.bytes().all(plain)
        };
        if let Some(id) = footer.request_id.filter(harmless) {
            self.line("request", id);
        }
        self.0
    }
}
