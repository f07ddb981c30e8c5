//! The one way through the engine: a request's headers in, what to do with it out.

mod head;
mod reply;

pub use head::{Header, value_of};
pub use reply::{Footer, Reply};

use crate::integrity::Plan;
use crate::policy::identity::{Claim, Claimed, HeaderValue, identify};
use crate::policy::{Backend, Decision, Facts, Policy, Tenant, Verdict};
use crate::request::{Mutability, Operation, OperationName, Refusal, SumdbCall, Target};
use crate::route::Route;
use crate::telemetry::Outcome;
use head::Head;

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
    /// The verdict of the rules, where they were asked.
    pub verdict: Option<Verdict<'p>>,
    /// The route that was taken.
    pub route: Option<&'p Route>,
    /// The module path that is asked for, unescaped.
    pub module: Option<String>,
    /// The version or query that is asked for, unescaped.
    pub version: Option<String>,
    /// What the client wrote before everything else to name its tenant: empty, or such as `t/acme/`.
    pub tenant_prefix: String,
    /// What the client calls the request; a text repeats it only where it is harmless.
    pub request_id: Option<String>,
    /// What is to be checked of the answer.
    pub plan: Plan,
    /// Headers of the request that must not go upstream.
    pub remove_headers: Vec<String>,
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
        /// The path that goes upstream; `None` where it is, byte for byte, the one that came.
        path: Option<String>,
    },
    /// It is answered here.
    Reply(Reply),
}

/// Whom a request comes from.
enum Sender<'p, 'f> {
    /// Whoever its headers, and what the host verified, say.
    Known(&'f dyn Facts),
    /// This tenant.
    Tenant(&'p Tenant),
}

impl Policy {
    /// Judges a request by its headers, pseudo-headers included, and by what the host has verified of
    /// its sender. Nothing else of a request counts.
    pub fn judge<'p>(&'p self, headers: &[Header], facts: &dyn Facts) -> Judgement<'p> {
        self.judge_sender(headers, &Sender::Known(facts))
    }

    /// Judges what a tenant would be told, were it proved already: the request's path has no prefix
    /// that names it. For whoever asks about a policy; a proxy knows no tenant before it asks.
    pub fn judge_tenant<'p>(&'p self, headers: &[Header], tenant: &'p Tenant) -> Judgement<'p> {
        self.judge_sender(headers, &Sender::Tenant(tenant))
    }

