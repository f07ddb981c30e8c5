//! A line of a log, evaluated by both policies. What was evaluated once is not evaluated again.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use modgate_engine::decision::{Judgement, judge, judge_tenant};
use modgate_go::gomod::{check_path, check_query, escape_into, is_canonical_for};
use modgate_go::goproxy::OperationName;
use modgate_policy::document::{ANYONE, is_name};
use modgate_policy::model::{Age, Tenant};

use super::Compared;
use crate::policy_file::log::{Access, Line};
use crate::policy_file::request::{decided, get, goes_on, path};

/// Both policies, and how old versions are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'p> {
    pub(super) policy: &'p Compared,
    pub(super) candidate: &'p Compared,
    age: Age,
    /// Whose the requests are that neither the log nor their path names a tenant of.
    tenant: Option<&'p str>,
}

/// A request of the log; all lines that ask the same are one.
#[derive(Debug)]
pub(super) struct Request {
    /// As the log names it.
    pub(super) tenant: Rc<str>,
    pub(super) operation: OperationName,
    pub(super) module: String,
    /// The version or query.
    pub(super) version: Option<String>,
    pub(super) policy: Said,
    pub(super) candidate: Said,
    /// How many lines ask it.
    pub(super) lines: u64,
}

/// A policy's decision on a request.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Whether it goes to a backend.
    pub(super) allows: bool,
    /// The decision, in the engine's words.
    pub(super) decision: &'static str,
    /// What decided, as `set/rule`.
    pub(super) rule: Rc<str>,
    /// Whether a rule that wants an age had to be asked.
    pub(super) by_age: bool,
    /// Whether it was said of the module, of whose versions some may be refused.
    pub(super) needs_lookup: bool,
}

/// Why a line was not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unjudged {
    /// It cannot be read.
    Unreadable(&'static str),
    /// It is something other than a tenant's request for a module.
    NoRequest(&'static str),
}

/// What a line asks; empty where it does not say. Without a tenant it is of another program's log.
#[derive(Clone, Copy, Debug, Default)]
struct Asked<'l> {
    tenant: &'l str,
    operation: &'l str,
    module: &'l str,
    version: &'l str,
    path: &'l str,
    /// Whether another program's log has it, which may have put something before the module.
    is_foreign: bool,
}

/// Reads lines, and remembers what was evaluated.
#[derive(Debug)]
pub(super) struct Reader<'p> {
    sides: Sides<'p>,
    requests: Vec<Request>,
    /// The places of requests, by what a line says of them.
    known: HashMap<Vec<u8>, usize>,
    /// The key of the line that is read.
    key: Vec<u8>,
    /// Names of tenants and rules, each once.
    names: HashSet<Rc<str>>,
}

impl<'p> Sides<'p> {
    pub(super) fn new(
        policy: &'p Compared,
        candidate: &'p Compared,
        age: Option<Duration>,
        tenant: Option<&'p str>,
    ) -> Self {
        Self {
            policy,
            candidate,
            age: Age::Known(age.unwrap_or(Duration::MAX)),
            tenant,
        }
    }
}

impl<'p> Reader<'p> {
    pub(super) fn new(sides: Sides<'p>) -> Self {
        Self {
            sides,
            requests: Vec::new(),
            known: HashMap::new(),
            key: Vec::new(),
            names: HashSet::new(),
        }
    }

