//! Routes: which backend a request goes to, and under which path.

use crate::policy::By;
use crate::policy::pattern::{PatternSet, Rank};

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name in the document.
    pub id: String,
    pub(crate) to: To,
    /// What stands upstream between the backend's base path and the module: empty, or with a
    /// leading slash only.
    pub(crate) upstream_prefix: String,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// To the backend at this place among the policy's.
    Backend(usize),
    /// To one of several.
    Drawn(Drawn),
}

/// Backends, one of which is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The weights of all the policy's backends, in hundredths of a percent.
    pub(crate) weights: Vec<u16>,
    /// What stays with its backend.
    pub(crate) by: By,
}

/// All routes, by the path prefix that they want.
#[derive(Clone, Debug)]
pub(crate) struct RouteTable {
    /// By descending length of the prefix; the last is the one without.
    pub(crate) spaces: Vec<RouteSpace>,
}

/// The routes that share a path prefix. A prefix opens a name space of its own: behind it only
/// these routes count, so that one path never has two readings.
#[derive(Clone, Debug)]
pub(crate) struct RouteSpace {
    /// Without a leading slash and with one at the end; empty for the routes without a prefix.
    pub(crate) prefix: String,
    /// In the document's order.
    pub(crate) routes: Vec<Route>,
    /// The module patterns of the routes that have some; ranks are places in `routes`.
    pub(crate) modules: PatternSet,
    /// The place of the first route that takes every module.
    pub(crate) catch_all: Option<Rank>,
}

impl RouteTable {
    /// The name space of a path (without its leading slash), and the path behind the prefix.
    pub(crate) fn enter<'a>(&self, path: &'a str) -> (Option<&RouteSpace>, &'a str) {
        for space in &self.spaces {
            if let Some(rest) = path.strip_prefix(space.prefix.as_str()) {
                return (Some(space), rest);
            }
        }
        (None, path)
    }

    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.spaces.iter().flat_map(|space| &space.routes)
    }
}

impl RouteSpace {
    /// The first route that takes the module; without a module, the first that takes all.
    pub(crate) fn pick(&self, module: Option<&str>) -> Option<&Route> {
        let by_module = module.and_then(|module| self.modules.first_match(module));
        let place = [by_module, self.catch_all].into_iter().flatten().min()?;
        self.routes.get(place as usize)
    }
}
