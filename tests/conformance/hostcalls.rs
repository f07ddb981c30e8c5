//! Hostile arguments to every hostcall, in every phase: the simulator must answer what real Envoy answers.

use modgate_conformance::hostcalls::compare;

#[test]
fn hostile_arguments_get_the_answers_of_envoy() {
    let comparison = compare();
    let wrong = &comparison.differing;
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        comparison.answers,
        wrong.join("\n")
    );
    // Not all the same, and good ones among them.
    assert!(
        comparison.answers > 2000 && comparison.kinds.len() >= 6 && comparison.kinds.contains("00"),
        "{comparison:?}"
    );
}
