//! Refusals that the Go command asks for twice.
//!
//! Over https it sends every request again that was answered 4xx, in case it has credentials for the
//! second time (`go help goauth`). That is one question, so it counts as one decision.

use std::hash::{Hash, Hasher};

use modgate_engine::decision::{Answer, Judgement};
use modgate_go::http::{Header, value_of};

use super::{Worker, get, set};
use crate::host::Host;
use crate::timestamp::Timestamp;

/// How long after the first the second is taken for its repetition, in milliseconds. It comes at once.
const WITHIN_MS: u64 = 2_000;

/// How many refusals are remembered, in the memory that all workers share: the second may come on
/// another connection.
const PLACES: u64 = 256;

/// Whether this is the second of two refusals that count. Every other call with the same one says so.
pub(crate) fn is_repetition(
    (host, worker): (&dyn Host, &Worker),
    headers: &[Header],
    judgement: &Judgement<'_>,
    now: Timestamp,
) -> bool {
    let Answer::Reply(reply) = &judgement.answer else {
        return false;
    };
    let counts = judgement.decision_labels().is_some();
    if !counts || !(400..500).contains(&reply.status) || !came_by_https(headers) {
        return false;
    }
    let Some(now) = now.unix_milliseconds() else {
        return false;
    };
    let refusal = hash((host, worker), judgement);
    let key = format!("modgate.refused.{}", refusal % PLACES);
    let known = get(host, &key).and_then(|bytes| decode(&bytes));
    let repeated = known.is_some_and(|(known, then)| {
        known == refusal && now.checked_sub(then).is_some_and(|age| age < WITHIN_MS)
    });
    // What was repeated is forgotten, so that a third is counted again.
    let then = if repeated { 0 } else { now };
    let bytes = [refusal.to_le_bytes(), then.to_le_bytes()].concat();
    set(host, &key, &bytes);
    repeated
}

fn came_by_https(headers: &[Header]) -> bool {
    [":scheme", "x-forwarded-proto"]
        .iter()
        .any(|name| value_of(headers, name) == Some(b"https"))
}

/// Tells one refusal of one client from another.
fn hash((host, worker): (&dyn Host, &Worker), judgement: &Judgement<'_>) -> u64 {
    let mut hasher = worker.hasher(host);
    let address = host.attribute(&["source", "address"]).unwrap_or_default();
    // Without the port, which is the connection's.
    let client = address.rsplitn(2, |byte| *byte == b':').nth(1);
    client.hash(&mut hasher);
    judgement.tenant.map(|tenant| tenant.id).hash(&mut hasher);
    judgement.operation.hash(&mut hasher);
    judgement.module.hash(&mut hasher);
    judgement.version.hash(&mut hasher);
    judgement.decision_labels().hash(&mut hasher);
    hasher.finish()
}

fn decode(bytes: &[u8]) -> Option<(u64, u64)> {
    let (refusal, then) = bytes.split_first_chunk()?;
    let then = then.try_into().ok()?;
    Some((u64::from_le_bytes(*refusal), u64::from_le_bytes(then)))
}
