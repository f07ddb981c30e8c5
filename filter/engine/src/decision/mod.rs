//! The one way through the engine: a request's headers in, what to do with it out.

mod caching;
mod head;
#[cfg(test)]
mod integrity_tests;
#[cfg(test)]
mod lookup_tests;
mod routing;
mod split;
#[cfg(test)]
mod split_tests;
mod stage;
mod upstream_headers;

pub use caching::{CacheScope, HeaderChange, keep_private};
pub use routing::RouteTrial;
pub(crate) use routing::route_path;
pub use split::{Assigned, AssignedBy, OfVariant};
pub use stage::StageTaken;
pub(crate) use upstream_headers::goes_to_every_backend;
pub use upstream_headers::{goes_upstream, upstream_headers};

use crate::lookup::{About, Consultation, Goal, Steer};
use crate::reply::{Footer, Reply};
use crate::telemetry::Outcome;
use head::Head;
use modgate_go::goproxy::{Mutability, Operation, OperationName, RequestError, SumdbCall, Target};
use modgate_go::http::{Header, HeaderValue};
use modgate_policy::model::identity::{Claim, Claimed, Facts, identify};
use modgate_policy::model::route::Route;
use modgate_policy::model::{Age, Backend, Decision, Plan, Policy, Ruling, Subject, Tenant};

/// What is to be done with a request, and everything that led to it.
#[derive(Debug)]
pub struct Judgement<'p> {
    /// The tenant; `None` where the request has none.
    pub tenant: Option<&'p Tenant>,
    /// Which identity source named the tenant.
    pub identity: Option<&'static str>,
    /// What is asked.
    pub operation: OperationName,
    /// Whether the answer can change from one request to the next.
    pub mutability: Mutability,
    /// Which of the tenant's rules hold for the request, and why.
    pub stage: StageTaken,
    /// The verdict of the rules, where they were asked, and that of the tenant's other ones.
    pub ruling: Option<Ruling<'p>>,
    /// The route that was taken.
    pub route: Option<&'p Route>,
    /// The bucket in which the backend was drawn, below [`modgate_policy::model::BUCKETS`], where the route leads
    /// to several.
    pub bucket: Option<u32>,
    /// What the routes say that are not followed, where some are tried.
    pub route_trial: Option<RouteTrial<'p>>,
    /// The module path that is asked for, unescaped.
    pub module: Option<String>,
    /// The version or query that is asked for, unescaped.
    pub version: Option<String>,
    /// What the client wrote before everything else to name its tenant: empty, or such as `t/acme/`.
    pub tenant_prefix: String,
    /// What the client calls the request; a text repeats it only where it is harmless.
    pub request_id: Option<String>,
    /// The variant of a split that it was given.
    pub split: Option<Assigned<'p>>,
    /// The variant whose version's file is asked for.
    pub file_of: Option<OfVariant<'p>>,
    /// What is to be checked of the answer.
    pub plan: Plan,
    /// The backend that was asked before the request was answered here.
    pub consulted: Option<&'p Backend>,
    /// Headers of the request that its backend must not get; see [`goes_upstream`].
    pub remove_headers: Vec<String>,
    /// Which caches may keep a backend's answer.
    pub cache_scope: CacheScope,
    /// What to do.
    pub answer: Answer<'p>,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Answer<'p> {
    /// It goes to a backend.
    Forward {
        /// Which.
        backend: &'p Backend,
        /// The cluster that is asked: the backend's, or one in which others stand in for it.
        cluster: &'p str,
        /// The path that goes upstream; `None` where it is, byte for byte, the one that came.
        path: Option<String>,
    },
    /// It waits while its backend is asked, and then is answered or goes on.
    Consult {
        /// Which backend is asked, and where it goes on to.
        backend: &'p Backend,
        /// As in [`Answer::Forward`].
        cluster: &'p str,
        /// As in [`Answer::Forward`].
        path: Option<String>,
        /// What goes from question to question.
        consultation: Box<Consultation>,
    },
    /// It is answered here.
    Reply(Reply),
}

/// Whom a request comes from.
enum Sender<'p, 'f> {
    /// Whoever its headers, and what the host verified, say.
    Known(&'f dyn Facts),
    /// This tenant, which asks for a version of this age.
    Tenant(&'p Tenant, Age, &'f dyn Facts),
}

/// Judges a request by its headers, pseudo-headers included, and by what the host has verified of
/// its sender. Nothing else of a request counts.
pub fn judge<'p>(policy: &'p Policy, headers: &[Header], facts: &dyn Facts) -> Judgement<'p> {
    judge_sender(policy, headers, &Sender::Known(facts))
}

