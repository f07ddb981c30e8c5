//! All forged zips.

mod data;
mod directory;
mod ends;
mod entries;
pub mod foreign;
mod foreign_forged;
mod honest;
mod limits;
mod names;
mod zip64;

use std::sync::LazyLock;

use crate::h1::case::Case;

/// Every case, those that must pass first. Made once: some are large.
pub static ALL: LazyLock<Vec<Case>> = LazyLock::new(|| {
    [
        honest::cases(),
        foreign::cases(),
        foreign_forged::cases(),
        entries::cases(),
        data::cases(),
        directory::cases(),
        ends::cases(),
        zip64::cases(),
        names::cases(),
        limits::cases(),
    ]
    .concat()
});
