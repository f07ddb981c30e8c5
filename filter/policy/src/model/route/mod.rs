//! Routes: which backend a request goes to, and under which path.

mod failover;
mod host;

pub use failover::Failover;
pub use host::Host;
pub use host::HostPattern;

use super::rollout::{By, Stage};
use crate::pattern::{PatternSet, Rank};

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name in the document.
    pub id: String,
    /// The hosts of which one must be requested; empty where any will do.
    pub(crate) hosts: Vec<HostPattern>,
    /// Where it leads.
    pub to: To,
    /// What stands upstream between the backend's base path and the module: empty, or with a
    /// leading slash only.
    pub upstream_prefix: String,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// To the backend at this place among the policy's.
    Backend(usize),
    /// To one of several.
    Drawn(Drawn),
}

/// Backends, one of which is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The weights of all the policy's backends, in hundredths of a percent.
    pub weights: Vec<u16>,
    /// What stays with its backend.
    pub by: By,
    /// The clusters that are asked in the backends' place, where others stand in for one that fails.
    pub failovers: Vec<Failover>,
}

/// Routes that are tried beside those in force. They have the same prefixes, so that a path has one
/// reading.
#[derive(Clone, Debug)]
pub struct RoutesTrial {
    /// The routes.
    pub table: RouteTable,
    /// How far they have come.
    pub stage: Stage,
}

/// All routes, by the path prefix that they want.
#[derive(Clone, Debug)]
pub struct RouteTable {
    /// By descending length of the prefix; the last is the one without.
    pub(crate) spaces: Vec<RouteSpace>,
}

/// The routes that share a path prefix. A prefix opens a name space of its own: behind it only
/// these routes count, so that one path never has two readings.
#[derive(Clone, Debug)]
pub struct RouteSpace {
    /// Without a leading slash and with one at the end; empty for the routes without a prefix.
    pub(crate) prefix: String,
    /// In the document's order.
    pub(crate) routes: Vec<Route>,
    /// The module patterns of the routes that have some; ranks are places in `routes`.
    pub(crate) modules: PatternSet,
    /// The places of the routes that take every module.
    pub(crate) any_module: Vec<Rank>,
}

impl RouteTable {
    /// The name space of a path (without its leading slash), and the path behind the prefix.
    pub fn enter<'a>(&self, path: &'a str) -> (Option<&RouteSpace>, &'a str) {
        for space in &self.spaces {
            if let Some(rest) = path.strip_prefix(space.prefix.as_str()) {
                return (Some(space), rest);
            }
        }
        (None, path)
    }

    /// The prefixes, in their order.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.spaces.iter().map(|space| space.prefix.as_str())
    }

    /// All of them, in their order.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.spaces.iter().flat_map(|space| &space.routes)
    }
}

impl RouteSpace {
    /// The first route that takes the module and the host; without a module, the first that takes
    /// all.
    pub fn pick(&self, module: Option<&str>, host: Option<&Host>) -> Option<&Route> {
        let takes = |place: Rank| {
            let route = self.routes.get(place as usize);
            route.is_some_and(|route| route.takes_host(host))
        };
        let of_module = |module| {
            self.modules
                .first_match_where(module, &mut |rank| takes(rank))
        };
        let any = self.any_module.iter().copied().find(|place| takes(*place));
        let place = [module.and_then(of_module), any];
        self.routes.get(place.into_iter().flatten().min()? as usize)
    }
}

impl Route {
    /// Whether it takes requests that ask for this host; `None` is one of which nothing is known.
    fn takes_host(&self, host: Option<&Host>) -> bool {
        let takes = |host| self.hosts.iter().any(|pattern| pattern.takes(host));
        self.hosts.is_empty() || host.is_some_and(takes)
    }

    /// The clusters that it may ask in which several backends stand in for each other.
    pub fn failovers(&self) -> &[Failover] {
        match &self.to {
            To::Backend(_) => &[],
            To::Drawn(drawn) => &drawn.failovers,
        }
    }
}
