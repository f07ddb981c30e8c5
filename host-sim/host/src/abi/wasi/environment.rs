//! Arguments, of which there are none, and environment variables.

use super::super::call::Call;
use super::WasiOutcome;
use crate::memory::GuestSlice;

pub(in super::super) const fn args_get(_: &mut Call<'_>, _list: u32, _texts: u32) -> WasiOutcome {
    Ok(())
}

pub(in super::super) fn args_sizes_get(call: &mut Call<'_>, count: u32, size: u32) -> WasiOutcome {
    call.write(count, 0_u32)?;
    call.write(size, 0_u32)?;
    Ok(())
}

/// Each variable as `NAME=value`, ended by a NUL.
fn variables(call: &mut Call<'_>) -> Vec<Vec<u8>> {
    let environment = &call.host().config.environment;
    let text = |(name, value): &(String, String)| format!("{name}={value}\0").into_bytes();
    environment.iter().map(text).collect()
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

pub(in super::super) fn environ_get(call: &mut Call<'_>, list: u32, texts: u32) -> WasiOutcome {
    let (mut list, mut texts) = (list, texts);
    for variable in variables(call) {
        call.write(list, texts)?;
        let size = length(variable.len());
        let (memory, _) = call.split();
        let to = GuestSlice::new(texts, size).write(memory)?;
        to.copy_from_slice(&variable);
        list = list.saturating_add(4);
        texts = texts.saturating_add(size);
    }
    Ok(())
}

pub(in super::super) fn environ_sizes_get(
    call: &mut Call<'_>,
    count: u32,
    size: u32,
) -> WasiOutcome {
    let variables = variables(call);
    call.write(count, length(variables.len()))?;
    call.write(size, length(variables.iter().map(Vec::len).sum()))?;
    Ok(())
}
