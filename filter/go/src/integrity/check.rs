//! One file's check while it passes: what may go on to the client, and the verdict at the end.

use std::fmt;

use serde_json::json;

use super::{Checked, Evidence, GoModHasher};
use crate::gomod::{Artifact, H1};
use crate::sumdb::Answer;
use crate::zip::ZipHasher;

/// How much of a file stays back until the verdict, in bytes: more than a zip's end record, without which
/// no program reads a zip as the whole that Go takes it for.
const WITHHELD: usize = 1024;

/// A file that is being checked.
#[derive(Debug)]
pub struct Check {
    checked: Checked,
    hasher: Hasher,
    /// Whether all of it stays back, and not only its end.
    whole: bool,
    withheld: Vec<u8>,
    bytes: u64,
}

#[derive(Debug)]
enum Hasher {
    Zip(Box<ZipHasher>),
    GoMod(GoModHasher),
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has the hash that it should have.
    Verified,
    /// It is the first of its name that was seen; this is its hash.
    First(H1),
    /// It has another hash.
    Mismatch {
        /// The one that it should have.
        expected: H1,
        /// The one that it has.
        got: H1,
    },
    /// There is no room to remember it, so nothing is known of it.
    NoRoom,
    /// The checksum database lies, or cannot prove what it says.
    Unproven(String),
    /// The checksum database says nothing of it.
    Unavailable(String),
    /// It came in a form that cannot be hashed.
    Unreadable(&'static str),
    /// It has no hash that Go and the filter agree on, or could not be read whole.
    Malformed(String),
}

/// What came of remembering a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// This one was seen first.
    Before(H1),
    /// The one of now is the first.
    Now,
    /// It cannot be remembered.
    NoRoom,
}

impl Verdict {
    /// The value of the label `result`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::First(_) => "first",
            Self::Mismatch { .. } => "mismatch",
            Self::NoRoom => "no_room",
            Self::Unproven(_) => "unproven",
            Self::Unavailable(_) => "unavailable",
            Self::Unreadable(_) => "unreadable",
            Self::Malformed(_) => "malformed",
        }
    }

    /// Whether the file may go to the client.
    pub const fn is_good(&self, checked: &Checked) -> bool {
        match self {
            Self::Verified | Self::First(_) => true,
            Self::NoRoom => !checked.refuse_no_room && !checked.refuse_unknown,
            Self::Unavailable(_) => !checked.refuse_unavailable,
            Self::Mismatch { .. }
            | Self::Unproven(_)
            | Self::Unreadable(_)
            | Self::Malformed(_) => false,
        }
    }
}

impl Checked {
    /// The file as a person calls it: `MODULE@VERSION zip` or `... go.mod`.
    pub fn name(&self) -> String {
        let file = match self.artifact {
            Artifact::Zip => "zip",
            Artifact::GoMod => "go.mod",
        };
        format!("{}@{} {file}", self.module.path(), self.module.version())
    }

    /// The line of the log for a verdict that is not good: JSON. A tenant or backend that is not known is `null`.
    pub fn log_line(
        &self,
        verdict: &Verdict,
        tenant: Option<&str>,
        backend: Option<&str>,
    ) -> String {
        let (expected, got) = match verdict {
            Verdict::Mismatch { expected, got } => {
                (Some(expected.to_string()), Some(got.to_string()))
            }
            _ => (None, None),
        };
        json!({
            "tenant": tenant,
            "backend": backend,
            "module": self.module.path(),
            "version": self.module.version(),
            "artifact": self.artifact.as_str(),
            "evidence": self.evidence.as_str(),
            "result": verdict.as_str(),
            "reason": verdict.to_string(),
            "expected": expected,
            "got": got,
            "refused": self.enforce && !verdict.is_good(self),
        })
        .to_string()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified => f.write_str("the hash is right"),
            Self::First(h1) => write!(f, "the first hash seen is {h1}"),
            Self::Mismatch { expected, got } => {
                write!(f, "the hash is {got} and should be {expected}")
            }
            Self::NoRoom => {
                f.write_str("the table of first hashes is full for its tenant or its module")
            }
            Self::Unproven(why) => write!(f, "the checksum database could not be verified: {why}"),
            Self::Unavailable(why) => write!(f, "the checksum database gave no hash: {why}"),
            Self::Unreadable(reason) => f.write_str(reason),
            Self::Malformed(reason) => f.write_str(reason),
        }
    }
}

impl Check {
    /// Begins.
    pub fn new(checked: Checked) -> Self {
        let hasher = match checked.artifact {
            Artifact::Zip => Hasher::Zip(Box::new(ZipHasher::of(checked.module.clone()))),
            Artifact::GoMod => Hasher::GoMod(GoModHasher::default()),
        };
        let is_go_mod = checked.artifact == Artifact::GoMod;
        Self {
            whole: checked.enforce && checked.holds_headers && is_go_mod,
            checked,
            hasher,
            withheld: Vec::new(),
            bytes: 0,
        }
    }

    /// What is checked.
    pub const fn checked(&self) -> &Checked {
        &self.checked
    }