/// Judges what a tenant would be told, were it proved already: the request's path has no prefix
/// that names it. For whoever asks about a policy; a proxy knows no tenant before it asks. A
/// version that is asked for is of this age.
pub fn judge_tenant<'p>(
    policy: &'p Policy,
    headers: &[Header],
    tenant: &'p Tenant,
    age: Age,
) -> Judgement<'p> {
    judge_sender(policy, headers, &Sender::Tenant(tenant, age, &()))
}

/// As [`judge_tenant`], of a client of whom something is known besides.
pub fn judge_client<'p>(
    policy: &'p Policy,
    headers: &[Header],
    tenant: &'p Tenant,
    facts: &dyn Facts,
) -> Judgement<'p> {
    judge_sender(
        policy,
        headers,
        &Sender::Tenant(tenant, Age::Unasked, facts),
    )
}

fn judge_sender<'p>(
    policy: &'p Policy,
    headers: &[Header],
    sender: &Sender<'p, '_>,
) -> Judgement<'p> {
    let head = Head::read(policy, headers);
    let mut judgement = Judgement {
        tenant: None,
        identity: None,
        operation: OperationName::Other,
        mutability: Mutability::Other,
        stage: StageTaken::default(),
        ruling: None,
        route: None,
        bucket: None,
        route_trial: None,
        module: None,
        version: None,
        tenant_prefix: String::new(),
        request_id: head.request_id.map(ToOwned::to_owned),
        split: None,
        file_of: None,
        plan: Plan::Pass,
        consulted: None,
        remove_headers: Vec::new(),
        cache_scope: CacheScope::Private,
        answer: Answer::Reply(Reply::default()),
    };
    let answer = answer_of(policy, &head, sender, &mut judgement);
    judgement.answer = answer.unwrap_or_else(Answer::Reply);
    judgement
}

