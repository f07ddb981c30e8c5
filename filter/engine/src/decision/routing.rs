//! Where a request goes.

use super::head::Head;
use super::stage;
use modgate_go::goproxy::{Operation, Target};
use modgate_go::http::Header;
use modgate_policy::model::identity::Facts;
use modgate_policy::model::route::{Route, RouteTable, To};
use modgate_policy::model::{Backend, By, CANARY, CanaryMembership, ENFORCE, Policy, Tenant};

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Destination<'p> {
    /// The route; `None` where the document gives the backend to a checksum database.
    pub(super) route: Option<&'p Route>,
    pub(super) backend: &'p Backend,
    /// The backend's cluster, or the one in which others stand in for it.
    pub(super) cluster: &'p str,
    /// The bucket in which the backend was drawn, where the route leads to several.
    pub(super) bucket: Option<u32>,
}

/// What the routes that are not followed say of a request: those that are tried, or those in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteTrial<'p> {
    /// The value of the label `stage`: which of the two are followed.
    pub stage: &'static str,
    /// Where the others would lead; `None` is nowhere.
    pub would_be: Option<(&'p Route, &'p Backend)>,
}

/// Where a path leads, and the path there.
#[derive(Clone, Debug)]
pub(crate) struct RoutedPath<'p> {
    pub(crate) backend: &'p Backend,
    /// The backend's cluster, or the one in which others stand in for it.
    pub(crate) cluster: &'p str,
    /// The module that is asked for.
    pub(crate) module: String,
    /// The path upstream.
    pub(crate) path: String,
}

/// What is known of a request when it is routed.
pub(super) struct Request<'a> {
    /// The path behind the tenant's prefix.
    pub(super) path: &'a str,
    pub(super) operation: &'a Operation<'a>,
    pub(super) tenant: &'a Tenant,
    pub(super) head: &'a Head<'a>,
    pub(super) facts: &'a dyn Facts,
}

/// The destination by the routes that hold for the request, and what the others say.
pub(super) fn route<'p>(
    policy: &'p Policy,
    request: &Request<'_>,
) -> (Option<Destination<'p>>, Option<RouteTrial<'p>>) {
    if let Some(backend) = policy.sumdb_backend(request.operation) {
        let destination = Destination {
            route: None,
            backend,
            cluster: &backend.cluster,
            bucket: None,
        };
        return (Some(destination), None);
    }
    let active = request.destination(policy, &policy.routes);
    let Some(trial) = &policy.routes_trial else {
        return (active, None);
    };
    let candidate = request.destination(policy, &trial.table);
    let membership = trial.stage.membership(ROUTES, |by| request.key(policy, by));
    let (held, other, stage) = match membership {
        CanaryMembership::Not => (active, candidate, ENFORCE),
        CanaryMembership::Member => (candidate, active, CANARY),
        CanaryMembership::All => (candidate, active, ENFORCE),
    };
    let trial = RouteTrial {
        stage,
        would_be: other.and_then(|other| Some((other.route?, other.backend))),
    };
    (held, Some(trial))
}

/// Where a tenant's request goes that has these headers and this path, without what names the tenant,
/// whatever the rules say of it; `None` where it leads nowhere, or asks for no file of a module.
pub(crate) fn route_path<'p>(
    policy: &'p Policy,
    headers: &[Header],
    tenant: &Tenant,
    facts: &dyn Facts,
    path: &str,
) -> Option<RoutedPath<'p>> {
    let head = Head::read(policy, headers);
    let target = Target::decode(path.as_bytes()).ok()?;
    let (_, rest) = policy.routes.enter(target.as_str());
    let operation = Operation::parse(rest).ok()?;
    let (destination, _) = route(
        policy,
        &Request {
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
/// What a canary of routes is drawn for, where a tenant's is drawn for its name, which has no space.
const ROUTES: &str = "the routes";

impl Request<'_> {
    fn destination<'p>(
        &self,
        policy: &'p Policy,
        table: &'p RouteTable,
    ) -> Option<Destination<'p>> {
        let (space, _) = table.enter(self.path);
        let route = space?.pick(self.operation.module(), self.head.host.as_ref())?;
        let (place, bucket, failovers) = match &route.to {
            To::Backend(place) => (*place, None, &[][..]),
            To::Drawn(drawn) => {
                let key = self.key(policy, drawn.by).unwrap_or_default();
                let (place, bucket) = policy.draw_backend(&route.id, drawn, &key);
                (place, Some(bucket), drawn.failovers.as_slice())
            }
        };
        let backend = policy.backend(place)?;
        let failover = failovers.iter().find(|known| known.begins_with(place));
        Some(Destination {
            route: Some(route),
            backend,
            cluster: failover.map_or(&*backend.cluster, |failover| &*failover.cluster),
            bucket,
        })
    }

    /// What is drawn for; `None` for a client of whom nothing is known.
    fn key(&self, policy: &Policy, by: By) -> Option<String> {
        // Of the checksum database all is one module, or a proof would be torn apart.
        let module = match self.operation {
            Operation::Sumdb { database, .. } => database,
            operation => operation.module().unwrap_or_default(),
        };
        stage::key(policy, self.tenant, module, self.head, self.facts, by).0
    }
}