    pub(super) fn sides(&self) -> Sides<'p> {
        self.sides
    }

    pub(super) fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Judges a line, and counts it with its request. Gives what its policy then decided, where the
    /// line says that.
    ///
    /// # Errors
    /// Why it is not evaluated.
    pub(super) fn read<'l>(
        &mut self,
        line: &'l Line<'_>,
    ) -> Result<(&Request, Option<&'l str>), Unjudged> {
        let (asked, decision) = match line {
            Line::Access(access) => (of_access(access)?, Some(&*access.decision)),
            Line::Plain { tenant, path } => {
                let asked = Asked {
                    tenant,
                    path,
                    ..Asked::default()
                };
                (asked, None)
            }
            Line::Foreign { path } => {
                let asked = Asked {
                    path,
                    is_foreign: true,
                    ..Asked::default()
                };
                (asked, None)
            }
            Line::NoRequest(why) => return Err(Unjudged::NoRequest(why)),
        };
        self.key.clear();
        for part in [
            asked.tenant,
            asked.operation,
            asked.module,
            asked.version,
            asked.path,
        ] {
            // With its length, so that no line can be taken for another one.
            self.key.extend(part.len().to_ne_bytes());
            self.key.extend(part.as_bytes());
        }
        let place = match self.known.get(&self.key) {
            Some(place) => *place,
            None => {
                let request = self.judge(asked)?;
                let place = self.requests.len();
                self.requests.push(request);
                self.known.insert(self.key.clone(), place);
                place
            }
        };
        let request = &mut self.requests[place];
        request.lines += 1;
        let decision = decision.filter(|decision| !matches!(*decision, "" | "-"));
        Ok((request, decision))
    }

    fn judge(&mut self, asked: Asked<'_>) -> Result<Request, Unjudged> {
        let of_path = if asked.tenant.is_empty() {
            self.tenant_of(asked.path)?
        } else {
            ""
        };
        let asked = Asked {
            tenant: if of_path.is_empty() {
                asked.tenant
            } else {
                of_path
            },
            ..asked
        };
        if asked.tenant != ANYONE && !is_name(asked.tenant) {
            return Err(Unjudged::Unreadable(
                "its tenant is not a valid tenant name",
            ));
        }
        let Sides { candidate, .. } = self.sides;
        let (path, read, policy) = self.find(asked)?;
        let tenant = candidate.policy.tenant(Some(asked.tenant));
        let said = tenant.and_then(|tenant| Some(self.ask(candidate, tenant, &path)?.1));
        Ok(Request {
            tenant: self.name(asked.tenant),
            policy: policy.unwrap_or_else(|| self.stranger()),
            candidate: said.unwrap_or_else(|| self.stranger()),
            operation: read.operation,
            module: read.module,
            version: read.version,
            lines: 0,
        })
    }

    /// Whose request for a path it is: the tenant's that the path names, else that of the command line.
    fn tenant_of(&self, path: &str) -> Result<&'p str, Unjudged> {
        let judged = judge(&self.sides.policy.policy, &get(path), &());
        let by_path = (!judged.tenant_prefix.is_empty())
            .then_some(judged.tenant)
            .flatten();
        let named = by_path
            .map(|tenant| tenant.name.as_str())
            .or(self.sides.tenant);
        named.ok_or(Unjudged::Unreadable(
            "neither it nor its path names the tenant: use --tenant",
        ))
    }

    /// The path behind the tenant's prefix, and what the policy reads in it and says of it: as the
    /// client wrote it where that is what the line says, because what stands before the module can
    /// choose the route. Of a tenant that the policy does not know it says nothing.
    fn find(&mut self, asked: Asked<'_>) -> Result<(String, Reading, Option<Said>), Unjudged> {
        let policy = self.sides.policy;
        let named = policy.policy.tenant(Some(asked.tenant));
        let Some(tenant) = named.or_else(|| policy.policy.tenants().first()) else {
            return Err(Unjudged::NoRequest(NO_MODULE));
        };
        for path in written(policy, asked) {
            let Some((read, said)) = self.ask(policy, tenant, &path) else {
                continue;
            };
            if asked.module.is_empty() || read.is(asked) {
                return Ok((path, read, named.map(|_| said)));
            }
        }
        if asked.module.is_empty() {
            return Err(why_not(asked.path));
        }
        let path = canonical(asked)?;
        let (read, said) = self
            .ask(policy, tenant, &path)
            .ok_or(Unjudged::NoRequest(NO_MODULE))?;
        Ok((path, read, named.map(|_| said)))
    }

    /// What a policy reads in a path that stands behind the tenant's prefix, and says of it; `None`
    /// where that is no module. What it reads is the same for all tenants.
    fn ask(&mut self, side: &Compared, tenant: &Tenant, path: &str) -> Option<(Reading, Said)> {
        let judge = |age| judge_tenant(&side.policy, &get(path), tenant, age);
        let mut judgement = judge(Age::Unasked);
        let read = Reading {
            operation: judgement.operation,
            module: judgement.module.take()?,
            version: judgement.version.take(),
        };
        let needs_lookup = |judgement: &Judgement<'_>| {
            judgement
                .rule_decisions
                .is_some_and(|rule_decisions| rule_decisions.effective.needs_lookup)
        };
        // Of a version only its age can be unknown.
        let by_age = needs_lookup(&judgement) && read.is_of_a_version();
        if by_age {
            judgement = judge(self.sides.age);
        }
        let (decision, rule) = decided(&judgement);
        let said = Said {
            allows: goes_on(&judgement),
            decision,
            rule: self.name(&rule),
            by_age,
            needs_lookup: needs_lookup(&judgement),
        };
        Some((read, said))
    }

    /// What is reported for a tenant that a policy does not know, where it has no `*`.
    fn stranger(&mut self) -> Said {
        Said {
            allows: false,
            decision: "deny",
            rule: self.name("identity"),
            by_age: false,
            needs_lookup: false,
        }
    }

    fn name(&mut self, name: &str) -> Rc<str> {
        if let Some(known) = self.names.get(name) {
            return Rc::clone(known);
        }
        let name: Rc<str> = name.into();
        self.names.insert(Rc::clone(&name));
        name
    }
}

