//! Where a query goes, and where a backend redirects it.

use super::MAX_TARGETS;
use super::client::Client;
use crate::decision::route_path;
use modgate_go::http::Header;
use modgate_policy::model::identity::Facts;
use modgate_policy::model::redirect::Redirected;
use modgate_policy::model::{BackendId, Policy};

/// Where a query goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryTarget {
    /// The backend.
    pub backend: BackendId,
    /// The cluster that is asked: the backend's, or one in which others stand in for it.
    pub cluster: String,
    /// The path, canonical.
    pub path: String,
}

impl QueryTarget {
    /// The file, without its module.
    fn file(&self) -> &str {
        let begin = self.path.rfind("/@").unwrap_or_default();
        self.path.get(begin..).unwrap_or_default()
    }

    /// Whether the answer there can replace the one that was requested here. The answers to both of these
    /// files name their version.
    fn is_in_the_stead_of(&self, requested: &Self) -> bool {
        let says_version = |file: &str| file == "/@latest" || file.ends_with(".info");
        let (file, requested) = (self.file(), requested.file());
        file == requested || (says_version(file) && says_version(requested))
    }
}

/// The next target of a query that went to these targets, the last of which gave this answer; `None` if the
/// answer is no redirect. A redirect is followed if the policy rewrites it to a path behind the filter, and
/// goes where the client's request for that path would go.
///
/// # Errors
/// Why it is not followed, as half a sentence that names no more of the place than its host.
pub fn follow(
    policy: &Policy,
    client: &Client,
    facts: &dyn Facts,
    targets: &[QueryTarget],
    (status, headers): (u16, &[Header]),
) -> Result<Option<QueryTarget>, String> {
    let Some((first, last)) = targets.first().zip(targets.last()) else {
        return Ok(None);
    };
    let locations = headers.iter().filter(|(name, _)| name == "location");
    let locations: Vec<&[u8]> = locations.map(|(_, value)| value.as_slice()).collect();
    let backend = policy.backend(last.backend);
    let requested = || Some(last.path.clone());
    let redirected =
        backend.and_then(|backend| backend.redirected_from(status, &locations, "", requested));
    let path = match redirected {
        None => return Ok(None),
        Some(Redirected::To(path)) => path,
        Some(Redirected::Passed) if locations.is_empty() => {
            return Err("it redirects without a Location".to_owned());
        }
        Some(Redirected::Passed) => {
            return Err("it redirects to a place that only the client can ask".to_owned());
        }
        Some(Redirected::Refused { reason }) => return Err(format!("it redirects: {reason}")),
    };
    let target = target_behind(policy, client, facts, &path);
    let target = target.ok_or("it redirects to a path that leads to no backend")?;
    if !target.is_in_the_stead_of(first) {
        return Err("it redirects to another file".to_owned());
    }
    if targets.contains(&target) {
        return Err("it redirects in a circle".to_owned());
    }
    if targets.len() >= MAX_TARGETS {
        return Err(format!("it redirects more than {} times", MAX_TARGETS - 1));
    }
    Ok(Some(target))
}

/// The target of a client's request for this path, without its tenant prefix and without evaluating the
/// rules; `None` if no route matches, or it is another module.
fn target_behind(
    policy: &Policy,
    client: &Client,
    facts: &dyn Facts,
    path: &str,
) -> Option<QueryTarget> {
    let tenant = client.tenant(policy)?;
    let routed = route_path(policy, client.request(), tenant, facts, path)?;
    let is_same_module = client.module() == Some(routed.module.as_str());
    is_same_module.then(|| QueryTarget {
        backend: routed.backend.id,
        cluster: routed.cluster.to_owned(),
        path: routed.path,
    })
}
