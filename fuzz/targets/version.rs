//! Versions and queries: the parts of a version make it up again, and a version is canonical for a
//! module exactly where its files can be asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_go::gomod::semver::Semver;
use modgate_go::gomod::{check_query, is_canonical_for, semver, unescape};
use modgate_go::goproxy::{Operation, SumdbCall};

/// Modules of every kind of major version.
const MODULES: [&str; 6] = [
    "example.com/a",
    "example.com/a/v2",
    "example.com/a/v10",
    "gopkg.in/yaml.v1",
    "gopkg.in/yaml.v3",
    "gopkg.in/a.v2-unstable",
];

fuzz_target!(|input: &[u8]| {
    let Ok(version) = std::str::from_utf8(input) else {
        return;
    };
    let parsed = within(OF_A_REQUEST, || semver::parse(version));
    if let Some(parts) = parsed {
        assert_eq!(put_together(parts), version);
        check_parts(parts);
    }
    let fitting = MODULES
        .into_iter()
        .filter(|module| within(OF_A_REQUEST, || is_canonical_for(module, version)).is_ok());
    for module in fitting {
        let parts = parsed.expect("a canonical version is a version");
        assert!(parts.patch.is_some() && matches!(parts.build, "" | "+incompatible"));
        assert_eq!(
            check_query(version).is_ok(),
            can_be_asked(module, version),
            "{version}"
        );
    }
    check_escaped(version);
});

fn put_together(parts: Semver<'_>) -> String {
    let mut version = format!("v{}", parts.major);
    for number in [parts.minor, parts.patch].into_iter().flatten() {
        version.push('.');
        version.push_str(number);
    }
    version + parts.prerelease + parts.build
}

fn check_parts(parts: Semver<'_>) {
    let numbers = [Some(parts.major), parts.minor, parts.patch];
    for number in numbers.into_iter().flatten() {
        assert!(!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(number == "0" || !number.starts_with('0'), "{number}");
    }
    assert!(parts.minor.is_some() || parts.patch.is_none());
    let is_long = parts.patch.is_some();
    assert!(is_long || (parts.prerelease.is_empty() && parts.build.is_empty()));
    for (mark, part) in [('-', parts.prerelease), ('+', parts.build)] {
        assert!(part.is_empty() || part.starts_with(mark), "{part}");
    }
}

/// Whether the module's files of this version can be asked for, alike from a proxy and of the
/// checksum database.
fn can_be_asked(module: &str, version: &str) -> bool {
    let escaped: String = version.chars().map(case_escaped).collect();
    let file = format!("{module}/@v/{escaped}.zip");
    let zip = Operation::parse(&file);
    let name = format!("lookup/{module}@{escaped}");
    let lookup = SumdbCall::parse(&name);
    assert_eq!(zip.is_ok(), lookup.is_ok(), "{version}");
    if let Ok(operation) = &zip {
        assert_eq!(operation.version(), Some(version));
    }
    zip.is_ok()
}

fn case_escaped(c: char) -> String {
    if c.is_ascii_uppercase() {
        return format!("!{}", c.to_ascii_lowercase());
    }
    c.into()
}

/// What may be asked for is one file's name.
fn check_escaped(escaped: &str) {
    let Ok(query) = within(OF_A_REQUEST, || unescape(escaped)) else {
        return;
    };
    if check_query(&query).is_ok() {
        let allowed =
            |byte: u8| (b' '..=b'~').contains(&byte) && !b"/\\!:;?*\"<>|'`".contains(&byte);
        assert!(query.bytes().all(allowed), "{query:?}");
        assert!(!matches!(&*query, "" | "." | ".."));
    }
}
