//! What the commands about a policy share: finding it in a file, and telling where what stands.

pub(super) mod find;
mod hints;
pub(super) mod load;
pub(super) mod log;
mod places;
pub(super) mod request;
pub(super) mod source;
pub(super) mod text;

pub(super) use load::{Loaded, load};
pub(super) use source::Source;
