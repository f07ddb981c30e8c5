//! A line of a log, evaluated by both policies. What was evaluated once is not evaluated again.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use modgate_engine::decision::{RequestDecision, evaluate, evaluate_as_tenant};
use modgate_go::goproxy::OperationName;
use modgate_policy::document::{ANYONE, is_name};
use modgate_policy::model::{Age, Tenant};

use super::Compared;
use super::line_request::{
    LineRequest, NO_MODULE, NotEvaluated, Reading, canonical, of_access, why_not, written,
};
use crate::policy_file::log::Line;
use crate::policy_file::request::{decided, get, goes_on};

/// Both policies, and how old versions are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'p> {
    pub(super) policy: &'p Compared,
    pub(super) candidate: &'p Compared,
    age: Age,
    /// Whose the requests are that neither the log nor their path names a tenant of.
    tenant: Option<&'p str>,
}

/// A request of the log; all lines that request the same are one.
#[derive(Debug)]
pub(super) struct Request {
    /// As the log names it.
    pub(super) tenant: Rc<str>,
    pub(super) operation: OperationName,
    pub(super) module: String,
    /// The version or query.
    pub(super) version: Option<String>,
    pub(super) policy: SideDecision,
    pub(super) candidate: SideDecision,
    /// How many lines request it.
    pub(super) lines: u64,
}

/// A policy's decision on a request.
#[derive(Clone, Debug)]
pub(super) struct SideDecision {
    /// Whether it goes to a backend.
    pub(super) allows: bool,
    /// The decision, in the engine's words.
    pub(super) decision: &'static str,
    /// What decided, as `set/rule`.
    pub(super) rule: Rc<str>,
    /// Whether a rule that needs an age decided.
    pub(super) by_age: bool,
    /// Whether it holds for the module, of whose versions some may be refused.
    pub(super) needs_lookup: bool,
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

    /// Evaluates a line, and counts it with its request. Gives what its policy then decided, where the
    /// line says that.
    ///
    /// # Errors
    /// Why it is not evaluated.
    pub(super) fn read<'l>(
        &mut self,
        line: &'l Line<'_>,
    ) -> Result<(&Request, Option<&'l str>), NotEvaluated> {
        let (requested, decision) = match line {
            Line::Access(access) => (of_access(access)?, Some(&*access.decision)),
            Line::Plain { tenant, path } => {
                let requested = LineRequest {
                    tenant,
                    path,
                    ..LineRequest::default()
                };
                (requested, None)
            }
            Line::Foreign { path } => {
                let requested = LineRequest {
                    path,
                    is_foreign: true,
                    ..LineRequest::default()
                };
                (requested, None)
            }
            Line::NoRequest(why) => return Err(NotEvaluated::NoRequest(why)),
        };
        self.key.clear();
        for part in [
            requested.tenant,
            requested.operation,
            requested.module,
            requested.version,
            requested.path,
        ] {
            // With its length, so that no line can be taken for another one.
            self.key.extend(part.len().to_ne_bytes());
            self.key.extend(part.as_bytes());
        }
        let place = match self.known.get(&self.key) {
            Some(place) => *place,
            None => {
                let request = self.evaluate_line(requested)?;
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

    fn evaluate_line(&mut self, requested: LineRequest<'_>) -> Result<Request, NotEvaluated> {
        let of_path = if requested.tenant.is_empty() {
            self.tenant_of(requested.path)?
        } else {
            ""
        };
        let requested = LineRequest {
            tenant: if of_path.is_empty() {
                requested.tenant
            } else {
                of_path
            },
            ..requested
        };
        if requested.tenant != ANYONE && !is_name(requested.tenant) {
            return Err(NotEvaluated::Unreadable(
                "its tenant is not a valid tenant name",
            ));
        }
        let Sides { candidate, .. } = self.sides;
        let (path, read, policy) = self.find(requested)?;
        let tenant = candidate.policy.tenant(Some(requested.tenant));
        let said = tenant.and_then(|tenant| Some(self.decide(candidate, tenant, &path)?.1));
        Ok(Request {
            tenant: self.name(requested.tenant),
            policy: policy.unwrap_or_else(|| self.stranger()),
            candidate: said.unwrap_or_else(|| self.stranger()),
            operation: read.operation,
            module: read.module,
            version: read.version,
            lines: 0,
        })
    }

    /// Whose request for a path it is: the tenant's that the path names, else that of the command line.
    fn tenant_of(&self, path: &str) -> Result<&'p str, NotEvaluated> {
        let evaluated = evaluate(&self.sides.policy.policy, &get(path), &());
        let by_path = (!evaluated.tenant_prefix.is_empty())
            .then_some(evaluated.tenant)
            .flatten();
        let named = by_path
            .map(|tenant| tenant.name.as_str())
            .or(self.sides.tenant);
        named.ok_or(NotEvaluated::Unreadable(
            "neither it nor its path names the tenant: use --tenant",
        ))
    }

    /// The path behind the tenant's prefix, what the policy reads in it and decides: as the
    /// client wrote it where that is what the line says, because what stands before the module can
    /// choose the route. There is no decision for a tenant that the policy does not know.
    fn find(
        &mut self,
        requested: LineRequest<'_>,
    ) -> Result<(String, Reading, Option<SideDecision>), NotEvaluated> {
        let policy = self.sides.policy;
        let named = policy.policy.tenant(Some(requested.tenant));
        let Some(tenant) = named.or_else(|| policy.policy.tenants().first()) else {
            return Err(NotEvaluated::NoRequest(NO_MODULE));
        };
        for path in written(policy, requested) {
            let Some((read, said)) = self.decide(policy, tenant, &path) else {
                continue;
            };
            if requested.module.is_empty() || read.is(requested) {
                return Ok((path, read, named.map(|_| said)));
            }
        }
        if requested.module.is_empty() {
            return Err(why_not(requested.path));
        }
        let path = canonical(requested)?;
        let (read, said) = self
            .decide(policy, tenant, &path)
            .ok_or(NotEvaluated::NoRequest(NO_MODULE))?;
        Ok((path, read, named.map(|_| said)))
    }

    /// What a policy reads in a path that follows the tenant's prefix, and decides; `None`
    /// where that is no module. What it reads is the same for all tenants.
    fn decide(
        &mut self,
        side: &Compared,
        tenant: &Tenant,
        path: &str,
    ) -> Option<(Reading, SideDecision)> {
        let evaluate = |age| evaluate_as_tenant(&side.policy, &get(path), tenant, age);
        let mut decision = evaluate(Age::Unasked);
        let read = Reading {
            operation: decision.operation,
            module: decision.module.take()?,
            version: decision.version.take(),
        };
        let needs_lookup = |decision: &RequestDecision<'_>| {
            decision
                .rule_decisions
                .is_some_and(|rules| rules.effective.needs_lookup)
        };
        // Of a version only its age can be unknown.
        let by_age = needs_lookup(&decision) && read.is_of_a_version();
        if by_age {
            decision = evaluate(self.sides.age);
        }
        let (outcome, rule) = decided(&decision);
        let said = SideDecision {
            allows: goes_on(&decision),
            decision: outcome,
            rule: self.name(&rule),
            by_age,
            needs_lookup: needs_lookup(&decision),
        };
        Some((read, said))
    }

    /// What is reported for a tenant that a policy does not know, where it has no `*`.
    fn stranger(&mut self) -> SideDecision {
        SideDecision {
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
