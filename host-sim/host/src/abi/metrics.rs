//! `proxy_define_metric` and its kin. A metric's number tells its kind in its two lowest bits, as
//! in Envoy.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::call::{Call, Outcome};
use crate::host::Host;
use crate::memory::GuestSlice;
use crate::stats::{Metric, MetricKind, Value};
use crate::types::Status;

pub(super) fn define(call: &mut Call<'_>, kind: u32, name: u32, size: u32, to: u32) -> Outcome {
    let (memory, host) = call.split();
    let name = GuestSlice::new(name, size).read(memory)?;
    let kind = match kind {
        0 => MetricKind::Counter,
        1 => MetricKind::Gauge,
        2 => MetricKind::Histogram,
        _ => return Err(Status::BadArgument.into()),
    };
    let name = String::from_utf8_lossy(name);
    let metric = host.proxy.stats().define(kind, &name);
    let id = host.metrics.add(kind, metric);
    call.write(to, id)
}

fn metric(host: &Host, id: u32) -> Result<&Arc<Metric>, Status> {
    host.metrics.get(id).ok_or(Status::NotFound)
}

/// A counter takes what is above 0 only; a gauge wraps; a histogram has no increment.
pub(super) fn increment(call: &mut Call<'_>, id: u32, offset: i64) -> Outcome {
    if id & 3 > 1 {
        return Err(Status::BadArgument.into());
    }
    match metric(call.host(), id)?.as_ref() {
        Metric::Counter(cell) if offset > 0 => {
            cell.fetch_add(offset.unsigned_abs(), Ordering::Relaxed);
        }
        Metric::Gauge(cell) => {
            cell.fetch_add(offset.cast_unsigned(), Ordering::Relaxed);
        }
        Metric::Counter(_) | Metric::Histogram(_) => return Err(Status::BadArgument.into()),
    }
    Ok(())
}

pub(super) fn record(call: &mut Call<'_>, id: u32, value: u64) -> Outcome {
    metric(call.host(), id)?.record(value);
    Ok(())
}

pub(super) fn get(call: &mut Call<'_>, id: u32, to: u32) -> Outcome {
    if id & 3 > 1 {
        return Err(Status::BadArgument.into());
    }
    match metric(call.host(), id)?.value() {
        Value::Counter(value) | Value::Gauge(value) => call.write(to, value),
        Value::Histogram { .. } => Err(Status::BadArgument.into()),
    }
}
