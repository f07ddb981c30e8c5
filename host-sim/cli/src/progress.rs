//! How far a command is, on standard error; nothing where that is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// So many things of a kind.
pub(super) fn things(all: u64, of: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(all);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        Ok(style) => bar.with_style(style).with_message(of),
        Err(_) => bar,
    }
}

/// Bytes of so many; of nobody knows how many where that is `None`.
pub(super) fn bytes(all: Option<u64>) -> ProgressBar {
    let (bar, template) = match all {
        Some(all) => (
            ProgressBar::new(all),
            "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {wide_msg}",
        ),
        None => (
            ProgressBar::no_length(),
            "{spinner} {bytes} {binary_bytes_per_sec} {wide_msg}",
        ),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
