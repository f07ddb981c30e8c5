//! Durations as policies, scenarios and options of commands write them: a whole number and a unit. One
//! grammar for all of them.

use std::time::Duration;

/// Reads `250ms`, `30s`, `15m`, `12h` or `7d`.
///
/// # Errors
/// One sentence: the text is not such a duration, or is longer than 2^64 milliseconds.
pub fn parse(text: &str) -> Result<Duration, String> {
    let error = || {
        format!(
            "{text:?} is not a valid duration; write a whole number and ms, s, m, h or d, such as \"250ms\""
        )
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
    let (number, unit) = text.split_at_checked(digits).ok_or_else(error)?;
    let number: u64 = number.parse().map_err(|_| error())?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(error()),
    };
    number
        .checked_mul(unit)
        .map(Duration::from_millis)
        .ok_or_else(error)
}

/// A duration for people, in its largest whole unit: `6d`, `23h`, `59m`, `0s`.
pub fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3600 => (seconds / 60, "m"),
        3600..86_400 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_the_largest_unit() {
        for (seconds, words) in [(0, "0s"), (59, "59s"), (3599, "59m"), (86_399, "23h")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
        assert_eq!(in_words(Duration::from_secs(7 * 86_400 + 5)), "7d");
    }

    #[test]
    fn a_number_and_a_unit() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for bad in [
            "",
            "5",
            "ms",
            "1.5s",
            "-1s",
            "1 s",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
