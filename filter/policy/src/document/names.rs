//! Names that a document gives to things, and texts that it gives to people.

/// The `*` tenant: everybody whom no other matches.
pub const ANYONE: &str = "*";

/// Rule names that the engine gives to its own decisions.
const RESERVED_RULES: [&str; 6] = [
    "default",
    "identity",
    "integrity",
    "route",
    "split",
    "sumdb",
];

/// The longest name, in bytes.
const MAX_NAME: usize = 63;

/// The longest `reason` of a rule, in bytes.
pub(crate) const MAX_REASON: usize = 160;

/// The longest `contact`, in bytes.
pub(crate) const MAX_CONTACT: usize = 80;

/// Whether this can name a tenant, rule, rule set, backend or route: `[A-Za-z0-9_-]`, at most 63,
/// so that it is a metric's label and a path's element as it is.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// What is wrong with a name, in words; `None` where nothing is.
pub(crate) fn name_error(what: &str, name: &str) -> Option<String> {
    if matches!(name, "true" | "false" | "null") {
        return Some(format!(
            "the {what} {name:?}: quote it in YAML (unquoted yes, no, on, off, y and n are booleans, \
             as keys too), or choose another name"
        ));
    }
    (!is_name(name))
        .then(|| format!("the {what} {name:?}: use 1 to {MAX_NAME} of A-Z, a-z, 0-9, _ and -"))
}

/// Why something of this kind cannot have a name, though it is a good one: metrics, logs or paths mean
/// something else by it, and two things would be counted as one.
pub(crate) fn reserved_error(what: &str, name: &str) -> Option<String> {
    let why = match (what, name) {
        (_, "-") => "access logs and tables use it for \"none\"",
        ("backend" | "split" | "variant", "none") => "metrics use it for \"none\"",
        ("backend", "unknown") => "metrics use it where the backend cannot be determined",
        ("tenant", "other") => {
            "metrics use it for \"*\", for unidentified clients and beyond the series limit"
        }
        ("rule" | "split" | "variant", "other") => "metrics use it beyond the series limit",
        ("tenant", "sumdb") => "checksum database paths begin with it",
        ("rule", name) if RESERVED_RULES.contains(&name) => "it is reserved for the engine",
        _ => return None,
    };
    Some(format!("the {what} {name:?}: {why}; choose another name"))
}

/// What is wrong with a text that a denial shows, in words. The Go command drops a whole message
/// for one character that is not graphic, and prints 8 lines and 648 bytes of it at most.
pub(crate) fn text_error(text: &str, most_bytes: usize) -> Option<String> {
    if text.trim().is_empty() {
        return Some("an empty string: leave it out".to_owned());
    }
    if text.len() > most_bytes {
        return Some(format!(
            "{} bytes; go prints only the start of a denial, so use at most {most_bytes}",
            text.len()
        ));
    }
    let bad = text.chars().find(|c| !is_graphic(*c))?;
    Some(format!(
        "the character {bad:?}: go prints a denial only if every character is graphic"
    ))
}

/// What Go's `unicode.IsGraphic` surely accepts: ASCII, and letters and digits of any script.
fn is_graphic(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_ascii() => false,
        c => c.is_alphanumeric() || matches!(c, '–' | '—' | '‘' | '’' | '“' | '”' | '…' | '·'),
    }
}
