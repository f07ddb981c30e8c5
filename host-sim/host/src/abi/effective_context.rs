//! `proxy_set_effective_context`, `proxy_done`.

use super::call::{Call, Outcome};
use crate::host::Action;
use crate::types::Status;

/// What follows in this callback is done for that context.
pub(super) fn set(call: &mut Call<'_>, context: u32) -> Outcome {
    if !call.host().contexts.act_for(context) {
        return Err(Status::BadArgument.into());
    }
    Ok(())
}

/// A root context that `on_done` had declared busy is done now.
pub(super) fn done(call: &mut Call<'_>) -> Outcome {
    let host = call.host();
    let context = host.contexts.acting();
    let root = host.contexts.root_mut(context);
    let root = root.filter(|root| root.pending_done);
    root.ok_or(Status::NotFound)?.pending_done = false;
    host.actions.push(Action::RootDone(context));
    Ok(())
}