/// Fills in what it finds out on the way. `Err` is every answer that is no forwarding.
fn answer_of<'p>(
    policy: &'p Policy,
    head: &Head<'_>,
    sender: &Sender<'p, '_>,
    judgement: &mut Judgement<'p>,
) -> Result<Answer<'p>, Reply> {
    let footer = Footer {
        contact: policy.contact(),
        request_id: head.request_id,
    };
    let bad = |refusal: RequestError| Reply::bad_request(refusal, footer);

    let (HeaderValue::Once(method), HeaderValue::Once(path)) = (head.method, head.path) else {
        return Err(bad(RequestError::MalformedHead));
    };
    if !matches!(method, b"GET" | b"HEAD") {
        return Err(Reply::method_not_allowed(footer));
    }
    if head.has_line_break {
        return Err(bad(RequestError::HeaderValue));
    }
    // What go never sends, and servers have disagreed on where it ends.
    if head.has_body {
        return Err(bad(RequestError::Body));
    }
    let target = Target::decode(path).map_err(bad)?;
    let (tenant, rest, facts, age) = match sender {
        Sender::Tenant(tenant, age, facts) => {
            judgement.tenant = Some(tenant);
            (*tenant, target.as_str(), *facts, *age)
        }
        Sender::Known(facts) => {
            let header = |name: &str| head.identity(name);
            let is_tenant = |name: &str| policy.has_tenant(name);
            let identified = identify(&policy.identity, is_tenant, target.as_str(), header, *facts);
            let identified = identified.map_err(bad)?;
            identified.prefix.clone_into(&mut judgement.tenant_prefix);
            let tenant = claimed_tenant(policy, &identified.claim, judgement, footer)?;
            (tenant, identified.rest, *facts, Age::Unasked)
        }
    };

    let routed = rest;
    let (_, rest) = policy.routes.enter(routed);
    let operation = operation_of(policy, rest, footer)?;
    judgement.operation = operation.name();
    judgement.mutability = operation.mutability();
    judgement.module = operation.module().map(ToOwned::to_owned);
    judgement.version = operation.version().map(ToOwned::to_owned);
    let (mut goal, mut steer) = (None, None);
    if let Some(module) = operation.module() {
        let subject = Subject::of(&operation, age);
        let stage = stage::taken(policy, tenant, module, head, facts);
        judgement.stage = stage;
        let ruling = policy.decide_both(tenant, stage.side, module, &subject, operation.is_probe());
        judgement.ruling = Some(ruling);
        let verdict = ruling.verdict;
        goal = verdict.is_open.then(|| Goal::of(&operation)).flatten();
        let refusal = Reply::refusal(&operation, &tenant.name, &verdict, footer);
        if let Some(reply) = refusal.filter(|_| goal.is_none()) {
            return Err(reply);
        }
        // What the rules refuse as a whole, no variant of it is served.
        let is_served = verdict.decision == Decision::Allow;
        let split_of = || split::assigned(policy, tenant, module, head, facts);
        let assigned = is_served.then(split_of).flatten();
        let assigned = assigned.and_then(|assigned| Some((Goal::of(&operation)?, assigned)));
        if let Some((wanted, (place, variant, assigned))) = assigned {
            let version = operation.canonical_version();
            judgement.file_of =
                version.and_then(|version| OfVariant::with_version(assigned.split, version));
            if !assigned.holds() {
                // A file is led nowhere, so there is nothing to count.
                judgement.split = version.is_none().then_some(assigned);
            } else if let Some(version) = version {
                // A go.mod file is read of versions that are never built, so it passes.
                let is_go_mod = matches!(operation, Operation::Mod { .. });
                let given = assigned
                    .variant
                    .filter(|variant| variant.version != version);
                if let Some(given) = given.filter(|_| assigned.split.strict && !is_go_mod) {
                    judgement.split = Some(assigned);
                    let split = &assigned.split.name;
                    let given = [&*given.name, &*given.version];
                    return Err(Reply::other_variant(&operation, split, given, footer));
                }
            } else {
                judgement.split = Some(assigned);
                steer = Some(Steer::to(place, variant, assigned.split.control));
                goal = Some(wanted);
            }
        }
    }
    if let Operation::Sumdb {
        call: SumdbCall::Supported,
        ..
    } = operation
    {
        return Err(Reply::supported());
    }

    if let Operation::Sumdb {
        database,
        call: SumdbCall::Lookup { module, .. },
    } = &operation
    {
        if let Some(pattern) = policy.integrity.private.kept_from(database, module) {
            return Err(Reply::private_name(&operation, &pattern, footer));
        }
    }

    let (destination, trial) = routing::route(
        policy,
        &routing::Request {
            path: routed,
            operation: &operation,
            tenant,
            head,
            facts,
        },
    );
    judgement.route_trial = trial;
    let destination = destination.ok_or_else(|| Reply::no_route(footer))?;
    let (backend, cluster) = (destination.backend, destination.cluster);
    judgement.route = destination.route;
    judgement.bucket = destination.bucket;
    judgement.remove_headers = head.kept_from(policy, backend);
    judgement.cache_scope = caching::cache_scope(
        policy,
        &caching::Asked {
            operation: &operation,
            tenant,
            head,
            route: destination.route,
            backend,
        },
    );
    let plan = policy.integrity.plan(
        tenant,
        backend,
        operation.name(),
        (operation.module(), operation.version()),
    );
    judgement.plan = match plan {
        // An answer without a body has nothing to check.
        Plan::Unknown(_) | Plan::Check(_) if method == b"HEAD" => Plan::Pass,
        plan => plan,
    };
    if let Plan::Refuse(_) = judgement.plan {
        return Err(Reply::unknown_hash(&operation, footer));
    }
    let mut upstream = String::with_capacity(path.len() + backend.base_path.len() + 16);
    upstream.push_str(&backend.base_path);
    if let Some(route) = destination.route {
        upstream.push_str(&route.upstream_prefix);
    }
    let prefix = upstream.len();
    operation.write_canonical(&mut upstream);
    let consultation = goal.map(|goal| {
        let about = About {
            module: operation.module().unwrap_or_default().to_owned(),
            tenant: tenant.id,
            side: judgement.stage.side,
            backend: backend.id,
            steer,
            upstream: upstream.get(..prefix).unwrap_or_default().to_owned(),
            request_id: judgement.request_id.clone(),
            is_probe: operation.is_probe(),
        };
        Box::new(Consultation::new(about, goal))
    });
    let path = (upstream.as_bytes() != path).then_some(upstream);
    Ok(match consultation {
        None => Answer::Forward {
            backend,
            cluster,
            path,
        },
        Some(consultation) => Answer::Consult {
            backend,
            cluster,
            path,
            consultation,
        },
    })
}

