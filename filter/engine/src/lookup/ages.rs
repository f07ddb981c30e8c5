//! When the versions of a list were published, noted together: a list has many versions, and notes are few.

use super::LookupEnv;

/// The most bytes of a note; a proxy keeps no larger ones.
const MAX_BYTES: usize = 3 << 10;

/// The most notes for one list.
const MAX_NOTES: usize = 16;

/// The first character of a note: whether another note follows.
const FOLLOWS: char = '+';
const LAST: char = '.';

/// The noted times, in seconds since 1970. The first missing note ends them.
pub(super) fn recall(env: &dyn LookupEnv, key: &str) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for part in 0..MAX_NOTES {
        let Some(noted) = env.recall(&key_of(key, part)) else {
            return all;
        };
        let noted = String::from_utf8(noted).unwrap_or_default();
        let mut lines = noted.lines();
        let follows = lines.next().is_some_and(|line| line.starts_with(FOLLOWS));
        all.extend(lines.filter_map(|line| {
            let (version, then) = line.split_once(' ')?;
            Some((version.to_owned(), then.parse().ok()?))
        }));
        if !follows {
            return all;
        }
    }
    all
}

/// Notes as many of them as fit.
pub(super) fn note<'v>(env: &dyn LookupEnv, key: &str, ages: impl Iterator<Item = (&'v str, u64)>) {
    let mut parts = vec![String::new()];
    for (version, then) in ages {
        let line = format!("{version} {then}\n");
        let is_full = parts
            .last()
            .is_none_or(|part| part.len() + line.len() > MAX_BYTES);
        if is_full && parts.len() == MAX_NOTES {
            break;
        }
        if is_full {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(&line);
        }
    }
    let last = parts.len() - 1;
    for (place, part) in parts.iter().enumerate() {
        let sign = if place == last { LAST } else { FOLLOWS };
        let noted = format!("{sign}\n{part}");
        env.note(&key_of(key, place), noted.as_bytes());
    }
}

fn key_of(key: &str, part: usize) -> String {
    format!("{part} {key}")
}
