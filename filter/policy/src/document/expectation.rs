//! What a document expects of itself.

use std::time::Duration;

use serde::Deserialize;

use super::{Text, duration};

/// One of `tests`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestDoc {
    /// What is shown to people.
    pub name: Option<Text>,
    /// The tenant that sends the request.
    pub tenant: Text,
    /// The module path, unescaped.
    pub module: Text,
    /// The version, unescaped; without it the module's list is asked for.
    pub version: Option<Text>,
    /// How old the version is, such as `3d`; without it it is old enough for every rule.
    pub age: Option<Text>,
    /// What is asked for; without it the zip of a version, else the list.
    pub operation: Option<OperationDoc>,
    /// What must come of it.
    pub expect: ExpectDoc,
    /// The rule that must decide: its name, or `set/rule`; `default` where none does.
    pub rule: Option<Text>,
    /// The backend that must be asked.
    pub backend: Option<Text>,
}

impl TestDoc {
    /// How old the version is.
    pub fn age(&self) -> Option<Duration> {
        duration::parse(self.age.as_ref()?).ok()
    }
}

/// `operation` of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OperationDoc {
    /// The versions that there are.
    List,
    /// The newest version.
    Latest,
    /// A version's time and name.
    Info,
    /// A version's go.mod.
    Mod,
    /// A version's zip.
    Zip,
}

/// `expect` of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ExpectDoc {
    /// It goes to a backend.
    Allow,
    /// It is refused with 403 and the reason.
    Deny,
    /// It is refused with 404, so that go looks for a module above or below.
    Probe,
    /// It is refused with 404, as if it were not there.
    Hide,
}