    fn judge_sender<'p>(&'p self, headers: &[Header], sender: &Sender<'p, '_>) -> Judgement<'p> {
        let mut head = Head::read(self, headers);
        let mut judgement = Judgement {
            tenant: None,
            identity: None,
            operation: OperationName::Other,
            mutability: Mutability::Other,
            verdict: None,
            route: None,
            module: None,
            version: None,
            tenant_prefix: String::new(),
            request_id: head.request_id.map(ToOwned::to_owned),
            plan: Plan::Pass,
            remove_headers: std::mem::take(&mut head.remove),
            answer: Answer::Reply(Reply::default()),
        };
        let answer = self.answer(&head, sender, &mut judgement);
        judgement.answer = answer.unwrap_or_else(Answer::Reply);
        judgement
    }

    /// Fills in what it finds out on the way. `Err` is every answer that is no forwarding.
    fn answer<'p>(
        &'p self,
        head: &Head<'_>,
        sender: &Sender<'p, '_>,
        judgement: &mut Judgement<'p>,
    ) -> Result<Answer<'p>, Reply> {
        let footer = Footer {
            contact: self.contact.as_deref(),
            request_id: head.request_id,
        };
        let bad = |refusal: Refusal| Reply::bad_request(refusal, footer);

        let (HeaderValue::Once(method), HeaderValue::Once(path)) = (head.method, head.path) else {
            return Err(bad(Refusal::MalformedHead));
        };
        if !matches!(method, b"GET" | b"HEAD") {
            return Err(Reply::method_not_allowed(footer));
        }
        if head.has_line_break {
            return Err(bad(Refusal::HeaderValue));
        }
        // What go never sends, and servers have disagreed on where it ends.
        if head.has_body {
            return Err(bad(Refusal::Body));
        }
        let target = Target::decode(path).map_err(bad)?;
        let (tenant, rest) = match sender {
            Sender::Tenant(tenant) => {
                judgement.tenant = Some(tenant);
                (*tenant, target.as_str())
            }
            Sender::Known(facts) => {
                let header = |name: &str| head.identity(name);
                let identified = identify(self, target.as_str(), header, *facts).map_err(bad)?;
                identified.prefix.clone_into(&mut judgement.tenant_prefix);
                let tenant = self.claimed_tenant(&identified.claim, judgement, footer)?;
                (tenant, identified.rest)
            }
        };

        let (space, rest) = self.routes.enter(rest);
        let operation = self.operation(rest, footer)?;
        judgement.operation = operation.name();
        judgement.mutability = operation.mutability();
        judgement.module = operation.module().map(ToOwned::to_owned);
        judgement.version = operation.version().map(ToOwned::to_owned);
        if let Some(module) = operation.module() {
            let verdict = self.decide(tenant, module, operation.is_probe());
            judgement.verdict = Some(verdict);
            match verdict.decision {
                Decision::Allow => {}
                Decision::Deny => {
                    return Err(Reply::denied(&operation, &tenant.name, &verdict, footer));
                }
                Decision::Probe | Decision::Hide => {
                    return Err(Reply::not_a_module(&operation, &tenant.name));
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

        let (backend, upstream_prefix) = match self.sumdb_backend(&operation) {
            Some(backend) => (backend, ""),
            None => {
                let route = space.and_then(|space| space.pick(operation.module()));
                judgement.route = route;
                route
                    .and_then(|route| Some((self.backend(route.backend)?, &*route.upstream_prefix)))
                    .ok_or_else(|| Reply::no_route(footer))?
            }
        };
        let plan = self.integrity.plan(tenant.integrity, judgement);
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
        upstream.push_str(upstream_prefix);
        operation.write_canonical(&mut upstream);
        let path = (upstream.as_bytes() != path).then_some(upstream);
        Ok(Answer::Forward { backend, path })
    }

    fn claimed_tenant<'p>(
        &'p self,
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
        let tenant = self
            .tenant(name)
            .ok_or_else(|| Reply::unknown_tenant(name, footer))?;
        let required = self.require.and(tenant.require);
        if let Some(missing) = required.missing_in(claim.kinds).next() {
            return Err(Reply::identity_required(missing, footer));
        }
        judgement.tenant = Some(tenant);
        Ok(tenant)
    }

    fn operation<'a>(&self, rest: &'a str, footer: Footer<'_>) -> Result<Operation<'a>, Reply> {
        let bad = |refusal: Refusal| Reply::bad_request(refusal, footer);
        let Some(path) = rest.strip_prefix("sumdb/") else {
            return Operation::parse(rest).map_err(bad);
        };
        let (database, call) = self
            .sumdb(path)
            .ok_or_else(|| Reply::unknown_database(footer))?;
        let call = SumdbCall::parse(call).map_err(bad)?;
        Ok(Operation::Sumdb {
            database: database.name.clone().into(),
            call,
        })
    }
}

impl Judgement<'_> {
    /// What came of it, as far as that is known before a backend has answered.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.answer {
            Answer::Forward { .. } => None,
            Answer::Reply(reply) => Some(reply.outcome),
        }
    }

    /// The backend that the request goes to.
    pub fn backend(&self) -> Option<&Backend> {
        match &self.answer {
            Answer::Forward { backend, .. } => Some(backend),
            Answer::Reply(_) => None,
        }
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
        let verdict = self.verdict.as_ref()?;
        Some((verdict.decision.as_str(), verdict.rule_label()))
    }
}

#[cfg(test)]
mod tests;
