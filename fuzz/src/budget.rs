//! How long the engine may take over one input, in CPU time of its thread, so that a busy machine
//! makes no difference.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What a request, a name or a version may take. Fuzzing runs code that is several times slower
/// than what ships: it counts branches and checks for overflow.
pub const OF_A_REQUEST: Duration = Duration::from_millis(20);

/// What the longest request may take by whatever policy a document of 8 KiB makes.
pub const OF_A_LONG_REQUEST: Duration = Duration::from_millis(200);

/// What compiling a policy document of at most 8 KiB (see `scripts/fuzz`) or a few patterns
/// may take.
pub const OF_A_POLICY: Duration = Duration::from_secs(2);

/// The longest time so far, in microseconds; before the first one the highest number there is.
static SLOWEST: AtomicU64 = AtomicU64::new(u64::MAX);

/// Does the work and gives its result.
///
/// A new longest time is told on standard error, where `scripts/fuzz` looks for it.
///
/// # Panics
/// Where the work takes longer than `bound` three times in a row. It must do the same each time.
pub fn within<T>(bound: Duration, work: impl Fn() -> T) -> T {
    let (result, mut took) = timed(&work);
    tell_slowest(took);
    // Only here: what is done twice counts as another way through the code.
    for _ in 0..2 {
        if took <= bound {
            return result;
        }
        took = took.min(timed(&work).1);
    }
    assert!(
        took <= bound,
        "too slow: {took:?} of CPU time, and the bound is {bound:?}"
    );
    result
}

fn tell_slowest(took: Duration) {
    let micros = took.as_micros() as u64;
    // The first one makes ready what all others use.
    let slowest = SLOWEST.fetch_max(micros, Ordering::Relaxed);
    if slowest == u64::MAX {
        SLOWEST.store(0, Ordering::Relaxed);
    } else if slowest < micros {
        eprintln!("slowest: {micros} us");
    }
}

fn timed<T>(work: impl Fn() -> T) -> (T, Duration) {
    let start = cpu_time();
    let result = work();
    (result, cpu_time().saturating_sub(start))
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
