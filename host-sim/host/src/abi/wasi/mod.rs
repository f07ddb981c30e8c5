//! The functions of WASI that SDKs import, with what Envoy's host answers
//! (proxy-wasm-cpp-host, `src/exports.cc`): there are no files, and output goes to the log.

pub(super) mod environment;
pub(super) mod files;
pub(super) mod system;

use super::call::Fault;
use crate::types::Status;

/// `errno` numbers of WASI preview 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Errno {
    BadDescriptor = 8,
    Fault = 21,
    Invalid = 28,
    NoEntry = 44,
    NotImplemented = 52,
    NotSupported = 58,
}

pub(super) const FAULT: u32 = Errno::Fault as u32;
/// What a restricted function answers.
pub(super) const NOT_CAPABLE: u32 = 76;

pub(super) type WasiOutcome = Result<(), Errno>;

/// A pointer that leads nowhere is a fault.
impl From<Status> for Errno {
    fn from(_: Status) -> Self {
        Self::Fault
    }
}

impl From<Fault> for Errno {
    fn from(_: Fault) -> Self {
        Self::Fault
    }
}

pub(super) const fn errno(outcome: WasiOutcome) -> u32 {
    match outcome {
        Ok(()) => 0,
        Err(errno) => errno as u32,
    }
}
