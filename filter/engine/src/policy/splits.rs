//! Splits: which version of a module who is to get.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::compile::Errors;
use super::document::{AssignDoc, Document, SplitDoc, Text};
use super::error::Path;
use super::names::ANYONE;
use super::rollout::{self, By, Stage};
use super::rules::{Age, Decision, Subject};
use super::suggest::did_you_mean;
use super::{Policy, Side, paths, weights};
use crate::http::is_same_header;
use crate::module::semver::{self, Semver};
use crate::module::{check_path, is_canonical_for};

/// The longest value of a header that is asked for, in bytes.
const MAX_VALUE: usize = 256;

/// A module of which different people get different versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Its name in the document.
    pub name: String,
    /// The module path.
    pub module: String,
    /// What there is to get, sorted by name.
    pub variants: Vec<Variant>,
    /// The place of the variant that others fall back to.
    pub(crate) control: usize,
    /// Whether the files of other versions are refused.
    pub strict: bool,
    /// Whether the client is told its variant.
    pub tells: bool,
    /// How far it has come; `None` where it is off.
    pub(crate) stage: Option<Stage>,
    pub(crate) assign: Vec<Assign>,
}

/// A version that a part of those who ask get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name in the document.
    pub name: String,
    /// The version, canonical and tagged.
    pub version: String,
}

/// Who gets which variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assign {
    tenants: Option<Vec<String>>,
    tiers: Option<Vec<String>>,
    /// A header's name, and the value that it must have.
    pub(crate) header: Option<(String, Option<String>)>,
    pub(crate) gets: Gets,
}

/// What an assignment gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gets {
    /// The variant at this place.
    Variant(usize),
    /// One of them all, by weight, in hundredths of a percent.
    Drawn { weights: Vec<u16>, by: By },
}

/// The splits of a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Splits {
    all: Vec<Split>,
    /// Their places by module.
    by_module: HashMap<String, usize, FxBuildHasher>,
    /// The headers that assignments ask for, in lower case, each once.
    pub(crate) headers: Vec<String>,
}

impl Splits {
    pub(crate) fn all(&self) -> &[Split] {
        &self.all
    }

    pub(crate) fn of(&self, module: &str) -> Option<(usize, &Split)> {
        let place = *self.by_module.get(module)?;
        Some((place, self.all.get(place)?))
    }
}

impl Assign {
    /// Whether it holds for a tenant, as far as that counts.
    pub(crate) fn is_for(&self, tenant: &str, tier: Option<&str>) -> bool {
        let among = |names: &[String], name: &str| names.iter().any(|known| known == name);
        let tiers = self.tiers.as_ref();
        self.tenants
            .as_ref()
            .is_none_or(|names| among(names, tenant))
            && tiers.is_none_or(|names| tier.is_some_and(|tier| among(names, tier)))
    }

    const fn is_for_all(&self) -> bool {
        self.tenants.is_none() && self.tiers.is_none() && self.header.is_none()
    }
}

impl Split {
    /// Whether two clients of one tenant may get two variants.
    pub(crate) fn hangs_on_client(&self) -> bool {
        let in_part = self
            .stage
            .is_some_and(|stage| stage.is_canary_by(By::Client));
        in_part
            || self.assign.iter().any(|assign| {
                let drawn = matches!(assign.gets, Gets::Drawn { by: By::Client, .. });
                drawn || assign.header.is_some()
            })
    }

    /// A variant's version.
    pub(crate) fn version(&self, place: usize) -> Option<&str> {
        self.variants
            .get(place)
            .map(|variant| variant.version.as_str())
    }
}

/// Whether the Go command must not see a version if it is to take a variant's: what is higher; beside a
/// prerelease every release, which it prefers; beside an `+incompatible` one all others.
pub(crate) fn hides(variant: &Semver<'_>, version: &Semver<'_>) -> bool {
    version.compare(variant) == Ordering::Greater
        || (version.is_release() && !variant.is_release())
        || (version.build.is_empty() && !variant.build.is_empty())
}

