//! A backend's `Location`: it reaches a client only where the policy names the place, and what is
//! rewritten stays behind the tenant's prefix.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_fuzz::fixed::POLICY;
use modgate_policy::model::redirect::Redirected;

/// The one place that redirects may pass on to, as `policies/every-source.json` has it.
const PASSED: &str = "https://cdn.example:8443";

/// What the backend was asked for.
const ASKED: &str = "/upstream/a.b/c/@v/v1.0.0.zip";

fuzz_target!(|input: &[u8]| {
    let public = POLICY.backends().iter().find(|b| b.name == "public");
    let public = public.expect("a backend named public");
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    for locations in [lines.as_slice(), &[input]] {
        let judged = within(OF_A_REQUEST, || {
            public.redirected_from(302, locations, "t/acme/", || Some(ASKED.to_owned()))
        });
        match judged.expect("302 is a redirect") {
            Redirected::Passed => check_passed(locations),
            // A relative one that leads to the place.
            Redirected::To(to) if to.starts_with(PASSED) => check_passed(&[to.as_bytes()]),
            Redirected::To(to) => check_kept(&to),
            Redirected::Refused { reason } => {
                assert!(!reason.contains(char::is_control), "{reason:?}");
            }
        }
    }
});

fn check_passed(locations: &[&[u8]]) {
    let [location] = locations else {
        panic!("of several one was believed");
    };
    let location = std::str::from_utf8(location).expect("text");
    let (start, rest) = location
        .split_at_checked(PASSED.len())
        .expect("a whole place");
    assert!(start.eq_ignore_ascii_case(PASSED), "{location}");
    assert!(
        rest.is_empty() || rest.starts_with(['/', '?', '#']),
        "{location}"
    );
}

fn check_kept(to: &str) {
    let behind = to.strip_prefix("/t/acme").expect("the tenant's prefix");
    assert!(behind.is_empty() || behind.starts_with('/'), "{to}");
    assert!(to.bytes().all(|byte| byte.is_ascii_graphic()), "{to:?}");
    assert!(!to.contains(['?', '#', '\\']) && !to.contains("//"), "{to}");
    let decoded = to.to_ascii_lowercase().replace("%2e", ".");
    assert!(!decoded.split('/').any(|e| matches!(e, "." | "..")), "{to}");
}