    /// How many bytes have come.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether all of the file stays back until the verdict, so that a wrong one can be answered with
    /// the reason: a `go.mod` does, where the answer's headers can be held.
    pub const fn holds_whole(&self) -> bool {
        self.whole
    }

    /// From here on only the end of the file stays back: there is more of it than can be held.
    pub const fn stream(&mut self) {
        self.whole = false;
    }

    /// Takes the next bytes, and gives what may go to the client by now.
    ///
    /// # Errors
    /// What is wrong already.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Vec<u8>, Verdict> {
        self.hash(chunk)?;
        self.withheld.extend_from_slice(chunk);
        let free = if self.whole {
            0
        } else {
            self.withheld.len().saturating_sub(WITHHELD)
        };
        let rest = self.withheld.split_off(free);
        Ok(std::mem::replace(&mut self.withheld, rest))
    }

    /// Takes the next bytes without holding anything back.
    ///
    /// # Errors
    /// What is wrong already.
    pub fn hash(&mut self, chunk: &[u8]) -> Result<(), Verdict> {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        match &mut self.hasher {
            Hasher::Zip(hasher) => hasher.feed(chunk).map_err(malformed),
            Hasher::GoMod(hasher) => hasher.feed(chunk).map_err(malformed),
        }
    }

    /// The hash of the whole, or what is wrong with it, and the bytes that were held back.
    pub fn finish(self) -> (Result<H1, Verdict>, Vec<u8>) {
        let got = match self.hasher {
            Hasher::Zip(hasher) => hasher.finish().map(|summary| summary.h1).map_err(malformed),
            Hasher::GoMod(hasher) => hasher.finish().map_err(malformed),
        };
        (got, self.withheld)
    }
}

impl Checked {
    /// The verdict on a file that has this hash. `answer` is the checksum database's, where that was
    /// asked. `remember` looks the hash up that was seen first, and keeps this one where there is none;
    /// where it has to, for want of an answer, that is the evidence from here on.
    pub fn weigh(
        &mut self,
        got: H1,
        answer: Option<&Answer>,
        remember: impl FnOnce(&Self, H1) -> Remembered,
    ) -> Verdict {
        let expected = match self.evidence {
            Evidence::Pin(h1) => h1,
            Evidence::Sumdb { or_first_seen } => match self.sumdb_hash(answer) {
                Ok(h1) => h1,
                Err(Verdict::Unavailable(_)) if or_first_seen && !self.refuse_unavailable => {
                    self.evidence = Evidence::FirstSeen;
                    return self.weigh(got, None, remember);
                }
                Err(verdict) => return verdict,
            },
            Evidence::FirstSeen => match remember(self, got) {
                Remembered::Now => return Verdict::First(got),
                Remembered::NoRoom => return Verdict::NoRoom,
                Remembered::Before(h1) => h1,
            },
        };
        if expected == got {
            Verdict::Verified
        } else {
            Verdict::Mismatch { expected, got }
        }
    }

    /// The hash that the checksum database proves.
    ///
    /// # Errors
    /// The verdict on the file where it proves none.
    pub fn sumdb_hash(&self, answer: Option<&Answer>) -> Result<H1, Verdict> {
        let nothing = |why: &str| Verdict::Unavailable(why.to_owned());
        match answer {
            Some(Answer::Proven(sums)) => Ok(sums.of(self.artifact)),
            Some(Answer::Refused(why)) => Err(Verdict::Unproven(why.clone())),
            Some(Answer::Unavailable(why)) => Err(nothing(why)),
            Some(Answer::NotFound) => Err(nothing("it has no such version")),
            None => Err(nothing("it was not queried")),
        }
    }
}

