//! Every scenario on real Envoy too: it comes to what the scenario says and the simulator does, or the
//! scenario lists the difference with its reason.

use std::sync::{Mutex, PoisonError};

use modgate_conformance::envoy_scenarios::evaluate;
use modgate_harness::tools::files;

/// Times are real there: one test at a time, or they hold each other up.
static TURN: Mutex<()> = Mutex::new(());

/// Plays the scenarios of a folder, of which there are at least so many.
fn agree(folder: &str, least: usize) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let files = files(folder, "yaml");
    assert!(files.len() >= least, "{files:?}");
    let evaluated = evaluate::all(&files);
    let wrong: Vec<_> = evaluated.into_iter().flat_map(|one| one.wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn scenarios_of_the_filter_come_to_the_same_in_envoy() {
    agree("tests/scenarios", 6);
}

#[test]
fn scenarios_of_odd_filters_come_to_the_same_in_envoy() {
    agree("tests/scenarios/odd", 51);
}

/// Of the first ABI, and of other languages; `scripts/filters` builds them.
#[test]
fn scenarios_of_filters_in_other_languages_come_to_the_same_in_envoy() {
    agree("tests/scenarios/languages", 4);
}

/// Each on the Envoy that its profile names.
#[test]
fn scenarios_of_profiles_come_to_the_same_in_their_envoy() {
    agree("tests/scenarios/profiles", 2);
}
