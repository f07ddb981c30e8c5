//! What is reported for Envoy's configuration.

use modgate_policy::document::PolicyError;

use super::at::At;

/// What is told, by the file that it is told of.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) errors: Vec<(usize, PolicyError)>,
    pub(super) warnings: Vec<(usize, PolicyError)>,
}

impl Notes {
    /// What breaks the filter, or leads around it.
    pub(super) fn error(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.errors.push(note(at, message));
    }

    /// What works, and not as well as it should.
    pub(super) fn warning(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.warnings.push(note(at, message));
    }

    /// An error where that is sure, else a warning.
    pub(super) fn error_if(&mut self, is_sure: bool, at: &At<'_>, message: impl Into<String>) {
        if is_sure {
            self.error(at, message);
        } else {
            self.warning(at, message);
        }
    }
}

fn note(at: &At<'_>, message: impl Into<String>) -> (usize, PolicyError) {
    let error = PolicyError {
        path: at.path.clone(),
        message: message.into(),
    };
    (at.file, error)
}
