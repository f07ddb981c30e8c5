//! What a check came to.

use std::time::Duration;

use modgate_go::integrity::{Checked, Verdict};

use super::BodyStep;

/// A verdict on a file, and what it cost.
pub(crate) struct FileVerdict {
    pub(crate) checked: Checked,
    pub(crate) verdict: Verdict,
    pub(crate) bytes: u64,
    /// The time that hashing took.
    pub(crate) spent: Duration,
}

impl FileVerdict {
    /// Whether the file may reach the client.
    pub(super) fn goes_on(&self) -> bool {
        !self.checked.enforce || self.verdict.is_good(&self.checked)
    }

    pub(super) fn step(self, unseen: bool) -> BodyStep {
        if self.goes_on() {
            BodyStep::Passed(self)
        } else {
            BodyStep::Refused {
                verdict: self,
                unseen,
            }
        }
    }
}
