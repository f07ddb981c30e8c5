//! Whether the document's `tests` can be asked at all.

use super::errors::Errors;
use crate::document::{
    ANYONE, Document, ExpectDoc, OperationDoc, Path, TestDoc, did_you_mean, duration,
};
use crate::model::RuleOutcome;
use modgate_go::gomod::{check_path, check_query, is_canonical_for};

/// The decision that an expectation means.
pub const fn expected(document: ExpectDoc) -> RuleOutcome {
    match document {
        ExpectDoc::Allow => RuleOutcome::Allow,
        ExpectDoc::Deny => RuleOutcome::Deny,
        ExpectDoc::Probe => RuleOutcome::Probe,
        ExpectDoc::Hide => RuleOutcome::Hide,
    }
}

/// Checks `tests`.
pub(crate) fn check(errors: &mut Errors, root: &Path, document: &Document) {
    for (i, test) in document.tests.iter().enumerate() {
        let at = root.key("tests").index(i);
        check_request(errors, &at, test);
        if !document.tenants.contains_key(&*test.tenant) && !document.tenants.contains_key(ANYONE) {
            let hint = did_you_mean(&test.tenant, document.tenants.keys().map(String::as_str));
            let message = format!(
                "no tenant is named {:?}, and there is no \"*\"{hint}",
                &*test.tenant
            );
            errors.add(&at.key("tenant"), message);
        }
        check_outcome(errors, &at, test, document);
    }
}

fn check_request(errors: &mut Errors, at: &Path, test: &TestDoc) {
    if let Err(refusal) = check_path(&test.module) {
        errors.add(&at.key("module"), refusal.reason());
    }
    if let Some(version) = &test.version {
        let checked = match test.operation {
            Some(OperationDoc::Info) => check_query(version),
            _ => is_canonical_for(&test.module, version),
        };
        if let Err(refusal) = checked {
            errors.add(&at.key("version"), refusal.reason());
        }
    }
    if let Some(Err(message)) = test.age.as_deref().map(duration::parse) {
        errors.add(&at.key("age"), message);
    }
    let needs_version = match test.operation {
        Some(OperationDoc::Info | OperationDoc::Mod | OperationDoc::Zip) => true,
        Some(OperationDoc::List | OperationDoc::Latest) => false,
        None => test.version.is_some(),
    };
    if needs_version != test.version.is_some() {
        let message = if needs_version {
            "missing: info, mod and zip need a version"
        } else {
            "list and latest take no version"
        };
        errors.add(&at.key("version"), message);
    }
}

fn check_outcome(errors: &mut Errors, at: &Path, test: &TestDoc, document: &Document) {
    if let Some(rule) = &test.rule {
        let known = |set: Option<&str>, id: &str| {
            document.rules.iter().any(|(name, rules)| {
                set.is_none_or(|set| set == name) && rules.iter().any(|rule| &*rule.id == id)
            })
        };
        let found = match rule.split_once('/') {
            Some((set, id)) => known(Some(set), id),
            None => &**rule == "default" || known(None, rule),
        };
        if !found {
            let ids = document.rules.values().flatten().map(|rule| &*rule.id);
            let hint = did_you_mean(rule.rsplit('/').next().unwrap_or_default(), ids);
            let message = format!("no rule is named {:?}{hint}", &**rule);
            errors.add(&at.key("rule"), message);
        }
    }
    if let Some(backend) = &test.backend {
        if !document.backends.contains_key(&**backend) {
            let hint = did_you_mean(backend, document.backends.keys().map(String::as_str));
            let message = format!("no backend is named {:?}{hint}", &**backend);
            errors.add(&at.key("backend"), message);
        }
        if test.expect != ExpectDoc::Allow {
            let message = "only an allowed request goes to a backend";
            errors.add(&at.key("backend"), message);
        }
    }
}