/// Compiles `splits`.
pub(super) fn compile(
    errors: &mut Errors,
    root: &Path,
    document: &Document,
    identity_headers: &[String],
) -> Splits {
    let mut splits = Splits::default();
    for (name, split) in document.splits.iter().flatten() {
        let at = root.key("splits").key(name);
        errors.check_name(&at, "split", name);
        let place = splits.all.len();
        if let Some(other) = splits.by_module.insert(split.module.to_string(), place) {
            let other = splits.all.get(other).map_or("", |split| &split.name);
            let message = format!("the split {other:?} is about this module already");
            errors.add(&at.key("module"), message);
        }
        let compiled = one(errors, &at, name, split, document, identity_headers);
        for (header, _) in compiled.assign.iter().filter_map(|a| a.header.as_ref()) {
            if !splits.headers.contains(header) {
                splits.headers.push(header.clone());
            }
        }
        splits.all.push(compiled);
    }
    splits
}

fn one(
    errors: &mut Errors,
    at: &Path,
    name: &str,
    doc: &SplitDoc,
    document: &Document,
    identity_headers: &[String],
) -> Split {
    if let Err(refusal) = check_path(&doc.module) {
        errors.add(&at.key("module"), refusal.reason());
    }
    let variants = variants(errors, &at.key("variants"), doc);
    let control = errors.find(
        &at.key("control"),
        "variant",
        &doc.control,
        &variants,
        |v| &v.name,
    );
    let stage = match &doc.rollout {
        None => Some(Stage::Enforce),
        Some(doc) => {
            let at = at.key("rollout");
            rollout::stage(errors, &at, doc.stage, doc.percent, doc.by)
        }
    };
    let at = at.key("assign");
    let mut assign = Vec::with_capacity(doc.assign.len());
    for (i, doc) in doc.assign.iter().enumerate() {
        let at = at.index(i);
        if assign.last().is_some_and(Assign::is_for_all) {
            errors.add(
                &at,
                "nobody is left for it: the one before holds for everybody",
            );
        }
        assign.push(Assign {
            tenants: names(errors, &at.key("tenants"), doc.tenants.as_ref(), |name| {
                known_tenant(document, name)
            }),
            tiers: names(errors, &at.key("tiers"), doc.tiers.as_ref(), |name| {
                known_tier(document, name)
            }),
            header: header(errors, &at, doc, identity_headers),
            gets: gets(errors, &at, doc, &variants),
        });
    }
    if !assign.last().is_some_and(Assign::is_for_all) {
        let message = "the last must hold for everybody, without tenants, tiers and header";
        errors.add(&at, message);
    }
    Split {
        name: name.to_owned(),
        module: doc.module.to_string(),
        variants,
        control: control.unwrap_or_default(),
        strict: doc.strict.unwrap_or(false),
        tells: doc.tell.unwrap_or(false),
        stage,
        assign,
    }
}

fn variants(errors: &mut Errors, at: &Path, doc: &SplitDoc) -> Vec<Variant> {
    let mut variants = Vec::with_capacity(doc.variants.len());
    let mut seen = BTreeMap::new();
    for (name, version) in &doc.variants {
        let at = at.key(name);
        errors.check_name(&at, "variant", name);
        let parsed = semver::parse(version);
        if is_canonical_for(&doc.module, version).is_err() {
            let message = format!(
                "{:?} is no canonical version of {}, such as v1.2.3",
                &**version, &*doc.module
            );
            errors.add(&at, message);
        } else if parsed.is_some_and(|parts| parts.is_pseudo()) {
            let message = "a pseudo-version is in no list, so go could not be led to it; tag it";
            errors.add(&at, message);
        }
        if let Some(other) = seen.insert(&**version, name) {
            errors.add(&at, format!("the variant {other:?} is the same version"));
        }
        variants.push(Variant {
            name: name.clone(),
            version: version.to_string(),
        });
    }
    variants
}

/// What metrics say where a request got no variant.
pub const NO_VARIANT: &str = "none";

fn names(
    errors: &mut Errors,
    at: &Path,
    names: Option<&Vec<Text>>,
    known: impl Fn(&str) -> Result<(), String>,
) -> Option<Vec<String>> {
    let names = names?;
    if names.is_empty() {
        errors.add(
            at,
            "an empty list is nobody; leave it out, and it is everybody",
        );
    }
    for (i, name) in names.iter().enumerate() {
        if let Err(message) = known(name) {
            errors.add(&at.index(i), message);
        }
    }
    Some(names.iter().map(ToString::to_string).collect())
}

