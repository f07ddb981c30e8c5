//! How old versions are, and what is noted of that for later requests.

use super::context::LookupContext;
use super::info::{self, Info};
use super::{LookupEnv, ages};
use modgate_go::goproxy::Operation;
use modgate_policy::model::Age;

/// For how many seconds a backend counts as slow after it was slow.
const LATELY: u64 = 600;

impl LookupContext<'_, '_> {
    /// The age of a version, by the notes.
    pub(super) fn recalled_age(&self, version: &str) -> Age {
        let then = self.noted_age(version).or_else(|| {
            let mut all = self.noted_ages().into_iter();
            all.find_map(|(known, then)| (known == version).then_some(then))
        });
        then.map_or(Age::Unasked, |then| age(self.env, then))
    }

    /// When a version was published, by the note of its own `.info`.
    pub(super) fn noted_age(&self, version: &str) -> Option<u64> {
        let noted = self.env.recall(&self.age_key(version))?;
        Some(u64::from_le_bytes(noted.as_slice().try_into().ok()?))
    }

    /// When the list's versions were published, as far as that was noted.
    pub(super) fn noted_ages(&self) -> Vec<(String, u64)> {
        ages::recall(self.env, &self.ages_key())
    }

    /// Notes when versions of the list were published.
    pub(super) fn note_ages<'v>(&self, ages: impl Iterator<Item = (&'v str, u64)>) {
        ages::note(self.env, &self.ages_key(), ages);
    }

    /// Whether the backend was slow to give ages lately.
    pub(super) fn is_slow(&self) -> bool {
        let noted = self.env.recall(&self.slow_key());
        let then = noted.and_then(|bytes| bytes.as_slice().try_into().ok());
        then.zip(self.env.now())
            .is_some_and(|(then, now)| now.saturating_sub(u64::from_le_bytes(then)) < LATELY)
    }

    /// Notes that the backend is slow to give ages.
    pub(super) fn note_slow(&self) {
        if let Some(now) = self.env.now().filter(|_| !self.is_slow()) {
            self.env.note(&self.slow_key(), &now.to_le_bytes());
        }
    }

    /// The age of a version by its own `.info`, which is noted. What another answer says holds for that
    /// answer only.
    pub(super) fn noted_age_of(&self, info: &Info, last_modified: Option<&str>) -> Age {
        let Some(then) = self.published(info, last_modified) else {
            return Age::Unknown;
        };
        let key = self.age_key(&info.version);
        self.env.note(&key, &then.to_le_bytes());
        age(self.env, then)
    }

    /// When a version was published, in seconds since 1970.
    pub(super) fn published(&self, info: &Info, last_modified: Option<&str>) -> Option<u64> {
        if self.backend.age_by_last_modified {
            return info::seconds_of_http_date(last_modified?);
        }
        info::seconds_of(info.time.as_deref()?)
    }

    /// Notes outlive the policy, so a key contains everything that its note depends on.
    fn age_key(&self, version: &str) -> String {
        let by = if self.backend.age_by_last_modified {
            "last-modified"
        } else {
            "time"
        };
        self.key(by, &self.target.info(version))
    }

    fn ages_key(&self) -> String {
        let by = if self.backend.age_by_last_modified {
            "ages last-modified"
        } else {
            "ages time"
        };
        self.key(by, &self.target.list())
    }

    fn slow_key(&self) -> String {
        format!("slow {}", self.backend.cluster)
    }

    /// The key for the retractions in a version's go.mod.
    pub(super) fn retractions_key(&self, version: &str) -> String {
        self.key("retract", &self.target.go_mod(version))
    }

    /// The key of a note on a file. Two clusters may have different files under one path.
    fn key(&self, what: &str, file: &Operation<'_>) -> String {
        let path = self.target.path(file);
        format!("{what} {} {path}", self.backend.cluster)
    }
}

/// How long ago that was.
pub(super) fn age(env: &dyn LookupEnv, then: u64) -> Age {
    let now = env.now();
    now.map_or(Age::Unknown, |now| Age::Known(info::since(then, now)))
}