fn malformed(reason: impl fmt::Display) -> Verdict {
    Verdict::Malformed(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::checked::RememberedBy;
    use super::*;
    use crate::gomod::ModuleVersion;
    use crate::sumdb::Sums;

    const GO_MOD: &[u8] = b"module github.com/pkg/errors\n";
    const SUM: &str = "h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=";

    fn check(artifact: Artifact, evidence: Evidence) -> Check {
        Check::new(Checked {
            module: ModuleVersion::new("github.com/pkg/errors", "v0.9.1").unwrap(),
            artifact,
            evidence,
            remembered: RememberedBy::default(),
            enforce: true,
            refuse_unknown: false,
            refuse_no_room: true,
            refuse_unavailable: true,
            holds_headers: true,
        })
    }

    fn verdict(evidence: Evidence, seen: Remembered, body: &[u8]) -> (Verdict, Vec<u8>) {
        let mut check = check(Artifact::GoMod, evidence);
        for byte in body {
            assert_eq!(
                check.feed(&[*byte]),
                Ok(vec![]),
                "nothing of it goes out before"
            );
        }
        let mut checked = check.checked().clone();
        let (got, body) = check.finish();
        let verdict = got.map(|got| checked.weigh(got, None, |_, _| seen));
        (verdict.unwrap_or_else(|verdict| verdict), body)
    }

    #[test]
    fn a_go_mod_is_given_whole_or_not_at_all() {
        let right: H1 = SUM.parse().unwrap();
        let (evaluated, body) = verdict(Evidence::Pin(right), Remembered::NoRoom, GO_MOD);
        assert_eq!((evaluated, body.as_slice()), (Verdict::Verified, GO_MOD));
        let (evaluated, _) = verdict(Evidence::Pin(right), Remembered::NoRoom, b"module evil\n");
        assert!(matches!(evaluated, Verdict::Mismatch { expected, .. } if expected == right));
        let (evaluated, _) = verdict(Evidence::FirstSeen, Remembered::Now, GO_MOD);
        assert_eq!(evaluated, Verdict::First(right));
        let (evaluated, _) = verdict(Evidence::FirstSeen, Remembered::Before(right), GO_MOD);
        assert_eq!(evaluated, Verdict::Verified);
        let (evaluated, _) = verdict(
            Evidence::FirstSeen,
            Remembered::Before(right),
            b"module evil\n",
        );
        assert_eq!(evaluated.as_str(), "mismatch");
        let (evaluated, _) = verdict(Evidence::FirstSeen, Remembered::NoRoom, GO_MOD);
        assert_eq!(evaluated, Verdict::NoRoom);
        let mut checked = check(Artifact::GoMod, Evidence::FirstSeen)
            .checked()
            .clone();
        for (refuse, refuse_unknown, served) in [
            (true, false, false),
            (false, true, false),
            (false, false, true),
        ] {
            (checked.refuse_no_room, checked.refuse_unknown) = (refuse, refuse_unknown);
            assert_eq!(evaluated.is_good(&checked), served);
        }
    }

    #[test]
    fn the_end_of_a_zip_stays_back() {
        let mut check = check(Artifact::Zip, Evidence::FirstSeen);
        let refused = check.feed(b"<html>this is no zip</html>").unwrap_err();
        assert!(refused.to_string().starts_with("at byte 0"), "{refused}");
        assert_eq!(refused.as_str(), "malformed");
    }

    #[test]
    fn a_go_mod_that_is_too_long_to_be_held_is_let_go_but_for_its_end() {
        let long = format!("module a.b/c\n{}", "// more\n".repeat(1000));
        let mut check = check(Artifact::GoMod, Evidence::FirstSeen);
        assert!(check.holds_whole());
        let mut passed = check.feed(&long.as_bytes()[..2000]).unwrap();
        assert!(passed.is_empty());
        check.stream();
        for chunk in long.as_bytes()[2000..].chunks(700) {
            passed.extend(check.feed(chunk).unwrap());
        }
        assert_eq!(passed.len(), long.len() - WITHHELD);
        let (got, held) = check.finish();
        assert!(got.is_ok());
        assert_eq!([passed, held].concat(), long.as_bytes());
    }

    #[test]
    fn a_proved_hash_counts_and_a_missing_one_is_handled_as_the_policy_says() {
        let (right, wrong): (H1, H1) = (SUM.parse().unwrap(), H1::from_bytes([7; 32]));
        let proven = |go_mod| Answer::Proven(Sums { zip: wrong, go_mod });
        let refused = || Answer::Refused("it lies".to_owned());
        let silent = || Answer::Unavailable("it did not respond".to_owned());
        // Whether a file is refused that the database says nothing of, and whether hashes are
        // remembered; then the answer, the result, the evidence, and whether the file is served.
        for (refuse, remembers, answer, result, evidence, served) in [
            (true, true, Some(proven(right)), "verified", "sumdb", true),
            (false, true, Some(proven(wrong)), "mismatch", "sumdb", false),
            (false, true, Some(refused()), "unproven", "sumdb", false),
            (true, true, Some(silent()), "unavailable", "sumdb", false),
            (true, true, None, "unavailable", "sumdb", false),
            (
                true,
                false,
                Some(Answer::NotFound),
                "unavailable",
                "sumdb",
                false,
            ),
            (false, false, Some(silent()), "unavailable", "sumdb", true),
            (
                false,
                false,
                Some(Answer::NotFound),
                "unavailable",
                "sumdb",
                true,
            ),
            (false, true, Some(silent()), "first", "first_seen", true),
            (
                false,
                true,
                Some(Answer::NotFound),
                "first",
                "first_seen",
                true,
            ),
        ] {
            let or_first_seen = remembers;
            let mut check = check(Artifact::GoMod, Evidence::Sumdb { or_first_seen });
            let mut checked = check.checked().clone();
            checked.refuse_unavailable = refuse;
            check.hash(GO_MOD).unwrap();
            let got = check.finish().0.unwrap();
            let verdict = checked.weigh(got, answer.as_ref(), |_, _| Remembered::Now);
            let what = format!("{refuse} {remembers} {answer:?}");
            assert_eq!(verdict.as_str(), result, "{what}");
            assert_eq!(checked.evidence.as_str(), evidence, "{what}");
            assert_eq!(verdict.is_good(&checked), served, "{what}");
        }
    }
}
