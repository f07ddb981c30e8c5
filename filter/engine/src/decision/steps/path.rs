//! Second step: the path, decoded once.

use super::{Context, RequestLine};
use crate::reply::LocalReply;
use modgate_go::goproxy::Target;

pub(in crate::decision) fn path<'r>(
    context: &Context<'_, '_>,
    line: &RequestLine<'r>,
) -> Result<Target<'r>, LocalReply> {
    Target::decode(line.path).map_err(|refusal| context.bad(refusal))
}
