//! The policy document as it is written: its shape, and nothing of its meaning.

mod backend;
mod claim;
mod error;
mod expectation;
mod integrity;
mod json;
mod names;
mod place;
mod raw;
mod reader;
mod rollout;
mod route;
#[cfg(feature = "schema")]
pub mod schema;
mod shape;
mod split;
mod suggest;
mod text;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use backend::{AgeDoc, BackendDoc, HeaderDoc, KindDoc, RedirectDoc};
pub use claim::ClaimDoc;
pub use expectation::{ExpectDoc, OperationDoc, TestDoc};
pub use integrity::{DatabaseDoc, IntegrityDoc, ModeDoc, ScopeDoc, UnknownDoc};
pub use rollout::{ByDoc, RolloutDoc, SplitRolloutDoc, StageDoc};
pub use route::{OnFailureDoc, RouteDoc, RoutesRolloutDoc};
pub use split::{AssignDoc, SplitDoc};
pub use text::Text;

pub(crate) use error::Path;
pub use error::{PolicyError, member_path};
pub use names::{ANYONE, is_name};
pub(crate) use names::{MAX_CONTACT, MAX_REASON, name_error, reserved_error, text_error};
pub(crate) use plain_duration as duration;
pub use plain_duration::{in_words as duration_in_words, parse as parse_duration};
pub(crate) use shape::Shape;
pub use suggest::did_you_mean;

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 << 20;

/// The members of the document that are no part of its hash: `tests` decide nothing, `route_key` is a secret, and
/// decides nothing either.
const UNHASHED: &[&str] = &["route_key", "tests"];

/// The whole document.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The policy's own version, shown to people and in metrics.
    pub version: Text,
    /// What applies if no rule matches.
    pub default: DefaultDoc,
    /// The contact shown in every denial.
    pub contact: Option<Text>,
    /// The sources of the tenant's name; all that are present must agree.
    #[serde(default)]
    pub identity: Vec<IdentityDoc>,
    /// The kinds of identity source that must have identified the tenant, for every request.
    #[serde(default)]
    pub require: Vec<Text>,
    /// The tenants by name; `*` is every other client.
    pub tenants: BTreeMap<String, TenantDoc>,
    /// The rule sets by name.
    #[serde(default)]
    pub rules: BTreeMap<String, Vec<RuleDoc>>,
    /// The backends by name.
    pub backends: BTreeMap<String, BackendDoc>,
    /// The routes to backends; the first match decides.
    pub routes: Vec<RouteDoc>,
    /// A secret by which the proxy's routes know the filter, where they match the header that names the cluster.
    pub route_key: Option<Text>,
    /// A rollout of candidate routes.
    pub routes_rollout: Option<RoutesRolloutDoc>,
    /// How files are checked before they are served.
    pub integrity: Option<IntegrityDoc>,
    /// Whether the filter gives its data about a request to the proxy's access log; the default is true.
    pub access_log: Option<bool>,
    /// The checksum databases that are served, by name; the default is `sum.golang.org`, by the routes.
    pub sumdb: Option<BTreeMap<String, SumdbDoc>>,
    /// The splits by name: modules of which different clients get different versions.
    pub splits: Option<BTreeMap<String, SplitDoc>>,
    /// The seed of the splits' draws: another seed assigns clients anew.
    pub seed: Option<Text>,
    /// Tests of the policy, for `modgate test`; the filter ignores them.
    #[serde(default)]
    pub tests: Vec<TestDoc>,
}

/// `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DefaultDoc {
    /// Modules that no rule matches are served.
    Allow,
    /// Modules that no rule matches are refused.
    Deny,
}

/// One of `identity`. Exactly one source.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = schema::one_source))]
#[serde(deny_unknown_fields)]
pub struct IdentityDoc {
    /// A path prefix with `{tenant}` as one path element; it is removed from the path.
    pub path_prefix: Option<Text>,
    /// A request header whose value is the tenant's name.
    pub header: Option<Text>,
    /// Whether the hop in front sets the header and clients cannot.
    pub trusted: Option<bool>,
    /// The request header in which Envoy's `basic_auth` forwards the user name that it verified
    /// (`forward_username_header`).
    pub basic_user: Option<Text>,
    /// A pattern for the first URI in the client certificate's subject alternative names.
    pub mtls_uri_san: Option<Text>,
    /// A pattern for the first DNS name in them.
    pub mtls_dns_san: Option<Text>,
    /// An attribute of the certificate's subject and a pattern for its value: `OU={tenant}`.
    pub mtls_subject: Option<Text>,
    /// A claim of a token that `jwt_authn` verified.
    pub jwt_claim: Option<ClaimDoc>,
    /// A claim that is a list, such as groups.
    pub jwt_claim_list: Option<ClaimDoc>,
    /// The name that `jwt_authn`'s `payload_in_metadata` gives to the token's payload.
    pub payload: Option<Text>,
    /// A pattern for the server name (SNI) that the client requested.
    pub sni: Option<Text>,
    /// A pattern for the name of the listener's filter chain.
    pub listener: Option<Text>,
    /// Tenants by the value of the source, if the value is not the tenant's name.
    pub map: Option<BTreeMap<String, Text>>,
}

