//! What a document expects of itself.

use std::time::Duration;

use serde::Deserialize;

use super::{Text, duration};

/// One of `tests`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestDoc {
    /// The test's name in reports.
    pub name: Option<Text>,
    /// The tenant that sends the request.
    pub tenant: Text,
    /// The module path, unescaped.
    pub module: Text,
    /// The version, unescaped; without it the module's version list is requested.
    pub version: Option<Text>,
    /// The age of the version, such as `3d`; the default is old enough for every rule.
    pub age: Option<Text>,
    /// The requested operation; the default is `zip` with a version, else `list`.
    pub operation: Option<OperationDoc>,
    /// The expected decision.
    pub expect: ExpectDoc,
    /// The rule that must decide: its name, or `set/rule`; `default` if no rule matches.
    pub rule: Option<Text>,
    /// The backend that must receive the request.
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
    /// The version list.
    List,
    /// The latest version.
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
    /// It is sent to a backend.
    Allow,
    /// It is refused with 403 and the reason.
    Deny,
    /// It is refused with 404, so that go tries a shorter or longer module path.
    Probe,
    /// It is refused with 404, as if it did not exist.
    Hide,
}
