//! What is counted while lines are read.

use std::collections::BTreeMap;

use envoy_wasm_scenario::shown;
use serde::Serialize;

use super::evaluation::Reader;
use super::line_request::NotEvaluated;
use crate::policy_file::log::Line;

/// How many lines of each kind that is not evaluated are shown.
const SHOWN: usize = 3;

/// How many characters of them.
const SHOWN_CHARACTERS: usize = 120;

/// Counts of lines.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) lines: u64,
    pub(super) evaluated: u64,
    /// Lines of which the log says something else than the policy.
    pub(super) logged_otherwise: u64,
    pub(super) not_evaluated: BTreeMap<NotEvaluated, Unread>,
}

/// Lines that were not evaluated for one reason.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread {
    pub(super) lines: u64,
    /// The first of them.
    pub(super) first: Vec<Shown>,
}

/// A line that is shown.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown {
    pub(super) file: String,
    pub(super) line: u64,
    /// Its beginning, as it can be shown.
    pub(super) text: String,
}

impl Tally {
    /// Counts a line of a file.
    pub(super) fn add(
        &mut self,
        file: &str,
        number: u64,
        line: Result<&[u8], &'static str>,
        reader: &mut Reader<'_>,
    ) {
        self.lines += 1;
        let parsed = line.and_then(Line::read).map_err(NotEvaluated::Unreadable);
        let read = match &parsed {
            Ok(parsed) => reader.read(parsed),
            Err(why) => Err(*why),
        };
        match read {
            Ok((request, logged)) => {
                self.evaluated += 1;
                let said = request.policy.decision;
                self.logged_otherwise += u64::from(logged.is_some_and(|logged| logged != said));
            }
            Err(why) => {
                let unread = self.not_evaluated.entry(why).or_default();
                unread.lines += 1;
                if unread.first.len() < SHOWN {
                    let text = String::from_utf8_lossy(line.unwrap_or_default());
                    unread.first.push(Shown {
                        file: file.to_owned(),
                        line: number,
                        text: shown(&text, SHOWN_CHARACTERS),
                    });
                }
            }
        }
    }
}