/// One of `tenants`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TenantDoc {
    /// The active rule sets, in order.
    #[serde(default)]
    pub rules: Vec<Text>,
    /// A label by which splits can select tenants.
    pub tier: Option<Text>,
    /// A rollout of candidate rules.
    pub rollout: Option<RolloutDoc>,
    /// What happens to this tenant's files with a wrong hash.
    pub integrity: Option<ModeDoc>,
    /// The kinds of identity source that must have identified this tenant, in addition to those of the
    /// document.
    #[serde(default)]
    pub require: Vec<Text>,
}

/// One of a rule set. Exactly one of `allow` and `deny`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = schema::one_effect))]
#[serde(deny_unknown_fields)]
pub struct RuleDoc {
    /// The rule's name, in denials and metrics.
    pub id: Text,
    /// The modules that are served.
    pub allow: Option<Vec<Text>>,
    /// The modules that are refused.
    pub deny: Option<Vec<Text>>,
    /// The reason, shown to the person whose request is refused.
    pub reason: Option<Text>,
    /// Whether a denial responds as if the module did not exist.
    pub hide: Option<bool>,
    /// The versions that the rule covers, such as `<v1.2.0 || v2`; the default is all.
    pub versions: Option<Text>,
    /// Versions that the rule does not cover, in the same form.
    pub except: Option<Text>,
    /// Whether the rule covers only the modules that it names, not those below them.
    pub exact: Option<bool>,
    /// How old a version must be to be served, such as `7d`.
    pub min_age: Option<Text>,
    /// Whether a denial ignores the case of letters.
    pub fold_case: Option<bool>,
    /// Whether a rule about versions covers their go.mod files too.
    pub go_mod: Option<GoModDoc>,
}

/// `go_mod` of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum GoModDoc {
    /// The go.mod file of a version is refused if its zip is. By default it is served.
    Deny,
}

/// One of `sumdb`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SumdbDoc {
    /// The backend that serves the database; the default is the one that the routes select.
    pub backend: Option<Text>,
    /// The modules whose names are private: only their own database is queried for them.
    pub private: Option<Vec<Text>>,
    /// The modules that belong to this database: they are private to every other database.
    pub modules: Option<Vec<Text>>,
}

impl Document {
    /// Reads a document that is good, and gives its hash as [`Document::read`] does; `None` where that
    /// must look closer. It takes little memory beside the document.
    pub(crate) fn read_good(bytes: &[u8]) -> Option<(Self, String)> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return None;
        }
        let (document, digest) = raw::read(bytes)?;
        Some((document, hex(digest)))
    }

    /// Reads a document past every mistake of shape, and gives the hash of its canonical form: 12
    /// hexadecimal digits of the SHA-256 of its members with sorted keys, without nulls. The same
    /// document has the same hash however it was written and whichever control plane carried it.
    /// Its `tests` and its `route_key` are no part of the hash: a policy that only gained a test, or changed
    /// the key, is the same policy.
    ///
    /// # Errors
    /// What is no JSON that means the same to everybody, with the JSON path of the place. Never
    /// empty.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Shape, String), Vec<PolicyError>> {
        let refused = |message: String| Err(vec![PolicyError::at_root(message)]);
        if bytes.is_empty() {
            return refused("the configuration is empty: give the policy document as JSON".into());
        }
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return refused(format!(
                "the document has {} bytes, more than {MAX_DOCUMENT_BYTES}",
                bytes.len()
            ));
        }
        let (value, errors) = json::read(bytes)?;
        let hash = canonical_hash(&value);
        let mut shape = shape::read(value, bytes.len());
        // Of a place that means two things already, only that is reported.
        let known = |path: &str| errors.iter().any(|error: &PolicyError| error.path == path);
        shape.errors.retain(|error| !known(&error.path));
        shape.errors.splice(0..0, errors);
        Ok((shape, hash))
    }
}

fn canonical_hash(value: &Value) -> String {
    let mut digest = Sha256::new();
    match value {
        Value::Object(members) => hash_members(members, UNHASHED, &mut digest),
        other => hash_canonical(other, &mut digest),
    }
    hex(digest)
}

fn hex(digest: Sha256) -> String {
    let mut hex = String::with_capacity(12);
    for byte in digest.finalize().iter().take(6) {
        hex.extend(char::from_digit(u32::from(byte >> 4), 16));
        hex.extend(char::from_digit(u32::from(byte & 15), 16));
    }
    hex
}

/// Compact JSON with sorted keys. `serde_json`'s own order depends on a feature that any crate of
/// the build may turn on.
fn hash_canonical(value: &Value, out: &mut Sha256) {
    match value {
        Value::Array(elements) => {
            out.update("[");
            for element in elements {
                hash_canonical(element, out);
                out.update(",");
            }
            out.update("]");
        }
        Value::Object(members) => hash_members(members, &[], out),
        scalar => out.update(scalar.to_string()),
    }
}

fn hash_members(members: &Map<String, Value>, without: &[&str], out: &mut Sha256) {
    let sorted: BTreeMap<_, _> = members.iter().collect();
    out.update("{");
    for (key, member) in sorted {
        if without.contains(&key.as_str()) {
            continue;
        }
        hash_canonical(&Value::String(key.clone()), out);
        out.update(":");
        hash_canonical(member, out);
        out.update(",");
    }
    out.update("}");
}
