//! Which processor runs what, and how long a process was running on one.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors that this process may use, shared out between what is measured and what measures
/// it. With one processor both share it, which makes requests per second meaningless.
#[derive(Clone, Copy, Debug)]
pub struct Processors {
    measured: CpuSet,
    measuring: CpuSet,
}

impl Processors {
    /// The first processor for what is measured, the others for the load.
    ///
    /// # Errors
    /// Where the system does not tell, or there is only one.
    pub fn share_out() -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let mut measured = CpuSet::new();
        let mut measuring = CpuSet::new();
        for cpu in (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)) {
            if measured.count() == 0 {
                measured.set(cpu);
            } else {
                measuring.set(cpu);
            }
        }
        if measuring.count() == 0 {
            return Err(io::Error::other(
                "there is one processor only: measure on a machine with at least two",
            ));
        }
        Ok(Self {
            measured,
            measuring,
        })
    }

    /// Programs started from this thread from now on run on the processor of what is measured.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn start_measured(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.measured)?)
    }

    /// This thread, and those that it starts from now on, run on the other processors.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn measure(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.measuring)?)
    }
}

/// How long all threads of a process have run, user and system time together, in the scheduler's own
/// nanoseconds (`/proc/PID/task/TID/schedstat`, Linux `sched-stats`). The ticks of `/proc/PID/stat`
/// are 10 ms, too coarse for a slice.
///
/// # Errors
/// Where the process is gone or the system keeps no such figures.
pub fn time_of(process: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_ascii_whitespace().next();
        nanoseconds += first
            .and_then(|n| n.parse::<u64>().ok())
            .unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// How long all processors together have been at work, for whomever, since the system started (the
/// `cpu` line of `/proc/stat`, proc(5), all but `idle`, `iowait` and the guests, which it counts twice).
///
/// # Errors
/// Where the system does not tell.
pub fn time_of_all() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "));
    let ticks: Vec<u64> = line
        .into_iter()
        .flat_map(str::split_ascii_whitespace)
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = ticks[..] else {
        return Err(io::Error::other(
            "/proc/stat has no line `cpu` of eight figures",
        ));
    };
    let ticks = user + nice + system + irq + softirq + steal;
    Ok(Duration::from_secs_f64(
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

/// The resident memory of a process, in bytes (`VmRSS` of `/proc/PID/status`).
///
/// # Errors
/// Where the process is gone.
pub fn memory_of(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("/proc has no VmRSS of the process"))
}
