//! File descriptors: standard output and error go to the log, there is nothing else.

use super::super::call::Call;
use super::{Errno, WasiOutcome};
use crate::effect::LogLevel;
use crate::memory::{GuestSlice, leading_u32};

/// A line is not longer than this, whatever a guest's vectors add up to.
const LONGEST_LINE: usize = 1024 * 1024;
/// `__WASI_RIGHTS_FD_WRITE`
const RIGHT_TO_WRITE: u64 = 64;

/// Each write is one line of the log: at `info` for standard output, at `error` for standard error.
pub(in super::super) fn fd_write(
    call: &mut Call<'_>,
    fd: u32,
    vectors: u32,
    count: u32,
    to: u32,
) -> WasiOutcome {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Err(Errno::BadDescriptor),
    };
    let (memory, host) = call.split();
    // Envoy reads vector by vector: where there are none, it does not look where they would be.
    let vectors = match count.checked_mul(8).ok_or(Errno::Fault)? {
        0 => &[],
        size => GuestSlice::new(vectors, size).read(memory)?,
    };
    let mut line = Vec::new();
    let mut written = 0_u32;
    for vector in vectors.chunks_exact(8) {
        let (at, len) = vector.split_at(4);
        let part = GuestSlice::new(
            leading_u32(at).ok_or(Errno::Fault)?,
            leading_u32(len).ok_or(Errno::Fault)?,
        );
        let bytes = part.read(memory)?;
        written = written.saturating_add(part.size());
        let room = LONGEST_LINE.saturating_sub(line.len());
        line.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }
    if !line.is_empty() {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        host.log(level, String::from_utf8_lossy(text).into_owned());
    }
    call.write(to, written)?;
    Ok(())
}

pub(in super::super) const fn fd_read(
    _: &mut Call<'_>,
    _fd: u32,
    _vectors: u32,
    _count: u32,
    _to: u32,
) -> WasiOutcome {
    Err(Errno::NotImplemented)
}

pub(in super::super) const fn fd_seek(
    _: &mut Call<'_>,
    _fd: u32,
    _offset: i64,
    _whence: u32,
    _to: u32,
) -> WasiOutcome {
    Ok(())
}

pub(in super::super) const fn fd_close(_: &mut Call<'_>, _fd: u32) -> WasiOutcome {
    Ok(())
}

pub(in super::super) fn fd_fdstat_get(call: &mut Call<'_>, fd: u32, to: u32) -> WasiOutcome {
    if !matches!(fd, 1 | 2) {
        return Err(Errno::BadDescriptor);
    }
    // Envoy does not look at whether there was room. The last word first: without it, none is written.
    for (offset, value) in [(16, 0), (8, RIGHT_TO_WRITE), (0, 0)] {
        if call.write::<u64>(to.saturating_add(offset), value).is_err() {
            break;
        }
    }
    Ok(())
}

pub(in super::super) const fn fd_prestat_get(_: &mut Call<'_>, _fd: u32, _to: u32) -> WasiOutcome {
    Err(Errno::BadDescriptor)
}

pub(in super::super) const fn fd_prestat_dir_name(
    _: &mut Call<'_>,
    _fd: u32,
    _to: u32,
    _size: u32,
) -> WasiOutcome {
    Err(Errno::NotImplemented)
}

#[allow(clippy::too_many_arguments)] // WASI's
pub(in super::super) const fn path_open(
    _: &mut Call<'_>,
    _fd: u32,
    _lookup: u32,
    _path: u32,
    _size: u32,
    _open: u32,
    _rights: u64,
    _inherited: u64,
    _flags: u32,
    _to: u32,
) -> WasiOutcome {
    Err(Errno::NoEntry)
}
