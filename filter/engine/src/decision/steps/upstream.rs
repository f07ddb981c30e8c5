//! Last step: what goes upstream, in canonical form, and the lookup before it.

use super::{Context, LookupSpec, ParsedRequest, RequestLine};
use crate::decision::caching;
use crate::decision::request_decision::{Decision, RequestDecision};
use crate::decision::routing::Destination;
use crate::lookup::{LookupTarget, VersionLookup};

pub(in crate::decision) fn upstream<'p>(
    context: &Context<'p, '_>,
    line: &RequestLine<'_>,
    request: &ParsedRequest<'p, '_>,
    destination: &Destination<'p>,
    lookup: LookupSpec,
    record: &mut RequestDecision<'p>,
) -> Decision<'p> {
    let Destination {
        backend,
        cluster,
        route,
        ..
    } = *destination;
    let (policy, operation) = (context.policy, &request.operation);
    record.remove_headers = context.head.kept_from(policy, backend);
    record.cache_scope = caching::cache_scope(
        policy,
        &caching::CacheInputs {
            operation,
            tenant: request.tenant,
            head: context.head,
            route,
            backend,
        },
    );
    let mut upstream = String::with_capacity(line.path.len() + backend.base_path.len() + 16);
    upstream.push_str(&backend.base_path);
    if let Some(route) = route {
        upstream.push_str(&route.upstream_prefix);
    }
    let prefix = upstream.len();
    operation.write_canonical(&mut upstream);
    let lookup = lookup.kind.map(|kind| {
        let target = LookupTarget {
            kind,
            module: operation.module().unwrap_or_default().to_owned(),
            tenant: request.tenant.id,
            side: record.stage.side,
            backend: backend.id,
            upstream: upstream.get(..prefix).unwrap_or_default().to_owned(),
            request_id: record.request_id.clone(),
            is_probe: operation.is_probe(),
        };
        Box::new(VersionLookup::new(target, lookup.choice))
    });
    let path = (upstream.as_bytes() != line.path).then_some(upstream);
    match lookup {
        None => Decision::Forward {
            backend,
            cluster,
            path,
        },
        Some(lookup) => Decision::Pending {
            backend,
            cluster,
            path,
            lookup,
        },
    }
}