fn claimed_tenant<'p>(
    policy: &'p Policy,
    claim: &Claim<'_>,
    judgement: &mut Judgement<'p>,
    footer: Footer<'_>,
) -> Result<&'p Tenant, Reply> {
    judgement.identity = claim.source;
    let name = match claim.claimed() {
        Claimed::Nobody => None,
        Claimed::Tenant(name) => Some(name),
        Claimed::Conflict => return Err(Reply::identity_conflict(footer)),
        Claimed::Ambiguous => return Err(Reply::identity_ambiguous(footer)),
    };
    let tenant = policy
        .tenant(name)
        .ok_or_else(|| Reply::unknown_tenant(name, footer))?;
    let required = policy.require.and(tenant.require);
    if let Some(missing) = required.missing_in(claim.kinds).next() {
        return Err(Reply::identity_required(missing, footer));
    }
    judgement.tenant = Some(tenant);
    Ok(tenant)
}

fn operation_of<'a>(
    policy: &Policy,
    rest: &'a str,
    footer: Footer<'_>,
) -> Result<Operation<'a>, Reply> {
    let bad = |refusal: RequestError| Reply::bad_request(refusal, footer);
    let Some(path) = rest.strip_prefix("sumdb/") else {
        return Operation::parse(rest).map_err(bad);
    };
    let (database, call) = policy
        .sumdb(path)
        .ok_or_else(|| Reply::unknown_database(footer))?;
    let call = SumdbCall::parse(call).map_err(bad)?;
    Ok(Operation::Sumdb {
        database: database.name.clone().into(),
        call,
    })
}
impl<'p> Judgement<'p> {
    /// What came of it, as far as that is known before a backend has answered.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.answer {
            Answer::Forward { .. } | Answer::Consult { .. } => None,
            Answer::Reply(reply) => Some(reply.outcome),
        }
    }

    /// The backend that the request goes to, or that was asked for it.
    pub fn backend(&self) -> Option<&'p Backend> {
        match &self.answer {
            Answer::Forward { backend, .. } | Answer::Consult { backend, .. } => Some(backend),
            Answer::Reply(_) => self.consulted,
        }
    }

    /// Notes what a consultation came to: the request goes on.
    pub fn proceed(&mut self, ruling: Ruling<'p>) {
        self.ruling = Some(ruling);
        let answer = std::mem::replace(&mut self.answer, Answer::Reply(Reply::default()));
        self.answer = match answer {
            Answer::Consult {
                backend,
                cluster,
                path,
                ..
            } => Answer::Forward {
                backend,
                cluster,
                path,
            },
            answer => answer,
        };
    }

    /// Notes what a consultation came to: the client is answered. [`Judgement::led_to`] comes first.
    pub fn conclude(&mut self, ruling: Option<Ruling<'p>>, mut reply: Reply) {
        self.consulted = self.backend();
        self.ruling = ruling.or(self.ruling);
        let told = self
            .split
            .filter(|assigned| assigned.holds() && assigned.split.tells && reply.status == 200);
        reply.variant = told.and_then(|assigned| Some(assigned.variant?.name.clone()));
        self.answer = Answer::Reply(reply);
    }

    /// Notes which variant a consultation led to: another than the one that was given where the backend
    /// does not have that, or the rules refuse it.
    pub fn led_to(&mut self, policy: &'p Policy, consultation: &Consultation) {
        let (Some(assigned), Some(steer)) = (&mut self.split, consultation.steer()) else {
            return;
        };
        let variants = policy
            .splits()
            .get(steer.split)
            .map(|split| &split.variants);
        let led_to = variants
            .zip(steer.variant())
            .and_then(|(variants, place)| variants.get(place));
        if led_to != assigned.variant {
            assigned.by = AssignedBy::Fallback;
            assigned.variant = led_to;
        }
    }

    /// The variant that the request counts for: the one that it was led to, or whose file it asks for.
    pub fn of_variant(&self) -> Option<OfVariant<'p>> {
        let led = self.split.filter(Assigned::holds);
        let led = led.map(|assigned| OfVariant {
            split: assigned.split,
            variant: assigned.variant,
        });
        led.or(self.file_of)
    }

    /// The values of the labels `decision` and `rule`: the verdict's, or what refused the request
    /// before or after the rules were asked. `None` where nothing was decided.
    pub fn decision_labels(&self) -> Option<(&'static str, &str)> {
        if let Answer::Reply(Reply {
            decided_by: Some(by),
            ..
        }) = &self.answer
        {
            return Some((Decision::Deny.as_str(), by));
        }
        let verdict = &self.ruling.as_ref()?.verdict;
        Some((verdict.decision.as_str(), verdict.rule_label()))
    }
}

#[cfg(test)]
mod privacy_tests;
#[cfg(test)]
mod routing_tests;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream_tests;
