//! `modgate metrics`

use std::error::Error;

use clap::ValueEnum;

use super::out;
use crate::export;

/// The arguments of `modgate metrics`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// The bootstrap's `stats_config`: label patterns and histogram buckets.
    Envoy,
    /// Pod annotations: label names and histogram buckets.
    Istio,
    /// The catalogue as data: every metric with its labels, every label with its values.
    Json,
    /// The reference page.
    Markdown,
}

pub(super) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let text = match args.format {
        Format::Envoy => export::envoy()?,
        Format::Istio => export::istio()?,
        Format::Json => export::json(),
        Format::Markdown => export::markdown(),
    };
    Ok(out::print(&text)?)
}
