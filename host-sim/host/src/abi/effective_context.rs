//! `proxy_set_effective_context`, `proxy_done`.

use super::call::{Call, Outcome};
use crate::host::Action;
use crate::types::Status;

/// What follows in this callback is done for that context.
pub(super) fn set(call: &mut Call<'_>, context: u32) -> Outcome {
    let host = call.host();
    if !host.exists(context) {
        return Err(Status::BadArgument.into());
    }
    host.effective = Some(context);
    Ok(())
}

/// A root context that `on_done` had declared busy is done now.
pub(super) fn done(call: &mut Call<'_>) -> Outcome {
    let host = call.host();
    let context = host.context();
    let root = host.roots.get_mut(&context);
    let root = root.filter(|root| root.pending_done);
    root.ok_or(Status::NotFound)?.pending_done = false;
    host.actions.push_back(Action::RootDone(context));
    Ok(())
}
