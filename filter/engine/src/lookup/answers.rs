//! What a backend's answers say, or the local reply if they are of no use.

use super::Fetched;
use super::context::LookupContext;
use super::info::{self, Info};
use crate::reply::LocalReply;
use modgate_go::gomod::is_canonical_for;
use modgate_go::gomod::retract::{self, Interval};
use modgate_policy::model::Age;

/// What an answer says of a version.
pub(super) struct Reported<'b> {
    pub(super) version: String,
    pub(super) age: Age,
    /// The answer itself.
    pub(super) body: &'b [u8],
}

/// What an answer to another query says of the version that it names.
pub(super) enum Named<'b> {
    /// Everything that is needed.
    Reported(Reported<'b>),
    /// The version's own `.info` must be requested: all files of a version have the age that it gives.
    AgeCounts(String),
}

impl LookupContext<'_, '_> {
    /// The body of a 200 answer; every other answer ends the lookup.
    pub(super) fn body<'b>(&self, fetched: Fetched<'b>) -> Result<&'b [u8], LocalReply> {
        match (fetched.status, fetched.body) {
            (Some(200), Some(body)) => Ok(body),
            (Some(status @ 400..=599), body) => Err(LocalReply::passed(
                status,
                fetched.headers,
                body.unwrap_or_default(),
            )),
            (Some(status), body) => Err(match (fetched.why_no_body, body) {
                (Some(why), _) => self.failed(why),
                (None, None) if status == 200 => {
                    self.failed("its answer is too long, or did not come whole")
                }
                _ => self.failed(&format!("it answered {status}, which is not followed")),
            }),
            (None, _) => Err(self.failed("it did not answer")),
        }
    }

    /// What an answer says of some version of the module.
    fn any_info<'b>(&self, fetched: Fetched<'b>) -> Result<(Info, &'b [u8]), LocalReply> {
        let body = self.body(fetched)?;
        let read = info::read(body).and_then(|info| {
            match is_canonical_for(&self.target.module, &info.version) {
                Ok(()) => Ok(info),
                Err(_) => Err("its Version is none that the module can have".to_owned()),
            }
        });
        match read {
            Ok(info) => Ok((info, body)),
            Err(why) => Err(self.failed(&format!("its answer cannot be read: {why}"))),
        }
    }

    /// What the `.info` of this version says.
    pub(super) fn info_of<'b>(
        &self,
        fetched: Fetched<'b>,
        version: &str,
    ) -> Result<(Info, &'b [u8]), LocalReply> {
        let (info, body) = self.any_info(fetched)?;
        if info.version == version {
            return Ok((info, body));
        }
        Err(self.failed("its answer is about another version"))
    }

    /// The same, and notes the version's age.
    pub(super) fn read_info<'b>(
        &self,
        fetched: Fetched<'b>,
        version: &str,
    ) -> Result<Reported<'b>, LocalReply> {
        let (info, body) = self.info_of(fetched, version)?;
        Ok(Reported {
            age: self.noted_age_of(&info, fetched.last_modified),
            version: info.version,
            body,
        })
    }

    /// What the answer to a query says.
    pub(super) fn named<'b>(&self, fetched: Fetched<'b>) -> Result<Named<'b>, LocalReply> {
        let (Info { version, .. }, body) = self.any_info(fetched)?;
        let age = self.recalled_age(&version);
        let verdict = self.verdict(&version, age);
        if verdict.is_some_and(|verdict| verdict.needs_lookup) {
            return Ok(Named::AgeCounts(version));
        }
        Ok(Named::Reported(Reported { version, age, body }))
    }

    /// What the go.mod of the newest version retracts.
    pub(super) fn retractions(
        &self,
        fetched: Fetched<'_>,
        newest: &str,
    ) -> Result<Vec<Interval>, LocalReply> {
        // As with every other query, the client learns who may ask, and when. But a missing file of a listed
        // version says nothing of the list, and a 404 would send the Go command on to another proxy.
        if matches!(fetched.status, Some(400..=599)) && !is_missing(fetched.status) {
            self.body(fetched)?;
        }
        let intervals = match (fetched.status, fetched.body) {
            (Some(200), Some(body)) => retract::retractions(body),
            (Some(200), None) => Err(match fetched.why_no_body {
                Some(why) => why.to_owned(),
                None => "it is too long, or did not come whole".to_owned(),
            }),
            (Some(status), _) => Err(format!("the backend answered {status}")),
            (None, _) => Err("the backend did not answer".to_owned()),
        };
        // The Go command fails, too, if it cannot read them.
        intervals.map_err(|why| {
            self.failed(&format!(
                "the go.mod of {newest}, which may retract versions: {why}"
            ))
        })
    }
}

/// Whether the backend does not have the file.
pub(super) fn is_missing(status: Option<u16>) -> bool {
    matches!(status, Some(404 | 410))
}
