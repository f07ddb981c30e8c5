//! Where a request goes.

use super::request_head::RequestHead;
use super::rollout;
use modgate_go::goproxy::{Operation, Target};
use modgate_go::http::Header;
use modgate_policy::model::identity::Facts;
use modgate_policy::model::route::{Route, RouteTable, To};
use modgate_policy::model::{Backend, By, CANARY, CanaryMembership, ENFORCE, Policy, Tenant};

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Destination<'p> {
    /// The route; `None` if the document assigns the backend to a checksum database.
    pub(super) route: Option<&'p Route>,
    pub(super) backend: &'p Backend,
    /// The backend's cluster, or the one in which others stand in for it.
    pub(super) cluster: &'p str,
    /// The bucket in which the backend was drawn, if the route leads to several.
    pub(super) bucket: Option<u32>,
}

/// Where the routes that are not in effect would lead: the candidate's, or the active ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteTrial<'p> {
    /// The value of the label `stage`, for the routes in effect.
    pub stage: &'static str,
    /// The route and the backend; `None` if no route matches.
    pub alternative: Option<(&'p Route, &'p Backend)>,
}

/// Where a path leads, and the path there.
#[derive(Clone, Debug)]
pub(crate) struct RoutedPath<'p> {
    pub(crate) backend: &'p Backend,
    /// The backend's cluster, or the one in which others stand in for it.
    pub(crate) cluster: &'p str,
    /// The module that is requested.
    pub(crate) module: String,
    /// The path upstream.
    pub(crate) path: String,
}

/// The parts of a request that routing depends on.
pub(super) struct RouteInputs<'a> {
    /// The path behind the tenant's prefix.
    pub(super) path: &'a str,
    pub(super) operation: &'a Operation<'a>,
    pub(super) tenant: &'a Tenant,
    pub(super) head: &'a RequestHead<'a>,
    pub(super) facts: &'a dyn Facts,
}

/// The destination by the routes in effect, and the trial's result.
pub(super) fn route<'p>(
    policy: &'p Policy,
    inputs: &RouteInputs<'_>,
) -> (Option<Destination<'p>>, Option<RouteTrial<'p>>) {
    if let Some(backend) = policy.sumdb_backend(inputs.operation) {
        let destination = Destination {
            route: None,
            backend,
            cluster: &backend.cluster,
            bucket: None,
        };
        return (Some(destination), None);
    }
    let active = inputs.destination(policy, &policy.routes);
    let Some(trial) = &policy.routes_trial else {
        return (active, None);
    };
    let candidate = inputs.destination(policy, &trial.table);
    let membership = trial.stage.membership(ROUTES, |by| inputs.key(policy, by));
    let (held, other, stage) = match membership {
        CanaryMembership::Not => (active, candidate, ENFORCE),
        CanaryMembership::Member => (candidate, active, CANARY),
        CanaryMembership::All => (candidate, active, ENFORCE),
    };
    let trial = RouteTrial {
        stage,
        alternative: other.and_then(|other| Some((other.route?, other.backend))),
    };
    (held, Some(trial))
}

/// The destination of a tenant's request with these headers and this path, without its tenant prefix and
/// without evaluating the rules. `None` if no route matches, or the path requests no file of a module.
pub(crate) fn route_path<'p>(
    policy: &'p Policy,
    headers: &[Header],
    tenant: &Tenant,
    facts: &dyn Facts,
    path: &str,
) -> Option<RoutedPath<'p>> {
    let head = RequestHead::read(policy, headers);
    let target = Target::decode(path.as_bytes()).ok()?;
    let (_, rest) = policy.routes.enter(target.as_str());
    let operation = Operation::parse(rest).ok()?;
    let (destination, _) = route(
        policy,
        &RouteInputs {
            path: target.as_str(),
            operation: &operation,
            tenant,
            head: &head,
            facts,
        },
    );
    let destination = destination?;
    let mut path = destination.backend.base_path.clone();
    if let Some(route) = destination.route {
        path.push_str(&route.upstream_prefix);
    }
    operation.write_canonical(&mut path);
    Some(RoutedPath {
        backend: destination.backend,
        cluster: destination.cluster,
        module: operation.module()?.to_owned(),
        path,
    })
}
/// The name by which a canary of routes is drawn. A tenant's canary is drawn by the tenant's name, which has
/// no space.
const ROUTES: &str = "the routes";

impl RouteInputs<'_> {
    fn destination<'p>(
        &self,
        policy: &'p Policy,
        table: &'p RouteTable,
    ) -> Option<Destination<'p>> {
        let (space, _) = table.enter(self.path);
        let route = space?.pick(self.operation.module(), self.head.host.as_ref())?;
        let (backend, bucket) = match &route.to {
            To::Backend(backend) => (policy.backend(*backend), None),
            To::Drawn(drawn) => {
                let key = self.key(policy, drawn.by).unwrap_or_default();
                let (backend, bucket) = policy.draw_backend(&route.id, drawn, &key);
                (backend, Some(bucket))
            }
        };
        let backend = backend?;
        Some(Destination {
            route: Some(route),
            backend,
            cluster: route.cluster_of(backend),
            bucket,
        })
    }

    /// The key of a draw. Clients without a known identity have none.
    fn key(&self, policy: &Policy, by: By) -> Option<String> {
        // A whole checksum database is one key: its tiles must come from one backend.
        let module = match self.operation {
            Operation::Sumdb { database, .. } => database,
            operation => operation.module().unwrap_or_default(),
        };
        rollout::key(policy, self.tenant, module, self.head, self.facts, by).0
    }
}
