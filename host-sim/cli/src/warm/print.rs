//! What was done, for people.

use std::time::Duration;

use indicatif::{HumanBytes, HumanDuration};

use super::fetch::Fetched;
use super::wanted::Wanted;
use crate::out::count;

/// A summary, and a line for each failure.
pub(super) fn summary(wanted: &Wanted, fetched: &[Fetched], took: Duration) -> String {
    let mut text = String::new();
    for sentence in &wanted.left_out {
        text.push_str(&format!("left out: {sentence}\n"));
    }
    for one in fetched {
        if let Some(why) = &one.failure {
            text.push_str(&format!("failed: {} .{}: {why}\n", one.version, one.file));
        }
    }
    let bytes: u64 = fetched.iter().map(|file| file.bytes).sum();
    let of = |cache: &str| {
        fetched
            .iter()
            .filter(|file| file.cache == Some(cache))
            .count()
    };
    let failed = fetched.iter().filter(|file| file.failure.is_some()).count();
    let compared = fetched
        .iter()
        .filter(|file| file.compared && file.failure.is_none())
        .count();
    text.push_str(&format!(
        "{}, {}, {} in {}\n",
        count(wanted.versions.len(), "version"),
        count(fetched.len(), "file"),
        HumanBytes(bytes),
        HumanDuration(took),
    ));
    text.push_str(&format!(
        "hits {}, misses {}, stale {}, unknown {}; failures {failed}; hashes compared {compared}\n",
        of("hit"),
        of("miss"),
        of("stale"),
        of("unknown"),
    ));
    text
}
