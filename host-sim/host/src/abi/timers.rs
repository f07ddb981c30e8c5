//! `proxy_set_tick_period_milliseconds`, `proxy_get_current_time_nanoseconds`.

use std::time::Duration;

use super::call::{Call, Outcome};
use crate::context::Tick;

/// Sets the period of the root context's tick; 0 stops it.
pub(super) fn set_tick_period(call: &mut Call<'_>, milliseconds: u32) -> Outcome {
    let host = call.host();
    let period = Duration::from_millis(milliseconds.into());
    let next = host.proxy.now() + period;
    let root = host.contexts.acting_root();
    if let Some(root) = host.contexts.root_mut(root) {
        root.tick = (milliseconds > 0).then_some(Tick { period, next });
    }
    Ok(())
}

pub(super) fn get_current_time(call: &mut Call<'_>, to: u32) -> Outcome {
    let now = call.host().proxy.config().clock.wall();
    call.write(to, u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}