fn known_tenant(document: &Document, name: &str) -> Result<(), String> {
    if document.tenants.contains_key(name) {
        return Ok(());
    }
    let hint = did_you_mean(name, document.tenants.keys().map(String::as_str));
    Err(format!("no tenant is named {name:?}{hint}"))
}

fn known_tier(document: &Document, name: &str) -> Result<(), String> {
    let tiers = || {
        document
            .tenants
            .values()
            .filter_map(|tenant| tenant.tier.as_deref())
    };
    if tiers().any(|tier| tier == name) {
        return Ok(());
    }
    let hint = did_you_mean(name, tiers());
    Err(format!("no tenant is of the tier {name:?}{hint}"))
}

fn header(
    errors: &mut Errors,
    at: &Path,
    doc: &AssignDoc,
    identity_headers: &[String],
) -> Option<(String, Option<String>)> {
    let Some(name) = &doc.header else {
        if doc.value.is_some() {
            errors.add(&at.key("value"), "the value of which header?");
        }
        return None;
    };
    let at_header = at.key("header");
    let name = match paths::header_name(name) {
        Ok(name) => name,
        Err(message) => {
            errors.add(&at_header, message);
            return None;
        }
    };
    let mut identifies = identity_headers.iter();
    if identifies.any(|known| is_same_header(known, &name)) || paths::is_reserved_header(&name) {
        let message = "this header says who asks, and is not the client's; name tenants or tiers";
        errors.add(&at_header, message);
    }
    if let Some(value) = &doc.value {
        let graphic = value.bytes().all(|byte| matches!(byte, b'!'..=b'~' | b' '));
        if value.is_empty() || value.len() > MAX_VALUE || !graphic || value.trim() != &**value {
            let message = format!("1 to {MAX_VALUE} characters of ASCII, with no space at an end");
            errors.add(&at.key("value"), message);
        }
    }
    Some((name, doc.value.as_ref().map(ToString::to_string)))
}

fn gets(errors: &mut Errors, at: &Path, doc: &AssignDoc, variants: &[Variant]) -> Gets {
    if doc.by.is_some() && doc.weights.is_none() {
        errors.add(&at.key("by"), "nothing is drawn without weights");
    }
    match (&doc.variant, &doc.weights) {
        (Some(name), None) => {
            let at = at.key("variant");
            let found = errors.find(&at, "variant", name, variants, |variant| &variant.name);
            Gets::Variant(found.unwrap_or_default())
        }
        (None, Some(weights)) => Gets::Drawn {
            weights: weights::compile(
                errors,
                &at.key("weights"),
                "variant",
                weights,
                variants,
                |v| &v.name,
            ),
            by: doc.by.map_or(By::Client, By::of),
        },
        _ => {
            errors.add(at, "give exactly one of variant and weights");
            Gets::Variant(0)
        }
    }
}

/// Variants that a tenant's rules refuse although they serve its module: nobody could be given them.
pub(super) fn check_rules(errors: &mut Errors, root: &Path, policy: &Policy) {
    for split in policy.splits.all() {
        let at = root.key("splits").key(&split.name).key("variants");
        for variant in &split.variants {
            let Some(version) = semver::parse(&variant.version) else {
                continue;
            };
            let decision = |tenant, side, subject: Subject<'_>| {
                let verdict = policy.decide(tenant, side, &split.module, &subject, false);
                (
                    verdict.decision == Decision::Allow,
                    verdict.rule_label().to_owned(),
                )
            };
            let refused = policy.tenants().iter().find_map(|tenant| {
                let sides = [Side::Active, Side::Candidate];
                let rule = sides.into_iter().find_map(|side| {
                    let of_old = Subject::Version(version, Age::Known(std::time::Duration::MAX));
                    let (is_served, _) = decision(tenant, side, Subject::Module);
                    let (is_given, rule) = decision(tenant, side, of_old);
                    (is_served && !is_given).then_some(rule)
                })?;
                Some((tenant, rule))
            });
            if let Some((tenant, rule)) = refused {
                let name = if tenant.name == ANYONE {
                    "everybody else"
                } else {
                    &tenant.name
                };
                let message = format!("the rule {rule} refuses {} to {name}", variant.version);
                errors.add(&at.key(&variant.name), message);
            }
        }
    }
}