const NO_MODULE: &str = "it requests no module";

/// What a line of the access log asks.
fn of_access<'l>(access: &'l Access<'_>) -> Result<Asked<'l>, Unjudged> {
    if access.modgate == "-" {
        return Err(Unjudged::NoRequest("the request did not reach the filter"));
    }
    match &*access.tenant {
        "" => return Err(Unjudged::Unreadable("it names no tenant")),
        "-" => {
            return Err(Unjudged::NoRequest(
                "it was refused before its tenant was known",
            ));
        }
        _ => {}
    }
    if access.module == "-" {
        return Err(Unjudged::NoRequest(NO_MODULE));
    }
    Ok(Asked {
        tenant: &access.tenant,
        operation: &access.operation,
        module: &access.module,
        version: &access.version,
        path: &access.path,
        is_foreign: false,
    })
}

/// What a path asks for.
struct Reading {
    operation: OperationName,
    module: String,
    version: Option<String>,
}

impl Reading {
    /// Whether this is what a line says, as far as it says something.
    fn is(&self, asked: Asked<'_>) -> bool {
        let version = self.version.as_deref().unwrap_or("-");
        self.module == asked.module
            && (asked.version.is_empty() || version == asked.version)
            && (asked.operation.is_empty() || self.operation.as_str() == asked.operation)
    }

    /// Whether it is for one version, not a list, branch or commit.
    fn is_of_a_version(&self) -> bool {
        let version = self.version.as_ref();
        version.is_some_and(|version| is_canonical_for(&self.module, version).is_ok())
    }
}

/// The paths that a line's may stand for, the likeliest first: the access log has the tenant's prefix,
/// a plain line may have it.
fn written(policy: &Compared, asked: Asked<'_>) -> impl Iterator<Item = String> {
    // A value that was cut ends so; no path of a request does.
    let is_whole = !asked.path.is_empty() && !asked.path.ends_with("...");
    let behind = || {
        let prefix = judge(&policy.policy, &get(asked.path), &()).tenant_prefix;
        let rest = asked.path.strip_prefix('/')?.strip_prefix(&*prefix)?;
        (!prefix.is_empty()).then(|| format!("/{rest}"))
    };
    let behind = if policy.has_prefix && is_whole {
        behind()
    } else {
        None
    };
    let whole = is_whole.then(|| asked.path.to_owned());
    // Such as `/repository/go/`: a module's first element has a dot.
    let module = || {
        let mut elements = asked
            .path
            .split('/')
            .skip_while(|e| !e.contains('.'))
            .peekable();
        elements.peek()?;
        Some(format!("/{}", elements.collect::<Vec<_>>().join("/")))
    };
    let module = if asked.is_foreign { module() } else { None };
    let all = if asked.module.is_empty() {
        [whole, behind, module]
    } else {
        [behind, whole, None]
    };
    all.into_iter().flatten()
}

/// Why a path is no request for a module.
fn why_not(path: &str) -> Unjudged {
    match path {
        "" => Unjudged::Unreadable("it names neither a module nor a path"),
        path if path.ends_with("...") => Unjudged::Unreadable("its path was cut"),
        path if path.contains("/sumdb/") => Unjudged::NoRequest(NO_MODULE),
        _ => Unjudged::Unreadable("its path is not a module request"),
    }
}

/// The path of a line of which only the module, the version and the operation are known.
fn canonical(asked: Asked<'_>) -> Result<String, Unjudged> {
    let unreadable = |refusal: modgate_go::gomod::NameError| {
        Unjudged::Unreadable(match refusal.reason() {
            // A module that was cut is none; what is wrong with it is not worth a word.
            _ if asked.module.ends_with("...") || asked.version.ends_with("...") => {
                "its module, version and path were cut"
            }
            reason => reason,
        })
    };
    check_path(asked.module).map_err(unreadable)?;
    let of_version = |extension: &str| {
        match extension {
            "info" => check_query(asked.version),
            _ => is_canonical_for(asked.module, asked.version),
        }
        .map_err(unreadable)?;
        let mut file = "@v/".to_owned();
        escape_into(asked.version, &mut file);
        Ok(path(asked.module, &format!("{file}.{extension}")))
    };
    match asked.operation {
        "list" => Ok(path(asked.module, "@v/list")),
        "latest" => Ok(path(asked.module, "@latest")),
        extension @ ("info" | "mod" | "zip") => of_version(extension),
        "sumdb" => Err(Unjudged::NoRequest(
            "it requests a checksum database that neither its path nor the policy names",
        )),
        _ => Err(Unjudged::Unreadable("it names no operation")),
    }
}
