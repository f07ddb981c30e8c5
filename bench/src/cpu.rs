//! Which processor runs what, and how long a process was running on one.

use std::fs;
use std::io;
use std::time::Duration;

use perf_event::events::Hardware;
use perf_event::{Builder, Counter};
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

/// The instructions that a process has executed outside the kernel, in all threads that it had when
/// this began. Unlike time they do not depend on what else the machine does.
#[derive(Debug)]
pub struct Instructions(Vec<Counter>);

impl Instructions {
    /// Begins to count; `None` where the machine or its settings have no such counter
    /// (perf_event_open(2)).
    pub fn of(process: u32) -> Option<Self> {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?;
        let counters = tasks.map(|task| {
            let thread = task.ok()?.file_name().to_str()?.parse().ok()?;
            let mut counter = Builder::new(Hardware::INSTRUCTIONS)
                .observe_pid(thread)
                .exclude_kernel(true)
                .build()
                .ok()?;
            counter.enable().ok()?;
            Some(counter)
        });
        counters.collect::<Option<_>>().map(Self)
    }

    /// So many since it began.
    pub fn count(&mut self) -> Option<u64> {
        self.0.iter_mut().map(|counter| counter.read().ok()).sum()
    }
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
