//! When a command that runs until it is told to stop is told so.

use std::io;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, or what a service manager sends. From its making on neither ends the process by itself,
/// so that it can end in order.
#[derive(Debug)]
pub(super) struct StopSignal {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignal {
    /// Listens. To be made before anything starts, so that a signal that comes meanwhile is not lost.
    pub(super) fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (interrupt, terminate) = runtime.block_on(async {
            let interrupt = signal(SignalKind::interrupt())?;
            Ok::<_, io::Error>((interrupt, signal(SignalKind::terminate())?))
        })?;
        Ok(Self {
            runtime,
            interrupt,
            terminate,
        })
    }

    /// Waits for a signal.
    pub(super) fn wait(&mut self) {
        let Self {
            runtime,
            interrupt,
            terminate,
        } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
    }

    /// Whether a signal has come already.
    pub(super) fn has_come(&mut self) -> bool {
        let Self {
            runtime,
            interrupt,
            terminate,
        } = self;
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = interrupt.recv() => true,
                _ = terminate.recv() => true,
                () = tokio::time::sleep(Duration::from_millis(1)) => false,
            }
        })
    }
}
