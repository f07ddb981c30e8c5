//! What a line of a log says of its request, and the paths that it may have had.

use modgate_engine::decision::evaluate;
use modgate_go::gomod::{check_path, check_query, escape_into, is_canonical_for};
use modgate_go::goproxy::OperationName;

use super::Compared;
use crate::policy_file::log::Access;
use crate::policy_file::request::{get, path};

/// Why a line was not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NotEvaluated {
    /// It cannot be read.
    Unreadable(&'static str),
    /// It is something other than a tenant's request for a module.
    NoRequest(&'static str),
}

/// What a line requests; empty where it does not say. Without a tenant it is of another program's log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineRequest<'l> {
    pub(super) tenant: &'l str,
    pub(super) operation: &'l str,
    pub(super) module: &'l str,
    pub(super) version: &'l str,
    pub(super) path: &'l str,
    /// Whether another program's log has it, which may have put something before the module.
    pub(super) is_foreign: bool,
}

pub(super) const NO_MODULE: &str = "it requests no module";

/// What a line of the access log requests.
pub(super) fn of_access<'l>(access: &'l Access<'_>) -> Result<LineRequest<'l>, NotEvaluated> {
    if access.modgate == "-" {
        return Err(NotEvaluated::NoRequest(
            "the request did not reach the filter",
        ));
    }
    match &*access.tenant {
        "" => return Err(NotEvaluated::Unreadable("it names no tenant")),
        "-" => {
            return Err(NotEvaluated::NoRequest(
                "it was refused before its tenant was known",
            ));
        }
        _ => {}
    }
    if access.module == "-" {
        return Err(NotEvaluated::NoRequest(NO_MODULE));
    }
    Ok(LineRequest {
        tenant: &access.tenant,
        operation: &access.operation,
        module: &access.module,
        version: &access.version,
        path: &access.path,
        is_foreign: false,
    })
}

/// What a path requests.
pub(super) struct Reading {
    pub(super) operation: OperationName,
    pub(super) module: String,
    pub(super) version: Option<String>,
}

impl Reading {
    /// Whether this is what a line says, as far as it says something.
    pub(super) fn is(&self, requested: LineRequest<'_>) -> bool {
        let version = self.version.as_deref().unwrap_or("-");
        self.module == requested.module
            && (requested.version.is_empty() || version == requested.version)
            && (requested.operation.is_empty() || self.operation.as_str() == requested.operation)
    }

    /// Whether it is for one version, not a list, branch or commit.
    pub(super) fn is_of_a_version(&self) -> bool {
        let version = self.version.as_ref();
        version.is_some_and(|version| is_canonical_for(&self.module, version).is_ok())
    }
}

/// The paths that a line's may stand for, the likeliest first: the access log has the tenant's prefix,
/// a plain line may have it.
pub(super) fn written(
    policy: &Compared,
    requested: LineRequest<'_>,
) -> impl Iterator<Item = String> {
    // A value that was cut ends so; no path of a request does.
    let is_whole = !requested.path.is_empty() && !requested.path.ends_with("...");
    let behind = || {
        let prefix = evaluate(&policy.policy, &get(requested.path), &()).tenant_prefix;
        let rest = requested.path.strip_prefix('/')?.strip_prefix(&*prefix)?;
        (!prefix.is_empty()).then(|| format!("/{rest}"))
    };
    let behind = if policy.has_prefix && is_whole {
        behind()
    } else {
        None
    };
    let whole = is_whole.then(|| requested.path.to_owned());
    // Such as `/repository/go/`: a module's first element has a dot.
    let module = || {
        let mut elements = requested
            .path
            .split('/')
            .skip_while(|e| !e.contains('.'))
            .peekable();
        elements.peek()?;
        Some(format!("/{}", elements.collect::<Vec<_>>().join("/")))
    };
    let module = if requested.is_foreign { module() } else { None };
    let all = if requested.module.is_empty() {
        [whole, behind, module]
    } else {
        [behind, whole, None]
    };
    all.into_iter().flatten()
}

/// Why a path is no request for a module.
pub(super) fn why_not(path: &str) -> NotEvaluated {
    match path {
        "" => NotEvaluated::Unreadable("it names neither a module nor a path"),
        path if path.ends_with("...") => NotEvaluated::Unreadable("its path was cut"),
        path if path.contains("/sumdb/") => NotEvaluated::NoRequest(NO_MODULE),
        _ => NotEvaluated::Unreadable("its path is not a module request"),
    }
}

/// The path of a line of which only the module, the version and the operation are known.
pub(super) fn canonical(requested: LineRequest<'_>) -> Result<String, NotEvaluated> {
    let unreadable = |refusal: modgate_go::gomod::NameError| {
        NotEvaluated::Unreadable(match refusal.reason() {
            // A module that was cut is none; what is wrong with it is not worth a word.
            _ if requested.module.ends_with("...") || requested.version.ends_with("...") => {
                "its module, version and path were cut"
            }
            reason => reason,
        })
    };
    check_path(requested.module).map_err(unreadable)?;
    let of_version = |extension: &str| {
        match extension {
            "info" => check_query(requested.version),
            _ => is_canonical_for(requested.module, requested.version),
        }
        .map_err(unreadable)?;
        let mut file = "@v/".to_owned();
        escape_into(requested.version, &mut file);
        Ok(path(requested.module, &format!("{file}.{extension}")))
    };
    match requested.operation {
        "list" => Ok(path(requested.module, "@v/list")),
        "latest" => Ok(path(requested.module, "@latest")),
        extension @ ("info" | "mod" | "zip") => of_version(extension),
        "sumdb" => Err(NotEvaluated::NoRequest(
            "it requests a checksum database that neither its path nor the policy names",
        )),
        _ => Err(NotEvaluated::Unreadable("it names no operation")),
    }
}
