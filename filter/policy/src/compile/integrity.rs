//! From the document's `integrity` to what is demanded of files.

use std::collections::BTreeMap;

use super::database;
use super::errors::Errors;
use crate::document::{IntegrityDoc, ModeDoc, Path, ScopeDoc, TenantDoc, UnknownDoc};
use crate::model::integrity::{Integrity, Pins};
use crate::model::private::PrivateNames;
use crate::model::{Backend, Mode};
use crate::pattern::{Meaning, PatternSetBuilder};
use modgate_go::gomod::GoSumLine;

/// Compiles `integrity`, and checks what tenants say of it.
pub(crate) fn compile(
    errors: &mut Errors,
    root: &Path,
    document: Option<&IntegrityDoc>,
    tenants: &BTreeMap<String, TenantDoc>,
    backends: &[Backend],
    private: PrivateNames,
) -> Integrity {
    let enforcing = tenants
        .iter()
        .filter(|(_, tenant)| tenant.integrity == Some(ModeDoc::Enforce));
    let Some(document) = document else {
        for (name, tenant) in tenants {
            if tenant.integrity.is_some_and(|mode| mode != ModeDoc::Off) {
                let at = root.key("tenants").key(name).key("integrity");
                errors.add(
                    &at,
                    "the policy has no `integrity`, so nothing can be checked",
                );
            }
        }
        return Integrity {
            private,
            ..Integrity::default()
        };
    };
    let at = root.key("integrity");
    let is_enforced = document.mode == ModeDoc::Enforce || enforcing.count() > 0;
    if is_enforced && document.on_unknown.is_none() {
        let message = "missing: \"refuse\" or \"allow\" for a file without a known hash";
        errors.add(&at.key("on_unknown"), message);
    }
    let mut pins = Pins::default();
    for (i, line) in document.pins.iter().enumerate() {
        let at = at.key("pins").index(i);
        match GoSumLine::read(line) {
            Err(fault) => errors.add(&at, format!("not a valid go.sum line: {fault}")),
            Ok(None) => {}
            Ok(Some(line)) => {
                if let Err(other) = pins.add(line) {
                    errors.add(&at, format!("an earlier pin has {other} for the same file"));
                }
            }
        }
    }
    let first_seen = document.first_seen.as_ref().map(|patterns| {
        let mut builder = PatternSetBuilder::default();
        errors.add_patterns(
            &at.key("first_seen"),
            patterns,
            &mut builder,
            0,
            Meaning::default(),
        );
        builder.build()
    });
    let of_first_seen = [
        ("first_seen_scope", document.first_seen_scope.is_some()),
        ("on_no_room", document.on_no_room.is_some()),
    ];
    for (key, _) in of_first_seen.into_iter().filter(|(_, is_there)| *is_there) {
        if first_seen.is_none() {
            let message = "it needs first_seen, which is missing";
            errors.add(&at.key(key), message);
        }
    }
    Integrity {
        mode: mode(document.mode),
        pins,
        database: database::compile(errors, &at, document.sumdb.as_ref(), backends),
        private,
        first_seen,
        is_seen_by_backend: document.first_seen_scope != Some(ScopeDoc::All),
        refuse_no_room: document.on_no_room != Some(UnknownDoc::Allow),
        refuse_unknown: document.on_unknown == Some(UnknownDoc::Refuse),
        holds_headers: document.allow_on_headers_stop_iteration.unwrap_or(false),
    }
}

/// The mode of that name.
pub(crate) const fn mode(document: ModeDoc) -> Mode {
    match document {
        ModeDoc::Off => Mode::Off,
        ModeDoc::Shadow => Mode::Shadow,
        ModeDoc::Enforce => Mode::Enforce,
    }
}
