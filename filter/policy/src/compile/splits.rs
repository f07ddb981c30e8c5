//! Compiles the document's splits.

use std::collections::BTreeMap;

use super::{Errors, paths, rollout, weights};
use crate::document::{ANYONE, AssignDoc, Document, Path, SplitDoc, Text, did_you_mean};
use crate::model::{
    Age, Assign, By, Decision, Gets, Policy, RuleSetSide, Split, Splits, Stage, Subject, Variant,
};
use modgate_go::gomod::{check_path, is_canonical_for, semver};
use modgate_go::http::is_same_header;

/// The longest value of a header that is requested, in bytes.
const MAX_VALUE: usize = 256;

/// Compiles `splits`.
pub(crate) fn compile(
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
            let message = format!("the split {other:?} already covers this module");
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
                "it can never apply: the one before applies to everybody",
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
        let message = "the last one must apply to everybody, without tenants, tiers and header";
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
                "{:?} is not a canonical version of {}, such as v1.2.3",
                &**version, &*doc.module
            );
            errors.add(&at, message);
        } else if parsed.is_some_and(|parts| parts.is_pseudo()) {
            let message =
                "a pseudo-version is in no version list, so go would never select it; tag it";
            errors.add(&at, message);
        }
        if let Some(other) = seen.insert(&**version, name) {
            errors.add(&at, format!("the variant {other:?} has the same version"));
        }
        variants.push(Variant {
            name: name.clone(),
            version: version.to_string(),
        });
    }
    variants
}

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
            "an empty list matches nobody; leave it out to match everybody",
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
    Err(format!("no tenant has the tier {name:?}{hint}"))
}

fn header(
    errors: &mut Errors,
    at: &Path,
    doc: &AssignDoc,
    identity_headers: &[String],
) -> Option<(String, Option<String>)> {
    let Some(name) = &doc.header else {
        if doc.value.is_some() {
            errors.add(&at.key("value"), "`value` needs `header`");
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
        let message = "this header identifies the client and is not the client's to set; use tenants or tiers";
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
        errors.add(&at.key("by"), "`by` needs `weights`");
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
pub(crate) fn check_rules(errors: &mut Errors, root: &Path, policy: &Policy) {
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
                let sides = [RuleSetSide::Active, RuleSetSide::Candidate];
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
