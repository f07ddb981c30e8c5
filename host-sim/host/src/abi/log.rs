//! `proxy_log`, `proxy_get_log_level`.

use super::call::{Call, Outcome};
use crate::effect::LogLevel;
use crate::memory::GuestSlice;
use crate::types::Status;

pub(super) fn log(call: &mut Call<'_>, level: u32, text: u32, size: u32) -> Outcome {
    let level = LogLevel::ALL.get(level as usize).copied();
    let level = level.ok_or(Status::BadArgument)?;
    let (memory, host) = call.split();
    let text = GuestSlice::new(text, size).read(memory)?;
    if level >= host.config.log_level {
        let line = String::from_utf8_lossy(text).into_owned();
        host.log(level, line);
    }
    Ok(())
}

pub(super) fn get_log_level(call: &mut Call<'_>, to: u32) -> Outcome {
    let level = call.host().config.log_level as u32;
    call.write(to, level)
}
