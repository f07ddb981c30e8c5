//! Lines of what happens again and again, at a bounded rate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same line is written, at most.
const EVERY: Duration = Duration::from_secs(10);

/// How many different lines are told apart; a new one makes room where there are more.
const LINES: usize = 256;

/// When each line was written last, and how often it was not.
#[derive(Debug, Default)]
pub(super) struct Repeated(Mutex<HashMap<String, Repeat>>);

#[derive(Debug)]
struct Repeat {
    at: Instant,
    left_out: u64,
}

impl Repeated {
    /// The line as it is to be written now, with how often it was left out before; `None` where it is left
    /// out.
    pub(super) fn line(&self, line: &str, now: Instant) -> Option<String> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(repeat) = lines.get_mut(line) {
            if now.saturating_duration_since(repeat.at) < EVERY {
                repeat.left_out += 1;
                return None;
            }
            repeat.at = now;
            return Some(match std::mem::take(&mut repeat.left_out) {
                0 => line.to_owned(),
                times => format!("{line} (repeated {times} times since it was last logged)"),
            });
        }
        if lines.len() >= LINES {
            lines.clear();
        }
        let repeat = Repeat {
            at: now,
            left_out: 0,
        };
        lines.insert(line.to_owned(), repeat);
        Some(line.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_line_is_logged_rarely_and_with_its_count() {
        let (lines, start) = (Repeated::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(lines.line("a", at(0)).as_deref(), Some("a"));
        assert_eq!(lines.line("a", at(1)), None);
        assert_eq!(lines.line("b", at(2)).as_deref(), Some("b"));
        assert_eq!(lines.line("a", at(9)), None);
        let again = "a (repeated 2 times since it was last logged)";
        assert_eq!(lines.line("a", at(10)).as_deref(), Some(again));
        assert_eq!(lines.line("a", at(30)).as_deref(), Some("a"));
    }

    #[test]
    fn many_different_lines_take_no_more_room() {
        let (lines, now) = (Repeated::default(), Instant::now());
        for number in 0..10 * LINES {
            let line = number.to_string();
            assert_eq!(lines.line(&line, now), Some(line));
        }
        assert!(lines.0.lock().unwrap().len() <= LINES);
    }
}
