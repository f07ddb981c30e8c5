//! Clocks, random numbers, and the scheduler that there is not.

use std::time::Duration;

use super::super::call::Call;
use super::{Errno, WasiOutcome};
use crate::memory::GuestSlice;

/// How long the machine had run when the proxy started. Go's runtime takes a clock at 0 for a broken one.
const UPTIME: Duration = Duration::from_secs(1);

/// `PROXY_WASM_HOST_WASI_RANDOM_GET_MAX_SIZE_BYTES`
const MOST_RANDOM: u32 = 64 * 1024;

pub(in super::super) fn clock_time_get(
    call: &mut Call<'_>,
    clock: u32,
    _precision: u64,
    to: u32,
) -> WasiOutcome {
    let clocks = &call.host().proxy.config().clock;
    let now = match clock {
        0 => clocks.wall(),
        1 => UPTIME + clocks.monotonic(),
        _ => return Err(Errno::NotSupported),
    };
    call.write(to, u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))?;
    Ok(())
}

/// Numbers from the VM's seed, so that a run can be had again.
pub(in super::super) fn random_get(call: &mut Call<'_>, to: u32, size: u32) -> WasiOutcome {
    if size > MOST_RANDOM {
        return Err(Errno::Invalid);
    }
    let (memory, host) = call.split();
    host.rng.fill(GuestSlice::new(to, size).write(memory)?);
    Ok(())
}

pub(in super::super) const fn sched_yield(_: &mut Call<'_>) -> WasiOutcome {
    Ok(())
}

/// Nothing ever becomes ready, and nothing is waited for: the answer is that there were 0 events.
pub(in super::super) fn poll_oneoff(
    call: &mut Call<'_>,
    _from: u32,
    _to: u32,
    _count: u32,
    to_count: u32,
) -> WasiOutcome {
    call.write(to_count, 0_u32)?;
    Ok(())
}
